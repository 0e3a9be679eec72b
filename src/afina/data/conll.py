"""Sentences in columns: CoNLL files (any columns, tabs or blanks) and CoNLL-U. One sentence, one row of lists.

A row of a CoNLL file has the columns `1`, `2`, ...; one of CoNLL-U has `form`, `lemma`, `upos`, `xpos`, `feats`,
`deprel` and `misc`. Every column is a list with one entry a word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from ..errors import Problem, printable
from ..records import Row

DOCUMENT = "-DOCSTART-"
SNIFFED = 2000
"""Lines that are looked at to tell CoNLL columns from a table."""
# Only these two separate columns: lines of real data hold U+00A0 and U+0085 inside words, where str.split would cut.
BLANKS = re.compile(r"[ \t]+")


class LineError(Protocol):
    """What makes a line unreadable."""

    def at(self, place: str, raw: bytes) -> Problem: ...


class NumberedLine(Protocol):
    """A physical line: its number from 1, its bytes, its text, and what makes it unreadable."""

    @property
    def number(self) -> int: ...
    @property
    def raw(self) -> bytes: ...
    @property
    def text(self) -> str: ...
    @property
    def fault(self) -> LineError | None: ...


def looks_like_columns(lines: Iterable[str]) -> bool:
    """Whether lines are sentences in columns: blocks of lines with the same number of fields, apart by empty lines."""
    counts, gaps, inside = set(), 0, False
    for line in lines:
        text = line.strip("\r\n")
        if not text.strip(" \t"):
            gaps, inside = gaps + inside, False
        elif not text.startswith(DOCUMENT):
            counts.add(len(fields(text)))
            inside = True
    return gaps > 0 and len(counts) == 1 and counts.pop() > 1


def fields(text: str) -> list[str]:
    """The columns of a line: between tabs where there is one, else between blanks."""
    return text.split("\t") if "\t" in text else BLANKS.split(text.strip(" "))


def blocks(lines: Iterable[NumberedLine]) -> Iterator[list[NumberedLine]]:
    """Runs of lines between empty ones; `-DOCSTART-` lines belong to none."""
    block: list[NumberedLine] = []
    for line in lines:
        text = line.text.strip("\r\n")
        if text.startswith(DOCUMENT):
            continue
        if text.strip(" \t"):
            block.append(line)
        elif block:
            yield block
            block = []
    if block:
        yield block


def unreadable(name: str, block: Sequence[NumberedLine]) -> Problem | None:
    """The first line of a sentence that can't be read, as a problem of the whole sentence."""
    for line in block:
        if line.fault:
            return line.fault.at(f"{name}:{line.number}", raw_of(block))
    return None


def raw_of(block: Sequence[NumberedLine]) -> bytes:
    """The bytes of a sentence."""
    return b"".join(line.raw for line in block)


def read_columns(name: str, lines: Iterable[NumberedLine]) -> Iterator[Row | Problem]:
    """The sentences of a CoNLL file; a sentence with a ragged line is a problem."""
    expected = 0
    for block in blocks(lines):
        table = [fields(line.text.strip("\r\n")) for line in block]
        # The first sentence decides by its majority, so that one odd line at the top does not spoil the file.
        expected = expected or Counter(map(len, table)).most_common(1)[0][0]
        odd = next((i for i, row in enumerate(table) if len(row) != expected or "" in row), None)
        problem = unreadable(name, block)
        if problem is None and odd is not None:
            problem = ragged(f"{name}:{block[odd].number}", block[odd].text, table[odd], expected, raw_of(block))
        if problem is None:
            columns = zip(*table, strict=True)
            values = {str(i): list(column) for i, column in enumerate(columns, 1)}
            yield Row(values, f"{name}:{block[0].number}", raw_of(block))
        else:
            yield problem


def ragged(place: str, text: str, found: Sequence[str], expected: int, raw: bytes) -> Problem:
    """What is wrong with a line that has other columns than the rest."""
    line = text.strip("\r\n")
    if len(found) != expected:
        message = f"expected {expected} columns as in the other lines, found {len(found)}: {printable(line)}"
    else:
        message = f"column {[*found].index('') + 1} is empty: {printable(line)}"
    if "\t" in line and " " in line:
        fix = "a line with a tab is cut at tabs only; write either tabs or blanks between columns"
    elif line.startswith("#"):
        fix = "leave out comments, or name a CoNLL-U file .conllu"
    else:
        fix = "one word and its tags a line, an empty line after each sentence"
    return Problem(place, message, fix, "ragged-line", raw)


def read_conllu(name: str, lines: Iterable[NumberedLine]) -> Iterator[Row | Problem]:
    """The sentences of a CoNLL-U file. Multi-word lines (`8-9`) and empty nodes (`8.1`) are not words of their own."""
    from conllu import parse
    from conllu.exceptions import ParseException

    for block in blocks(lines):
        place, raw = f"{name}:{block[0].number}", raw_of(block)
        problem = unreadable(name, block)
        if problem:
            yield problem
            continue
        try:
            (sentence,) = parse("".join(line.text for line in block) + "\n")
            words = [token for token in sentence if isinstance(token["id"], int)]
            yield Row({column: [text_of(word[column]) for word in words] for column in CONLLU}, place, raw)
        except (ParseException, KeyError, ValueError) as error:
            yield Problem(
                place, f"not CoNLL-U: {printable(str(error))}", "ten columns with tabs between", "bad-conllu", raw
            )


CONLLU = ("form", "lemma", "upos", "xpos", "feats", "deprel", "misc")


def text_of(value: object) -> str:
    """A field as text; features as `Key=Value|Key=Value`, nothing as `_`."""
    if isinstance(value, dict):
        return "|".join(f"{key}={part}" for key, part in value.items()) or "_"
    return "_" if value is None else str(value)
