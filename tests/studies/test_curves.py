"""Curves that rise, and what a score takes, against known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import isotonic_regression

from afina.studies.curves import Reach, first_reached, monotone, needed, ratio_between

SCORES = st.lists(st.floats(-5, 5), min_size=1, max_size=12)
SIZES = [10, 20, 50, 100, 200, 500]


@given(SCORES)
def test_a_monotone_curve_is_the_nearest_that_rises(scores: list[float]) -> None:
    curve = monotone(scores)
    assert (np.diff(curve) >= 0).all()
    assert curve == pytest.approx(isotonic_regression(np.array(scores)), abs=1e-9)
    assert monotone(list(curve)) == pytest.approx(curve, abs=1e-12)
    assert monotone(sorted(scores)) == pytest.approx(sorted(scores), abs=1e-12)


@given(st.floats(0.01, 0.3), st.floats(10, 500), st.floats(0.5, 20))
def test_a_straight_curve_is_read_exactly(slope: float, size: float, scale: float) -> None:
    amounts = [scale * one for one in SIZES]
    scores = [slope * math.log(one) for one in SIZES]
    found = needed(amounts, scores, slope * math.log(size))
    assert found.amount == pytest.approx(scale * size, rel=1e-6)


@given(st.lists(st.floats(0, 1), min_size=6, max_size=6), st.floats(-0.2, 1.2), st.floats(0, 0.3))
def test_a_higher_score_takes_no_less(scores: list[float], target: float, more: float) -> None:
    one, other = needed(SIZES, scores, target), needed(SIZES, scores, target + more)
    assert 10 <= one.amount <= other.amount <= 500
    assert (one.bound == "least") == (target > monotone(scores)[-1])
    assert (one.bound == "most") == (target <= monotone(scores)[0])


def test_bounds_and_gaps_of_curves() -> None:
    scores = [0.5, 0.6, 0.7, 0.8, 0.85, 0.9]
    assert needed(SIZES, scores, 0.4) == Reach(10, "most")
    assert needed(SIZES, scores, 0.95) == Reach(500, "least")
    assert needed(SIZES, scores, 0.9).amount == pytest.approx(500)
    assert needed(SIZES, [0.5, math.nan, 0.7, 0.8, 0.85, 0.9], 0.6).amount == pytest.approx(math.sqrt(10 * 50))
    assert needed(SIZES, [0.5, 0.7, 0.6, 0.8, 0.85, 0.9], 0.575).amount == pytest.approx(math.sqrt(200))
    for nothing in (needed([], [], 0.5), needed(SIZES, [math.nan] * 6, 0.5), needed(SIZES, scores, math.nan)):
        assert math.isnan(nothing.amount)


def test_the_first_time_counts() -> None:
    steps, scores = [10, 20, 30, 40], [0.5, 0.7, 0.6, 0.9]
    assert first_reached(steps, scores, 0.6).amount == pytest.approx(15)
    assert first_reached(steps, scores, 0.7) == Reach(20)
    assert first_reached(steps, scores, 0.8).amount == pytest.approx(30 + 10 * 2 / 3)
    assert first_reached(steps, scores, 0.5) == Reach(10, "most")
    assert first_reached(steps, scores, 0.91) == Reach(40, "least")
    assert first_reached(steps, [math.nan, 0.7, 0.6, 0.9], 0.6) == Reach(20)
    assert math.isnan(first_reached([], [], 0.5).amount)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=12), st.floats(0, 1))
def test_what_was_reached_was_reached_between_evaluations(scores: list[float], target: float) -> None:
    found = first_reached(range(1, len(scores) + 1), scores, target)
    if found.bound == "least":
        assert max(scores) < target
    else:
        first = next(i for i, score in enumerate(scores) if score >= target)
        assert first <= found.amount <= first + 1 or (first == 0 and found == Reach(1, "most"))


def test_a_ratio_knows_what_it_does_not_know() -> None:
    assert ratio_between(Reach(40), Reach(10)) == (4, "")
    assert ratio_between(Reach(40, "least"), Reach(10)) == (4, "least")
    assert ratio_between(Reach(40), Reach(10, "most")) == (4, "least")
    assert ratio_between(Reach(40, "least"), Reach(10, "most")) == (4, "least")
    assert ratio_between(Reach(40, "most"), Reach(10)) == (4, "most")
    assert ratio_between(Reach(40), Reach(50, "least")) == (0.8, "most")
    for first, second in (("most", "most"), ("least", "least")):
        assert math.isnan(ratio_between(Reach(40, first), Reach(10, second))[0])  # type: ignore[arg-type]
    assert math.isnan(ratio_between(Reach(40), Reach(math.nan))[0])
