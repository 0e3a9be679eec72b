"""Figures of studies in words: scores and ratios with their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from ..metrics.decisions import Decision, Needed
from ..metrics.ratios import Ratio
from ..printing import many


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
    """A ratio in two digits, or in whole numbers."""
    return f"{value:#.2g}" if value < 9.95 else f"{value:,.0f}"


def what_decides(decisions: Sequence[Decision]) -> str:
    """What would decide all of some comparisons, for a verdict; empty where all are decided."""
    undecided = [one for one in decisions if one.answer == "undecided"]
    known = [one.needed for one in undecided if one.needed is not None]
    if len(known) < len(undecided):
        return "more examples to compare on"
    return wanted(known) if known else ""


def wanted(needed: Sequence[Needed]) -> str:
    """What would decide comparisons of which each needs so much, with the flags that ask for it."""
    seeds = most([one.seeds for one in needed])
    examples = most([one.examples for one in needed])
    unit = needed[0].unit
    choices = [f"about {many(seeds, 'seed')} (--seeds {seeds})"] if seeds is not None else []
    choices += [f"about {many(examples, unit)} to compare on"] if examples is not None else []
    return " or ".join(choices) or f"more seeds together with more {unit}s, or a larger margin (--margin)"


def most(counts: Sequence[int | None]) -> int | None:
    """The largest of some numbers; None where one of them is."""
    known = [count for count in counts if count is not None]
    return max(known) if len(known) == len(counts) else None


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
