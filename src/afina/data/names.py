"""Names of columns: text, not empty, and different enough to be told apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..errors import DataError, Problem, printable


def check_names(place: str, names: Sequence[Any]) -> None:
    """Refuse names that are no text, empty, equal, or too alike to be told apart.

    Raises:
        DataError: with every problem of the names, all at the same place.
    """
    problems = [
        Problem(place, f"column {number} has no name", "name it or remove it (pandas: index=False)", "empty-name")
        for number, name in enumerate(names, 1)
        if isinstance(name, str) and not name.strip()
    ]
    problems += [
        Problem(
            place,
            f"a column name must be text, found {printable(name)}",
            "name the columns (pandas: frame.columns = ['text', 'label'])",
            "bad-name",
        )
        for name in names
        if not isinstance(name, str)
    ]
    problems += [
        Problem(place, f"the columns {quoted(same)} {likeness(same)}", "rename or remove all but one", "twin-names")
        for same in lookalikes([name for name in names if isinstance(name, str) and name.strip()])
    ]
    if problems:
        raise DataError(problems)


def lookalikes(names: Iterable[str]) -> list[list[str]]:
    """Groups of names that differ at most by case or by blanks around them."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name.strip().casefold(), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def likeness(names: Sequence[str]) -> str:
    """How names of a group are alike, in words."""
    return "have the same name" if len(set(names)) == 1 else "differ only by case or by blanks around the name"


def quoted(names: Iterable[str]) -> str:
    """Names as they stand in a message."""
    return " and ".join(printable(name) for name in names)
