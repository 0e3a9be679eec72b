"""Intervals of shares of items: Wilson's, with the sample size that clusters leave."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import chdtri, ndtri, stdtrit

from .kinds import Array

FEW = 5
"""Fewest examples or clusters from which the spread of counts is estimated."""


class NoInterval(Exception):
    """There is no interval that would hold what it promises. The message says why, in a few words."""


def interval_of_share(
    part: Array, whole: Array, *, groups: Array | None = None, level: float = 0.95
) -> tuple[float, float]:
    """Bounds of the share sum(part) / sum(whole) of items that are right, where examples or groups are independent.

    Where each example is one item, right or wrong, they are Wilson's with n items. Elsewhere the items of an example or
    of a group are right or wrong together, and n is the effective size, as in surveys of clusters (Korn and Graubard
    1998; Dean and Pagano 2015): the number of independent items whose share has the estimated variance.

    Args:
        part: What is right of each example, from 0 to `whole`. [n]
        whole: Number of its items, 0 for an example that does not count. [n]
        groups: Group of each example. [n]
        level: Confidence level.

    Raises:
        NoInterval: there are no items, or too few examples or groups have any.
    """
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    if not whole.any():
        raise NoInterval("there is nothing that it counts")
    single = bool(np.isin(whole, (0, 1)).all() and np.isin(part, (0, 1)).all())
    alone = groups is None or len(np.unique(groups)) == len(groups)
    if single and alone:
        return wilson_of_counts(int(part.sum()), int(whole.sum()), level)
    if groups is not None and not alone:
        owner = np.unique(groups, return_inverse=True)[1]
        part, whole = np.bincount(owner, weights=part), np.bincount(owner, weights=whole)
    part, whole = part[whole > 0], whole[whole > 0]
    check_number(len(whole), None if alone else np.arange(len(whole)), least=FEW)
    return wilson(float(part.sum() / whole.sum()), effective_size(part, whole, level), level)


def check_number(n: int, groups: Array | None, *, least: int) -> None:
    """Refuse fewer than `least` examples, or groups where there are any.

    Raises:
        NoInterval: there are fewer.
    """
    units, name = (n, "example") if groups is None else (len(np.unique(groups)), "group")
    if units < least:
        raise NoInterval(f"{units} {name}{'s are' if units > 1 else ' is'} too few for an interval")


def wilson(share: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Bounds of a share of n independent items (Wilson 1927). Every n > 0 will do."""
    z = float(ndtri((1 + level) / 2))
    scale = 1 + z * z / n
    centre, half = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)
    return max(0.0, min(share, (centre - half) / scale)), min(1.0, max(share, (centre + half) / scale))


def wilson_of_counts(right: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson's bounds of a share of n items, with the correction of Brown, Cai and DasGupta (2001, section 4.1.1).

    Wilson's interval is too short on its far side where one to three items are right, or wrong: near 0 and 1 it covers
    as little as 84 %. There, that bound is the Poisson distribution's.
    """
    low, high = wilson(right / n, n, level)
    near = 2 if n <= 50 else 3

    def poisson(count: int) -> float:
        return float(chdtri(2 * count, level)) / (2 * n)

    if 0 < right <= min(near, n - 1):
        low = min(low, poisson(right))
    if 0 < n - right <= min(near, n - 1):
        high = max(high, 1 - poisson(n - right))
    return low, high


def effective_size(part: Array, whole: Array, level: float = 0.95) -> float:
    """Number of independent items that say as much of the share as the items of these units.

    It is p (1 - p) / v, where v estimates the variance of the ratio p = sum(part) / sum(whole) by linearisation, times
    (z / t)^2, because v is an estimate (Korn and Graubard 1998). The degrees of freedom of t are those of the spread
    of the residuals r = part - p whole by their kurtosis, 2 m / (kurtosis - 1) for m units, at most m - 1
    (Satterthwaite 1946): where a few units hold all errors, little is known of v. It is at most the number of items,
    unless those are partly right. Where every item is right or every one is wrong, v is unknown, and each unit
    counts as one item, as if all of its items were one.

    Args:
        part: What is right of each of m independent units, at most `whole`. [m]
        whole: Number of its items, above 0. [m]
        level: Confidence level.
    """
    units, items = len(whole), float(whole.sum())
    share = float(part.sum()) / items
    residuals = part - share * whole
    squares = float(residuals @ residuals)
    if squares <= 1e-12 * items:
        return float(units)
    variance = units / (units - 1) * squares / items**2
    kurtosis = units * float((residuals**4).sum()) / squares**2
    freedom = min(units - 1.0, 2 * units / max(kurtosis - 1, 1e-9))
    z, t = float(ndtri((1 + level) / 2)), float(stdtrit(freedom, (1 + level) / 2))
    size = share * (1 - share) / variance * (z / t) ** 2
    whole_items = bool((part == np.round(part)).all())
    return min(size, items) if whole_items else size
