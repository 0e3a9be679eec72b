"""CoNLL-U: sentences of words with their columns. Lines that are no words are left to their own library.

A row has the columns `form`, `lemma`, `upos`, `xpos`, `feats`, `deprel` and `misc`, each a list with one entry a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from ..errors import Problem, printable
from ..records import Row
from .column_layouts import is_blank
from .columns import SURE, unreadable
from .formats import Reader
from .lines import Item, Line, ReadOptions, codec_of, lines_of, raw_of

COLUMNS = ("form", "lemma", "upos", "xpos", "feats", "deprel", "misc")
WORD = re.compile(
    r"(?P<id>\d+)(?:[-.]\d+)?\t[^\t]+\t[^\t]+\t[^\t]+\t[^\t]+\t(?:_|[^\t=]+=[^\t]*)\t(?:\d+|_)(?:\t[^\t]+){3}"
)
"""A line of ten columns, with features as keys with values, and a number for the head."""


def read_conllu(name: str, file: BinaryIO, options: ReadOptions) -> Iterator[Item]:
    """The sentences of a CoNLL-U file. Multi-word lines (`8-9`) and empty nodes (`8.1`) are not words of their own."""
    from conllu import parse
    from conllu.exceptions import ParseException

    for block in blocks(lines_of(name, file, codec_of(name, file, options.encoding))):
        place, raw = f"{name}:{block[0].number}", raw_of(block)
        problem = unreadable(name, block)
        if problem:
            yield problem
            continue
        try:
            (sentence,) = parse("".join(line.text for line in block) + "\n")
            words = [token for token in sentence if isinstance(token["id"], int)]
            yield Row({column: [text_of(word[column]) for word in words] for column in COLUMNS}, place, raw)
        except (ParseException, KeyError, ValueError) as error:
            message = f"not CoNLL-U: {printable(str(error))}"
            yield Problem(place, message, "ten columns with tabs between", "bad-conllu", raw)


def blocks(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Runs of lines between empty ones, comments and all; runs of comments alone are none."""
    block: list[Line] = []
    for line in lines:
        if not is_blank(line.text.strip("\r\n")):
            block.append(line)
            continue
        if not all(one.text.startswith("#") for one in block):
            yield block
        block = []
    if not all(one.text.startswith("#") for one in block):
        yield block


def text_of(value: object) -> str:
    """A field as text; features as `Key=Value|Key=Value`, nothing as `_`."""
    if isinstance(value, dict):
        return "|".join(f"{key}={part}" for key, part in value.items()) or "_"
    return "_" if value is None else str(value)


def looks_like_conllu(head: Sequence[str]) -> bool:
    """Whether lines are CoNLL-U: nearly all words have its ten columns, and they are counted from 1."""
    words = [text for line in head if (text := line.strip("\r\n")) and not text.startswith("#")]
    matches = [match for text in words if (match := WORD.fullmatch(text))]
    return bool(matches) and len(matches) >= SURE * len(words) and matches[0]["id"] in ("0", "1")


READER = Reader(
    "conllu",
    (".conllu",),
    read_conllu,
    summary="sentences in ten columns (Universal Dependencies)",
    sniff=looks_like_conllu,
    specificity=2,
)
