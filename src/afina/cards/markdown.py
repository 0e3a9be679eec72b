"""Markdown in which nothing of the user's is markup: labels, columns and names of files stand as code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ..printing import safe

LONGEST = 60
"""Characters of a user's text that are shown."""
FENCE = re.compile(r"`+")
BARRED = re.compile(r"\\+\|")
"""A bar behind backslashes: programs differ in whether it ends the cell of a table."""


def code(text: str, *, longest: int = LONGEST) -> str:
    """A user's text on one line, as code, in which no program looks for markup, links or formulas.

    >>> code("a`b"), code("<b>|"), code("")
    ('``a`b``', '`<b>|`', '` `')

    Args:
        text: Anything.
        longest: Number of characters that are shown.
    """
    line = safe(text.replace("\n", "\\n"))
    line = line if len(line) <= longest else line[: longest - 1] + "…"
    if not line.strip():
        return "` `"  # a span of nothing is no code, and one of blanks looks like it
    fence = "`" * (1 + max((len(run) for run in FENCE.findall(line)), default=0))
    # What begins or ends with a backtick, or with a blank, has a blank beside the fence, which is taken off again.
    blank = " " if line[0] in "` " or line[-1] in "` " else ""
    return f"{fence}{blank}{line}{blank}{fence}"


def cell(text: str) -> str:
    """Markdown as it may stand in a table."""
    return BARRED.sub("¦", text).replace("|", "\\|")


def table(names: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int = 0) -> list[str]:
    """Lines of a table.

    Args:
        names: Heads of the columns.
        rows: Cells, as Markdown.
        numbers: Number of columns at the end whose cells are numbers; they stand at the right.
    """
    sides = ["---"] * (len(names) - numbers) + ["---:"] * numbers
    lines = [names, sides, *rows]
    return [f"| {' | '.join(map(cell, line))} |" for line in lines]


def listed(items: Iterable[str]) -> list[str]:
    """Lines of a list."""
    return [f"* {item}" for item in items]


def fenced(program: str) -> list[str]:
    """Lines of a Python program."""
    return ["```python", *program.strip("\n").split("\n"), "```"]


def joined(parts: Iterable[Sequence[str]]) -> str:
    """Blocks of lines as a text, an empty line between two of them; empty blocks are left out."""
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"
