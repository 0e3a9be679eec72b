"""Plain texts, one a line, for predictions. No file is taken for one unasked: `--format lines`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from ..records import Row
from .formats import Reader
from .lines import Item, ReadOptions, codec_of, lines_of

COLUMN = "text"


def read_texts(name: str, file: BinaryIO, options: ReadOptions) -> Iterator[Item]:
    """Each line as a row with the column `text`; an empty line is an empty text, so that lines keep their numbers."""
    for line in lines_of(name, file, codec_of(name, file, options.encoding)):
        place = f"{name}:{line.number}"
        yield line.fault.at(place, line.raw) if line.fault else Row({COLUMN: line.text.rstrip("\r\n")}, place, line.raw)


READER = Reader("lines", (), read_texts, summary="plain texts, one a line", named_columns=True)
