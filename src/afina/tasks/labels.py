"""Labels as people write them: several in a cell, vectors of 0 and 1, and one label in two spellings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..errors import ConfigError, printable
from ..printing import many
from ..records import Example
from .contents import flag_of, parts_of
from .written import unwritten

WHOLE = re.compile(r"([+-]?\d+)\.0+")
"""A whole number as pandas writes it in a column with gaps: `1.0`."""
TRUTH = {"false": "0", "true": "1"}


def cell_of(value: Any) -> Any:
    """A label or list of labels from a cell: also in writing, and as Label Studio's `{"choices": [...]}`."""
    value = unwritten(value)
    return value["choices"] if isinstance(value, dict) and set(value) == {"choices"} else value


def as_label(value: Any) -> str | None:
    """A value as the text of a label: 1, 1.0 and "1" are the same, and True is `true`; None for what is no label."""
    if isinstance(value, bool):
        return str(value).lower()
    if is_whole(value):
        return str(int(value))
    return str(value) if isinstance(value, (str, int, float)) else None


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number, as pandas writes it in a column with gaps."""
    return isinstance(value, float) and value.is_integer()


def in_vector(value: Any, names: Sequence[str], separator: str = ";") -> list[str] | None:
    """The labels whose place in a vector of 0 and 1 holds 1, or None where the value is no such vector.

    Args:
        value: What a cell holds.
        names: The label of each place.
        separator: What stands between numbers of a text, beside blanks and commas.
    """
    parts = parts_of(value, separator)
    if parts is None or len(parts) != len(names) or set(map(str, parts)) <= set(names):
        return None
    flags = [flag_of(part) for part in parts]
    return None if None in flags else [name for name, flag in zip(names, flags, strict=True) if flag]


def check_vectors(column: str, length: int, names: Sequence[str] | None) -> None:
    """See that the places of a column's 0/1 vectors have names.

    Raises:
        ConfigError: they have none, or others than there are places.
    """
    if names is None:
        example = ",".join(f"label{i}" for i in range(1, length + 1))
        raise ConfigError(
            f"label: column {column!r} holds vectors of {length} numbers that are 0 or 1, and which label each place "
            f"stands for is not known; name them in order: --set options.labels=[{example}]"
        )
    if len(names) != length:
        raise ConfigError(
            f"options.labels: {many(len(names), 'name')}, and the vectors of column {column!r} have "
            f"{many(length, 'place')}"
        )


def bare(label: str) -> str:
    """A label without what differs between files that hold the same: `1.0` is `1`, and `True` is `true`."""
    whole = WHOLE.fullmatch(label.strip())
    if whole:
        return whole[1]
    return label.strip().lower() if label.strip().lower() in TRUTH else label


def respelled(found: Iterable[str], known: Sequence[str]) -> dict[str, str]:
    """Labels that are spelled otherwise than in the training data, by what they are there.

    Labels that the training data tell apart (1 and 1.0) stay apart.
    """
    alike: dict[str, list[str]] = {}
    for label in known:
        alike.setdefault(bare(label), []).append(label)
    if set(alike) <= set(TRUTH.values()):
        alike |= {word: alike[number] for word, number in TRUTH.items() if number in alike}
    elif set(alike) <= set(TRUTH):
        alike |= {number: alike[word] for word, number in TRUTH.items() if word in alike}
    names: dict[str, str] = {}
    for label in found:
        meant = alike.get(bare(label), [])
        if label not in known and len(meant) == 1:
            names[label] = meant[0]
    return names


def adapted(examples: Sequence[Example], known: Sequence[str]) -> tuple[list[Example], list[str]]:
    """Examples with their labels spelled as in the training data, and a note for each label that was not.

    Args:
        examples: Their targets are a label or a tuple of labels.
        known: The labels of the training data.
    """
    counts = Counter(label for example in examples for label in labels_of(example.target))
    names = respelled(counts, known)
    if not names:
        return list(examples), []
    notes = [
        f"label {printable(label, 40)} is read as {printable(name, 40)}, as the training data spell it "
        f"({counts[label]:,} times)"
        for label, name in sorted(names.items())
    ]
    return [replace(example, target=renamed(example.target, names)) for example in examples], notes


def labels_of(target: Any) -> tuple[str, ...]:
    """The labels of a target."""
    return (target,) if isinstance(target, str) else tuple(target or ())


def renamed(target: Any, names: Mapping[str, str]) -> Any:
    """A target with other names for some labels; none twice."""
    if isinstance(target, str):
        return names.get(target, target)
    return tuple(dict.fromkeys(names.get(label, label) for label in target))
