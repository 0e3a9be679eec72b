"""JSON as its standard has it, for all readers of it: no repeated key, no NaN, no half character, no endless depth."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from ..errors import printable
from .lines import RecordError, surrogate_in

DEPTH_LIMIT = 100
"""Arrays and objects that may stand inside one another, the outermost included."""
BLANKS = " \t\r\n"
"""What JSON calls white space."""
SPACE = re.compile(f"[{BLANKS}]*")


def parse_json(text: str) -> Any:
    """The value that a text holds.

    Raises:
        json.JSONDecodeError: it is not JSON.
        RecordError: a key is repeated, a number is not finite or has too many digits, or values lie too deep to parse.
    """
    value, end = parse_at(text, skip_blanks(text, 0))
    if end < len(text):
        raise json.JSONDecodeError("Extra data", text, end)
    return value


def parse_at(text: str, start: int) -> tuple[Any, int]:
    """The value that begins at a position of a text, and where the next thing behind it begins.

    Raises:
        json.JSONDecodeError, RecordError: as `parse_json` does.
    """
    try:
        value, end = DECODER.raw_decode(text, start)
    except json.JSONDecodeError:
        raise
    except RecursionError:
        raise depth_error() from None
    except ValueError:  # int() has a limit of its own
        raise RecordError("too-long", "a whole number of too many digits", "write it as a string") from None
    return value, skip_blanks(text, end)


def skip_blanks(text: str, start: int) -> int:
    """The position of the first character from `start` on that is not blank."""
    match = SPACE.match(text, start)
    return match.end() if match else start


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The members of an object.

    Raises:
        RecordError: a key is repeated.
    """
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        message = f"the key {printable(repeated)} stands twice in one object"
        raise RecordError("duplicate-key", message, "remove one of them")
    return values


def refuse_number(word: str) -> NoReturn:
    """Refuse NaN, the infinities, and what overflows to one of them.

    Raises:
        RecordError: always.
    """
    message = f"{printable(word)} is not a finite number, and JSON has no others"
    raise RecordError("not-finite", message, "write null for a missing value")


def finite_number(word: str) -> float:
    """A number with a point or an exponent.

    Raises:
        RecordError: it is too large for a float.
    """
    value = float(word)
    return value if math.isfinite(value) else refuse_number(word)


DECODER = json.JSONDecoder(object_pairs_hook=unique_keys, parse_constant=refuse_number, parse_float=finite_number)


def too_deep(text: str, value: Any) -> RecordError | None:
    """A value that holds others more than `DEPTH_LIMIT` deep; `text` is what it was parsed from."""
    if text.count("[") + text.count("{") <= DEPTH_LIMIT:
        return None
    level, depth = [value], 0
    while level := [part for part in level if isinstance(part, dict | list)]:
        depth += 1
        level = [inner for part in level for inner in (part.values() if isinstance(part, dict) else part)]
    return depth_error() if depth > DEPTH_LIMIT else None


def depth_error() -> RecordError:
    """Values that lie too deep inside one another."""
    message = f"arrays and objects are nested more than {DEPTH_LIMIT} deep"
    return RecordError("too-deep", message, "make the value flatter")


def halves_in(text: str, value: Any) -> RecordError | None:
    """Half a surrogate pair, if there is one. Only an escape can write it: the file itself was decoded strictly."""
    return surrogate_in(json.dumps(value, ensure_ascii=False)) if "\\u" in text else None
