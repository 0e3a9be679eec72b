"""What the columns of data hold, judged by the first rows: texts, labels, numbers, indices, 0/1 indicators."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from ..records import Row
from ..text.spans import blank
from ..text.words import UNSPACED
from .written import unwritten

INDEX_NAMES = frozenset({"id", "ids", "idx", "index", "key", "row", "rowid", "guid", "uid", "uuid", "unnamed0", "nr"})
INDEX_ENDING = re.compile(r"(?:^|[\W_])(?i:id|idx|index)$|[a-z]I[Dd]$")
"""How names of identifiers end: `comment_id`, `#1 ID`, `pairID`."""
WORDS = 2
"""Words that half of the values of a column of texts have at least."""
LABELS = 50
"""Labels that a column has at most, to be recognised without a well-known name."""
LETTERS = 40
"""Characters that a label has at most, to be recognised so."""


def simple(name: str) -> str:
    """A name of a column without what people write differently: case, accents, blanks, underscores and other signs."""
    parted = unicodedata.normalize("NFKD", name).casefold()
    return "".join(sign for sign in parted if sign.isalnum())


def values_of(rows: Sequence[Row], name: str) -> list[Any]:
    """The values of a column, those left out that are missing or empty."""
    found = (row.values.get(name) for row in rows)
    return [value for value in found if value is not None and not (isinstance(value, str) and blank(value))]


def flag_of(value: Any) -> bool | None:
    """An indicator (0 or 1, 0.0 or 1.0, true or false, as a number or a text) as a truth value; None for others."""
    if isinstance(value, str):
        return {"0": False, "1": True, "0.0": False, "1.0": True, "false": False, "true": True}.get(
            value.strip().lower()
        )
    return bool(value) if isinstance(value, (int, float)) and value in (0, 1) else None


def holds_flags(rows: Sequence[Row], name: str) -> bool:
    """Whether a column holds indicators, and nothing else."""
    return bool(rows) and all(flag_of(row.values.get(name)) is not None for row in rows)


def is_number(value: Any) -> bool:
    """Whether a value is a number, or a text that holds one."""
    if isinstance(value, str):
        try:
            float(value.strip().replace(",", ".", 1))
        except ValueError:
            return False
        return True
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def holds_numbers(rows: Sequence[Row], name: str) -> bool:
    """Whether a column holds numbers that differ, and nothing else."""
    values = values_of(rows, name)
    return len(set(map(str, values))) > 1 and all(map(is_number, values))


def holds_index(rows: Sequence[Row], name: str) -> bool:
    """Whether a column numbers or identifies the rows: by its name, or since it counts."""
    if simple(name) in INDEX_NAMES or INDEX_ENDING.search(name.strip()):
        return True
    values = [str(value).strip() for value in values_of(rows, name)]
    if len(values) < 3 or not all(value.isdecimal() for value in values):
        return False
    numbers = [int(value) for value in values]
    return all(after == before + 1 for before, after in pairwise(numbers))


def holds_texts(rows: Sequence[Row], name: str) -> bool:
    """Whether a column holds texts: several words, mostly letters, and seldom the same twice."""
    values = values_of(rows, name)
    if not values or not all(
        isinstance(value, str) and not isinstance(unwritten(value), list | dict) for value in values
    ):
        return False
    words = median(len(value.split()) + len(re.findall(f"[{UNSPACED}]", value)) // 2 for value in values)
    letters = sum(sum(sign.isalpha() for sign in value) for value in values)
    signs = sum(len(value) - value.count(" ") for value in values)
    return words >= WORDS and 2 * letters >= signs and 2 * len(set(values)) >= len(values)


def holds_labels(rows: Sequence[Row], name: str) -> bool:
    """Whether a column holds one of a few labels a row: short, and each more than once on average."""
    values = values_of(rows, name)
    if not all(isinstance(value, (str, int)) or (isinstance(value, float) and value.is_integer()) for value in values):
        return False
    distinct = set(map(str, values))
    short = all(len(label) <= LETTERS for label in distinct)
    return short and 2 <= len(distinct) <= min(LABELS, len(values) // 2)


def holds_sets(rows: Sequence[Row], name: str) -> bool:
    """Whether a column holds lists of texts or numbers, perhaps in writing."""
    values = [unwritten(value) for value in values_of(rows, name)]
    lists = [value for value in values if isinstance(value, list)]
    return bool(lists) and len(lists) == len(values) and all(isinstance(p, (str, int)) for v in lists for p in v)


def vector_length(rows: Sequence[Row], name: str, separator: str = ";") -> int:
    """Length of the 0/1 vectors that a column holds, one place a label; 0 where it holds anything else.

    A list of labels that are called "0" and "1" is none: a set has no member twice, and texts are labels unless one
    of them stands twice. Numbers are labels too where the lists are not equally long.
    """
    lists = [parts_of(value, separator) for value in values_of(rows, name)]
    if not lists or any(part is None for part in lists):
        return 0
    vectors = [part for part in lists if part is not None]
    length = len(vectors[0])
    if length < 2 or any(len(vector) != length for vector in vectors):
        return 0
    if any(flag_of(part) is None for vector in vectors for part in vector):
        return 0
    texts = any(isinstance(part, str) for vector in vectors for part in vector)
    repeated = any(len(set(map(str, vector))) < length for vector in vectors)
    return length if repeated or not texts else 0


def parts_of(value: Any, separator: str) -> list[Any] | None:
    """A list, also one written in a cell, or the parts of a text between blanks or other signs; None for others."""
    value = unwritten(value)
    if isinstance(value, str):
        parts = re.split(rf"[\s,{re.escape(separator)}]+", value.strip())
        return parts if len(parts) > 1 else None
    return value if isinstance(value, list) else None
