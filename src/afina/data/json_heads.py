"""How JSON files begin: with an object a line, or with one value that goes on to the end of the file."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from .containers import holds_records, is_pair
from .json_values import BLANKS

TEXT = r'"[^"\\]*(?:\\.[^"\\]*)*"'
OBJECT = re.compile(rf"\s*\{{\s*(?:{TEXT}\s*:|\}})", re.DOTALL)
"""The beginning of an object: its first key, or its end."""
ARRAY = re.compile(r'\s*\[\s*(?:\{\s*(?:["}]|\Z)|\[\s*(?:"|\Z)|\]|\Z)')
"""The beginning of an array of objects or of arrays, or an empty one."""
PLAIN = rf"{TEXT}\s*:\s*(?:{TEXT}|[^\s\"\[{{,]+)\s*,\s*"
HOLDER = re.compile(rf"\s*\{{\s*(?:{PLAIN})*{TEXT}\s*:\s*(?:\{{|\[\s*[\[{{])", re.DOTALL)
"""The beginning of an object whose first value with parts is an object or a list of objects or of lists."""
PAIR = re.compile(r'\s*\["')
"""The beginning of a text with its annotations."""
BEHIND = re.compile(r"\s*,?\s*(?:[{\[]|\Z)")
"""What may stand behind an object or array: nothing, or another one."""
LATER = 20
"""Lines that are looked at where the first is broken."""


def is_object_a_line(head: Sequence[str]) -> bool:
    """Whether the first lines of a file are objects (or pairs of a text and an object), though some may be broken.

    A single object is a line only where it is a record itself.
    """
    filled = [line for line in head if line.strip(BLANKS)]
    if not filled or not (filled[0].lstrip(BLANKS).startswith("{") or PAIR.match(filled[0])):
        return False
    value, end = value_at_start(filled[0])
    if is_record(value):
        alone = filled[0][end:].strip(BLANKS) in ("", ",")
        return alone and (len(filled) > 1 or not holds_records(value))
    if len(filled) == 1:  # perhaps the head cuts a long line
        return bool(OBJECT.match(filled[0])) and not HOLDER.match(filled[0])
    # A broken first line: either the value goes on in the second, or some later line is whole.
    _, reached = value_at_start(filled[0] + filled[1])
    inside = len(filled[1]) - len(filled[1].lstrip(BLANKS))
    return reached <= len(filled[0]) + inside and any(isinstance(whole_line(line), dict) for line in filled[1:LATER])


def is_one_value(head: Sequence[str]) -> bool:
    """Whether a file is one array of records or one object, or several objects one after the other, and none a line.

    A record that is alone is both: the ending decides.
    """
    text = "".join(head)
    several = sum(bool(line.strip(BLANKS)) for line in head) > 1
    if not (OBJECT.match(text) or ARRAY.match(text)) or (several and is_object_a_line(head)):
        return False
    value, end = value_at_start(text)
    return value is None or bool(BEHIND.match(text, end))


def value_at_start(text: str) -> tuple[Any, int]:
    """The value that a text begins with and where it ends, or None and where it is broken."""
    start = len(text) - len(text.lstrip(BLANKS))
    try:
        return json.JSONDecoder().raw_decode(text, start)
    except json.JSONDecodeError as error:
        return None, error.pos
    except (RecursionError, ValueError):  # too deep, or a number of too many digits
        return None, start


def whole_line(line: str) -> Any:
    """The value that fills a line, or None."""
    value, end = value_at_start(line)
    return None if line[end:].strip(BLANKS) else value


def is_record(value: Any) -> bool:
    """Whether a value of a line is a record: an object, or a text with its annotations."""
    return isinstance(value, dict) or is_pair(value)
