"""Uncertainty of scores: intervals for one system, tests for two, a correction for many, and spread over seeds.

The intervals and tests estimate how scores vary over *examples*, with the trained models fixed. The variation over
training runs needs several seeds; see `students_interval`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .jackknife import interval_of_smooth, left_out
from .kinds import Array, Biased, Metric, Proportion, Smooth, Table
from .proportions import NoInterval, check_number, interval_of_share
from .resampling import resamples_of

FEWEST = 50
"""Fewest examples or groups that are resampled."""
UNDEFINED = 0.05
"""Largest share of resamples for which a score may be undefined."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A score with its confidence interval.

    Attributes:
        value: Score of the table itself.
        low: Lower bound, nan if there is none.
        high: Upper bound, nan if there is none.
        level: Confidence level, for example 0.95.
        resamples: Number of resamples that were drawn.
        reason: Why there is no interval; empty where there is one.
    """

    value: float
    low: float
    high: float
    level: float
    resamples: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two systems on the same examples.

    Attributes:
        difference: Score of the first system minus score of the second.
        low: Lower bound of the difference, nan if there is none.
        high: Upper bound of the difference, nan if there is none.
        p_value: Two-sided, of the hypothesis that it does not matter which system answered which example.
        level: Probability that the interval is meant to hold.
        resamples: How many were drawn, for the interval and again for the test.
    """

    difference: float
    low: float
    high: float
    p_value: float
    level: float
    resamples: int


