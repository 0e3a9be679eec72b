"""What the tests of the readers share: files of a few bytes, and what is read from them."""

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
"""Writes a file of that name and gives its path."""
patient = settings(deadline=None, max_examples=200)


def items(path: str | Path, **how: Any) -> list[Row | Problem]:
    return list(read(path, **how))


def only_problem(path: str | Path, **how: Any) -> Problem:
    problems = [item for item in read(path, **how) if isinstance(item, Problem)]
    assert len(problems) == 1
    return problems[0]


def values(path: str | Path, **how: Any) -> list[dict[str, Any]]:
    return [dict(row.values) for row in rows(path, **how)]


def line_of(item: Row | Problem) -> int:
    return int(item.place.rpartition(":")[2])


def refused(source: Any, **how: Any) -> str:
    with pytest.raises(DataError) as caught:
        list(read(source, **how))
    return str(caught.value)
