"""The jackknife's interval, where another formula gives the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from afina.metrics.jackknife import PARTS, interval_of_smooth, parts_of
from afina.metrics.kinds import Smooth
from afina.metrics.scores import pearson


def test_it_is_fishers_interval_for_normal_pairs() -> None:
    generator = np.random.default_rng(1)
    gold = generator.standard_normal(200)
    table = {"gold": gold, "predicted": gold + generator.standard_normal(200)}
    theirs = stats.pearsonr(table["gold"], table["predicted"]).confidence_interval()
    assert interval_of_smooth(table, pearson) == pytest.approx((theirs.low, theirs.high), abs=0.03)


def test_of_a_mean_it_has_the_standard_error_of_the_mean() -> None:
    values = np.random.default_rng(2).normal(0.5, 0.01, size=150)
    low, high = interval_of_smooth({"x": values}, Smooth(lambda table: float(table["x"].mean()), "share"))
    assert (low + high) / 2 == pytest.approx(values.mean(), abs=1e-5)
    assert high - low == pytest.approx(2 * 1.98 * stats.sem(values), rel=0.02)


@given(st.integers(1, 1500), st.booleans())
def test_every_example_is_in_one_part_and_groups_stay_whole(n: int, grouped: bool) -> None:
    groups = np.arange(n) // 3 if grouped else None
    parts = parts_of(n, groups)
    assert set(parts) == set(range(parts.max() + 1))
    assert parts.max() < PARTS
    units = np.arange(n) if groups is None else groups
    assert len({*zip(units, parts, strict=True)}) == units.max() + 1
    sizes = np.bincount(parts[np.unique(units, return_index=True)[1]])
    assert sizes.max() - sizes.min() <= 1
