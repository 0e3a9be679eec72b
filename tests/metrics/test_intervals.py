"""Intervals that hold what they promise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from scipy import stats

from afina.metrics import intervals, scores
from afina.metrics.answers import answer_f1
from afina.metrics.kinds import Metric
from afina.metrics.resampling import pick


def accuracy_table(right: np.ndarray) -> dict[str, np.ndarray]:
    return {"gold": np.ones(len(right), int), "predicted": right.astype(int)}


def plain(table: Mapping[str, np.ndarray]) -> float:
    """A metric of another package, of which nothing is known."""
    return float(np.mean(table["f1"]))


def test_a_plain_function_gets_the_bca_interval_of_scipy() -> None:
    values = np.random.default_rng(1).random(80) ** 3
    ours = intervals.interval(answers(values), plain, resamples=8000)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=8000, method="BCa", rng=np.random.default_rng(0)
    ).confidence_interval
    assert ours.value == values.mean()
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.006)
    assert ours.resamples == 8000


def seldom_defined(table: Mapping[str, np.ndarray]) -> float:
    return 1.0 if table["f1"].any() else np.nan


@pytest.mark.parametrize(
    ("table", "metric", "reason"),
    [
        ({"f1": np.arange(12.0)}, plain, "12 examples are too few for an interval"),
        ({"f1": np.ones(60)}, plain, "it is the same for all resamples"),
        ({"f1": np.arange(60.0)}, lambda table: table["f1"].max(), "it is too skewed for its resamples"),
        (
            {"f1": np.array([1.0] + [0] * 79)},
            lambda table: np.nan if max(table["f1"]) == 0 else 1.0,
            "it is not defined for 3",
        ),
        ({"f1": np.arange(60.0)}, lambda table: np.nan, "not defined: no example counts"),
        ({"gold": np.arange(60), "predicted": np.ones(60, int)}, scores.matthews, "all predicted labels are the same"),
        ({"gold": np.ones(60), "predicted": np.ones(60)}, scores.pearson, "all gold values are the same"),
        ({"gold": np.arange(9.0), "predicted": np.arange(9.0)}, scores.pearson, "9 examples are too few"),
        ({"gold": np.arange(60.0), "predicted": np.arange(60.0)}, scores.pearson, "too few examples are wrong"),
        ({"gold": np.arange(60.0), "predicted": np.arange(60.0) + 1}, scores.mean_squared_error, "it hardly varies"),
        ({"log_probability": np.array([-np.inf] + [-1.0] * 60)}, scores.log_loss, "one example makes it infinite"),
        (
            {"log_probability": np.array([scores.log_probability(0.0)] * 2 + [-1.0] * 60)},
            scores.log_loss,
            "2 examples with a gold label of probability 0",
        ),
        ({"gold": np.arange(60) % 2, "predicted": np.arange(60) % 2}, scores.macro_f1, "every example is right"),
        ({"gold": np.arange(60) // 20, "predicted": np.arange(60) // 19}, scores.macro_f1, "1 label has fewer than 5"),
        (
            {"gold": np.ones(60, int), "predicted": np.ones(60, int), "confidence": np.full(60, 0.9)},
            scores.expected_calibration_error,
            "it is too high on few examples",
        ),
    ],
)
def test_where_there_is_no_interval_the_reason_is_given(
    table: dict[str, np.ndarray], metric: Metric, reason: str
) -> None:
    with np.errstate(all="ignore"):
        found = intervals.interval(table, metric, resamples=300)
    assert reason in found.reason
    assert np.isnan([found.low, found.high]).all()


def test_the_same_seed_gives_the_same_bounds() -> None:
    table = answers(np.random.default_rng(6).random(60))
    assert intervals.interval(table, plain) == intervals.interval(table, plain)


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


def answers(f1: np.ndarray) -> dict[str, np.ndarray]:
    return {"f1": f1}


def test_the_test_calls_equal_systems_different_at_its_level() -> None:
    """A continuous score has no ties, so that the test is exact: p <= 0.05 in 5 % of pairs, correlated ones too."""
    generator = np.random.default_rng(7)
    called = 0
    for i in range(400):
        shared = generator.random(30)
        first, second = (answers(shared + generator.random(30)) for _ in range(2))
        called += intervals.paired(first, second, answer_f1, resamples=99, seed=i).p_value <= 0.05
    assert 0.02 <= called / 400 <= 0.08


def test_the_p_value_is_that_of_all_swaps() -> None:
    """Against scipy, which goes through all 2^10 swaps."""
    generator = np.random.default_rng(8)
    first, second = generator.random(10) + 0.15, generator.random(10)
    expected = stats.permutation_test(
        (first, second), lambda a, b: np.mean(a) - np.mean(b), permutation_type="samples", n_resamples=np.inf
    ).pvalue
    found = intervals.paired(answers(first), answers(second), answer_f1, resamples=8000)
    assert found.p_value == pytest.approx(expected, abs=0.015)


def test_the_paired_interval_is_that_of_the_differences() -> None:
    generator = np.random.default_rng(9)
    first, second = generator.random(40), generator.random(40)
    found = intervals.paired(answers(first), answers(second), answer_f1)
    differences = first - second
    low, high = stats.bootstrap(
        (differences,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    assert found.difference == pytest.approx(differences.mean())
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.02)


def test_an_undefined_difference_is_not_significant() -> None:
    gold = np.arange(6.0)
    constant, perfect = {"gold": gold, "predicted": np.ones(6)}, {"gold": gold, "predicted": gold}
    found = intervals.paired(constant, perfect, scores.pearson, resamples=50)
    assert np.isnan([found.difference, found.low, found.high, found.p_value]).all()


def test_groups_widen_the_interval_and_weaken_the_test() -> None:
    """Ten copies of each example are no more evidence than one."""
    generator = np.random.default_rng(10)
    first, second = generator.random(20) + 0.2, generator.random(20)
    many = answers(np.repeat(first, 10)), answers(np.repeat(second, 10))
    groups = np.repeat(np.arange(20), 10)
    alone = intervals.paired(answers(first), answers(second), answer_f1)
    grouped = intervals.paired(*many, answer_f1, groups=groups)
    naive = intervals.paired(*many, answer_f1)
    assert (grouped.low, grouped.high) == pytest.approx((alone.low, alone.high), abs=0.02)
    assert grouped.p_value == pytest.approx(alone.p_value, abs=0.02)
    assert naive.high - naive.low < 0.5 * (grouped.high - grouped.low)
    assert naive.p_value < grouped.p_value


def test_columns_of_rows_are_drawn_together() -> None:
    first = {"gold": np.eye(4, dtype=bool), "predicted": np.eye(4, dtype=bool)}
    second = first | {"predicted": np.zeros((4, 4), bool)}
    assert intervals.paired(first, second, scores.micro_f1, resamples=50).low == 1


@pytest.mark.parametrize("metric", [answer_f1, plain])
def test_a_wider_level_is_wider(metric: Metric) -> None:
    table = answers(np.random.default_rng(11).random(60))
    narrow, wide = (intervals.interval(table, metric, level=level) for level in (0.5, 0.98))
    assert wide.low < narrow.low < narrow.value < narrow.high < wide.high


@pytest.mark.parametrize("metric", [scores.log_loss, scores.root_mean_squared_error, plain, answer_f1])
def test_ten_copies_of_each_example_are_no_more_evidence(metric: Metric) -> None:
    generator = np.random.default_rng(12)
    once = generator.random(60)
    table = dict.fromkeys(("f1", "predicted"), once) | {"log_probability": -once, "gold": np.zeros(60)}
    copies, groups = pick(table, np.repeat(np.arange(60), 10)), np.repeat(np.arange(60), 10)
    alone, grouped, naive = (
        intervals.interval(data, metric, groups=owner)
        for data, owner in ((table, None), (copies, groups), (copies, None))
    )
    assert (grouped.low, grouped.high) == pytest.approx((alone.low, alone.high), abs=0.025)
    assert naive.high - naive.low < 0.5 * (grouped.high - grouped.low)


def test_many_examples_are_left_out_in_parts() -> None:
    """The interval of a mean over many examples is the textbook's, whichever the parts."""
    errors = np.random.default_rng(13).random(5000) + 1
    found = intervals.interval({"log_probability": -errors}, scores.log_loss)
    half = 1.96 * errors.std(ddof=1) / np.sqrt(5000)
    assert (found.low, found.high) == pytest.approx((errors.mean() - half, errors.mean() + half), abs=0.2 * half)


