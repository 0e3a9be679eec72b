"""fastText's training files: a line is a text with its labels in front (or behind), each as `__label__NAME`.

A row has the columns `label` (a list, where a line has several) and `text`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from ..errors import printable
from ..records import Row
from .formats import Reader
from .lines import Item, ReadOptions, RecordError, codec_of, head_of, lines_of

PREFIX = "__label__"
FRONT = re.compile(rf"\s*((?:{PREFIX}\S+(?:\s+|$))+)(.*)", re.DOTALL)
BEHIND = re.compile(rf"(.*?)((?:\s+{PREFIX}\S+)+)\s*", re.DOTALL)
ANYWHERE = re.compile(rf"(?<!\S){PREFIX}\S")


def read_fasttext(name: str, file: BinaryIO, options: ReadOptions) -> Iterator[Item]:
    """The lines of a fastText file; empty ones are none."""
    several = any(text.count(PREFIX) > 1 for text in head_of(name, file, options.encoding))
    file.seek(0)
    for line in lines_of(name, file, codec_of(name, file, options.encoding)):
        place = f"{name}:{line.number}"
        if not line.text.strip():
            continue
        try:
            if line.fault:
                raise line.fault
            labels, text = parts_of(line.text.rstrip("\r\n"))
        except RecordError as error:
            yield error.at(place, line.raw)
        else:
            yield Row({"label": labels if several or len(labels) > 1 else labels[0], "text": text}, place, line.raw)


def parts_of(line: str) -> tuple[list[str], str]:
    """The labels and the text of a line.

    Raises:
        RecordError: it has no label, or one in the middle of its text.
    """
    match = FRONT.fullmatch(line)
    labels, text = (match[1], match[2]) if match else ("", line)
    if not match and (match := BEHIND.fullmatch(line)):
        labels, text = match[2], match[1]
    if not labels:
        message = f"expected {PREFIX}NAME in front of the text, found {printable(line)}"
        raise RecordError("no-label", message, f"write its label in front: {PREFIX}NAME")
    if inner := ANYWHERE.search(text):
        message = f"a label stands inside the text: {printable(text[inner.start() :], 40)}"
        raise RecordError("label-inside", message, "write all labels in front of the text")
    return [label.removeprefix(PREFIX) for label in labels.split()], text


def looks_like_fasttext(head: Sequence[str]) -> bool:
    """Whether the lines that are not empty have labels; one in ten may lack its own, which is a problem of its own."""
    lines = [line for line in head if line.strip()]
    labelled = sum(bool(FRONT.match(line) or BEHIND.fullmatch(line)) for line in lines)
    return bool(lines) and 10 * labelled >= 9 * len(lines)


READER = Reader(
    "fasttext",
    (),
    read_fasttext,
    summary="a text a line with its labels as __label__NAME (fastText)",
    sniff=looks_like_fasttext,
    specificity=2,
    named_columns=True,
)
