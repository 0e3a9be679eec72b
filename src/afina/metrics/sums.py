"""Metrics as functions of sums over examples, so that thousands of resamples are a product of matrices.

Each holds the columns that are summed, [n, k], and the score of such sums, [..., k], which is that of the metric of the
same name in `scores` or `entities`.
"""

from __future__ import annotations

import numpy as np

from .kinds import Array, Sums, Table


def mean_of(values: Array) -> Array:
    """Values and ones, of which the sums have the mean as their ratio. [n, 2]"""
    return np.stack([values, np.ones(len(values))], axis=1)


def quotient(sums: Array) -> Array:
    """The first sum by the second one; nan where that is 0. [...]"""
    return divided(sums[..., 0], sums[..., 1], np.nan)


def divided(part: Array, whole: Array, empty: float) -> Array:
    """part / whole, and `empty` where the whole is 0. [...]"""
    return np.where(whole != 0, part / np.where(whole != 0, whole, 1), empty)


# One label per example: k hits, k gold labels, k predicted ones.


def _label_columns(table: Table) -> Array:
    """Whether each of k labels is hit, gold, predicted. [n, 3 k]"""
    gold, predicted = table["gold"], table["predicted"]
    n, k = len(gold), 1 + max(int(gold.max(initial=0)), int(predicted.max(initial=0)))
    columns, rows = np.zeros((n, 3 * k)), np.arange(n)
    right = gold == predicted
    columns[rows[right], gold[right]] = 1
    columns[rows, k + gold] = 1
    columns[rows, 2 * k + predicted] = 1
    return columns


def _thirds(sums: Array) -> tuple[Array, Array, Array]:
    hits, gold, predicted = np.split(sums, 3, axis=-1)
    return hits, gold, predicted


def _macro_f1(sums: Array) -> Array:
    hits, gold, predicted = _thirds(sums)
    return _mean_where(2 * hits, gold + predicted)


def _balanced_accuracy(sums: Array) -> Array:
    hits, gold, _ = _thirds(sums)
    return _mean_where(hits, gold)


def _matthews(sums: Array) -> Array:
    hits, gold, predicted = _thirds(sums)
    n = gold.sum(axis=-1)
    covariance = n * hits.sum(axis=-1) - (gold * predicted).sum(axis=-1)
    spreads = [n * n - (counts * counts).sum(axis=-1) for counts in (gold, predicted)]
    return divided(covariance, np.sqrt(spreads[0]) * np.sqrt(spreads[1]), np.nan)


def _mean_where(part: Array, whole: Array) -> Array:
    """Mean of part / whole over the labels whose whole is not 0; nan where all are. [...]"""
    return divided(divided(part, whole, 0.0).sum(axis=-1), (whole != 0).sum(axis=-1), np.nan)


MACRO_F1 = Sums(_label_columns, _macro_f1)
BALANCED_ACCURACY = Sums(_label_columns, _balanced_accuracy)
MATTHEWS = Sums(_label_columns, _matthews)


# One number per example.

FLAT = 1e-12
"""Share of the sum of squares below which a variance is one of rounding errors, so that all values are equal."""


def _pair_columns(table: Table) -> Array:
    """Ones, gold, predicted, their squares and product, all centred and scaled, which changes no correlation. [n, 6]"""
    gold, predicted = _centred(table["gold"]), _centred(table["predicted"])
    return np.stack([np.ones(len(gold)), gold, predicted, gold * gold, predicted * predicted, gold * predicted], axis=1)


def _centred(values: Array) -> Array:
    """Values with mean 0 and no size above 1, or zeros. [n]"""
    centred: Array = values.astype(np.float64) - values.mean(dtype=np.float64)
    scaled: Array = centred / (np.abs(centred).max(initial=0) or 1.0)
    return scaled


def _pearson(sums: Array) -> Array:
    n, gold, predicted, gold_squares, predicted_squares, products = np.moveaxis(sums, -1, 0)
    first, second = n * gold_squares - gold * gold, n * predicted_squares - predicted * predicted
    spreads = np.where(first > FLAT * n * gold_squares, first, np.nan) * second
    known = np.where(second > FLAT * n * predicted_squares, spreads, np.nan)
    correlation: Array = np.clip((n * products - gold * predicted) / np.sqrt(known), -1, 1)
    return correlation


def _error_columns(power: int) -> Sums:
    def columns(table: Table) -> Array:
        return mean_of(np.abs(table["predicted"].astype(np.float64) - table["gold"]) ** power)

    return Sums(columns, quotient)


def _explained_columns(table: Table) -> Array:
    """Squared errors, ones, and gold, centred, with its squares, in one unit. [n, 4]"""
    gold = table["gold"].astype(np.float64)
    centred = gold - gold.mean()
    errors = table["predicted"].astype(np.float64) - gold
    scale = np.abs(centred).max(initial=0) or 1.0
    return np.stack([(errors / scale) ** 2, np.ones(len(gold)), centred / scale, (centred / scale) ** 2], axis=1)


def _r2(sums: Array) -> Array:
    errors, n, gold, squares = np.moveaxis(sums, -1, 0)
    spread = squares - gold * gold / n
    score: Array = 1 - errors / np.where(spread > FLAT * squares, spread, np.nan)
    return score


PEARSON = Sums(_pair_columns, _pearson)
MEAN_SQUARED_ERROR = _error_columns(2)
ROOT_MEAN_SQUARED_ERROR = Sums(MEAN_SQUARED_ERROR.columns, lambda sums: np.sqrt(quotient(sums)))
MEAN_ABSOLUTE_ERROR = _error_columns(1)
R2 = Sums(_explained_columns, _r2)
BRIER_SCORE = Sums(lambda table: mean_of(table["squared_error"]), quotient)
LOG_LOSS = Sums(lambda table: mean_of(-table["log_probability"]), quotient)


# Several labels, or entities of several types, per example.


def _set_columns(table: Table) -> Array:
    """Hits of each of k labels, and how often it is gold or predicted. [n, 2 k]"""
    gold, predicted = table["gold"].astype(bool, copy=False), table["predicted"].astype(bool, copy=False)
    return np.concatenate([gold & predicted, gold.astype(np.float64) + predicted], axis=1)


def _multilabel_macro_f1(sums: Array) -> Array:
    hits, sizes = np.split(sums, 2, axis=-1)
    means: Array = divided(2 * hits, sizes, 0.0).mean(axis=-1)
    return means


def _entity_columns(table: Table) -> Array:
    """Correct entities of each of k types, and the gold and predicted ones. [n, 2 k]"""
    return np.concatenate([table["correct"], table["gold_count"] + table["predicted_count"]], axis=1).astype(np.float64)


def _entity_macro_f1(sums: Array) -> Array:
    hits, sizes = np.split(sums, 2, axis=-1)
    return _mean_where(2 * hits, sizes)


MULTILABEL_MACRO_F1 = Sums(_set_columns, _multilabel_macro_f1)
ENTITY_MACRO_F1 = Sums(_entity_columns, _entity_macro_f1)