@pytest.mark.parametrize(
    ("table", "settings", "message"),
    [
        ({"f1": np.zeros(0)}, {}, "no examples"),
        ({}, {}, "no examples"),
        ({"f1": np.zeros(3), "exact": np.zeros(2)}, {}, "'f1': 3, 'exact': 2"),
        ({"f1": np.zeros(3)}, {"groups": np.zeros(2, int)}, "'groups': 2"),
        ({"f1": np.zeros(3)}, {"resamples": 0}, "resamples must be 1 or more, was: 0"),
        ({"f1": np.zeros(3)}, {"level": 95}, "level must be between 0 and 1, was: 95"),
    ],
)
def test_what_an_interval_refuses(table: dict[str, np.ndarray], settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        intervals.interval(table, answer_f1, **settings)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({"gold": np.array([1, 1]), "confidence": np.zeros(2)}, "same columns"),
        ({"gold": np.array([1, 0]), "predicted": np.array([1, 1])}, "gold answers differ"),
    ],
)
def test_tables_that_do_not_match_are_refused(second: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        intervals.paired(accuracy_table(np.ones(2)), second, scores.accuracy)


def test_holm_equals_its_definition() -> None:
    for seed in range(50):
        p = np.random.default_rng(seed).random(6) ** 3
        ordered = sorted(p)
        expected = [min(1, max((6 - j) * ordered[j] for j in range(ordered.index(one) + 1))) for one in p]
        assert intervals.holm(list(p)) == pytest.approx(expected)
    assert intervals.holm([]) == []


@pytest.mark.parametrize("wrong", [-0.1, 1.1, np.nan])
def test_holm_refuses_what_is_no_probability(wrong: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        intervals.holm([0.5, wrong])


def test_mean_and_deviation_of_seeds() -> None:
    assert intervals.mean_and_sd([1.0, 2.0, 3.0, 6.0]) == pytest.approx((3, stats.tstd([1, 2, 3, 6])))
    assert intervals.mean_and_sd([0.5]) == pytest.approx((0.5, np.nan), nan_ok=True)
    assert np.isnan(intervals.mean_and_sd([])).all()
    assert np.isnan(intervals.students_interval([0.5])).all()
