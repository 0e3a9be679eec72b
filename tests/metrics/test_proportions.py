"""Shares of items: Wilson's intervals against scipy, and how often they cover."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from afina.metrics.proportions import NoInterval, effective_size, interval_of_share, wilson, wilson_of_counts


@given(st.integers(1, 400), st.data(), st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_is_that_of_scipy(n: int, data: st.DataObject, level: float) -> None:
    right = data.draw(st.integers(0, n))
    theirs = stats.binomtest(right, n).proportion_ci(level, method="wilson")
    assert wilson(right / n, n, level) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    low, high = wilson_of_counts(right, n, level)
    assert low <= theirs.low + 1e-12
    assert high >= theirs.high - 1e-12
    if 3 < right < n - 3 or right in {0, n}:
        assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_six_right_examples_are_little_evidence() -> None:
    assert interval_of_share(np.ones(6), np.ones(6)) == pytest.approx((0.6097, 1.0), abs=1e-4)


def test_the_interval_of_a_proportion_covers_the_truth() -> None:
    """By the binomial distribution, so exactly: on average as often as it says, and nowhere much less."""
    for n in (5, 6, 10, 30, 50, 100, 300):
        bounds = np.array([wilson_of_counts(right, n) for right in range(n + 1)])
        truths = np.linspace(0.5, 0.999, 300)
        covers = np.array(
            [stats.binom.pmf(np.arange(n + 1), n, p)[(bounds[:, 0] <= p) & (p <= bounds[:, 1])].sum() for p in truths]
        )
        assert 0.945 <= covers.mean() <= 0.97, n
        assert covers.min() >= 0.9, n


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 6)), min_size=5, max_size=40))
def test_the_share_lies_in_its_interval(counts: list[tuple[int, int]]) -> None:
    part, whole = np.array([[min(right, items), items] for right, items in counts]).T
    low, high = interval_of_share(part, whole)
    assert 0 <= low <= part.sum() / whole.sum() <= high <= 1
    assert low < high


def test_equal_items_of_a_group_are_one_item() -> None:
    generator = np.random.default_rng(1)
    right = (generator.random(40) < 0.8).astype(float)
    groups = np.repeat(np.arange(40), 10)
    size = effective_size(right * 10, np.full(40, 10.0))
    assert 30 < size <= 40
    low, high = interval_of_share(np.repeat(right, 10), np.ones(400), groups=groups)
    alone = wilson_of_counts(int(right.sum()), 40)
    assert (low, high) == pytest.approx(alone, abs=0.02)


def test_where_all_is_right_a_group_counts_as_one_item() -> None:
    groups = np.repeat(np.arange(8), 5)
    assert interval_of_share(np.ones(40), np.ones(40), groups=groups) == pytest.approx(wilson(1.0, 8))


def test_groups_of_one_are_no_groups() -> None:
    right = np.array([1.0, 0, 1, 1, 1, 1, 0])
    assert interval_of_share(right, np.ones(7), groups=np.arange(7)) == interval_of_share(right, np.ones(7))


def test_examples_that_do_not_count_change_nothing() -> None:
    right, counted = np.array([1.0, 1, 0, 1, 0, 0]), np.array([1.0, 1, 1, 1, 0, 0])
    assert interval_of_share(right, counted) == wilson_of_counts(3, 4)


@pytest.mark.parametrize(
    ("whole", "groups", "reason"),
    [
        (np.zeros(9), None, "nothing that it counts"),
        (np.array([3.0, 2, 0, 0, 0]), None, "2 examples are too few for an interval"),
        (np.array([3.0, 0, 0, 0, 0]), None, "1 example is too few for an interval"),
        (np.ones(9), np.repeat([0, 1, 2], 3), "3 groups are too few for an interval"),
    ],
)
def test_what_gets_no_interval(whole: np.ndarray, groups: np.ndarray | None, reason: str) -> None:
    with pytest.raises(NoInterval, match=reason):
        interval_of_share(whole / 2, whole, groups=groups)


def clustered(generator: np.random.Generator, units: int, *, share: float, alike: float) -> tuple[np.ndarray, ...]:
    """Counts of right items and of items of clusters of one to ten items whose share is beta distributed."""
    items = generator.integers(1, 11, size=units)
    spread = (1 - alike) / alike
    return generator.binomial(items, generator.beta(share * spread, (1 - share) * spread, size=units)), items


def test_the_interval_of_clusters_covers_the_truth() -> None:
    generator = np.random.default_rng(2)
    for units, share, alike in ((8, 0.7, 0.3), (20, 0.9, 0.4), (50, 0.6, 0.1)):
        held = 0
        for _ in range(300):
            low, high = interval_of_share(*clustered(generator, units, share=share, alike=alike))
            held += low <= share <= high
        assert 0.92 <= held / 300 <= 0.995, (units, share)
