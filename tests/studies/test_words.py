"""Figures in words."""

from __future__ import annotations

import math

import pytest

from afina.metrics.ratios import Ratio
from afina.studies.words import interval, ranged, times

LEVEL = 0.95


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (Ratio(8.52, 6.2, 12.4, LEVEL, 3), "8.5 times fewer (6.2 to 12)"),
        (Ratio(8.52, math.nan, math.nan, LEVEL, 1), "8.5 times fewer"),
        (Ratio(8.52, 6.2, math.inf, LEVEL, 3, "least"), "at least 8.5 times fewer (6.2 or more)"),
        (Ratio(0.852, 0.0, 1.24, LEVEL, 3, "most"), "at most 0.85 times fewer (1.2 or less)"),
        (Ratio(1234.5, 1000.2, 2000, LEVEL, 3), "1,234 times fewer (1,000 to 2,000)"),
        (Ratio(math.nan, math.nan, math.nan, LEVEL, 0), "-"),
    ],
)
def test_ratios_in_words(ratio: Ratio, text: str) -> None:
    assert times(ratio, "times fewer") == text
    assert times(ratio) == text.replace(" times fewer", "")


def test_scores_in_words() -> None:
    assert interval(0.5, 0.4, 0.6) == "0.5000 (0.4000 to 0.6000)"
    assert interval(0.5, math.nan, math.nan) == "0.5000"
    assert ranged(Ratio(0.5, 0.4, 0.6, LEVEL, 3)) == "0.5000 (0.4000 to 0.6000)"
    assert ranged(None) is None
