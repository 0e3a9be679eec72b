"""One JSON object a line: jsonl, ndjson."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from typing import Any, BinaryIO

from .exports import row_of
from .formats import Reader
from .json_values import BLANKS, halves_in, kind_of, parse, too_deep
from .lines import Item, Line, ReadOptions, RecordError, codec_of, fail, lines_of, too_long


def read_objects(name: str, file: BinaryIO, options: ReadOptions) -> Iterator[Item]:
    """The objects of a file, one a line."""
    lines = lines_of(name, file, codec_of(name, file, options.encoding))
    filled = (line for line in lines if line.text.strip(BLANKS))
    first = next(filled, None)
    if first is None:
        fail(name, "no-rows", "no rows: the file is empty")
    check_array(f"{name}:{first.number}", first.text)
    for line in chain([first], filled):
        place = f"{name}:{line.number}"
        try:
            yield row_of(object_of(line), place, line.raw)
        except RecordError as fault:
            yield fault.at(place, line.raw)


def object_of(line: Line) -> dict[str, Any]:
    if line.fault:
        raise line.fault
    text = line.text.rstrip(BLANKS)
    value = parse(text)
    if not isinstance(value, dict):
        raise RecordError(
            "not-an-object", f"a JSON object is expected, found {kind_of(value)}", 'write {"column": value}'
        )
    fault = too_deep(text, value) or too_long(value.values(), len(text)) or halves_in(text, value)
    if fault:
        raise fault
    return value


def check_array(place: str, text: str) -> None:
    if text.lstrip(BLANKS).startswith("[") and opens_array_of_objects(text):
        fix = "name it .json, or write one object a line: jq -c '.[]' data.json > data.jsonl"
        fail(place, "json-array", "this is a JSON array; one object a line is expected", fix)


def opens_array_of_objects(text: str) -> bool:
    try:
        return all(isinstance(item, dict) for item in json.loads(text))
    except RecursionError:
        return False
    except ValueError:  # the array goes on in the next line
        return True


READER = Reader("jsonl", (".jsonl", ".ndjson"), read_objects)
