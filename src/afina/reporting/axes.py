"""Axes of figures: from values to places, with round numbers at their ticks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .numbers import Numbers

TICKS = 5
"""About so many ticks has an axis."""
NEAR = 0.35
"""A share's axis goes to 0, or to 1, where its values come this near."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear or logarithmic axis. Called with a value it gives its place.

    Attributes:
        low, high: The values at its ends; both are positive on a logarithmic axis.
        start, end: The places of its ends.
        step: Distance of its ticks, or of their decades.
        logarithmic: Whether it is logarithmic.
    """

    low: float
    high: float
    start: float
    end: float
    step: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """The place of a value."""
        low, high = self.low, self.high
        if self.logarithmic:
            low, high, value = math.log10(low), math.log10(high), math.log10(value)
        return self.start + (self.end - self.start) * (value - low) / (high - low)

    def ticks(self, numbers: Numbers) -> Iterator[tuple[float, str]]:
        """The values of the ticks, and how they are written."""
        if self.logarithmic:
            yield from self.decades(numbers)
            return
        digits = next((n for n in range(7) if math.isclose(self.step, round(self.step, n), rel_tol=1e-6)), 7)
        largest = max(abs(self.low), abs(self.high))
        for i in range(round((self.high - self.low) / self.step) + 1):
            value = self.low + i * self.step
            value = 0.0 if abs(value) < self.step / 1e6 else value
            short = largest >= 1e6 or digits > 5
            shown = f"{value:.2g}" if short else f"{value:,.{digits}f}"
            yield min(value, self.high), numbers.local(shown)

    def decades(self, numbers: Numbers) -> Iterator[tuple[float, str]]:
        """The ticks of a logarithmic axis: powers of ten, with 2 and 5 between them where there are few."""
        first, last = round(math.log10(self.low)), round(math.log10(self.high))
        skip = max(1, math.ceil((last - first) / 6))
        between = (1, 2, 5) if last - first <= 1 else (1,)
        for power in range(first, last + 1, skip):
            for factor in between:
                value = factor * 10.0**power
                if value <= self.high * (1 + 1e-9):
                    yield value, numbers.local(f"{value:,.0f}" if 1 <= value < 1e6 else f"{value:g}")


def axis_of(
    values: Sequence[float],
    start: float,
    end: float,
    *,
    logarithmic: bool = False,
    share: bool = False,
    whole: bool = False,
) -> Axis:
    """An axis on which all values lie, with ends at ticks.

    Args:
        values: Finite, and positive for a logarithmic axis.
        start, end: The places of its ends.
        logarithmic: Whether it is logarithmic.
        share: Whether the values are shares, none of which is beyond 0 or 1.
        whole: Whether they are whole numbers.
    """
    if logarithmic:
        low, high = (min(values), max(values)) if values else (1.0, 10.0)
        first, last = math.floor(math.log10(low) + 1e-12), math.ceil(math.log10(high) - 1e-12)
        return Axis(10.0**first, 10.0 ** max(last, first + 1), start, end, 1, True)
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if share and low >= 0 and high <= 1:
        low, high = (0.0 if low < NEAR else low), (1.0 if high > 1 - NEAR else high)
    if not high - low > max(1e-300, 1e-9 * max(abs(low), abs(high))):
        room = abs(low) * 0.1 or 1.0
        low, high = low - room, high + room
    step = round_step((high - low) / TICKS)
    step = max(1.0, 5.0 if step == 2.5 else step) if whole else step
    low, high = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    return Axis(low, high, start, end, step)


def round_step(width: float) -> float:
    """The smallest of 1, 2, 2.5 and 5 times a power of ten that is no smaller."""
    power = 10.0 ** math.floor(math.log10(width))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= width * (1 - 1e-9))
