"""Each metric that is a function of sums is that function of the sums of any table."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.metrics import answers, entities, scores
from afina.metrics.kinds import Metric, Proportion, Smooth, sums_of

Data = dict[str, np.ndarray]
METRICS = {
    name: metric
    for module in (scores, entities, answers)
    for name, metric in vars(module).items()
    if isinstance(metric, Proportion | Smooth)
}


def kind_of(metric: Metric) -> str:
    """The table that a metric reads."""
    name = next(name for name, one in METRICS.items() if one is metric)
    if name in ("micro_f1", "multilabel_macro_f1", "sample_f1", "subset_accuracy", "ranking_precision"):
        return "sets"
    if name.startswith(("entity", "token", "sentence")):
        return "entities"
    if name in ("pearson", "mean_squared_error", "root_mean_squared_error", "mean_absolute_error", "r2", "spearman"):
        return "numbers"
    return "labels"


def table_of(kind: str, generator: np.random.Generator, n: int) -> Data:
    """A table of n examples with every column that a metric of its kind reads."""
    if kind == "sets":
        gold, predicted = generator.random((2, n, 4)) < 0.4
        return {"gold": gold, "predicted": predicted, "score": generator.random((n, 4))}
    if kind == "entities":
        gold, predicted = generator.integers(0, 3, (2, n, 3))
        correct = np.minimum(gold, predicted) * generator.integers(0, 2, (n, 3))
        counts = {"correct": correct, "gold_count": gold, "predicted_count": predicted}
        return {**counts, "partial": correct.sum(axis=1) * 0.5, "typed": correct.sum(axis=1)}
    if kind == "numbers":
        gold = np.round(5 * generator.random(n), 1)
        return {"gold": gold, "predicted": gold + generator.standard_normal(n)}
    gold, predicted = generator.integers(0, 4, (2, n))
    loss = -generator.random(n)
    f1 = generator.random(n)
    answers = {"exact": np.round(f1), "f1": f1}
    return {"gold": gold, "predicted": predicted, "log_probability": loss, "squared_error": loss**2, **answers}


CASES = sorted(name for name, metric in METRICS.items() if sums_of(metric) is not None)


def test_all_but_ranks_are_sums() -> None:
    assert len(CASES) >= 20
    assert set(METRICS) - set(CASES) == {"spearman"}


@pytest.mark.parametrize("name", CASES)
@given(st.integers(0, 10**6), st.integers(1, 30))
def test_the_score_of_sums_is_the_score(name: str, seed: int, n: int) -> None:
    metric = METRICS[name]
    table = table_of(kind_of(metric), np.random.default_rng(seed), n)
    sums = sums_of(metric)
    assert sums is not None
    columns = sums.columns(table)
    with np.errstate(all="ignore"):
        expected, found = metric(table), sums.score(columns.sum(axis=0))
        several = sums.score(np.stack([columns.sum(axis=0), 2 * columns.sum(axis=0)]))
    assert float(found) == pytest.approx(expected, abs=1e-9, nan_ok=True)
    assert several == pytest.approx(np.full(2, found), abs=1e-9, nan_ok=True)  # two copies of each example score alike
