"""How far probabilities are from frequencies: reliability tables and calibration errors.

A confidence is the probability that a model gives its own answer, or one of its labels; it is calibrated when a share p
of what is said with confidence p is right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .kinds import Array
from .proportions import NoInterval, interval_of_share
from .scores import BINS

Mass = Literal["width", "count"]
"""Whether bins are equally wide, as in Guo et al. (2017), or hold equally many answers."""


@dataclass(frozen=True, slots=True)
class Bin:
    """The answers whose confidence lies in a bin.

    Attributes:
        low, high: Bounds of the bin; a confidence equal to `high` lies in it, one equal to `low` does not.
        count: Number of answers.
        confidence: Their mean confidence.
        accuracy: Share of them that are right.
        interval: Bounds of that share, 95 %; nan where there are none.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float
    interval: tuple[float, float]


def edges_of(confidence: Array, *, bins: int = BINS, equal: Mass = "width") -> Array:
    """The edges between bins. [bins - 1], or fewer where equal confidences would have to lie in several bins

    Args:
        confidence: Confidences. [m]
        bins: Number of bins.
        equal: What is equal between bins.
    """
    if equal == "width":
        return np.linspace(0, 1, bins + 1)[1:-1]
    # A bin ends with its last confidence, which belongs to it; the largest of all ends the last bin, by itself.
    ordered = np.sort(confidence)
    lasts = ordered[np.ceil(np.arange(1, bins) * len(ordered) / bins).astype(int) - 1]
    edges: Array = np.unique(lasts[lasts < ordered[-1]])
    return edges


def reliability(
    confidence: Array, right: Array, *, groups: Array | None = None, bins: int = BINS, equal: Mass = "width"
) -> list[Bin]:
    """The bins that hold answers, from the least to the most confident.

    Args:
        confidence: Confidence of each answer, from 0 to 1. [m]
        right: Whether it is right. [m]
        groups: What is right or wrong together, for the intervals. [m]
        bins: Number of bins.
        equal: What is equal between bins.
    """
    if not len(confidence):
        return []
    edges = edges_of(confidence, bins=bins, equal=equal)
    bounds = [0.0, *edges.tolist(), 1.0]
    place = np.searchsorted(edges, confidence)
    found = []
    for i in np.unique(place):
        own = place == i
        hits = right[own].astype(np.float64)
        try:
            interval = interval_of_share(hits, np.ones(len(hits)), groups=None if groups is None else groups[own])
        except NoInterval:
            interval = math.nan, math.nan
        found.append(
            Bin(bounds[i], bounds[i + 1], int(own.sum()), float(confidence[own].mean()), float(hits.mean()), interval)
        )
    return found


def calibration_error(confidence: Array, right: Array, *, bins: int = BINS, equal: Mass = "width") -> float:
    """Expected calibration error: sum_b |B_b| / m |accuracy(B_b) - mean confidence(B_b)| over bins; nan for none.

    With bins of equal width it is that of Guo et al. (2017, equation 3). With equally many answers a bin, no bin is
    nearly empty and no bin holds nearly all (Nguyen and O'Connor 2015; Nixon et al. 2019).

    Args:
        confidence: Confidence of each answer, from 0 to 1. [m]
        right: Whether it is right. [m]
        bins: Number of bins.
        equal: What is equal between bins.
    """
    if not len(confidence):
        return math.nan
    place = np.searchsorted(edges_of(confidence, bins=bins, equal=equal), confidence)
    return float(np.abs(np.bincount(place, weights=right - confidence)).sum() / len(confidence))
