"""Recipes compared over seeds and examples: what other training runs and other test examples would have given.

A recipe is known by the score tables of its runs, one a seed. A test over examples alone calls two seeds of one recipe
different, and a test over seeds alone holds for these examples only; see `components` for the variance over both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtr, stdtrit

from .components import Runs, Spread, runs_of, spread_of
from .intervals import check_level, count_pair
from .jackknife import SCALES, check_support
from .kinds import Array, Biased, Metric, Proportion, Smooth, Table
from .proportions import NoInterval, check_number, wilson

FEWEST = 20
"""Fewest examples or groups for metrics that are shares of items."""
FEWEST_PLAIN = 50
"""Fewest examples or groups for plain functions."""
NONE = (math.nan, math.nan, math.nan)
"""Bounds and p-value where there are none."""


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean score of a recipe over its seeds, with an interval over seeds and examples.

    Attributes:
        value: Mean of the scores of the runs.
        low: Lower bound, nan if there is none.
        high: Upper bound, nan if there is none.
        level: Probability that the interval is meant to hold.
        error: Standard error, nan if there is none.
        df: Degrees of freedom of the standard error, nan if there is none.
        spread: Where the variance comes from; None where there is no interval.
        note: What the interval leaves out: where there is one seed, how another would have scored. Else empty.
        reason: Why there is no interval; empty where there is one.
    """

    value: float
    low: float
    high: float
    level: float
    error: float = math.nan
    df: float = math.nan
    spread: Spread | None = None
    note: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """The mean score of one recipe minus that of another, with an interval over seeds and examples.

    Attributes:
        value: The difference.
        low: Lower bound, nan if there is none.
        high: Upper bound, nan if there is none.
        p_value: Two-sided, of the hypothesis that over all seeds and examples the recipes score alike; nan if unknown.
        level: Probability that the interval is meant to hold.
        first: Mean score of the first recipe.
        second: Mean score of the second recipe.
        error: Standard error of the difference, nan if there is none.
        df: Degrees of freedom of the standard error, nan if there is none.
        spread: Where the variance comes from; None where there is no interval.
        note: What the interval leaves out: where a recipe has one seed, how another would have scored. Else empty.
        reason: Why there is no interval; empty where there is one.
    """

    value: float
    low: float
    high: float
    p_value: float
    level: float
    first: float
    second: float
    error: float = math.nan
    df: float = math.nan
    spread: Spread | None = None
    note: str = ""
    reason: str = ""


def compare(
    first: Sequence[Table],
    second: Sequence[Table],
    metric: Metric,
    *,
    groups: Array | None = None,
    level: float = 0.95,
    deterministic: tuple[bool, bool] = (False, False),
) -> Difference:
    """Difference of the mean scores of two recipes, the first minus the second, over seeds and examples.

    The runs of one recipe are taken to be independent of those of the other, also where they have the same seeds. The
    examples are the same.

    Args:
        first: Score tables of the first recipe's runs, one a seed.
        second: Those of the second recipe, of the same examples in the same order.
        metric: A score of a table.
        groups: Group of each example, where examples of a group are right or wrong together. [n]
        level: Probability that the interval is to hold.
        deterministic: Of each recipe, whether it has no randomness (as a baseline without a seed): then its first table
            is all that there is to know of it.

    Raises:
        ValueError: no tables, tables or groups that differ in length, columns or gold answers, a level outside (0, 1).
    """
    check_level(level)
    units = _check([first, second], groups)
    known = [tables[:1] if fixed else tables for tables, fixed in zip((first, second), deterministic, strict=True)]
    one, other = (_mean(tables, metric) for tables in known)
    value = one - other
    note = _note([len(tables) for tables in known], deterministic)
    try:
        _check_metric(metric, first[0], groups)
        runs = [_runs(tables, metric, groups) for tables in known]
        spread, df = spread_of(runs, units=units, grouped=groups is not None, least=_least(metric, units))
        if not spread.variance > 0:
            raise NoInterval("it hardly varies")
    except NoInterval as none:
        return Difference(value, *NONE, level, one, other, note=note, reason=str(none))
    error = math.sqrt(spread.variance)
    half = float(stdtrit(df, (1 + level) / 2)) * error
    p_value = float(2 * stdtr(df, -abs(value) / error))
    return Difference(value, value - half, value + half, p_value, level, one, other, error, df, spread, note)


