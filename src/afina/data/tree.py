"""JSON: one value, which is SQuAD, what an annotation tool exports or a list of records; or several objects.

A value has no lines to name: the places of its records are paths in the tree (`train.json:data[3]`). Objects one after
the other, perhaps over several lines, have the line on which they begin.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from ..errors import DataError, Problem
from ..records import Row
from .containers import records_of
from .exports import read_records
from .formats import Reader
from .json_heads import is_one_value
from .json_values import BLANKS, parse_at, skip_blanks, too_deep
from .label_studio import Records
from .lines import Item, Line, ReadOptions, RecordError, codec_of, lines_of, surrogate_in, too_long
from .squad import articles_of, read_squad


def read_tree(name: str, file: BinaryIO, options: ReadOptions) -> Iterator[Item]:
    """The records of a tree, in the form that it is in.

    Raises:
        DataError: the file is not one JSON value, or holds no records.
    """
    lines = lines_of(name, file, codec_of(name, file, options.encoding))
    values = values_of(name, "".join(sound_lines(name, lines)))
    articles = articles_of(values[0][1]) if len(values) == 1 else None
    if articles is not None:
        items = read_squad(name, articles)
    elif len(values) == 1:
        items = read_records(name, records_of(name, values[0][1], options.note), options.note)
    else:
        items = read_records(name, values, options.note)
    for item in items:
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


def values_of(name: str, text: str) -> Records:
    """The one value that is a whole file, or the objects that stand in it one after the other, with their places.

    Raises:
        DataError: it holds none, or something else behind them, or one that can't be kept.
    """
    at, start = (0, 1), skip_blanks(text, 0)
    values: list[tuple[str, Any]] = []
    try:
        while start < len(text) or not values:
            at = (start, at[1] + text.count("\n", at[0], start))
            value, end = parse_at(text, start)
            if error := too_deep(text[start:end], value):
                raise error
            column = start - text.rfind("\n", 0, start)
            values.append((f"{name}:{at[1]}" + (f":{column}" if column > 1 else ""), value))
            start = skip_blanks(text, end + 1) if is_comma(text, end) else end
            if start < len(text) and not (isinstance(value, dict) and text[start] == "{"):
                raise json.JSONDecodeError("Extra data", text, start)
    except json.JSONDecodeError as cause:
        raise DataError(not_a_tree(text, cause).at(f"{name}:{cause.lineno}")) from None
    except RecordError as refused:
        raise DataError(refused.at(f"{name}:{at[1]}" if values else name)) from None
    return values


def is_comma(text: str, at: int) -> bool:
    """Whether a comma stands between two objects; one behind the last is a fault."""
    return text.startswith(",", at) and text.startswith("{", skip_blanks(text, at + 1))


def not_a_tree(text: str, error: json.JSONDecodeError) -> RecordError:
    """What is wrong with a text that is no JSON value."""
    if not text.strip(BLANKS):
        return RecordError("no-rows", "no rows: the file is empty")
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
    summary="one JSON value: SQuAD, an export of an annotation tool, a list of records; or objects one after the other",
    sniff=is_one_value,
    specificity=3,
    begins=("{", "["),
    named_columns=True,
)
