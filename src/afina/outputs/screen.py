"""Predictions for whoever looks at a terminal: each in a line, what is said in colour."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TextIO

from .marked import Paint, line_of, plain
from .writers import Answered, Form

LONGEST = 60
"""Characters of a text that are shown before what is said of it."""
BOLD, OFF = "\x1b[1;36m", "\x1b[0m"


def write_screen(file: TextIO, answers: Iterable[Answered], form: Form) -> None:
    """A line a prediction, at once. Nothing in a text moves the cursor."""
    paint = paint_for(file)
    for answered in answers:
        print(line_of(answered, form, paint=paint, longest=LONGEST), file=file, flush=True)


def paint_for(file: TextIO) -> Paint:
    """What makes the answers stand out: colour on a terminal, unless NO_COLOR or TERM=dumb say otherwise."""
    return coloured if has_colours(file) else plain


def has_colours(file: TextIO) -> bool:
    """Whether this is a terminal that shows colours, and nobody asked for none."""
    return file.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def coloured(said: str) -> str:
    """What is said, in colour."""
    return f"{BOLD}{said}{OFF}"
