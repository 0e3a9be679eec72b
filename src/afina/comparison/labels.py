"""Precision, recall and F1 of each label as metrics of a table, for whatever task has a breakdown by label.

A breakdown adds up: the examples that it counts for a label, it counts for one after the other. So the counts of each
example are those of its breakdown alone, and what they add up to is held against the breakdown of all.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..metrics.kinds import Array, Proportion
from ..metrics.resampling import pick
from ..tasks.base import Task

LABEL_METRICS: Mapping[str, Proportion] = {
    "f1": Proportion(lambda table: (table["hits"], table["support"] + table["predicted"] - table["hits"]), f1=True),
    "precision": Proportion(lambda table: (table["hits"], table["predicted"])),
    "recall": Proportion(lambda table: (table["hits"], table["support"])),
}
"""Metrics of one label, from its columns of `label_tables`."""


def label_tables(task: Task, table: Mapping[str, Array]) -> dict[str, dict[str, Array]]:
    """For each label a table with the columns `hits`, `support` (gold) and `predicted`, one entry an example. [n] each

    Empty where the task has no labels, or has scores of them that are no counts of examples.

    Args:
        task: Fitted.
        table: Its score table.
    """
    total = {line["label"]: counts_of(line) for line in task.breakdown(table)}
    n = len(next(iter(table.values())))
    if not total or any(counts is None for counts in total.values()):
        return {}
    found = {label: np.zeros((n, 3), np.int64) for label in total}
    for row in range(n):
        for line in task.breakdown(pick(table, np.array([row]))):
            counts = counts_of(line)
            if counts is None or line["label"] not in found:
                return {}
            found[line["label"]][row] = counts
    if any(tuple(found[label].sum(axis=0)) != counts for label, counts in total.items()):
        return {}
    names = ("hits", "support", "predicted")
    return {label: dict(zip(names, columns.T, strict=True)) for label, columns in found.items()}


def counts_of(line: Mapping[str, object]) -> tuple[int, int, int] | None:
    """Hits, gold and predicted items of a line of a breakdown; None where it does not hold them."""
    values = [line.get(name) for name in ("recall", "support", "predicted")]
    if not all(isinstance(value, int | float) for value in values):
        return None
    recall, support, predicted = (float(value) for value in values)  # type: ignore[arg-type]
    return round(recall * support), int(support), int(predicted)
