"""A file that is one JSON value: SQuAD, an array of records, or the export of an annotation tool."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import BinaryIO

from ..errors import DataError, Problem
from ..records import Row
from .exports import read_export
from .formats import Reader
from .json_values import BLANKS, DECODER, nested_too_deep, too_deep, too_many_digits
from .lines import Item, Line, ReadOptions, RecordError, codec_of, lines_of, surrogate_in, too_long
from .squad import articles_of, read_squad


def read_tree(name: str, file: BinaryIO, options: ReadOptions) -> Iterator[Item]:
    """The records of a file that is one JSON value. It has no lines to name: places are paths in its tree."""
    text = "".join(sound_lines(name, lines_of(name, file, codec_of(name, file, options.encoding))))
    try:
        tree = DECODER.decode(text)
        fault = too_deep(text, tree)
    except json.JSONDecodeError as error:
        raise DataError(not_a_tree(text, error).at(f"{name}:{error.lineno}")) from None
    except RecursionError:
        fault = nested_too_deep()
    except RecordError as found:
        fault = found
    except ValueError:  # as in `parse`
        fault = too_many_digits()
    if fault:
        raise DataError(fault.at(name))
    articles = articles_of(tree)
    for item in read_export(name, tree) if articles is None else read_squad(name, articles):
        yield item if isinstance(item, Problem) else sound(item)


def sound_lines(name: str, lines: Iterator[Line]) -> Iterator[str]:
    for line in lines:
        if line.fault:
            raise DataError(line.fault.at(f"{name}:{line.number}", line.raw))
        yield line.text


def not_a_tree(text: str, error: json.JSONDecodeError) -> RecordError:
    if not text.strip(BLANKS):
        return RecordError("no-rows", "no rows: the file is empty")
    if error.msg.startswith("Extra data") and text[error.pos] == "{":
        return RecordError(
            "bad-json", "a second JSON object begins here", "name the file .jsonl if it has an object a line"
        )
    return RecordError("bad-json", f"not JSON: {error.msg[:1].lower()}{error.msg[1:]} at column {error.colno}")


def sound(row: Row) -> Item:
    written = json.dumps(dict(row.values), ensure_ascii=False)
    fault = too_long(row.values.values(), len(written)) or surrogate_in(written)
    return fault.at(row.place) if fault else row


READER = Reader("json", (".json",), read_tree)
