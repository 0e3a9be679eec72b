"""JSON lines: each line is an object, its keys are the columns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, BinaryIO

from ..records import Row
from .exports import from_pair, in_our_words
from .formats import Reader
from .json_heads import is_object_a_line
from .json_values import BLANKS, halves_in, parse_json, too_deep
from .lines import Item, Line, ReadOptions, RecordError, codec_of, fail, lines_of, too_long


def read_objects(name: str, file: BinaryIO, options: ReadOptions) -> Iterator[Item]:
    """The objects of a file, one a line; blank lines are none.

    Raises:
        DataError: the file is empty, or is one array.
    """
    lines = lines_of(name, file, codec_of(name, file, options.encoding))
    filled = (line for line in lines if line.text.strip(BLANKS))
    first = next(filled, None)
    if first is None:
        fail(name, "no-rows", "no rows: the file is empty")
    check_array(f"{name}:{first.number}", first.text)
    yield from in_our_words(name, objects(name, chain([first], filled)), options.note)


def objects(name: str, lines: Iterable[Line]) -> Iterator[Item]:
    """Each line as a row of what stands in it."""
    for line in lines:
        place = f"{name}:{line.number}"
        try:
            yield Row(object_of(line), place, line.raw)
        except RecordError as error:
            yield error.at(place, line.raw)


def object_of(line: Line) -> dict[str, Any]:
    """The object that a line holds.

    Raises:
        RecordError: it holds none, or one with a value that can't be kept.
    """
    if line.fault:
        raise line.fault
    text = line.text.rstrip(BLANKS)
    try:
        value = from_pair(parse_json(text))
    except json.JSONDecodeError as cause:
        raise not_json(text, cause) from None
    if not isinstance(value, dict):
        raise RecordError(
            "not-an-object", f"a JSON object is expected, found {json_type(value)}", 'write {"column": value}'
        )
    error = too_deep(text, value) or too_long(value.values(), len(text)) or halves_in(text, value)
    if error:
        raise error
    return value


def not_json(text: str, error: json.JSONDecodeError) -> RecordError:
    """What is wrong with a line that is not one JSON value."""
    rest = text[error.pos :].lstrip(BLANKS)
    if error.msg.startswith("Extra data") and rest.startswith("{"):
        message = f"several objects on one line, the second at column {error.colno}"
        return RecordError("bad-json", message, "write one a line")
    comma = trailing_comma(text, error)
    if comma is not None:
        return RecordError("bad-json", f"not JSON: a trailing comma at column {comma + 1}", "remove it")
    message = f"not JSON: {error.msg[:1].lower()}{error.msg[1:]} at column {error.colno}"
    if text.lstrip(BLANKS).startswith("{'"):
        return RecordError("bad-json", message, "Python writes a dict as JSON by json.dumps, not by str or print")
    return RecordError("bad-json", message, "each line must be one whole JSON object")


def trailing_comma(text: str, error: json.JSONDecodeError) -> int | None:
    """Position of the comma that made a line invalid, where the fault is a comma behind the last value."""
    comma = text.rfind(",", 0, error.pos + 1)
    if comma < 0 or text[comma + 1 : error.pos].strip(BLANKS):
        return None
    after = text[comma + 1 :].lstrip(BLANKS)[:1]
    ends_line = not after and error.msg.startswith("Extra data")
    return comma if ends_line or (after and after in "}]") else None


def json_type(value: Any) -> str:
    """What a JSON value is, in words."""
    words = {list: "an array", str: "a string", bool: "a truth value", type(None): "null"}
    return words.get(type(value), "a number")


def check_array(place: str, text: str) -> None:
    """Refuse a file that is one array of objects, by its first line.

    Raises:
        DataError: it is one.
    """
    if text.lstrip(BLANKS).startswith("[") and opens_array_of_objects(text):
        fix = "--format json, or write one object a line: jq -c '.[]' data.json > data.jsonl"
        fail(place, "json-array", "this is a JSON array; one object a line is expected", fix=fix)


def opens_array_of_objects(text: str) -> bool:
    """Whether a line is an array of objects, or the beginning of an array."""
    try:
        return all(isinstance(value, dict) for value in json.loads(text))
    except RecursionError:
        return False
    except ValueError:  # the array goes on in the next line
        return True


READER = Reader(
    "jsonl",
    (".jsonl", ".ndjson"),
    read_objects,
    summary="an object a line",
    sniff=is_object_a_line,
    specificity=3,
    begins=("{",),
    named_columns=True,
)
