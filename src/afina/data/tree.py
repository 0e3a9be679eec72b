"""A .json file: one JSON value, which is SQuAD, what an annotation tool exports, or an array of records.

Such a file has no lines to name: the places of its records are paths in the tree (`train.json:data[3]`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from ..errors import DataError, Problem
from ..records import Row
from .exports import read_export
from .formats import Reader
from .json_values import BLANKS, parse_json, too_deep
from .lines import Item, Line, ReadOptions, RecordError, codec_of, lines_of, surrogate_in, too_long
from .squad import articles_of, read_squad


def read_tree(name: str, file: BinaryIO, options: ReadOptions) -> Iterator[Item]:
    """The records of a tree, in the form that it is in.

    Raises:
        DataError: the file is not one JSON value, or holds no records.
    """
    lines = lines_of(name, file, codec_of(name, file, options.encoding))
    tree = parse_tree(name, "".join(sound_lines(name, lines)))
    articles = articles_of(tree)
    for item in read_export(name, tree) if articles is None else read_squad(name, articles):
        yield item if isinstance(item, Problem) else checked(item)


def sound_lines(name: str, lines: Iterable[Line]) -> Iterator[str]:
    """The text of lines that can all be read.

    Raises:
        DataError: one of them can't.
    """
    for line in lines:
        if line.fault:
            raise DataError(line.fault.at(f"{name}:{line.number}", line.raw))
        yield line.text


def parse_tree(name: str, text: str) -> Any:
    """The JSON value that is a whole file.

    Raises:
        DataError: it is none, or one that can't be kept.
    """
    try:
        tree = parse_json(text)
        error = too_deep(text, tree)
    except json.JSONDecodeError as cause:
        raise DataError(not_a_tree(text, cause).at(f"{name}:{cause.lineno}")) from None
    except RecordError as refused:
        error = refused
    if error:
        raise DataError(error.at(name))
    return tree


def not_a_tree(text: str, error: json.JSONDecodeError) -> RecordError:
    """What is wrong with a text that is not one JSON value."""
    if not text.strip(BLANKS):
        return RecordError("no-rows", "no rows: the file is empty")
    if error.msg.startswith("Extra data") and text[error.pos] == "{":
        message = "a second JSON object begins here"
        return RecordError("bad-json", message, "name the file .jsonl if it has an object a line")
    return RecordError("bad-json", f"not JSON: {error.msg[:1].lower()}{error.msg[1:]} at column {error.colno}")


def checked(row: Row) -> Item:
    """A row, unless it holds a text that is too long or half a character."""
    written = json.dumps(dict(row.values), ensure_ascii=False)
    error = too_long(row.values.values(), len(written)) or surrogate_in(written)
    return error.at(row.place) if error else row


READER = Reader(
    "json",
    (".json",),
    read_tree,
    summary="one JSON value: SQuAD, an export of an annotation tool, an array of records",
    begins=("{", "["),
    named_columns=True,
)
