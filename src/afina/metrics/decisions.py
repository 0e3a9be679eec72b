"""What follows from a difference of two recipes: better, worse, not worse than a margin allows, or undecided.

What is said follows the tests, and the numbers beside it are rounded so that they never say otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from scipy.special import ndtri, stdtr, stdtrit

from ..printing import many
from .components import Spread, share_of_seeds
from .recipes import Difference

Answer = Literal["better", "worse", "not worse", "undecided"]
POWER = 0.8
"""Probability with which the number of seeds or examples that would decide is to decide."""
MOST_SEEDS = 1000
"""More seeds than these are not asked for."""
MOST_EXAMPLES = 1000
"""More examples than this many times those there are, are not asked for."""


@dataclass(frozen=True, slots=True)
class Needed:
    """How much more would decide a comparison with probability 0.8, if the difference is what it seems to be.

    Attributes:
        seeds: Seeds of each recipe, on the examples there are; None where no number of them (up to 1,000) would do.
        examples: Examples, or groups where there are any, with the seeds there are; None where no number (up to 1,000
            times those there are) would do.
        unit: "example" or "group".
    """

    seeds: int | None
    examples: int | None
    unit: str = "example"

    def __str__(self) -> str:
        choices = [many(self.seeds, "seed")] if self.seeds is not None else []
        choices += [many(self.examples, self.unit)] if self.examples is not None else []
        if not choices:
            return f"neither more seeds nor more {self.unit}s alone"
        return f"about {' or '.join(choices)}"


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from a difference of two recipes.

    Attributes:
        answer: Whether the first recipe is "better" or "worse" than the second at the level of the interval, "not
            worse" by more than the margin, or it is "undecided".
        finding: The numbers that it follows from, in a short English text.
        needed: What would decide; None where it is decided, or nothing is known of the spread.
    """

    answer: Answer
    finding: str
    needed: Needed | None = None

    @property
    def phrase(self) -> str:
        """The finding as a text that stands alone: where it is undecided it says so, and what would decide."""
        if self.answer != "undecided":
            return self.finding
        return f"undecided: {self.finding}" + (f"; {self.needed} would decide" if self.needed else "")


def decide(
    difference: Difference, *, margin: float = 0.0, higher: bool = True, p_value: float | None = None
) -> Decision:
    """Whether the first recipe is better, worse, or not worse by more than a margin.

    It is better or worse where the p-value is below 1 - level, so that its interval lies on one side of 0. It is not
    worse where the whole interval lies above -margin, which is a test of non-inferiority at (1 - level) / 2. A recipe
    that is significantly worse, but by less than the margin, is "not worse", and the phrase says both.

    Args:
        difference: The first recipe's score minus the second's.
        margin: A difference that does not matter, 0 for none, in the units of the score.
        higher: Whether a larger score is better.
        p_value: That of the difference, adjusted for all comparisons that are made; by default its own.

    Raises:
        ValueError: a margin below 0, or a p-value outside [0, 1].
    """
    _check_margin(margin)
    gain = Gain.of(difference, higher=higher, p_value=p_value)
    if difference.reason:
        return Decision("undecided", f"no interval ({difference.reason})")
    alpha = 1 - difference.level
    sure = gain.p_value < alpha
    within = margin > 0 and gain.low > -margin
    note = f" ({difference.note})" if difference.note else ""
    if sure and gain.low > 0:
        return Decision("better", _sided(gain, alpha) + note)
    if within:
        return Decision("not worse", _within(gain, alpha, margin) + note)
    if sure and gain.high < 0:
        return Decision("worse", _sided(gain, alpha) + note)
    more = needed(difference, margin=margin, higher=higher, p_value=p_value)
    return Decision("undecided", _undecided(gain, alpha) + note, more)


def p_not_worse(difference: Difference, margin: float, *, higher: bool = True) -> float:
    """Twice the one-sided p-value of the hypothesis that the first recipe is worse by the margin or more, at most 1.

    It is below 1 - level where the interval lies above -margin, so that it may be compared and adjusted as a two-sided
    p-value. nan where there is no interval.

    Raises:
        ValueError: a margin below 0.
    """
    _check_margin(margin)
    if difference.reason:
        return math.nan
    gain = difference.value if higher else -difference.value
    return float(min(1.0, 2 * stdtr(difference.df, -(gain + margin) / difference.error)))


def needed(difference: Difference, *, margin: float = 0.0, higher: bool = True, p_value: float | None = None) -> Needed:
    """How many seeds of each recipe, or how many examples, would decide with probability 0.8, were the estimates true.

    The variance at other numbers follows from its parts (`Spread.at`). The seeds of a recipe that has one add an
    unknown part, so that no number of seeds is named then.

    Args:
        difference: One with an interval.
        margin: A difference that does not matter.
        higher: Whether a larger score is better.
        p_value: That of the difference, adjusted for all comparisons; by default its own.

    Raises:
        ValueError: a margin below 0, a p-value outside [0, 1], or a difference without an interval.
    """
    _check_margin(margin)
    if difference.spread is None:
        raise ValueError(f"no number would decide: there is no interval, {difference.reason}")
    spread, alpha = difference.spread, 1 - difference.level
    gain = Gain.of(difference, higher=higher, p_value=p_value)
    strict = alpha * min(1.0, difference.p_value / gain.p_value) if gain.p_value > 0 else alpha
    aims = [(abs(gain.value), strict)] + ([(gain.value + margin, alpha)] if margin > 0 else [])

    def decides(seeds: int | None, units: float | None) -> bool:
        error, freedom = math.sqrt(spread.at(seeds=seeds, units=units)), _freedom(spread, seeds, units)
        return any(aim >= (float(stdtrit(freedom, 1 - level / 2)) + float(ndtri(POWER))) * error for aim, level in aims)

    seeds = None
    if min(spread.counts) > 1 or sum(spread.seeds) > 0:
        seeds = _least(min(spread.counts) + 1, MOST_SEEDS, lambda count: decides(count, None))
    units = _least(spread.units + 1, MOST_EXAMPLES * spread.units, lambda count: decides(None, count))
    return Needed(seeds, None if units is None else _rounded(units), "group" if spread.grouped else "example")


