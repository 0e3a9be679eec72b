"""Files of a test, and what is read from them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from afina.data.sources import read, rows
from afina.errors import DataError, Problem
from afina.records import Row

Write = Callable[[str, bytes | str], str]
"""Writes a file of a name and its content; gives its path."""
patient = settings(deadline=None, max_examples=200)
"""Settings of a property that reads files."""


def items(path: str | Path, **how: Any) -> list[Row | Problem]:
    """All items of a source that can be read."""
    return list(read(path, **how))


def only_problem(path: str | Path, **how: Any) -> Problem:
    """The one problem of a source."""
    problems = [item for item in read(path, **how) if isinstance(item, Problem)]
    assert len(problems) == 1
    return problems[0]


def values(path: str | Path, **how: Any) -> list[dict[str, Any]]:
    """The values of all rows of a source without problems."""
    return [dict(row.values) for row in rows(path, **how)]


def line_of(item: Row | Problem) -> int:
    """The line at which an item begins."""
    return int(item.place.rpartition(":")[2])


def refused(source: Any, **how: Any) -> str:
    """What is said of a source that can't be read."""
    with pytest.raises(DataError) as caught:
        list(read(source, **how))
    return str(caught.value)


def everything(source: Any, **how: Any) -> list[Row | Problem]:
    """All items of a source; what ends it early is among them."""
    found: list[Row | Problem] = []
    try:
        found.extend(read(source, **how))
    except DataError as error:
        found += error.problems
    return found
