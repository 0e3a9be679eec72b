"""Every score against scikit-learn or scipy on random columns."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as oracle

from afina.metrics import scores

labels = st.integers(2, 6).flatmap(
    lambda k: st.lists(st.tuples(st.integers(0, k - 1), st.integers(0, k - 1)), min_size=1, max_size=60)
)
numbers = st.lists(
    st.tuples(st.sampled_from([0.5, 1.0, 2.25, 4.0, 5.0]), st.floats(-10, 10, width=32)), min_size=3, max_size=40
)


def table_of(pairs: list[tuple[float, float]], kind: type) -> dict[str, np.ndarray]:
    gold, predicted = zip(*pairs, strict=True)
    return {"gold": np.array(gold, kind), "predicted": np.array(predicted, kind)}


@given(labels)
def test_label_scores_equal_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    table = table_of(pairs, int)
    gold, predicted = table["gold"], table["predicted"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert scores.accuracy(table) == pytest.approx(oracle.accuracy_score(gold, predicted))
        assert scores.macro_f1(table) == pytest.approx(
            oracle.f1_score(gold, predicted, average="macro", zero_division=0)
        )
        assert scores.balanced_accuracy(table) == pytest.approx(oracle.balanced_accuracy_score(gold, predicted))
        if len(set(gold)) > 1 and len(set(predicted)) > 1:
            assert scores.matthews(table) == pytest.approx(oracle.matthews_corrcoef(gold, predicted))
        n = int(max(gold.max(), predicted.max())) + 1
        assert scores.confusion(table).tolist() == oracle.confusion_matrix(gold, predicted, labels=range(n)).tolist()


@given(labels)
def test_per_label_equals_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    table = table_of(pairs, int)
    names = [f"label {i}" for i in range(6)]
    precision, recall, f1, support = oracle.precision_recall_fscore_support(
        table["gold"], table["predicted"], labels=range(6), zero_division=0
    )
    for i, line in enumerate(scores.per_label(table, names)):
        assert line["label"] == names[i]
        assert (line["precision"], line["recall"], line["f1"]) == pytest.approx((precision[i], recall[i], f1[i]))
        assert line["support"] == support[i]
        assert line["predicted"] == int((table["predicted"] == i).sum())


def test_one_class_has_no_correlation() -> None:
    table = {"gold": np.zeros(5, int), "predicted": np.zeros(5, int)}
    assert np.isnan(scores.matthews(table))
    assert scores.accuracy(table) == scores.macro_f1(table) == 1.0


@given(st.lists(st.tuples(st.floats(0.05, 1), st.booleans()), min_size=1, max_size=80))
def test_calibration_error_by_hand(pairs: list[tuple[float, bool]]) -> None:
    """Bin by bin with plain Python."""
    confidence = np.array([c for c, _ in pairs])
    right = np.array([int(r) for _, r in pairs])
    table = {"confidence": confidence, "gold": right, "predicted": np.ones(len(pairs), int)}
    expected = 0.0
    for b in range(15):
        inside = (confidence > b / 15) & (confidence <= (b + 1) / 15)
        if inside.any():
            expected += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    # A confidence on a bin's very edge may fall to either side by rounding; that moves the value by one example.
    edge = np.isclose(confidence * 15 % 1, 0, atol=1e-9).sum() + np.isclose(confidence * 15 % 1, 1, atol=1e-9).sum()
    assert scores.expected_calibration_error(table) == pytest.approx(expected, abs=1e-9 + 2 * edge / len(pairs))


def test_log_loss_equals_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet([1, 1, 1], 50)
    gold = generator.integers(0, 3, 50)
    table = {"log_probability": np.log(probabilities[np.arange(50), gold])}
    assert scores.log_loss(table) == pytest.approx(oracle.log_loss(gold, probabilities, labels=[0, 1, 2]))


@given(numbers)
def test_number_scores_equal_their_oracles(pairs: list[tuple[float, float]]) -> None:
    table = table_of(pairs, float)
    gold, predicted = table["gold"], table["predicted"]
    assert scores.mean_squared_error(table) == pytest.approx(oracle.mean_squared_error(gold, predicted))
    assert scores.root_mean_squared_error(table) == pytest.approx(oracle.root_mean_squared_error(gold, predicted))
    assert scores.mean_absolute_error(table) == pytest.approx(oracle.mean_absolute_error(gold, predicted))
    if len(set(gold)) > 1:
        assert scores.r2(table) == pytest.approx(oracle.r2_score(gold, predicted))
    if np.ptp(gold) > 0 and np.ptp(predicted) > 1e-3:
        assert scores.pearson(table) == pytest.approx(stats.pearsonr(gold, predicted)[0], abs=1e-9)
        assert scores.spearman(table) == pytest.approx(stats.spearmanr(gold, predicted)[0], abs=1e-9)


@given(st.lists(st.sampled_from([1.0, 2.0, 2.5, 3.0]), min_size=1, max_size=30))
def test_ranks_equal_scipy(values: list[float]) -> None:
    assert scores.ranks(np.array(values)).tolist() == stats.rankdata(values).tolist()


@pytest.mark.parametrize("constant", [0.0, 3.7, -1e6])
def test_constant_predictions_have_no_correlation(constant: float) -> None:
    table = {"gold": np.arange(5.0), "predicted": np.full(5, constant)}
    assert np.isnan(scores.pearson(table))
    assert np.isnan(scores.spearman(table))


def test_directions() -> None:
    assert scores.higher_is_better("accuracy")
    assert not scores.higher_is_better("log_loss")
    for name in scores.LOWER_IS_BETTER:
        assert callable(getattr(scores, name))
