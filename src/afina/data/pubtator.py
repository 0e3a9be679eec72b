"""PubTator files: a title and an abstract, and under them a line for each entity, with offsets into both together.

    10192393|t|A common mutation
    10192393|a|Colorectal cancer is ...
    10192393	18	35	Colorectal cancer	Disease	D015179

A text is the title, a blank and the abstract. Lines of relations hold no entity; they are counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, BinaryIO

from ..errors import printable
from ..printing import many
from ..records import Row
from .formats import Reader
from .json_values import BLANKS
from .lines import Item, Line, ReadOptions, RecordError, codec_of, lines_of, raw_of

PASSAGE = re.compile(r"([^|\t]+)\|([a-z])\|(.*)", re.DOTALL)
FIX = "an entity line holds id, start, end, mention and type between tabs"


def read_pubtator(name: str, file: BinaryIO, options: ReadOptions) -> Iterator[Item]:
    """The documents of a file, one a row."""
    relations = 0
    lines = lines_of(name, file, codec_of(name, file, options.encoding))
    for filled, group in groupby(lines, key=lambda line: bool(line.text.strip(BLANKS))):
        if not filled:
            continue
        block = list(group)
        place, raw = f"{name}:{block[0].number}", raw_of(block)
        try:
            values, others = document(block)
        except RecordError as error:
            yield error.at(place, raw)
            continue
        relations += others
        yield Row(values, place, raw)
    if relations:
        options.note(f"{name}: left out {many(relations, 'line')} of relations")


def document(block: Sequence[Line]) -> tuple[dict[str, Any], int]:
    """The columns of a document, and how many lines of relations it has.

    Raises:
        RecordError: a line is none of the format.
    """
    passages: list[str] = []
    spans: list[dict[str, Any]] = []
    identity, relations = "", 0
    for line in block:
        if line.fault:
            raise line.fault
        text = line.text.strip("\r\n")
        match = PASSAGE.fullmatch(text)
        fields = text.split("\t")
        if match and not spans:
            identity = identity or match[1]
            passages.append(match[3])
        elif len(fields) >= 5 and fields[1].isdecimal() and fields[2].isdecimal():
            spans.append({"start": int(fields[1]), "end": int(fields[2]), "label": fields[4], "text": fields[3]})
        elif len(fields) >= 4 and not fields[1].isdecimal():
            relations += 1
        else:
            message = f"line {line.number}: expected a title, an abstract or an entity, found {printable(text)}"
            raise RecordError("bad-pubtator", message, FIX)
    if not passages:
        raise RecordError("bad-pubtator", "a document begins with a title: `id|t|text`", FIX)
    return {"id": identity, "text": " ".join(passages), "spans": spans}, relations


def looks_like_pubtator(head: Sequence[str]) -> bool:
    """Whether a file begins with the title of a document and its abstract."""
    matches = [PASSAGE.fullmatch(line.strip("\r\n")) for line in head if line.strip(BLANKS)][:2]
    found = [(match[1], match[2]) for match in matches if match]
    return len(found) == 2 and [found[0], found[1]] == [(found[0][0], "t"), (found[0][0], "a")]


READER = Reader(
    "pubtator",
    (".pubtator",),
    read_pubtator,
    summary="titles and abstracts with their entities (PubTator)",
    sniff=looks_like_pubtator,
    specificity=3,
    named_columns=True,
)
