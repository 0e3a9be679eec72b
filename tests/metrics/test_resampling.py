"""Resamples by sums are those by rows: the same draws, the same scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.metrics import jackknife, resampling
from afina.metrics.intervals import paired
from afina.metrics.resampling import OfRows, OfSums, resamples_of

from .test_sums import CASES, METRICS, kind_of, table_of


@pytest.mark.parametrize("name", CASES)
@given(st.integers(0, 10**6), st.integers(8, 40), st.booleans(), st.integers(1, 64))
def test_sums_and_rows_give_the_same_resamples(name: str, seed: int, n: int, grouped: bool, block: int) -> None:
    metric, generator = METRICS[name], np.random.default_rng(seed)
    first = table_of(kind_of(metric), generator, n)
    second = {**table_of(kind_of(metric), generator, n)}
    groups = generator.integers(0, max(2, n // 3), n) if grouped else None
    by_sums = resamples_of([first, second], metric, groups)
    assert isinstance(by_sums, OfSums)
    by_rows = OfRows([first, second], metric, by_sums.owner)
    for draw in ("drawn", "swapped"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(resampling, "BLOCK", block * 8)
            found = getattr(by_sums, draw)(9, np.random.default_rng(seed))
        expected = getattr(by_rows, draw)(9, np.random.default_rng(seed))
        assert found.shape == (9, 2)
        assert found == pytest.approx(expected, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("name", CASES)
def test_what_is_left_out_by_sums_is_left_out_by_rows(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    metric = METRICS[name]
    table = table_of(kind_of(metric), np.random.default_rng(0), 60)
    groups = np.arange(60) // 4
    fast = [jackknife.left_out(table, metric, owner) for owner in (None, groups)]
    monkeypatch.setattr(jackknife, "columns_of", lambda *args: None)
    for owner, found in zip((None, groups), fast, strict=True):
        assert found == pytest.approx(jackknife.left_out(table, metric, owner), abs=1e-9)


def test_a_value_that_is_not_finite_goes_by_rows() -> None:
    table = {"gold": np.arange(4.0), "predicted": np.array([1.0, np.inf, 2.0, 3.0])}
    assert isinstance(resamples_of([table], METRICS["pearson"], None), OfRows)
    assert isinstance(resamples_of([table], lambda one: 0.5, None), OfRows)


def test_large_columns_go_by_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "LARGEST", 10)
    table = table_of("labels", np.random.default_rng(0), 20)
    assert isinstance(resamples_of([table], METRICS["macro_f1"], None), OfRows)


def test_groups_are_drawn_whole() -> None:
    """Two groups of opposite values: a sample is all of one, all of the other, or both."""
    table = {"gold": np.ones(20, int), "predicted": np.repeat([1, 0], 10)}
    drawn = resamples_of([table], METRICS["accuracy"], np.repeat([7, 3], 10)).drawn(60, np.random.default_rng(0))
    assert set(drawn[:, 0]) == {0.0, 0.5, 1.0}


@pytest.mark.parametrize("name", ["entity_f1", "accuracy", "macro_f1", "pearson"])
def test_the_comparison_is_that_of_a_metric_of_which_nothing_is_known(name: str) -> None:
    metric, generator = METRICS[name], np.random.default_rng(3)
    first, second = (table_of(kind_of(metric), generator, 50) for _ in range(2))
    if "gold" in first:
        second["gold"] = first["gold"]

    def unknown(table: Any) -> float:
        return float(metric(table))

    settings: dict[str, Any] = {"resamples": 200, "groups": np.arange(50) // 2}
    one, other = paired(first, second, metric, **settings), paired(first, second, unknown, **settings)
    assert (one.low, one.high) == pytest.approx((other.low, other.high))
    assert (one.difference, one.p_value) == (other.difference, other.p_value)
    assert one == paired(first, second, metric, **settings)
