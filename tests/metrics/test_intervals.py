"""Intervals that hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from afina.metrics import intervals, scores


def accuracy_table(right: np.ndarray) -> dict[str, np.ndarray]:
    return {"gold": np.ones(len(right), int), "predicted": right.astype(int)}


def test_the_bootstrap_agrees_with_scipy() -> None:
    right = np.random.default_rng(1).random(80) < 0.7
    ours = intervals.bootstrap(accuracy_table(right), scores.accuracy, resamples=4000)
    theirs = stats.bootstrap(
        (right.astype(float),), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    assert ours.value == right.mean()
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.013)


def test_the_interval_covers_the_truth() -> None:
    generator = np.random.default_rng(2)
    held = 0
    for i in range(300):
        table = accuracy_table(generator.random(120) < 0.8)
        interval = intervals.bootstrap(table, scores.accuracy, resamples=300, seed=i)
        held += interval.low <= 0.8 <= interval.high
    assert 0.90 <= held / 300 <= 0.98


def test_groups_are_drawn_whole() -> None:
    """Two groups of opposite values: a sample is all of one, all of the other, or both."""
    table = accuracy_table(np.array([1] * 10 + [0] * 10))
    groups = np.repeat([7, 3], 10)
    seen = set()
    generator = np.random.default_rng(0)
    for _ in range(60):
        index = intervals.resampled(20, groups, generator)
        seen.add(scores.accuracy(intervals.pick(table, index)))
    assert seen == {0.0, 0.5, 1.0}


def test_the_same_seed_gives_the_same_bounds() -> None:
    table = accuracy_table(np.arange(50) % 3 > 0)
    assert intervals.bootstrap(table, scores.accuracy) == intervals.bootstrap(table, scores.accuracy)


def test_values_that_do_not_exist_are_left_out() -> None:
    table = {"gold": np.array([1.0, 2.0, 3.0]), "predicted": np.array([1.0, 1.0, 2.0])}
    interval = intervals.bootstrap(table, scores.pearson, resamples=200)
    assert interval.low <= interval.value <= interval.high
    constant = {"gold": np.array([1.0, 2.0]), "predicted": np.array([1.0, 1.0])}
    assert np.isnan(intervals.bootstrap(constant, scores.pearson, resamples=20).low)


def test_equal_systems_are_called_different_in_five_per_cent() -> None:
    generator = np.random.default_rng(3)
    low = 0
    for i in range(200):
        one, other = (accuracy_table(generator.random(100) < 0.75) for _ in range(2))
        low += intervals.paired(one, other, scores.accuracy, resamples=200, seed=i).p_value < 0.05
    assert low / 200 <= 0.09


def test_a_real_difference_is_found() -> None:
    generator = np.random.default_rng(4)
    hard = generator.random(400)
    better, worse = accuracy_table(hard < 0.85), accuracy_table(hard < 0.75)
    found = intervals.paired(better, worse, scores.accuracy)
    assert found.difference == pytest.approx(0.1, abs=0.04)
    assert found.low > 0
    assert found.p_value < 0.01


def test_tables_of_different_examples_are_refused() -> None:
    with pytest.raises(ValueError, match="found 3 and 4"):
        intervals.paired(accuracy_table(np.ones(3)), accuracy_table(np.ones(4)), scores.accuracy)


def test_holm() -> None:
    assert intervals.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert intervals.holm([0.9, 0.8]) == [1.0, 1.0]


def test_the_interval_over_seeds_equals_scipy() -> None:
    values = [0.91, 0.92, 0.905]
    expected = stats.t.interval(0.95, 2, loc=np.mean(values), scale=stats.sem(values))
    assert intervals.students_interval(values) == pytest.approx(expected)
