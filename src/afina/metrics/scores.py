"""Scores of a table, as plain functions of columns with one entry per example.

A score is a number between 0 and 1, or in the units of the data, never a percentage. An undefined score, such as that
of a table without rows, is nan, without a warning. Exceptions are documented: where nothing is gold and nothing is
predicted, F1 follows the official script of its field.

Every function is fast enough to be called thousands of times, once for each resample of `intervals`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from . import sums
from .kinds import Array, Biased, Proportion, Smooth, Table, ratio, share

BINS = 15
"""Number of bins of the calibration error, as in Guo et al. (2017)."""
EDGES = np.linspace(0, 1, BINS + 1)[1:-1]
SMALLEST = float(np.finfo(np.float64).eps)
"""Probability below which none counts in the log loss, as in scikit-learn: a loss of 36.04 at most."""
LOWER_IS_BETTER = frozenset(
    {
        "log_loss",
        "brier_score",
        "expected_calibration_error",
        "mean_squared_error",
        "root_mean_squared_error",
        "mean_absolute_error",
        "loss",
        "perplexity",
    }
)

quiet = np.errstate(all="ignore")
"""Silences numpy's warnings: overflow and inf - inf show in the score as inf or nan."""


def higher_is_better(name: str) -> bool:
    """Whether a larger value of the named metric is better. This holds for all but errors and losses."""
    return name not in LOWER_IS_BETTER


# One label per example. Columns: gold [n], predicted [n], label ids from 0.

accuracy = share(lambda table: table["gold"] == table["predicted"])
"""Share of examples whose predicted label is the gold one."""


def _macro_f1(table: Table) -> float:
    """Mean of F1 = 2 hits / (gold + predicted) over the labels that occur in gold or predicted."""
    hits, gold, predicted = _label_counts(table)
    sizes = gold + predicted
    occurs = sizes > 0
    return mean(2 * hits[occurs] / sizes[occurs])


macro_f1 = Smooth(_macro_f1, "share", classes=lambda table: _sizes(table, "gold", "predicted"), sums=sums.MACRO_F1)
"""Mean of F1 = 2 hits / (gold + predicted) over the labels that occur in gold or predicted."""


def _balanced_accuracy(table: Table) -> float:
    """Mean recall of the labels that occur in gold (Brodersen et al. 2010, who define it for two labels)."""
    hits, gold, _ = _label_counts(table)
    occurs = gold > 0
    return mean(hits[occurs] / gold[occurs])


balanced_accuracy = Smooth(
    _balanced_accuracy, "share", classes=lambda table: _sizes(table, "gold"), sums=sums.BALANCED_ACCURACY
)
"""Mean recall of the labels that occur in gold (Brodersen et al. 2010, who define it for two labels)."""


def _matthews(table: Table) -> float:
    """Matthews correlation for any number of labels, R_K of Gorodkin (2004).

        (n hits - sum_k g_k p_k) / sqrt((n^2 - sum_k g_k^2) (n^2 - sum_k p_k^2))

    Here g_k and p_k are the numbers of gold and predicted examples of label k. It is nan where all gold labels or all
    predicted labels are the same.
    """
    hits, gold, predicted = _label_counts(table)
    n = len(table["gold"])
    covariance = n * int(hits.sum()) - int(gold @ predicted)
    spreads = n * n - int(gold @ gold), n * n - int(predicted @ predicted)
    return ratio(covariance, math.sqrt(spreads[0]) * math.sqrt(spreads[1]))


matthews = Smooth(_matthews, "correlation", sums=sums.MATTHEWS)
"""Matthews correlation for any number of labels, R_K of Gorodkin (2004)."""


def _log_loss(table: Table) -> float:
    """Mean of -ln p(gold label), from the column `log_probability` [n] that `log_probability` gives."""
    return mean(-table["log_probability"])