# ---------------------------------------------------------------------------------------------------------------------
# How much more.


def _least(low: int, high: int, holds: Callable[[int], bool]) -> int | None:
    """The least number from low to high for which holds what holds for all larger ones, too; None for none."""
    if low > high or not holds(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _freedom(spread: Spread, seeds: int | None, units: float | None) -> float:
    """Degrees of freedom as in `components`, where the parts of the variance are as estimated."""
    free = sum(max(n, seeds or 0) - 1 for n in spread.counts if n > 1)
    variance = spread.at(seeds=seeds, units=units)
    runs = variance - spread.of_examples(units)
    if not free or not sum(spread.seeds) > 0 or not variance > 0:
        return 1e6
    return max(1.0, 1 / share_of_seeds(runs / variance, free))


def _rounded(count: int) -> int:
    """A number with its two leading digits, rounded up."""
    scale = int("1" + "0" * max(0, len(str(count)) - 2))
    return -(-count // scale) * scale


# ---------------------------------------------------------------------------------------------------------------------
# Words.


@dataclass(frozen=True, slots=True)
class Gain:
    """A difference in the direction in which more is better.

    Attributes:
        value: By how much the first recipe is better, below 0 where it is worse.
        low: Its lower bound.
        high: Its upper bound.
        p_value: Of the hypothesis that it is 0, adjusted for other comparisons where there are any.
    """

    value: float
    low: float
    high: float
    p_value: float

    @classmethod
    def of(cls, difference: Difference, *, higher: bool, p_value: float | None) -> Gain:
        """The gain of a difference.

        Raises:
            ValueError: a p-value outside [0, 1].
        """
        p = difference.p_value if p_value is None else p_value
        if p < 0 or p > 1:
            raise ValueError(f"a p-value must be between 0 and 1, was: {p}")
        if higher:
            return cls(difference.value, difference.low, difference.high, p)
        return cls(-difference.value, -difference.high, -difference.low, p)


def _sided(gain: Gain, alpha: float) -> str:
    """A gain or a loss that is significant."""
    better = gain.low > 0
    digits = _digits(gain, (gain.low if better else gain.high, 0.0))
    bounds = (gain.value, gain.low, gain.high) if better else (-gain.value, -gain.high, -gain.low)
    value, low, high = (f"{one:.{digits}f}" for one in bounds)
    return f"{value} [{low}, {high}] {'better' if better else 'worse'}, {p_in_words(gain.p_value, alpha)}"


def _within(gain: Gain, alpha: float, margin: float) -> str:
    """A gain or a loss that is above -margin."""
    if gain.p_value < alpha and gain.high < 0:
        digits = _digits(gain, (gain.low, -margin), (gain.high, 0.0))
        value, low, high = (f"{-one:.{digits}f}" for one in (gain.value, gain.high, gain.low))
        return f"{value} [{low}, {high}] worse, {p_in_words(gain.p_value, alpha)}, but by less than {margin:.12g}"
    digits = _digits(gain, (gain.low, -margin))
    return f"not worse by {margin:.12g} or more ({_range(gain, digits)})"


def _undecided(gain: Gain, alpha: float) -> str:
    """A gain that may be a loss, or may be chance among so many comparisons."""
    if gain.low > 0 or gain.high < 0:
        sided = _sided(gain, alpha).replace(", p = ", ", but p = ")
        return f"{sided} among all comparisons"
    return f"it may be anything {_range(gain, _digits(gain))}"


def _range(gain: Gain, digits: int) -> str:
    """The bounds of a gain, as what is worse and what is better."""
    low, high = (f"{abs(one):.{digits}f} {'worse' if one < 0 else 'better'}" for one in (gain.low, gain.high))
    return f"from {low} to {high}"


def _digits(gain: Gain, *limits: tuple[float, float]) -> int:
    """How many decimals to show: three where values are below ten, and as many as keep values on their side of limits.

    Args:
        gain: The values that are shown.
        limits: Values that are shown, each with a number that it lies above or below.
    """

    def hold(digits: int) -> bool:
        return all(
            (round(value, digits) > limit) == (value > limit) and (round(value, digits) < limit) == (value < limit)
            for value, limit in limits
        )

    least = 3 if max(abs(gain.low), abs(gain.high)) < 10 else 1
    return next((digits for digits in range(least, 15) if hold(digits)), 15)


def p_in_words(value: float, alpha: float) -> str:
    """A p-value that is shown to be on its side of alpha."""
    if value < 0.001 <= alpha:
        return "p < 0.001"
    digits = next((d for d in range(2 if value >= 0.1 else 3, 15) if (round(value, d) < alpha) == (value < alpha)), 15)
    return f"p = {value:.{digits}f}"


def _check_margin(margin: float) -> None:
    if not margin >= 0:
        raise ValueError(f"a margin must be 0 or more, was: {margin}")
