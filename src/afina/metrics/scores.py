"""Scores: plain functions of per-example columns.

A table has one entry an example in each column. The functions are vectorised numpy because the bootstrap calls them
thousands of times; the tests hold each of them against scikit-learn or scipy. A score that has no value is `nan`, never
an invented number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Table = Mapping[str, Array]
Metric = Callable[[Table], float]

LOWER_IS_BETTER = frozenset(
    {"log_loss", "expected_calibration_error", "mean_squared_error", "root_mean_squared_error", "mean_absolute_error"}
)


def higher_is_better(name: str) -> bool:
    """Whether a larger value of the metric of that name is a better one."""
    return name not in LOWER_IS_BETTER


def ratio(over: float, under: float, empty: float = float("nan")) -> float:
    """A quotient, or `empty` when there is nothing to divide by."""
    return float(over / under) if under else empty


# ---------------------------------------------------------------------------------------------------------------------
# One label: integer columns `gold` and `predicted`.


def confusion(table: Table, n: int | None = None) -> Array:
    """Counts of (gold, predicted). [n, n]"""
    gold, predicted = table["gold"], table["predicted"]
    n = n or int(max(gold.max(), predicted.max())) + 1
    counts: Array = np.bincount(gold * n + predicted, minlength=n * n).reshape(n, n)
    return counts


def accuracy(table: Table) -> float:
    """Share of examples with the right label."""
    return float(np.mean(table["gold"] == table["predicted"]))


def macro_f1(table: Table) -> float:
    """Mean F1 over the labels that occur as gold or predicted; F1 = 2 tp / (gold + predicted)."""
    counts = confusion(table)
    total = counts.sum(axis=0) + counts.sum(axis=1)
    seen = total > 0
    return float(np.mean(2 * np.diag(counts)[seen] / total[seen]))


def balanced_accuracy(table: Table) -> float:
    """Mean recall over the labels that occur as gold."""
    counts = confusion(table)
    gold = counts.sum(axis=1)
    seen = gold > 0
    return float(np.mean(np.diag(counts)[seen] / gold[seen]))


def matthews(table: Table) -> float:
    """Matthews correlation for any number of labels (Gorodkin 2004, R_K)."""
    counts = confusion(table).astype(np.float64)
    n, right = counts.sum(), np.trace(counts)
    gold, predicted = counts.sum(axis=1), counts.sum(axis=0)
    spread = np.sqrt(n * n - predicted @ predicted) * np.sqrt(n * n - gold @ gold)
    return ratio(n * right - gold @ predicted, spread)


def log_loss(table: Table) -> float:
    """Mean negative log-probability of the gold label (column `log_probability`), in nats."""
    return float(-np.mean(table["log_probability"]))


def expected_calibration_error(table: Table) -> float:
    """Mean distance of confidence (column `confidence`) and accuracy over 15 bins of equal width (Guo et al. 2017)."""
    confidence = table["confidence"]
    bins = np.clip(np.ceil(confidence * 15).astype(int) - 1, 0, 14)
    gap = np.bincount(bins, weights=confidence - (table["gold"] == table["predicted"]), minlength=15)
    return float(np.abs(gap).sum() / len(confidence))


def per_label(table: Table, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Precision, recall, F1 and counts of each label; 0 where one has no value, as the field prints it."""
    counts = confusion(table, len(labels))
    right, gold, predicted = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    return [
        {
            "label": label,
            "precision": ratio(right[i], predicted[i], 0.0),
            "recall": ratio(right[i], gold[i], 0.0),
            "f1": ratio(2 * right[i], gold[i] + predicted[i], 0.0),
            "support": int(gold[i]),
            "predicted": int(predicted[i]),
        }
        for i, label in enumerate(labels)
    ]


# ---------------------------------------------------------------------------------------------------------------------
# One number: float columns `gold` and `predicted`.


def pearson(table: Table) -> float:
    """Pearson's correlation."""
    gold = table["gold"] - np.mean(table["gold"])
    predicted = table["predicted"] - np.mean(table["predicted"])
    size = np.sqrt((gold @ gold) * (predicted @ predicted))
    dust = 1e-12 * len(gold) * np.abs(table["gold"]).max() * np.abs(table["predicted"]).max()
    return ratio(gold @ predicted, size if size > dust else 0.0)


def ranks(values: Array) -> Array:
    """Ranks from 1, ties sharing their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    means: Array = np.cumsum(counts) - (counts - 1) / 2
    return means[inverse]


def spearman(table: Table) -> float:
    """Spearman's rank correlation."""
    return pearson({"gold": ranks(table["gold"]), "predicted": ranks(table["predicted"])})


def mean_squared_error(table: Table) -> float:
    """Mean squared error."""
    return float(np.mean((table["gold"] - table["predicted"]) ** 2))


def root_mean_squared_error(table: Table) -> float:
    """Square root of the mean squared error, in the unit of the target."""
    return float(np.sqrt(mean_squared_error(table)))


def mean_absolute_error(table: Table) -> float:
    """Mean absolute error, in the unit of the target."""
    return float(np.mean(np.abs(table["gold"] - table["predicted"])))


def r2(table: Table) -> float:
    """Coefficient of determination: 1 - squared error / variance of gold."""
    variance = float(np.var(table["gold"]))
    return 1 - ratio(mean_squared_error(table), variance)