log_loss = Smooth(
    _log_loss, "error", least=50, cut=lambda table: table["log_probability"] == math.log(SMALLEST), sums=sums.LOG_LOSS
)
"""Mean of -ln p(gold label), from the column `log_probability` [n] that `log_probability` gives."""


def log_probability(probability: float) -> float:
    """ln p for the log loss, with p kept between eps and 1 - eps of a float64, as scikit-learn does.

    A single label with probability 0 (one that training lacks) would else make the whole loss infinite.
    """
    return math.log(min(max(probability, SMALLEST), 1 - SMALLEST))


brier_score = Smooth(lambda table: mean(table["squared_error"]), "error", least=50, sums=sums.BRIER_SCORE)
"""Mean of the column `squared_error` [n] that `squared_error` gives."""


def squared_error(probabilities: Mapping[str, float], gold: str) -> float:
    """sum_k (p_k - y_k)^2 over the labels, from 0 to 2 (Brier 1950). A label that training lacks has probability 0."""
    return sum(p * p for p in probabilities.values()) + 1 - 2 * probabilities.get(gold, 0.0)


def _expected_calibration_error(table: Table) -> float:
    """Expected calibration error, the distance between confidence and accuracy (Guo et al. 2017, equation 3).

        sum_b |B_b| / n * |accuracy(B_b) - mean confidence(B_b)|

    over 15 bins B_b = ((b - 1) / 15, b / 15]. Columns: `confidence` [n], `gold` [n], `predicted` [n].
    """
    confidence = table["confidence"]
    gaps = (table["gold"] == table["predicted"]) - confidence  # [n]
    sums = np.bincount(np.searchsorted(EDGES, confidence), weights=gaps)  # [BINS] or fewer
    return ratio(float(np.abs(sums).sum()), len(confidence))


expected_calibration_error = Biased(
    _expected_calibration_error, "it is too high on few examples, by an amount that depends on the model"
)
"""Expected calibration error, the distance between confidence and accuracy (Guo et al. 2017, equation 3)."""


def confusion(table: Table, n: int | None = None) -> Array:
    """Number of examples of each gold label (row) and predicted label (column). [n, n]

    Args:
        table: Columns `gold` and `predicted`.
        n: Number of labels; by default the largest id + 1.

    Raises:
        ValueError: a label id is not in range(n).
    """
    gold, predicted = table["gold"], table["predicted"]
    n = _label_number(table) if n is None else n
    for name, column in (("gold", gold), ("predicted", predicted)):
        outside = column[(column < 0) | (column >= n)]
        if outside.size:
            raise ValueError(f"column {name}: label id {outside[0]} is not one of the {n} labels (0 to {n - 1})")
    counts: Array = np.bincount(gold * n + predicted, minlength=n * n).reshape(n, n)
    return counts


