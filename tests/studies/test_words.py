"""Figures in words."""

from __future__ import annotations

import math

import pytest

from afina.metrics.decisions import Decision, Needed
from afina.metrics.ratios import Ratio
from afina.studies.words import figure, interval, ranged, times, what_decides

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


@pytest.mark.parametrize(
    ("value", "text"), [(1, "1.0"), (0.5, "0.50"), (4.04, "4.0"), (9.94, "9.9"), (9.96, "10"), (41_681, "41,681")]
)
def test_ratios_have_two_digits(value: float, text: str) -> None:
    assert figure(value) == text


@pytest.mark.parametrize(
    ("needed", "text"),
    [
        ([], ""),
        ([(7, 4000)], "about 7 seeds (--seeds 7) or about 4,000 examples to compare on"),
        ([(7, None)], "about 7 seeds (--seeds 7)"),
        ([(None, 80)], "about 80 examples to compare on"),
        ([(7, 400), (9, 300)], "about 9 seeds (--seeds 9) or about 400 examples to compare on"),
        ([(7, 400), (None, 600)], "about 600 examples to compare on"),
        ([(7, None), (None, 600)], "more seeds together with more examples, or a larger margin (--margin)"),
        ([None, (7, 400)], "more examples to compare on"),
    ],
)
def test_what_decides_several_comparisons_is_what_the_hardest_needs(
    needed: list[tuple[int | None, int | None] | None], text: str
) -> None:
    undecided = [Decision("undecided", "", one and Needed(*one)) for one in needed]
    assert what_decides([*undecided, Decision("worse", "")]) == text


def test_scores_in_words() -> None:
    assert interval(0.5, 0.4, 0.6) == "0.5000 (0.4000 to 0.6000)"
    assert interval(0.5, math.nan, math.nan) == "0.5000"
    assert ranged(Ratio(0.5, 0.4, 0.6, LEVEL, 3)) == "0.5000 (0.4000 to 0.6000)"
    assert ranged(None) is None
