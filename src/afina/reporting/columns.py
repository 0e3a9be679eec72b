"""Columns of the data files that are no part of the task, for scores of parts of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..data.parts import records
from ..errors import ConfigError, printable
from ..records import Row
from .phrases import Words
from .slices import ranges
from .source import Source

DISTINCT = 20
"""A column of numbers with more different ones is cut into ranges."""


def columns(
    source: Source, places: Sequence[str], names: Sequence[str], words: Words, data: Mapping[str, Any] | None = None
) -> dict[str, list[str]]:
    """The value of each column for each example.

    Args:
        source: The run.
        places: Where the examples stand.
        names: Names of the columns.
        words: The language.
        data: The data of the run, where they were given in memory.

    Raises:
        ConfigError: the data can't be read, or lack a column or an example.
    """
    if not names:
        return {}
    split = (
        source.split
        if (data or {}).get(source.split) is not None or getattr(source.config.data, source.split)
        else "train"
    )
    given = (data or {}).get(split, getattr(source.config.data, split))
    if given is None:
        raise ConfigError(f"slice: the {split} data of this run were given in memory; give them again: data={{...}}")
    wanted, found = set(places), dict[str, Mapping[str, Any]]()
    for row in records(source.config, given, split, [], lambda _: None):
        if isinstance(row, Row) and row.place in wanted:
            found[row.place] = row.values
    missing = next((place for place in places if place not in found), None)
    if missing is not None:
        raise ConfigError(f"slice: {printable(str(given), 300)} has no record {missing}, which the run was scored on")
    known = list(dict.fromkeys(name for values in found.values() for name in values))
    unknown = [name for name in names if name not in known]
    if unknown:
        listed = ", ".join(map(printable, known))
        raise ConfigError(
            [f"slice: the {split} data have no column {printable(one)}; there are: {listed}" for one in unknown]
        )
    return {name: parts([found[place].get(name) for place in places], words) for name in names}


def parts(values: Sequence[Any], words: Words) -> list[str]:
    """The part of each value: the value itself, or the range of a number where there are many."""
    texts = ["" if value is None else str(value).strip() for value in values]
    if len(set(texts)) > DISTINCT:
        try:
            return ranges(np.array([float(text) for text in texts]), words)
        except ValueError:
            pass
    return [text or words("slices.empty") for text in texts]