def per_label(table: Table, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Precision, recall, F1, support (gold examples) and predicted examples of each label, in the order of `labels`.

    An undefined score is 0, as is usual in such tables.

    Raises:
        ValueError: a label id is not one of `labels`.
    """
    counts = confusion(table, len(labels))
    columns = counts.diagonal().tolist(), counts.sum(axis=1).tolist(), counts.sum(axis=0).tolist()
    return [
        {
            "label": label,
            "precision": ratio(hits, predicted, 0.0),
            "recall": ratio(hits, support, 0.0),
            "f1": ratio(2 * hits, support + predicted, 0.0),
            "support": support,
            "predicted": predicted,
        }
        for label, hits, support, predicted in zip(labels, *columns, strict=True)
    ]


# One number per example. Columns: gold [n], predicted [n].


def _pearson(table: Table) -> float:
    """Pearson correlation of gold and predicted; nan where either is constant."""
    return _correlation(table["gold"], table["predicted"])


pearson = Smooth(_pearson, "correlation", least=10, sums=sums.PEARSON)
"""Pearson correlation of gold and predicted; nan where either is constant."""


def _spearman(table: Table) -> float:
    """Spearman correlation: Pearson correlation of the ranks, ties averaged; nan where either is constant."""
    gold, predicted = table["gold"], table["predicted"]
    if np.isnan(gold).any() or np.isnan(predicted).any():
        return math.nan
    return _correlation(ranks(gold), ranks(predicted))


spearman = Smooth(_spearman, "correlation", least=10)
"""Spearman correlation: Pearson correlation of the ranks, ties averaged; nan where either is constant."""


def _mean_squared_error(table: Table) -> float:
    """Mean of (predicted - gold)^2."""
    return _mean_power(table, 2)


mean_squared_error = Smooth(_mean_squared_error, "error", least=50, sums=sums.MEAN_SQUARED_ERROR)
"""Mean of (predicted - gold)^2."""


def _root_mean_squared_error(table: Table) -> float:
    """Square root of the mean of (predicted - gold)^2, in the units of the data."""
    return math.sqrt(mean_squared_error(table))


root_mean_squared_error = Smooth(_root_mean_squared_error, "error", least=50, sums=sums.ROOT_MEAN_SQUARED_ERROR)
"""Square root of the mean of (predicted - gold)^2, in the units of the data."""


def _mean_absolute_error(table: Table) -> float:
    """Mean of |predicted - gold|, in the units of the data."""
    return _mean_power(table, 1)


mean_absolute_error = Smooth(_mean_absolute_error, "error", least=50, sums=sums.MEAN_ABSOLUTE_ERROR)
"""Mean of |predicted - gold|, in the units of the data."""


@quiet
def _r2(table: Table) -> float:
    """Share of explained variance, 1 - sum (predicted - gold)^2 / sum (gold - mean)^2; nan for constant gold."""
    gold = table["gold"].astype(np.float64)
    if _is_constant(gold):
        return math.nan
    deviations = gold - gold.mean()
    return 1 - mean_squared_error(table) / float(np.mean(deviations * deviations))


r2 = Smooth(_r2, "explained", sums=sums.R2)
"""Share of explained variance, 1 - sum (predicted - gold)^2 / sum (gold - mean)^2; nan for constant gold."""


# A set of labels per example. Columns: gold [n, k], predicted [n, k], true where the label is in the set.


def _right_sets(table: Table) -> Array:
    gold, predicted = _sets(table)
    right: Array = (gold == predicted).all(axis=1)
    return right


subset_accuracy = share(_right_sets)
"""Share of examples whose whole set of labels is right."""


def _labels_hit(table: Table) -> tuple[Array, Array]:
    gold, predicted = _sets(table)
    return (gold & predicted).sum(axis=1), (gold | predicted).sum(axis=1)


micro_f1 = Proportion(_labels_hit, empty=0.0, f1=True)
"""F1 over all pairs of example and label; 0 where no label is gold or predicted."""


def _multilabel_macro_f1(table: Table) -> float:
    """Mean F1 of all k labels; a label that is never gold and never predicted counts 0."""
    gold, predicted = _sets(table)
    return mean(_set_f1(gold, predicted, axis=0, empty=0.0)) if len(gold) else math.nan


multilabel_macro_f1 = Smooth(
    _multilabel_macro_f1, "share", classes=lambda table: table["gold"].sum(axis=0), sums=sums.MULTILABEL_MACRO_F1
)
"""Mean F1 of all k labels; a label that is never gold and never predicted counts 0."""


def _sample_f1(table: Table) -> Array:
    gold, predicted = _sets(table)
    return _set_f1(gold, predicted, axis=1, empty=1.0)


sample_f1 = share(_sample_f1)
"""Mean over examples of the F1 of their sets; an example with no label, gold or predicted, counts 1."""


def _ranking_precision(table: Table) -> Array:
    """Label ranking average precision of each example (Tsoumakas et al. 2010), with ties at their worst rank. [n]

    The precision of a gold label is the share of gold labels among those that score as high or higher. It is averaged
    over the gold labels of an example. An example with no labels or all labels counts 1.
    Columns: `gold` [n, k], `score` [n, k].
    """
    gold, score = table["gold"].astype(bool), table["score"]
    if np.isnan(score).any():
        return np.full(len(gold), math.nan)
    order = np.argsort(-score, axis=1)  # [n, k], best label first
    gold, score = np.take_along_axis(gold, order, axis=1), np.take_along_axis(score, order, axis=1)
    last = _last_of_ties(score)  # [n, k]
    precision = np.take_along_axis(gold.cumsum(axis=1), last, axis=1) / (last + 1)
    sizes = gold.sum(axis=1)  # [n]
    means = (precision * gold).sum(axis=1) / np.maximum(sizes, 1)
    return np.where(sizes > 0, means, 1.0)


ranking_precision = share(_ranking_precision)
"""Mean over examples of the label ranking average precision."""


def mean(values: Array) -> float:
    """Mean of a column; nan for no values."""
    return float(values.mean()) if values.size else math.nan


def _label_number(table: Table) -> int:
    """Number of labels: one more than the largest label id."""
    return 1 + max(int(table["gold"].max(initial=0)), int(table["predicted"].max(initial=0)))


def _sizes(table: Table, *columns: str) -> Array:
    """Number of gold examples of each label that occurs in one of the columns. [k]"""
    gold = table["gold"]
    labels = np.unique(np.concatenate([table[name] for name in columns]))
    sizes: Array = np.bincount(gold, minlength=_label_number(table))[labels]
    return sizes


def _label_counts(table: Table) -> tuple[Array, Array, Array]:
    """Number of correct, gold and predicted examples of each of k labels, k being the largest id + 1. Three [k]"""
    gold, predicted = table["gold"], table["predicted"]
    k = _label_number(table)
    hits = np.bincount(gold[gold == predicted], minlength=k)
    return hits, np.bincount(gold, minlength=k), np.bincount(predicted, minlength=k)


@quiet
def _mean_power(table: Table, power: int) -> float:
    return mean(np.abs(table["predicted"].astype(np.float64) - table["gold"]) ** power)


def _is_constant(values: Array) -> bool:
    """Whether all values are equal (or there are none). A variance of 0 is no test, because the mean is rounded."""
    return bool((values == values[:1]).all())


@quiet
def _correlation(first: Array, second: Array) -> float:
    if _is_constant(first) or _is_constant(second):
        return math.nan
    return float(np.clip(_direction(first) @ _direction(second), -1, 1))


def _direction(values: Array) -> Array:
    """Centred values as a unit vector. They are scaled first, so that no square overflows. [n]"""
    centred = values.astype(np.float64) - values.mean(dtype=np.float64)
    scaled = centred / np.abs(centred).max()
    direction: Array = scaled / np.linalg.norm(scaled)
    return direction


def ranks(values: Array) -> Array:
    """Ranks from 1, with the average rank for equal values. [n]"""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Array = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return ranks


def _sets(table: Table) -> tuple[Array, Array]:
    """The columns gold and predicted as booleans. Both [n, k]"""
    return table["gold"].astype(bool, copy=False), table["predicted"].astype(bool, copy=False)


def _set_f1(gold: Array, predicted: Array, *, axis: int, empty: float) -> Array:
    """F1 of sets along `axis`, and `empty` where both sets are empty. [n] or [k]"""
    hits = (gold & predicted).sum(axis=axis)
    sizes = gold.sum(axis=axis) + predicted.sum(axis=axis)
    return np.where(sizes > 0, 2 * hits / np.maximum(sizes, 1), empty)


def _last_of_ties(ordered: Array) -> Array:
    """For each position of a sorted row, the last position with the same value. [n, k]"""
    k = ordered.shape[1]
    positions = np.full(ordered.shape, k - 1)
    positions[:, :-1] = np.where(ordered[:, :-1] != ordered[:, 1:], np.arange(k - 1), k - 1)
    return np.minimum.accumulate(positions[:, ::-1], axis=1)[:, ::-1]
