"""Every score against scikit-learn or scipy on random columns."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as oracle
from sklearn.calibration import calibration_curve

from afina.metrics import answers, entities, scores
from afina.metrics.kinds import Biased, Proportion, Smooth

labels = st.integers(2, 6).flatmap(
    lambda k: st.lists(st.tuples(st.integers(0, k - 1), st.integers(0, k - 1)), min_size=1, max_size=60)
)
numbers = st.lists(
    st.tuples(st.sampled_from([0.5, 1.0, 2.25, 4.0, 5.0]), st.floats(-10, 10, width=32)), min_size=3, max_size=40
)


def table_of(pairs: Sequence[tuple[float, float]], kind: type) -> dict[str, np.ndarray]:
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


@given(st.lists(st.tuples(st.sampled_from([0.0, 1e-300, 1e-17, 0.25, 1 - 1e-17, 1.0]), st.booleans()), min_size=1))
def test_the_log_loss_is_clipped_as_scikit_learn_clips_it(pairs: list[tuple[float, bool]]) -> None:
    """One example whose label had no probability adds 36, not 690 or infinity."""
    probabilities = np.array([[1 - p, p] for p, _ in pairs])
    gold = np.array([int(hit) for _, hit in pairs])
    chosen = probabilities[np.arange(len(pairs)), gold]
    table = {"log_probability": np.array([scores.log_probability(float(p)) for p in chosen])}
    assert scores.log_loss(table) == pytest.approx(oracle.log_loss(gold, probabilities, labels=[0, 1]), abs=1e-12)
    assert scores.log_loss(table) < 36.05


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
    for name in scores.LOWER_IS_BETTER - {"loss", "perplexity"}:  # those of `afina adapt` are made there
        assert callable(getattr(scores, name))


EMPTY = {
    **dict.fromkeys(("gold", "predicted", "correct", "typed", "predicted_count", "gold_count"), np.zeros(0, int)),
    **dict.fromkeys(
        ("log_probability", "squared_error", "confidence", "exact", "f1", "partial", "has_answer"), np.zeros(0)
    ),
}
COUNTED = ("token_", "sentence_", "entity_macro_")
EMPTY_COUNTS = dict.fromkeys(("correct", "gold_count", "predicted_count"), np.zeros((0, 3), int))
"""Counts by type."""
EMPTY_SETS = {"gold": np.zeros((0, 4), bool), "predicted": np.zeros((0, 4), bool), "score": np.zeros((0, 4))}
SET_SCORES = ("subset_accuracy", "micro_f1", "multilabel_macro_f1", "sample_f1", "ranking_precision")
EVERY_SCORE = {
    name: thing
    for module in (scores, entities, answers)
    for name, thing in vars(module).items()
    if isinstance(thing, (Proportion, Smooth, Biased))
    or (
        getattr(thing, "__annotations__", {}) == {"table": "Table", "return": "float"}
        and thing.__module__ == module.__name__
        and not name.startswith("_")
    )
}
COLUMN_SCORES = (
    *("accuracy", "macro_f1", "balanced_accuracy", "matthews", "log_loss", "brier_score", "expected_calibration_error"),
    *("pearson", "spearman", "mean_squared_error", "root_mean_squared_error", "mean_absolute_error", "r2"),
    *(
        "entity_precision",
        "entity_recall",
        "entity_f1",
        "entity_partial_f1",
        "entity_type_f1",
        "entity_macro_f1",
        "exact_match",
        "answer_f1",
    ),
    *("token_accuracy", "sentence_accuracy"),
)
sets = st.tuples(st.integers(1, 12), st.integers(2, 6)).flatmap(
    lambda shape: st.lists(
        st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 4)), min_size=shape[1], max_size=shape[1]),
        min_size=shape[0],
        max_size=shape[0],
    )
)


def test_the_lists_name_every_score() -> None:
    assert set(EVERY_SCORE) == {*COLUMN_SCORES, *SET_SCORES}


@pytest.mark.parametrize("name", [*COLUMN_SCORES, *SET_SCORES])
def test_a_table_without_rows_has_no_score(name: str) -> None:
    table = EMPTY_SETS if name in SET_SCORES else EMPTY_COUNTS if name.startswith(COUNTED) else EMPTY
    assert np.isnan(EVERY_SCORE[name](table))


def test_calibration_error_equals_the_curve_of_scikit_learn() -> None:
    generator = np.random.default_rng(5)
    confidence = generator.random(500)
    confidence[:15] = np.linspace(0, 1, 16)[1:]  # the very edges
    right = generator.random(500) < confidence**2
    share, mean = calibration_curve(right, confidence, n_bins=15)
    bins = np.searchsorted(np.linspace(0, 1, 16)[1:-1], confidence)
    sizes = np.bincount(bins, minlength=15)
    table = {"confidence": confidence, "gold": np.ones(500, int), "predicted": right.astype(int)}
    expected = np.sum(sizes[sizes > 0] * np.abs(share - mean)) / 500
    assert scores.expected_calibration_error(table) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("wrong", [-1, 2, 3])
@pytest.mark.parametrize("column", ["gold", "predicted"])
def test_a_label_that_does_not_exist_is_refused(column: str, wrong: int) -> None:
    table = {"gold": np.array([0, 1]), "predicted": np.array([1, 1])} | {column: np.array([wrong, 0])}
    with pytest.raises(ValueError, match=f"column {column}: label id {wrong} is not one of the 2 labels"):
        scores.confusion(table, 2)


def test_numbers_far_from_zero_correlate() -> None:
    small = np.random.default_rng(6).standard_normal(50)
    table = {"gold": 2000 + 1e-4 * small, "predicted": 1e9 * small}
    assert scores.pearson(table) == pytest.approx(1, abs=1e-6)


def test_constant_gold_has_no_share_of_variance() -> None:
    """The mean of 0.1, 0.1, ... is not quite 0.1."""
    assert np.isnan(scores.r2({"gold": np.full(7, 0.1), "predicted": np.arange(7.0)}))


@pytest.mark.parametrize("strange", [np.nan, np.inf, 1e300])
def test_strange_numbers_give_no_warning(strange: float) -> None:
    table = {"gold": np.array([1.0, 2.0, 3.0]), "predicted": np.array([1.0, strange, 3.0])}
    assert not np.isfinite(scores.mean_squared_error(table))
    assert not np.isfinite(scores.r2(table))
    assert np.isfinite(scores.pearson(table)) == (strange == 1e300)
    assert np.isnan(scores.spearman(table)) == np.isnan(strange)


@given(sets)
def test_set_scores_equal_scikit_learn(rows: list[list[tuple[bool, bool, int]]]) -> None:
    cells = np.array(rows)  # [n, k, 3]
    gold, predicted, score = cells[..., 0].astype(bool), cells[..., 1].astype(bool), cells[..., 2] / 4

    def f1(average: str, empty: int) -> float:
        return float(oracle.f1_score(gold, predicted, average=average, zero_division=empty))

    for kind in (bool, int):
        table = {"gold": gold.astype(kind), "predicted": predicted.astype(kind), "score": score}
        assert scores.subset_accuracy(table) == pytest.approx(oracle.accuracy_score(gold, predicted))
        assert scores.micro_f1(table) == pytest.approx(f1("micro", 0))
        assert scores.multilabel_macro_f1(table) == pytest.approx(f1("macro", 0))
        assert scores.sample_f1(table) == pytest.approx(f1("samples", 1))
        expected = oracle.label_ranking_average_precision_score(gold, score)
        assert scores.ranking_precision(table) == pytest.approx(expected)


def test_answers_are_means() -> None:
    table = {"exact": np.array([1.0, 0.0, 0.0, 1.0]), "f1": np.array([1.0, 0.5, 0.0, 1.0])}
    assert answers.exact_match(table) == 0.5
    assert answers.answer_f1(table) == 0.625
