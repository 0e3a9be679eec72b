"""Learning curves: scores against amounts (labels, steps), and the amount that a score takes. More is better here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..metrics.kinds import Array
from ..metrics.ratios import Bound


@dataclass(frozen=True, slots=True)
class Reach:
    """The amount that a score takes.

    Attributes:
        amount: The amount; the bound of it where the curve does not tell.
        bound: `most` where the smallest amount that was tried is enough, `least` where the largest one is not.
    """

    amount: float
    bound: Bound = ""


def monotone(scores: Sequence[float]) -> Array:
    """The rising curve that is nearest to some scores, by least squares (pool adjacent violators). [n]

    Noise makes measured curves fall here and there, though more labels do not harm on average. Without this a score
    might be reached several times.
    """
    means: list[float] = []
    sizes: list[int] = []
    for score in scores:
        means.append(float(score))
        sizes.append(1)
        while len(means) > 1 and means[-2] >= means[-1]:
            size = sizes[-2] + sizes[-1]
            means[-2:] = [(sizes[-2] * means[-2] + sizes[-1] * means[-1]) / size]
            sizes[-2:] = [size]
    return np.repeat(np.array(means), sizes)


def needed(amounts: Sequence[float], scores: Sequence[float], target: float) -> Reach:
    """The amount at which a curve is as high as a target.

    The curve is made to rise (`monotone`), and is straight between two amounts on a logarithmic axis.

    Args:
        amounts: Ascending, above 0.
        scores: The score at each, higher is better; amounts whose score is not finite are passed over.
        target: The score to reach.
    """
    known = [(amount, score) for amount, score in zip(amounts, scores, strict=True) if math.isfinite(score)]
    if not known or not math.isfinite(target):
        return Reach(math.nan)
    places = [amount for amount, _ in known]
    curve = monotone([score for _, score in known])
    if target > curve[-1]:
        return Reach(float(places[-1]), "least")
    i = int(np.argmax(curve >= target))
    if i == 0:
        return Reach(float(places[0]), "most")
    share = (target - curve[i - 1]) / (curve[i] - curve[i - 1])
    low, high = math.log(places[i - 1]), math.log(places[i])
    # The bounds keep rounding out.
    return Reach(min(max(math.exp(low + share * (high - low)), float(places[i - 1])), float(places[i])))


def first_reached(amounts: Sequence[float], scores: Sequence[float], target: float) -> Reach:
    """The amount at which a score was first reached in the course of one training, straight between two evaluations.

    What lies before the first evaluation is not known. A training may fall again later; the first time counts.

    Args:
        amounts: Ascending, above 0: steps, FLOPs, seconds.
        scores: The score at each, higher is better; what is not finite has not reached anything.
        target: The score to reach.
    """
    if not len(amounts) or not math.isfinite(target):
        return Reach(math.nan)
    for i, score in enumerate(scores):
        if math.isfinite(score) and score >= target:
            if i == 0:
                return Reach(float(amounts[0]), "most")
            before = scores[i - 1]
            if not math.isfinite(before):
                return Reach(float(amounts[i]))
            share = (target - before) / (score - before)
            return Reach(float(amounts[i - 1] + share * (amounts[i] - amounts[i - 1])))
    return Reach(float(amounts[-1]), "least")


def ratio_between(first: Reach, second: Reach) -> tuple[float, Bound]:
    """How many times the first amount is the second, and whether that is a bound; nan where nothing is known of it."""
    opposite: dict[Bound, Bound] = {"most": "least", "least": "most", "": ""}
    bounds = {first.bound, opposite[second.bound]} - {""}
    if len(bounds) > 1 or not second.amount > 0:
        return math.nan, ""
    return first.amount / second.amount, bounds.pop() if bounds else ""
