"""Whether one recipe is less stable than another: the spread of scores over seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import fdtrc


def spread_test(*recipes: Sequence[float]) -> float:
    """P-value of the hypothesis that scores of recipes vary alike over seeds (Brown and Forsythe 1974).

    It is the analysis of variance of the distances from each recipe's median, Levene's test with medians. With three to
    five seeds it calls recipes different less often than its level says, and finds large differences only.

    Args:
        recipes: The scores of each recipe, one a seed.

    Returns:
        The p-value; nan where no recipe varies beyond its distances, as with two seeds each.

    Raises:
        ValueError: fewer than two recipes, or a recipe with fewer than two scores.
    """
    if len(recipes) < 2 or min(map(len, recipes)) < 2:
        raise ValueError(
            f"spreads are compared of two recipes or more, with two seeds or more each, were: {[*map(len, recipes)]}"
        )
    distances = [np.abs(np.asarray(scores, np.float64) - np.median(scores)) for scores in recipes]
    whole = np.concatenate(distances)
    between = sum(len(part) * (part.mean() - whole.mean()) ** 2 for part in distances)
    within = sum(float(((part - part.mean()) ** 2).sum()) for part in distances)
    if within <= 1e-18 * float(whole @ whole):
        return math.nan
    freedom = len(recipes) - 1, len(whole) - len(recipes)
    return float(fdtrc(*freedom, (between / freedom[0]) / (within / freedom[1])))
