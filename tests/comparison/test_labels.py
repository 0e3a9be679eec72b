"""Scores of labels, made of what each row counts for, are those of the task's own breakdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from afina import inference
from afina.comparison.labels import LABEL_METRICS, label_tables
from afina.tasks.base import Array
from afina.tasks.classification import Classification, ClassificationOptions
from tests.comparison.made import FITTED, answer, example, rights, task_of


@pytest.mark.parametrize("name", ["classification", "multilabel", "tokens"])
def test_the_tables_of_labels_give_the_breakdown(name: str) -> None:
    task, right = task_of(name), rights(50, 0.6)
    examples = [example(name, i) for i in range(50)]
    said = [answer(name, i, right=one) for i, one in enumerate(right)]
    table = inference.table_of(task, examples, predictions=said)
    tables = label_tables(task, table)
    lines = task.breakdown(table)
    assert len(lines) == len(tables) >= 2
    for line in lines:
        for metric, score in LABEL_METRICS.items():
            assert score(tables[line["label"]]) == pytest.approx(line[metric])


def test_labels_that_training_lacks_are_counted_too() -> None:
    task = task_of("classification")
    table = {"gold": np.array([0, 3, 1, 3]), "predicted": np.array([0, 1, 1, 2])}
    found = label_tables(task, table)
    assert list(found) == ["a", "b", "c", "(unseen in training)"]
    assert found["(unseen in training)"]["support"].tolist() == [0, 1, 0, 1]
    assert found["b"]["predicted"].tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("name", ["regression", "answers"])
def test_tasks_without_labels_have_none(name: str) -> None:
    task = task_of(name)
    said = [answer(name, i, right=True) for i in range(4)]
    assert label_tables(task, inference.table_of(task, [example(name, i) for i in range(4)], predictions=said)) == {}


class Odd(Classification):
    """A task whose breakdown does not add up, as that of another package may."""

    def breakdown(self, table: Mapping[str, Array]) -> list[dict[str, Any]]:
        return [{"label": "a", "recall": 0.5, "support": 7, "predicted": len(table["gold"])}]


class Other(Classification):
    """A task whose breakdown has other numbers."""

    def breakdown(self, table: Mapping[str, Array]) -> list[dict[str, Any]]:
        return [{"label": "a", "error": 0.5}]


@pytest.mark.parametrize("kind", [Odd, Other])
def test_scores_that_are_no_counts_of_rows_are_left_out(kind: type[Classification]) -> None:
    task = kind(ClassificationOptions(), FITTED["classification"])
    assert label_tables(task, {"gold": np.array([0, 1]), "predicted": np.array([0, 0])}) == {}
