"""Which rows of several runs are the same examples, whatever their order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..data.holdout import joined
from ..inference import numbered
from ..metrics.kinds import Array
from .runs import ScoredRun


def aligned(keys: Sequence[Array]) -> list[Array]:
    """The rows of each run that all runs have, in the order of the first run.

    An example that stands twice in the data of each run is two examples: the first of each are the same one, and so are
    the second.

    Args:
        keys: What identifies the examples of each run. [n] each

    Returns:
        For each run, the places of the common rows. [m] each
    """
    places = [dict(zip(occurrences(own), range(len(own)), strict=True)) for own in keys]
    common = [key for key in places[0] if all(key in other for other in places[1:])]
    return [np.array([own[key] for key in common], np.int64) for own in places]


def occurrences(keys: Array) -> list[tuple[int, int]]:
    """Each key with the number of equal ones before it."""
    counts: dict[int, int] = {}
    found = []
    for key in keys.tolist():
        counts[key] = counts.get(key, -1) + 1
        found.append((key, counts[key]))
    return found


def groups_of(runs: Sequence[ScoredRun], rows: Sequence[Array]) -> Array | None:
    """The group of each common row; None where every row stands alone. [m]

    Rows are in one group where they are in any of the runs: one of them may know groups of which the others do not.

    Args:
        runs: The runs.
        rows: Places of the common rows in each. [m] each
    """
    total: list[int] | None = None
    for run, own in zip(runs, rows, strict=True):
        if run.scored.groups is None:
            continue
        groups = numbered(run.scored.groups[own].tolist())
        total = groups if total is None else numbered(joined(total, groups))
    return None if total is None or len(set(total)) == len(total) else np.array(total)
