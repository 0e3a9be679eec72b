"""Scores of entities equal their oracles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as oracle

from afina.metrics import entities


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=20))
def test_entity_scores_equal_scikit_learn(rows: list[tuple[int, int, int]]) -> None:
    """An entity is a positive: (found, made up, missed) of each example, laid out one by one."""
    found, made_up, missed = (np.array(column) for column in zip(*rows, strict=True))
    table = {"correct": found, "predicted_count": found + made_up, "gold_count": found + missed}
    totals = [found.sum(), made_up.sum(), missed.sum()]
    gold, predicted = np.repeat([1, 0, 1], totals), np.repeat([1, 1, 0], totals)
    expected = (0, 0, 0)
    if len(gold):
        expected = oracle.precision_recall_fscore_support(gold, predicted, average="binary", zero_division=0)[:3]
    ours = entities.entity_precision(table), entities.entity_recall(table), entities.entity_f1(table)
    assert ours == pytest.approx(expected)
