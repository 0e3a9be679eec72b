"""Answering only where a model is sure: what that brings, and from which confidence on answers are right enough."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

from .kinds import Array
from .proportions import NoInterval, effective_size, interval_of_share

SHARES = tuple(share / 100 for share in (100, 95, 90, 80, 70, 60, 50, 40, 30, 20, 10))
"""Shares of the answers that a curve of abstention shows."""
TRIED = 10
"""Most thresholds that are tried for a wanted precision."""


@dataclass(frozen=True, slots=True)
class Point:
    """A point of the curve of abstention.

    Attributes:
        coverage: Share of the answers that are given.
        threshold: The smallest confidence among them.
        count: Number of answers that are given.
        precision: Share of them that are right.
        interval: Bounds of that share, 95 %; nan where there are none.
    """

    coverage: float
    threshold: float
    count: int
    precision: float
    interval: tuple[float, float]


def ranked(confidence: Array) -> Array:
    """Indices of the answers, the surest first, equally sure ones in their order. [m]"""
    order: Array = np.argsort(-confidence, kind="stable")
    return order


def ends(ordered: Array) -> Array:
    """Numbers of answers that a threshold can give: what is equally sure is given or not given together. [d]

    Args:
        ordered: Confidences, the largest first. [m]
    """
    changes: Array = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)) + 1
    return changes


def curve(confidence: Array, right: Array, *, groups: Array | None = None) -> list[Point]:
    """The precision of the surest answers, for `SHARES` of them. Equally sure answers are given together.

    Args:
        confidence: Confidence of each answer. [m]
        right: Whether it is right. [m]
        groups: What is right or wrong together, for the intervals. [m]
    """
    m = len(confidence)
    order = ranked(confidence)
    sure, hits = confidence[order], right[order].astype(np.float64)
    possible = ends(sure) if m else np.zeros(0, np.int64)
    counts = [int(possible[np.searchsorted(possible, math.ceil(m * share))]) for share in SHARES] if m else []
    points: list[Point] = []
    for count in dict.fromkeys(counts):
        own = None if groups is None else groups[order[:count]]
        try:
            interval = interval_of_share(hits[:count], np.ones(count), groups=own)
        except NoInterval:
            interval = math.nan, math.nan
        points.append(Point(count / m, float(sure[count - 1]), count, float(hits[:count].mean()), interval))
    return points


def risk_area(confidence: Array, right: Array) -> float:
    """Area under the curve of risk and coverage: the mean over i of the share of errors among the i surest answers.

    Geifman and El-Yaniv (2017); smaller is better, and 0 is an order that has no error. Within equally sure answers the
    errors count as if evenly spread. nan without answers.
    """
    m = len(confidence)
    if not m:
        return math.nan
    order = ranked(confidence)
    wrong = np.cumsum(~right[order].astype(bool))
    bounds = np.append(0, ends(confidence[order]))
    totals = np.append(0, wrong)[bounds]  # errors up to each bound, linear between two of them
    return float((np.interp(np.arange(1, m + 1), bounds, totals) / np.arange(1, m + 1)).mean())


@dataclass(frozen=True, slots=True)
class Threshold:
    """From which confidence on answers are right as often as is wanted.

    Attributes:
        wanted: The wanted precision.
        level: Probability with which the threshold has it, over draws of the data.
        value: The threshold: answers with this confidence or more are given; nan where none holds.
        count: Number of answers of the data that it gives.
        total: Number of all answers.
        precision: Share of the given ones that are right; nan where none holds.
        bound: Lower confidence bound of that share, at least `wanted`; nan where none holds.
        reason: Why no threshold holds; else empty.
    """

    wanted: float
    level: float
    value: float
    count: int
    total: int
    precision: float
    bound: float
    reason: str = ""


def lower_bound(right: Array, error: float, *, groups: Array | None = None) -> float:
    """Lower bound of the share of right answers: Clopper and Pearson's (1934), wrong with probability `error` at most.

    With groups the number of answers is the effective one, as in Korn and Graubard (1998).

    Args:
        right: Whether each answer is right. [m]
        error: Probability of a share below the bound.
        groups: What is right or wrong together. [m]
    """
    hits, n = float(right.sum()), float(len(right))
    if groups is not None:
        owner = np.unique(groups, return_inverse=True)[1]
        part, whole = np.bincount(owner, weights=right), np.bincount(owner).astype(np.float64)
        size = effective_size(part, whole, 1 - 2 * error) if len(whole) > 1 else 1.0
        hits, n = hits / n * min(size, n), min(size, n)
    return float(betaincinv(hits, n - hits + 1, error)) if hits > 0 else 0.0


def sizes_to_try(total: int, wanted: float, error: float) -> list[int]:
    """Numbers of surest answers to try, known before any is looked at: at most `TRIED`, from few to all.

    The fewest are so many that, all right, they would pass with the error that each of them is given.
    """
    for tries in range(TRIED, 0, -1):
        least = math.ceil(math.log(error / tries) / math.log(wanted))
        if least <= total:
            return sorted({round(size) for size in np.geomspace(least, total, tries)}) if tries > 1 else [total]
    return []


def threshold_for(
    confidence: Array, right: Array, *, wanted: float, groups: Array | None = None, level: float = 0.95
) -> Threshold:
    """The threshold that gives most answers among those whose precision is proved to be as large as is wanted.

    A threshold that is chosen by its precision on the same data looks better than it is. So several thresholds, fixed
    by ranks, are tested from the strictest to the loosest, and the probability that any of them is passed wrongly is
    at most 1 - level (Angelopoulos et al. 2021). Each is given an equal part of that probability, and one that passes
    hands its own to the next (the fallback procedure of Wiens 2003). One passes where its lower bound
    (`lower_bound`) is at least the wanted precision.

    Args:
        confidence: Confidence of each answer. [m]
        right: Whether it is right. [m]
        wanted: The precision, between 0 and 1.
        groups: What is right or wrong together. [m]
        level: Probability with which the threshold holds.
    """
    m, error = len(confidence), 1 - level
    order = ranked(confidence)
    sure, hits = confidence[order], right[order].astype(np.float64)
    tried = sizes_to_try(m, wanted, error)
    if not tried:
        needed = math.ceil(math.log(error) / math.log(wanted))
        reason = f"{m:,} of the at least {needed:,} answers that could prove it, were they all right"
        return Threshold(wanted, level, math.nan, 0, m, math.nan, math.nan, reason)
    possible = ends(sure)
    counts = sorted({int(possible[np.searchsorted(possible, size)]) for size in tried})
    part = kept = error / len(counts)
    best: tuple[int, float] | None = None
    for count in counts:
        bound = lower_bound(hits[:count], kept, groups=None if groups is None else groups[order[:count]])
        if bound >= wanted:
            best, kept = (count, bound), part + kept
        else:
            kept = part
    if best is None:
        reason = f"none of the {len(counts)} thresholds that were tried has a lower bound as high"
        return Threshold(wanted, level, math.nan, 0, m, math.nan, math.nan, reason)
    count, bound = best
    value = math.floor(float(sure[count - 1]) * 1e6) / 1e6
    return Threshold(wanted, level, value, count, m, float(hits[:count].mean()), bound)
