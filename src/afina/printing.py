"""Lines, tables and numbers for people, safe to print on a terminal."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Sequence
from typing import Any, TextIO

UNSAFE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that move the cursor, ring, or turn the direction of writing. The newline is not one of them."""


def say(text: str = "", stream: TextIO | None = None) -> None:
    """Print, with everything harmless that a terminal might obey."""
    print(UNSAFE.sub(escaped, text), file=stream or sys.stdout, flush=True)


def escaped(match: re.Match[str]) -> str:
    """A character as it would be written in Python."""
    return match[0].encode("unicode_escape").decode("ascii")


def say_table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print columns side by side."""
    cells = [list(names), *([number(value).replace("\n", "\\n") for value in row] for row in rows)]
    cells = [[UNSAFE.sub(escaped, text) for text in row] for row in cells]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        say("  ".join(text + " " * (size - width(text)) for text, size in zip(row, widths, strict=True)).rstrip())


def width(text: str) -> int:
    """Places that a text takes on a screen."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)


def number(value: Any) -> str:
    """A value for people: four decimals, or six digits when it is large."""
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) < 1000 else f"{value:.6g}"
    return str(value)


def many(count: int, noun: str, plural: str = "") -> str:
    """A number and its noun: 1 example, 1,000 examples, 2 entities.

    Args:
        count: How many.
        noun: The noun in the singular.
        plural: Its plural where that has more than an s.
    """
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """A time for people."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
