"""How sure a score is: bootstrap of any metric, and the paired difference of two systems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .scores import Array, Metric, Table


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with the bounds that hold it.

    Attributes:
        value: On all examples.
        low: Lower bound.
        high: Upper bound.
        level: Share of repetitions whose bounds hold the true value.
    """

    value: float
    low: float
    high: float
    level: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The difference of two systems on the same examples, first minus second.

    Attributes:
        difference: On all examples.
        low: Lower bound, 95 %, paired bootstrap (Berg-Kirkpatrick et al. 2012).
        high: Upper bound.
        p_value: Two-sided, paired approximate randomisation (Noreen 1989): how often swapping the two systems' answers
            at random gives a difference as large.
    """

    difference: float
    low: float
    high: float
    p_value: float


def rows(table: Table) -> int:
    """Number of examples of a table."""
    return len(next(iter(table.values())))


def pick(table: Table, index: Array) -> dict[str, Array]:
    """The table of some examples."""
    return {name: column[index] for name, column in table.items()}


def resampled(n: int, groups: Array | None, generator: np.random.Generator) -> Array:
    """Indices of one bootstrap sample: examples, or whole groups of them, drawn with replacement."""
    if groups is None:
        return generator.integers(0, n, n)
    order = np.argsort(groups, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    return np.concatenate([parts[i] for i in generator.integers(0, len(parts), len(parts))])


def bounds(values: Sequence[float], level: float) -> tuple[float, float]:
    """Percentiles of the resampled values that exist; nan when none does."""
    found = np.array([value for value in values if np.isfinite(value)])
    if not len(found):
        return float("nan"), float("nan")
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def bootstrap(
    table: Table,
    metric: Metric,
    *,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    groups: Array | None = None,
) -> Interval:
    """Percentile bootstrap over examples (Efron 1979).

    Args:
        table: Columns of per-example values.
        metric: What to compute.
        resamples: How often.
        level: Of the interval.
        seed: Of the draws.
        groups: A group number for each example, when examples are not independent (questions of one paragraph).
    """
    generator = np.random.default_rng(seed)
    n = rows(table)
    values = [metric(pick(table, resampled(n, groups, generator))) for _ in range(resamples)]
    return Interval(metric(table), *bounds(values, level), level)


def paired(first: Table, second: Table, metric: Metric, *, resamples: int = 2000, seed: int = 0) -> Comparison:
    """The difference of two systems on the same examples, with its interval and p-value.

    Raises:
        ValueError: the tables are not of the same examples.
    """
    n = rows(first)
    if rows(second) != n:
        raise ValueError(f"paired needs the same examples in both tables, found {n} and {rows(second)}")
    generator = np.random.default_rng(seed)
    difference = metric(first) - metric(second)
    values, hits = [], 0
    for _ in range(resamples):
        index = generator.integers(0, n, n)
        values.append(metric(pick(first, index)) - metric(pick(second, index)))
        swap = generator.random(n) < 0.5
        one = {name: swapped(swap, second[name], column) for name, column in first.items()}
        other = {name: swapped(swap, first[name], column) for name, column in second.items()}
        hits += abs(metric(one) - metric(other)) >= abs(difference) - 1e-12
    return Comparison(difference, *bounds(values, 0.95), (1 + hits) / (1 + resamples))


def swapped(swap: Array, replacement: Array, column: Array) -> Array:
    """A column with the entries at `swap` replaced; columns may have more than one dimension."""
    mask = swap.reshape(-1, *[1] * (column.ndim - 1))
    result: Array = np.where(mask, replacement, column)
    return result


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for testing several hypotheses (Holm 1979), in the order given."""
    order = np.argsort(p_values)
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for place, i in enumerate(order):
        highest = max(highest, min(1.0, p_values[i] * (len(p_values) - place)))
        adjusted[i] = highest
    return adjusted


def students_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """Bounds of the mean over seeds: mean -+ t sd / sqrt(n)."""
    from scipy.stats import t

    n = len(values)
    spread: Any = t.ppf((1 + level) / 2, n - 1) * np.std(values, ddof=1) / np.sqrt(n)
    mean = float(np.mean(values))
    return mean - float(spread), mean + float(spread)
