"""Means and ratios over seeds: closed forms, bounds, and coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from afina.metrics.ratios import Ratio, mean_over_seeds, ratio_of

VALUES = st.lists(st.floats(0.01, 100), min_size=2, max_size=8)


@given(VALUES, st.sampled_from([0.5, 0.9, 0.95]))
def test_means_have_students_interval(values: list[float], level: float) -> None:
    mean, low, high = mean_over_seeds([*values, math.nan], level=level)
    if np.std(values) > 1e-9:
        expected = stats.t.interval(level, len(values) - 1, np.mean(values), stats.sem(values))
        assert (low, high) == pytest.approx(expected, rel=1e-6, abs=1e-9)
    else:
        assert (low, high) == pytest.approx((mean, mean))
    assert mean == pytest.approx(np.mean(values))


@given(VALUES, st.floats(0.1, 10))
def test_ratios_are_geometric_means(values: list[float], scale: float) -> None:
    found = ratio_of(values)
    assert found.value == pytest.approx(stats.gmean(values))
    assert 0 < found.low <= found.value * (1 + 1e-12)
    assert found.value <= found.high * (1 + 1e-12)
    other = ratio_of([scale * value for value in values])
    assert other.low == pytest.approx(scale * found.low)
    turned = ratio_of([1 / value for value in values])  # the other way round it is the same finding
    assert (turned.value, turned.low, turned.high) == pytest.approx((1 / found.value, 1 / found.high, 1 / found.low))


def test_bounds_leave_one_end_open() -> None:
    plain = ratio_of([4.0, 8.0, 6.0])
    least = ratio_of([4.0, 8.0, 6.0], ["", "least", ""])
    assert (least.value, least.low, least.high, least.bound) == (plain.value, plain.low, math.inf, "least")
    most = ratio_of([4.0, 8.0, 6.0], ["most", "most", ""])
    assert (most.value, most.low, most.high, most.bound) == (plain.value, 0.0, plain.high, "most")
    both = ratio_of([4.0, 8.0], ["least", "most"])
    assert math.isnan(both.value)
    assert "others an upper one" in both.reason


def test_what_one_seed_or_none_tells() -> None:
    assert ratio_of([3.0]).value == pytest.approx(3.0)
    assert ratio_of([3.0, math.nan]).reason.startswith("one seed")
    assert math.isnan(ratio_of([3.0]).low)
    assert ratio_of([]).reason == "no seed tells it"
    assert isinstance(ratio_of([math.nan]), Ratio)
    assert mean_over_seeds([2.0])[0] == 2.0
    for empty in ([], [math.nan]):
        assert all(map(math.isnan, mean_over_seeds(empty)))
    with pytest.raises(ValueError, match="above 0"):
        ratio_of([1.0, 0.0])
    with pytest.raises(ValueError, match="level"):
        ratio_of([1.0, 2.0], level=1.5)


def test_intervals_cover_a_true_ratio() -> None:
    rng = np.random.default_rng(3)
    draws = [ratio_of(list(np.exp(rng.normal(math.log(5), 0.4, 4)))) for _ in range(2000)]
    share = np.mean([one.low <= 5 <= one.high for one in draws])
    assert 0.93 <= share <= 0.97
