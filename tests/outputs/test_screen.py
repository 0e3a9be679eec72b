"""What a terminal shows: colour where it is wanted, and nothing that a text commands."""

from __future__ import annotations

import io

import pytest

from afina.outputs.screen import BOLD, OFF, paint_for, write_screen
from afina.outputs.writers import Form
from tests.outputs.answered import entity, one_text, task_of

TASK = task_of("tokens", {"kind": "entities", "types": ["PER"], "scheme": "spans"}, text="text")


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_only_what_is_said_has_a_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    file = Terminal()
    text = "\x1b[31mAna\rX"
    write_screen(file, [one_text(text, {"entities": [entity(text, 5, 8, "PER")]})], Form(TASK))
    assert file.getvalue() == f"\\x1b[31m{BOLD}[{OFF}Ana{BOLD}](PER 0.88){OFF}\\rX\n"


def test_no_colour_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert paint_for(Terminal())("x") != "x"
    assert paint_for(io.StringIO())("x") == "x"
    monkeypatch.setenv("TERM", "dumb")
    assert paint_for(Terminal())("x") == "x"
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert paint_for(Terminal())("x") == "x"
