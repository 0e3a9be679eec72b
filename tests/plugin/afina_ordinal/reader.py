"""A reader of somebody else's: `.stars` files, a grade in stars, a blank and a text on each line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from afina.data.formats import Reader
from afina.data.lines import Item, ReadOptions, RecordError, codec_of, lines_of
from afina.records import Row


def read_stars(name: str, file: BinaryIO, options: ReadOptions) -> Iterator[Item]:
    """One row a line, with the columns `text` and `stars`."""
    for line in lines_of(name, file, codec_of(name, file, options.encoding)):
        stars, _, text = line.text.rstrip("\r\n").partition(" ")
        place = f"{name}:{line.number}"
        if line.fault:
            yield line.fault.at(place, line.raw)
        elif set(stars) != {"*"}:
            yield RecordError("no-stars", "expected stars in front", "write * to *****").at(place, line.raw)
        else:
            yield Row({"text": text, "stars": len(stars)}, place, line.raw)


READER = Reader("stars", (".stars",), read_stars)
