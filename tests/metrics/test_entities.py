"""Scores of entities equal their oracles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as oracle

from afina.metrics import entities
from afina.text.spans import Span


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


def test_raw_text_has_the_same_scores_of_its_own_columns() -> None:
    words = ((0, 3), (4, 8), (9, 10))
    gold = [Span(0, 2, "PER"), Span(2, 3, "NEW")]
    assert entities.placed(gold, words) == [Span(0, 8, "PER"), Span(9, 10, "NEW")]
    row = entities.agreement(["LOC", "PER"], gold, gold[:1])
    assert row == {
        "correct": [0, 1, 0], "gold_count": [0, 1, 1], "predicted_count": [0, 1, 0], "partial": 1.0, "typed": 1,
    }  # fmt: skip
    raw = entities.agreement(["LOC", "PER"], gold, [])
    row |= {f"{entities.RAW}{name}": raw[name] for name in ("correct", "predicted_count")}
    table = {name: np.array([value]) for name, value in row.items()}
    assert entities.OF_ENTITIES["entity_f1"](table) == pytest.approx(2 / 3)
    assert entities.OF_ENTITIES["raw_text_entity_f1"](table) == 0.0
    assert [line["label"] for line in entities.breakdown(["LOC", "PER", "?"], table)] == ["LOC", "PER", "?"]


def test_a_word_that_is_cut_in_raw_text_is_wrong_there() -> None:
    row = entities.agreement_of_tags(
        ["A", "B"], ["A", "B", "A"], said=["A", "A", "A"], whole=[True, True, False]
    )  # fmt: skip
    table = {name: np.array([value]) for name, value in row.items()}
    assert entities.OF_TAGS["token_accuracy"](table) == pytest.approx(2 / 3)
    assert entities.OF_TAGS["raw_text_token_accuracy"](table) == pytest.approx(1 / 3)
