"""The command line: every command parses its arguments, calls the application and prints the result."""

from __future__ import annotations

import sys

from .app import program


def main() -> None:
    """The program `afina`."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that can't show a character gets its number, not a crash
            stream.reconfigure(errors="backslashreplace")
    program()(prog_name="afina")
