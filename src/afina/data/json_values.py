"""JSON read strictly: no key twice, no infinite numbers, no depth without bound; what is wrong is said in words."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from ..errors import printable
from .lines import RecordError, surrogate_in

DEPTH_LIMIT = 100
"""Arrays and objects that may stand inside one another in a jsonl line, the line's own object included."""
BLANKS = " \t\r\n"  # what JSON calls white space


def parse(text: str) -> Any:
    try:
        return DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise not_json(text, error) from None
    except RecursionError:
        raise nested_too_deep() from None
    except ValueError:  # int() has a limit of its own
        raise too_many_digits() from None


def too_many_digits() -> RecordError:
    return RecordError("too-long", "a whole number of too many digits", "write it as a string")


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise RecordError(
            "duplicate-key", f"the key {printable(twice)} stands twice in one object", "remove one of them"
        )
    return values


def not_finite(word: str) -> NoReturn:
    raise RecordError(
        "not-finite",
        f"{printable(word)} is not a finite number, and JSON has no others",
        "write null for a missing value",
    )


def finite(word: str) -> float:
    value = float(word)
    return value if math.isfinite(value) else not_finite(word)


DECODER = json.JSONDecoder(object_pairs_hook=unique, parse_constant=not_finite, parse_float=finite)


def not_json(text: str, error: json.JSONDecodeError) -> RecordError:
    rest = text[error.pos :].lstrip(BLANKS)
    if error.msg.startswith("Extra data") and rest.startswith("{"):
        return RecordError(
            "bad-json", f"several objects on one line, the second at column {error.colno}", "write one a line"
        )
    comma = trailing_comma(text, error)
    if comma is not None:
        return RecordError("bad-json", f"not JSON: a trailing comma at column {comma + 1}", "remove it")
    reason = error.msg[:1].lower() + error.msg[1:]
    return RecordError(
        "bad-json", f"not JSON: {reason} at column {error.colno}", "each line must be one whole JSON object"
    )


def trailing_comma(text: str, error: json.JSONDecodeError) -> int | None:
    comma = text.rfind(",", 0, error.pos + 1)
    if comma < 0 or text[comma + 1 : error.pos].strip(BLANKS):
        return None
    after = text[comma + 1 :].lstrip(BLANKS)[:1]
    ends_line = not after and error.msg.startswith("Extra data")
    return comma if ends_line or (after and after in "}]") else None


def too_deep(text: str, value: Any) -> RecordError | None:
    if text.count("[") + text.count("{") <= DEPTH_LIMIT:
        return None
    level, depth = [value], 0
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [part for item in level for part in (item.values() if isinstance(item, dict) else item)]
    return nested_too_deep() if depth > DEPTH_LIMIT else None


def nested_too_deep() -> RecordError:
    return RecordError(
        "too-deep", f"arrays and objects are nested more than {DEPTH_LIMIT} deep", "make the value flatter"
    )


def halves_in(text: str, value: Any) -> RecordError | None:
    """Only an escape can write half a surrogate pair: the file itself was decoded strictly."""
    return surrogate_in(json.dumps(value, ensure_ascii=False)) if "\\u" in text else None


def kind_of(value: Any) -> str:
    words = {list: "an array", str: "a string", bool: "a truth value", type(None): "null"}
    return words.get(type(value), "a number")
