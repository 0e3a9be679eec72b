"""Figures of studies in words: scores and ratios with their intervals."""

from __future__ import annotations

import math
from typing import Protocol

from ..metrics.ratios import Ratio


class Ranged(Protocol):
    """A score or a difference with its interval; nan bounds where there is none."""

    @property
    def value(self) -> float:
        """The value."""

    @property
    def low(self) -> float:
        """Lower bound."""

    @property
    def high(self) -> float:
        """Upper bound."""


def interval(value: float, low: float, high: float) -> str:
    """A value with its interval, where it has one."""
    bounds = f" ({low:.4f} to {high:.4f})" if math.isfinite(low) and math.isfinite(high) else ""
    return f"{value:.4f}{bounds}"


def ranged(found: Ranged | None) -> str | None:
    """A score or a difference with its interval, for a table; None where there is none."""
    return None if found is None else interval(found.value, found.low, found.high)


def figure(value: float) -> str:
    """A ratio in three digits at most."""
    return f"{value:.2g}" if value < 10 else f"{value:,.0f}"


def times(ratio: Ratio, words: str = "") -> str:
    """A ratio with its interval: `8.5 times fewer (6.2 to 12)`.

    Args:
        ratio: The ratio.
        words: What follows the number.
    """
    if not math.isfinite(ratio.value):
        return "-"
    sign = {"": "", "least": "at least ", "most": "at most "}[ratio.bound]
    text = f"{sign}{figure(ratio.value)}{words and f' {words}'}"
    if math.isnan(ratio.low):
        return text
    if math.isinf(ratio.high):
        return f"{text} ({figure(ratio.low)} or more)"
    if ratio.low == 0:
        return f"{text} ({figure(ratio.high)} or less)"
    return f"{text} ({figure(ratio.low)} to {figure(ratio.high)})"
