"""Lines, tables and numbers for people, safe to print on a terminal and to show in a notebook."""

from __future__ import annotations

import re
import sys
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Any, TextIO

UNSAFE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that move the cursor, ring, or turn the direction of writing. The newline is not one of them."""


def say(text: str = "", stream: TextIO | None = None) -> None:
    """Print, with everything harmless that a terminal might obey."""
    print(safe(text), file=stream or sys.stdout, flush=True)


def safe(text: str) -> str:
    """A text with everything escaped that a terminal might obey."""
    return UNSAFE.sub(escaped, text)


def escaped(match: re.Match[str]) -> str:
    """A character as it would be written in Python."""
    return match[0].encode("unicode_escape").decode("ascii")


# ---------------------------------------------------------------------------------------------------------------------
# Results: blocks of text and tables, as lines or as HTML.


@dataclass(frozen=True, slots=True)
class Table:
    """Columns side by side.

    Attributes:
        names: Names of the columns.
        rows: The values of each row.
    """

    names: Sequence[str]
    rows: Sequence[Sequence[Any]]

    @property
    def cells(self) -> list[list[str]]:
        """The values as text, each on one line."""
        return [[safe(number(value).replace("\n", "\\n")) for value in row] for row in self.rows]


Block = str | Table


class Shown(ABC):
    """A result for people: `print` shows lines, a notebook shows HTML."""

    __slots__ = ()

    @abstractmethod
    def blocks(self) -> Iterable[Block]:
        """What there is to see, from top to bottom."""

    def __str__(self) -> str:
        return "\n".join(as_text(self.blocks()))

    def _repr_html_(self) -> str:
        return as_html(self.blocks())


def as_text(blocks: Iterable[Block]) -> Iterator[str]:
    """Blocks as lines."""
    for block in blocks:
        if isinstance(block, str):
            yield safe(block)
            continue
        cells = [[safe(name) for name in block.names], *block.cells]
        widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
        for row in cells:
            padded = (text + " " * (size - width(text)) for text, size in zip(row, widths, strict=True))
            yield "  ".join(padded).rstrip()


def as_html(blocks: Iterable[Block]) -> str:
    """Blocks as HTML in which nothing of the user's is markup."""
    parts = []
    for kind, some in groupby(blocks, type):
        if kind is str:
            text = "\n".join(map(str, some)).strip("\n")
            parts += [f'<pre style="white-space: pre-wrap">{escape(safe(text))}</pre>'] if text else []
        else:
            parts += [html_table(block) for block in some if isinstance(block, Table)]
    return "".join(parts)


def html_table(table: Table) -> str:
    """A table as HTML, its columns aligned to the left."""
    style = ' style="text-align: left"'
    head = "".join(f"<th{style}>{escape(safe(name))}</th>" for name in table.names)
    rows = ("".join(f"<td{style}>{escape(text)}</td>" for text in row) for row in table.cells)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def say_table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print columns side by side."""
    say("\n".join(as_text([Table(names, rows)])))


# ---------------------------------------------------------------------------------------------------------------------
# Words and numbers.


def width(text: str) -> int:
    """Places that a text takes on a screen."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)


def number(value: Any) -> str:
    """A value for people: four decimals, four digits from 10 on, six when it is large."""
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) < 10 else f"{value:.4g}" if abs(value) < 1000 else f"{value:.6g}"
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