def mean_score(
    tables: Sequence[Table],
    metric: Metric,
    *,
    groups: Array | None = None,
    level: float = 0.95,
    deterministic: bool = False,
) -> Mean:
    """The mean score of a recipe, with the interval of what it scores over all seeds and examples.

    The bounds are value -+ t error on the scale on which the kind of score is nearly normal (`jackknife.SCALES`), and
    Wilson's with the number of items that has this error where it is a share of items.

    Args:
        tables: Score tables of the recipe's runs, one a seed, of the same examples in the same order.
        metric: A score of a table.
        groups: Group of each example, where examples of a group are right or wrong together. [n]
        level: Probability that the interval is to hold.
        deterministic: Whether the recipe has no randomness: then its first table is all that there is to know of it.

    Raises:
        ValueError: no tables, tables or groups that differ in length, columns or gold answers, a level outside (0, 1).
    """
    check_level(level)
    units = _check([tables], groups)
    known = tables[:1] if deterministic else tables
    value, note = _mean(known, metric), _note([len(known)], (deterministic,))
    try:
        _check_metric(metric, known[0], groups)
        spread, df = spread_of([_runs(known, metric, groups)], units=units, grouped=groups is not None)
        error = math.sqrt(max(0.0, spread.variance))
        low, high = _bounds(value, error, df, metric, level=level, units=units)
    except NoInterval as none:
        return Mean(value, math.nan, math.nan, level, note=note, reason=str(none))
    return Mean(value, min(low, value), max(high, value), level, error, df, spread, note)


def _bounds(value: float, error: float, df: float, metric: Metric, *, level: float, units: int) -> tuple[float, float]:
    """Bounds of a mean score by its standard error.

    Raises:
        NoInterval: a score that does not vary, or that its scale has no value for.
    """
    t = float(stdtrit(df, (1 + level) / 2))
    if isinstance(metric, Proportion):
        share = value / (2 - value) if metric.f1 else value
        slope = 2 / (2 - value) ** 2 if metric.f1 else 1.0
        variance = (error * slope * t / float(ndtri((1 + level) / 2))) ** 2
        low, high = wilson(share, share * (1 - share) / variance if variance > 0 else units, level)
        return (2 * low / (1 + low), 2 * high / (1 + high)) if metric.f1 else (low, high)
    if not error > 0:
        raise NoInterval("it hardly varies")
    if not isinstance(metric, Smooth):
        return value - t * error, value + t * error
    forward, back = SCALES[metric.kind]
    with np.errstate(all="ignore"):
        centre = float(forward(np.array(value)))
        step = 1e-4 * error
        slope = float(forward(np.array(value + step)) - forward(np.array(value - step))) / (2 * step)
    if not (math.isfinite(centre) and math.isfinite(slope)):
        raise NoInterval("it is at its limit")
    return back(centre - t * slope * error), back(centre + t * slope * error)


def _least(metric: Metric, units: int) -> float:
    """Least variance of a difference of shares over examples: that of two more examples, each right in one recipe only.

    Where recipes answer nearly all examples alike, the spread of the rest says little (Bonett and Price 2012).
    """
    share = isinstance(metric, Proportion) or (isinstance(metric, Smooth) and metric.kind == "share")
    return 2 / (units + 2) ** 2 if share else 0.0


def _check(recipes: Sequence[Sequence[Table]], groups: Array | None) -> int:
    """The number of examples, or of groups where there are any.

    Raises:
        ValueError: a recipe without tables, or tables that are not about the same examples.
    """
    if not all(len(tables) for tables in recipes):
        raise ValueError("a recipe needs the score table of one run or more, found none")
    tables = [table for tables in recipes for table in tables]
    n = max(count_pair(tables[0], table, groups) for table in tables)
    return n if groups is None else len(np.unique(groups))


def _check_metric(metric: Metric, table: Table, groups: Array | None) -> None:
    """Refuse where the kind of metric bears no interval on so few examples.

    Raises:
        NoInterval: there are too few, or the metric is biased.
    """
    if isinstance(metric, Biased):
        raise NoInterval(metric.reason)
    if isinstance(metric, Smooth):
        check_support(table, metric, groups)
    else:
        least = FEWEST if isinstance(metric, Proportion) else FEWEST_PLAIN
        check_number(len(next(iter(table.values()))), groups, least=least)


def _mean(tables: Sequence[Table], metric: Metric) -> float:
    """The mean score of runs; nan where one is not defined."""
    with np.errstate(all="ignore"):
        return float(np.mean([metric(table) for table in tables]))


def _runs(tables: Sequence[Table], metric: Metric, groups: Array | None) -> Runs:
    """The scores and influence values of runs.

    Raises:
        NoInterval: some are not defined, or infinite.
    """
    with np.errstate(all="ignore"):
        runs = runs_of(tables, metric, groups)
    for which, score in enumerate(runs.scores):
        if not math.isfinite(score):
            raise NoInterval(f"the score of run {which + 1} of {len(tables)} is not defined")
    if not np.isfinite(runs.values).all():
        raise NoInterval("it is not defined without some of the examples")
    return runs


def _note(counts: Sequence[int], deterministic: Sequence[bool]) -> str:
    """What is to be known of an interval where a recipe has one seed, or two."""
    single = [count == 1 and not fixed for count, fixed in zip(counts, deterministic, strict=True)]
    if not any(single):
        two = any(count == 2 and not fixed for count, fixed in zip(counts, deterministic, strict=True))
        return "two seeds are few: the interval holds less often than it says" if two else ""
    if all(single):
        return "over examples alone: one seed does not tell how another would score"
    which = "first" if single[0] else "second"
    return f"the {which} recipe has one seed, which does not tell how another would score"
