"""Sentences in columns: CoNLL files of any columns, between tabs or blanks. One sentence, one row of lists.

A row has the columns `1`, `2`, ...; each is a list with one entry a word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from ..errors import Problem, printable
from ..records import Row
from .formats import Reader
from .lines import Item, Line, ReadOptions, codec_of, lines_of, raw_of

DOCUMENT = "-DOCSTART-"
"""What a line begins with that separates documents and belongs to no sentence."""
# Only these two separate columns: lines of real data hold U+00A0 and U+0085 inside words, where str.split would cut.
BLANKS = re.compile(r"[ \t]+")


def read_columns(name: str, file: BinaryIO, options: ReadOptions) -> Iterator[Item]:
    """The sentences of a CoNLL file; a sentence with a ragged line is a problem."""
    expected = 0
    for block in blocks(lines_of(name, file, codec_of(name, file, options.encoding))):
        table = [fields(line.text.strip("\r\n")) for line in block]
        # The first sentence decides by its majority, so that one odd line at the top does not spoil the file.
        expected = expected or Counter(map(len, table)).most_common(1)[0][0]
        odd = next((i for i, words in enumerate(table) if len(words) != expected or "" in words), None)
        problem = unreadable(name, block)
        if problem is None and odd is not None:
            place = f"{name}:{block[odd].number}"
            problem = ragged_line(place, block[odd].text, words=table[odd], expected=expected, raw=raw_of(block))
        if problem is None:
            columns = zip(*table, strict=True)
            values = {str(i): list(column) for i, column in enumerate(columns, 1)}
            yield Row(values, f"{name}:{block[0].number}", raw_of(block))
        else:
            yield problem


def looks_like_columns(head: Iterable[str]) -> bool:
    """Whether lines are sentences in columns: blocks of lines with the same number of fields, apart by empty lines."""
    counts, gaps, inside = set(), 0, False
    for line in head:
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


def blocks(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Runs of lines between empty ones; `-DOCSTART-` lines belong to none."""
    block: list[Line] = []
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


def unreadable(name: str, block: Sequence[Line]) -> Problem | None:
    """The first line of a sentence that can't be read, as a problem of the whole sentence."""
    for line in block:
        if line.fault:
            return line.fault.at(f"{name}:{line.number}", raw_of(block))
    return None


def ragged_line(place: str, text: str, *, words: Sequence[str], expected: int, raw: bytes) -> Problem:
    """What is wrong with a line that has other columns than the rest.

    Args:
        place: The place of the line.
        text: The line.
        words: Its columns.
        expected: How many columns the other lines have.
        raw: The bytes of the sentence.
    """
    line = text.strip("\r\n")
    if len(words) != expected:
        message = f"expected {expected} columns as in the other lines, found {len(words)}: {printable(line)}"
    else:
        message = f"column {[*words].index('') + 1} is empty: {printable(line)}"
    if "\t" in line and " " in line:
        fix = "a line with a tab is cut at tabs only; write either tabs or blanks between columns"
    elif line.startswith("#"):
        fix = "leave out comments, or name a CoNLL-U file .conllu"
    else:
        fix = "one word and its tags a line, an empty line after each sentence"
    return Problem(place, message, fix, "ragged-line", raw)


READER = Reader(
    "columns",
    (".conll", ".iob", ".bio"),
    read_columns,
    summary="sentences, a word and its tags a line (CoNLL)",
    sniff=looks_like_columns,
)
