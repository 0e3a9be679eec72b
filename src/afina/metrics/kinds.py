"""Kinds of metrics, by which a score gets its interval.

A metric is any function from a table to a number. One that is an instance of a class below says what it is made of.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Array = np.ndarray[Any, Any]
Table = Mapping[str, Array]
"""Numeric columns by name, with one entry (or one row of k entries) per example."""
Metric = Callable[[Table], float]
"""A function from a table to one number."""


@dataclass(frozen=True, slots=True)
class Sums:
    """A metric as a function of sums over examples.

    Attributes:
        columns: From a table to what is summed of each example. [n, k]
        score: From the sums of any number of tables to their scores. [..., k] to [...]
    """

    columns: Callable[[Table], Array]
    score: Callable[[Array], Array]


@dataclass(frozen=True, slots=True)
class Proportion:
    """A metric that is a share of items: right among all. Its interval is that of a proportion (`intervals`).

    Attributes:
        counts: From a table to two columns: what is right of each example, and how many items it has (0 for an example
            that does not count). An item may be partly right, such as 0.5 of 1. [n] and [n]
        empty: The score of examples that have no items.
        f1: Whether the score is F1, 2 p / (1 + p) of the share p = hits / (gold + predicted - hits), which is Jaccard's
            coefficient. F1 counts each hit twice and is no share of items, and p is.
    """

    counts: Callable[[Table], tuple[Array, Array]]
    empty: float = math.nan
    f1: bool = False

    def __call__(self, table: Table) -> float:
        """The share, or its F1; nan for a table without rows."""
        part, whole = self.counts(table)
        right, items = float(part.sum()), float(whole.sum())
        return ratio(
            2 * right if self.f1 else right, right + items if self.f1 else items, self.empty if len(part) else math.nan
        )


@dataclass(frozen=True, slots=True)
class Smooth:
    """A metric that changes little with one example. Its interval is the jackknife's on the scale of its kind.

    Attributes:
        score: The metric.
        kind: Whether it is a share between 0 and 1, a correlation between -1 and 1, an error above 0, or the explained
            part of a variance, at most 1.
        least: Fewest examples or groups from which its interval covers (docs/statistics.md).
        classes: Number of gold examples of each class that it is a mean over, from a table; None where it is no such
            mean. [k]
        rare: Fewest examples of each of them from which the interval covers.
        cut: Which examples have a bound in place of their value, from a table; None where there is no bound. [n]
        sums: The same score as a function of sums; None where it is none, as with ranks.
    """

    score: Metric
    kind: Literal["share", "correlation", "error", "explained"]
    least: int = 30
    classes: Callable[[Table], Array] | None = None
    rare: int = 5
    cut: Callable[[Table], Array] | None = None
    sums: Sums | None = None

    def __call__(self, table: Table) -> float:
        """The score."""
        return self.score(table)


@dataclass(frozen=True, slots=True)
class Biased:
    """A metric that is far from its true value on few examples, always on the same side. It gets no interval.

    Attributes:
        score: The metric.
        reason: Why it gets none, in a few words.
    """

    score: Metric
    reason: str

    def __call__(self, table: Table) -> float:
        """The score."""
        return self.score(table)


def sums_of(metric: Metric) -> Sums | None:
    """A metric as a function of sums over examples; None where it is not known to be one."""
    if isinstance(metric, Smooth):
        return metric.sums
    if not isinstance(metric, Proportion):
        return None
    times, empty = (2 if metric.f1 else 1), metric.empty

    def columns(table: Table) -> Array:
        part, whole = metric.counts(table)
        return np.stack([times * part, part + whole if metric.f1 else whole], axis=1).astype(np.float64)

    def score(sums: Array) -> Array:
        whole = sums[..., 1]
        return np.where(whole != 0, sums[..., 0] / np.where(whole != 0, whole, 1), empty)

    return Sums(columns, score)


def share(column: Callable[[Table], Array]) -> Proportion:
    """The mean of a column of values from 0 (wrong) to 1 (right), one an example, as a metric."""

    def counts(table: Table) -> tuple[Array, Array]:
        values = column(table)
        return values, np.ones(len(values))

    return Proportion(counts)


def ratio(part: float, whole: float, empty: float = math.nan) -> float:
    """part / whole, or `empty` for a whole of 0."""
    return float(part / whole) if whole else empty