def interval(
    table: Table,
    metric: Metric,
    *,
    level: float = 0.95,
    groups: Array | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """The score of a table with the interval that its kind of metric bears, or the reason why there is none.

    Args:
        table: Columns of n entries or rows.
        metric: A `Proportion` gets the interval of a share, a `Smooth` the jackknife's, a `Biased` none, and a plain
            function that of its resamples.
        level: Confidence level.
        groups: Group of each example, where examples of a group are right or wrong together. [n]
        resamples: Number of resamples, where there are any.
        seed: Seed of the resamples.

    Raises:
        ValueError: no examples, columns or groups of different lengths, no resamples, a level outside (0, 1).
    """
    _check_settings(resamples, level)
    _count(table, groups)
    value, drawn = float(metric(table)), 0
    try:
        if math.isnan(value):
            raise NoInterval(f"not defined: {_why_undefined(table)}")
        if isinstance(metric, Biased):
            raise NoInterval(metric.reason)
        if isinstance(metric, Proportion):
            low, high = interval_of_share(*metric.counts(table), groups=groups, level=level)
            if metric.f1:
                low, high = 2 * low / (1 + low), 2 * high / (1 + high)
        elif isinstance(metric, Smooth):
            low, high = interval_of_smooth(table, metric, groups=groups, level=level)
        else:
            drawn = resamples
            low, high = interval_of_resamples(table, metric, resamples=resamples, level=level, seed=seed, groups=groups)
    except NoInterval as none:
        return Interval(value, math.nan, math.nan, level, drawn, str(none))
    return Interval(value, min(low, value), max(high, value), level, drawn)


def _why_undefined(table: Table) -> str:
    """What in a table explains that a score is not defined: a column of equal values, or of values that are none."""
    for name in ("gold", "predicted"):
        column = table.get(name)
        if column is None or column.ndim > 1 or not len(column):
            continue
        kind = "labels" if column.dtype.kind in "iu" else "values"
        if (column == column[0]).all():
            return f"all {name} {kind} are the same"
        if np.isnan(column).any():
            return f"some {name} {kind} are no numbers"
    return "no example counts"


def interval_of_resamples(
    table: Table,
    metric: Metric,
    *,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    groups: Array | None = None,
) -> tuple[float, float]:
    """Bounds by the bootstrap with bias correction and acceleration (Efron 1987; Efron and Tibshirani 1993, ch. 14).

    It is for metrics of which nothing is known. The acceleration is that of the jackknife.

    Args:
        table: Columns of n entries or rows.
        metric: Called once for the table, once for each resample, and once for each of at most 200 parts.
        resamples: Number of resamples of n examples, drawn with replacement.
        level: Confidence level of the interval.
        seed: Seed of the resamples.
        groups: Group of each example. Whole groups are drawn, for examples that are not independent within a group
            (such as the questions about one paragraph). [n]

    Raises:
        NoInterval: its conditions do not hold.
        ValueError: no examples, columns or groups of different lengths, no resamples, a level outside (0, 1).
    """
    _check_settings(resamples, level)
    n = _count(table, groups)
    check_number(n, groups, least=FEWEST)
    generator = np.random.default_rng(seed)
    value = float(metric(table))
    drawn = resamples_of([table], metric, groups).drawn(resamples, generator)[:, 0]
    known = np.sort(drawn[~np.isnan(drawn)])
    if len(known) < (1 - UNDEFINED) * resamples:
        raise NoInterval(f"it is not defined for {1 - len(known) / resamples:.0%} of its resamples")
    if known[0] == known[-1]:
        raise NoInterval("it is the same for all resamples")
    if not np.isfinite(known).all():
        raise NoInterval("it is infinite for some resamples")
    return _corrected(known, value, left_out(table, metric, groups), level)


def _corrected(drawn: Array, value: float, without: Array, level: float) -> tuple[float, float]:
    """The quantiles of sorted resamples that BCa chooses.

    Args:
        drawn: Scores of the resamples. [B]
        value: Score of the table.
        without: Scores without each part of it. [m]
        level: Confidence level.

    Raises:
        NoInterval: a correction is undefined or asks for what lies beyond the resamples.
    """
    from scipy.special import ndtr, ndtri

    below = float(((drawn < value).mean() + (drawn <= value).mean()) / 2)
    deviations = without.mean() - without
    squares = float(deviations @ deviations)
    if not 0 < below < 1 or not squares > 0:
        raise NoInterval("its resamples lie on one side of it")
    bias, acceleration = float(ndtri(below)), float((deviations**3).sum() / (6 * squares**1.5))
    wanted = bias + ndtri(np.array([(1 - level) / 2, (1 + level) / 2]))
    scale = 1 - acceleration * wanted
    places = ndtr(bias + wanted / scale)
    if (scale <= 0).any() or places[0] < 1 / len(drawn) or places[1] > 1 - 1 / len(drawn):
        raise NoInterval("it is too skewed for its resamples")
    low, high = np.quantile(drawn, places)
    return float(low), float(high)


def paired(
    first: Table,
    second: Table,
    metric: Metric,
    *,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
    groups: Array | None = None,
) -> Comparison:
    """Difference of the scores of two systems on the same examples, the first minus the second.

    The interval is the paired percentile bootstrap, with both systems on the same resample (Berg-Kirkpatrick et al.
    2012). The p-value is that of approximate randomisation (Noreen 1989): the predictions of each example are swapped
    with probability 1/2, and p = (1 + hits) / (1 + resamples), where hits is the number of swaps with a difference at
    least as large in absolute value. The added 1 makes the test valid (Phipson and Smyth 2010). Resamples for
    which the difference is nan are left out.

    Args:
        first: Columns of n entries or rows.
        second: The same columns for the same examples in the same order.
        metric: A score of a table. One that is a function of sums (`kinds.sums_of`) takes a second or so; any other
            is called twice for each resample, and twice again for each swap.
        resamples: Number of resamples, and of swaps.
        level: Confidence level of the interval.
        seed: Seed of the resamples and swaps.
        groups: Group of each example; whole groups are drawn and swapped. [n]

    Raises:
        ValueError: tables that differ in length, columns or gold answers, and whatever `interval` refuses.
    """
    _check_settings(resamples, level)
    count_pair(first, second, groups)
    generator = np.random.default_rng(seed)
    scored = resamples_of([first, second], metric, groups)
    drawn = _differences(scored.drawn(resamples, generator))
    chance = _differences(scored.swapped(resamples, generator))
    observed = float(metric(first)) - float(metric(second))
    return Comparison(observed, *bounds(drawn, level), _p_value(observed, chance), level, resamples)


def _differences(scores: Array) -> Array:
    """The score of the first table minus that of the second one. [..., 2] to [...]"""
    with np.errstate(all="ignore"):
        difference: Array = scores[..., 0] - scores[..., 1]
    return difference


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for multiple testing, in the given order (Holm 1979).

    The i-th smallest of m, counted from 0, becomes the largest of (m - j) p_j over j <= i, and at most 1. Rejecting
    what is below alpha then makes one or more errors with probability at most alpha, whether or not the tests are
    independent.

    Raises:
        ValueError: a value outside [0, 1], nan included.
    """
    p = np.asarray(p_values, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p-values must be between 0 and 1, were: {[float(value) for value in p]}")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1)
    return [float(value) for value in adjusted]


def mean_and_sd(values: Sequence[float]) -> tuple[float, float]:
    """Mean and sample standard deviation (with denominator n - 1); nan for too few values."""
    column = np.asarray(values, dtype=np.float64)
    mean = float(column.mean()) if column.size else math.nan
    return mean, float(column.std(ddof=1)) if column.size > 1 else math.nan


def students_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """Bounds of the mean of one score over seeds, mean -+ t sd / sqrt(n) (Student 1908); nan for fewer than two values.

    Raises:
        ValueError: a level outside (0, 1).
    """
    from scipy.special import stdtrit

    check_level(level)
    mean, sd = mean_and_sd(values)
    n = len(values)
    half = float(stdtrit(n - 1, (1 + level) / 2)) * sd / math.sqrt(n) if n > 1 else math.nan
    return mean - half, mean + half


def bounds(values: Sequence[float] | Array, level: float) -> tuple[float, float]:
    """The k-th smallest and the k-th largest value, k = (number + 1) (1 - level) / 2 rounded down, at least 1."""
    known = np.asarray(values, np.float64)
    ordered = np.sort(known[~np.isnan(known)])
    if not len(ordered):
        return math.nan, math.nan
    k = max(1, math.floor((len(ordered) + 1) * (1 - level) / 2 + 1e-9))
    return float(ordered[k - 1]), float(ordered[-k])


def _p_value(observed: float, chance: Array) -> float:
    """Share of differences at least as far from 0 as the observed one, which is counted among them."""
    if math.isnan(observed):
        return math.nan
    distances = np.abs(chance[~np.isnan(chance)])
    least = abs(observed) * (1 - 1e-11) - 1e-12  # the tolerance for rounding errors counts ties
    hits = int((distances >= least).sum())
    return (1 + hits) / (1 + len(distances))


def _check_settings(resamples: int, level: float) -> None:
    if resamples < 1:
        raise ValueError(f"resamples must be 1 or more, was: {resamples}")
    check_level(level)


def check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, was: {level}")


def _count(table: Table, groups: Array | None) -> int:
    """The number of examples.

    Raises:
        ValueError: there are no examples, or columns or groups have different lengths.
    """
    lengths = {name: len(column) for name, column in table.items()}
    if groups is not None:
        lengths["groups"] = len(groups)
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns must have one entry an example, lengths were: {lengths}")
    n = next(iter(lengths.values()), 0)
    if not n:
        raise ValueError("the table holds no examples")
    return n


def count_pair(first: Table, second: Table, groups: Array | None) -> int:
    """The number of examples that two tables share.

    Raises:
        ValueError: tables that are not about the same examples.
    """
    n, other = _count(first, groups), _count(second, None)
    if n != other:
        raise ValueError(f"paired needs the same examples in both tables, found {n} and {other}")
    if first.keys() != second.keys():
        raise ValueError(f"both tables must have the same columns, were: {sorted(first)} and {sorted(second)}")
    if "gold" in first and not np.array_equal(first["gold"], second["gold"]):
        raise ValueError("both tables must hold the same examples in the same order, their gold answers differ")
    return n
