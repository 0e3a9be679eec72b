"""Means and ratios over seeds, such as of the steps that something takes, also where a seed gives but a bound."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import stdtrit

Bound = Literal["", "least", "most"]


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times one amount is another: the geometric mean over seeds, with its interval.

    Attributes:
        value: The ratio; a bound of it where `bound` says so. nan where nothing is known.
        low: Lower bound of the interval; 0 where seeds give upper bounds alone, nan without an interval.
        high: Upper bound; infinite where seeds give lower bounds alone, nan without an interval.
        level: Probability that the interval is meant to hold.
        seeds: Number of seeds that it is made from.
        bound: `least` where the ratio is at least this, `most` where it is at most this.
        reason: Why there is no interval; empty where there is one.
    """

    value: float
    low: float
    high: float
    level: float
    seeds: int
    bound: Bound = ""
    reason: str = ""


def mean_over_seeds(values: Sequence[float], *, level: float = 0.95) -> tuple[float, float, float]:
    """The mean of the values of several seeds, and Student's interval for it: nan bounds for fewer than two.

    Args:
        values: One a seed; what is not finite is passed over.
        level: Probability that the interval is to hold.

    Raises:
        ValueError: a level outside (0, 1).
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, found {level}")
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return math.nan, math.nan, math.nan
    mean = float(np.mean(known))
    if len(known) < 2:
        return mean, math.nan, math.nan
    half = float(stdtrit(len(known) - 1, (1 + level) / 2) * np.std(known, ddof=1) / math.sqrt(len(known)))
    return mean, mean - half, mean + half


def ratio_of(values: Sequence[float], bounds: Sequence[Bound] | None = None, *, level: float = 0.95) -> Ratio:
    """The geometric mean of the ratios of several seeds, and its interval: Student's, of the logarithms.

    Where some seeds know their ratio as a lower bound alone, so is the mean: the interval has the lower end that those
    bounds give, and no upper end. In the same way for upper bounds. With both kinds nothing is known.

    Args:
        values: The ratio of each seed, above 0; what is not finite is passed over.
        bounds: What each of them is: the ratio, or its lower (`least`) or upper (`most`) bound.
        level: Probability that the interval is to hold.

    Raises:
        ValueError: another number of bounds, a ratio that is not above 0, a level outside (0, 1).
    """
    kinds = list(bounds) if bounds is not None else [""] * len(values)
    pairs = [(value, kind) for value, kind in zip(values, kinds, strict=True) if math.isfinite(value)]
    if any(value <= 0 for value, _ in pairs):
        raise ValueError(f"expected ratios above 0, found {min(value for value, _ in pairs)}")
    found = {kind for _, kind in pairs} - {""}
    if not pairs or len(found) > 1:
        reason = "no seed tells it" if not pairs else "some seeds give a lower bound of it, others an upper one"
        return Ratio(math.nan, math.nan, math.nan, level, len(pairs), reason=reason)
    bound: Bound = "least" if "least" in found else "most" if found else ""
    mean, low, high = mean_over_seeds([math.log(value) for value, _ in pairs], level=level)
    if len(pairs) < 2:
        reason = "one seed does not tell how another would come out"
        return Ratio(math.exp(mean), math.nan, math.nan, level, 1, bound, reason)
    ends = (0.0 if bound == "most" else math.exp(low), math.inf if bound == "least" else math.exp(high))
    return Ratio(math.exp(mean), *ends, level, len(pairs), bound)
