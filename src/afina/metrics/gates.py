"""Whether a recipe is worse than another by more than is allowed; and many such tests together."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy.special import stdtr

from .intervals import holm
from .recipes import Difference


def p_worse(difference: Difference, allowed: float, *, higher: bool = True) -> float:
    """Twice the one-sided p-value of the hypothesis that the first recipe loses no more than is allowed, at most 1.

    It is below 1 - level where the whole interval lies below -allowed, so that it may be compared and adjusted as a
    two-sided p-value. nan where there is no interval. The opposite hypothesis is that of `decisions.p_not_worse`.

    Args:
        difference: The first recipe's score minus the second's.
        allowed: How much worse the first may be, in the units of the score.
        higher: Whether a larger score is better.

    Raises:
        ValueError: less than nothing is allowed.
    """
    if not allowed >= 0:
        raise ValueError(f"what is allowed must be 0 or more, was: {allowed}")
    if difference.reason:
        return math.nan
    gain = difference.value if higher else -difference.value
    return float(min(1.0, 2 * stdtr(difference.df, (gain + allowed) / difference.error)))


def holm_of_known(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for multiple testing (`intervals.holm`), in their order. A nan is no test, and stays.

    Raises:
        ValueError: a value outside [0, 1].
    """
    adjusted = iter(holm([value for value in p_values if not math.isnan(value)]))
    return [value if math.isnan(value) else next(adjusted) for value in p_values]
