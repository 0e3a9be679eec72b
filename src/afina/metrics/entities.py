"""Scores of named stretches of a text, and of one tag a word, from counts of each example.

Columns: `correct`, `predicted_count`, `gold_count` [n] or, by type, [n, types + 1]; `partial`, `typed` [n].
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..text.spans import Span
from .scores import Table, mean, ratio, ratio_or_zero, total


def entity_precision(table: Table) -> float:
    """Share of the predicted entities that are correct; 0 where none was predicted, as in conlleval."""
    return ratio_or_zero(total(table, "correct"), total(table, "predicted_count"), len(table["correct"]))


def entity_recall(table: Table) -> float:
    """Share of the gold entities that were found; 0 where there is none, as in conlleval."""
    return ratio_or_zero(total(table, "correct"), total(table, "gold_count"), len(table["correct"]))


def entity_f1(table: Table) -> float:
    """F1 over entities, 2 correct / (predicted + gold); 0 where there is neither, as in conlleval."""
    sizes = total(table, "predicted_count") + total(table, "gold_count")
    return ratio_or_zero(2 * total(table, "correct"), sizes, len(table["correct"]))


def credits(gold: Sequence[Span], said: Sequence[Span]) -> tuple[float, int]:
    """What partly right entities are worth by SemEval 2013's task 9 (Segura-Bedmar et al.), as nervaluate counts them.

    Each predicted entity is matched with one gold entity, in order.

    Returns:
        Partial: 1 for the right span, 1/2 for an overlap, whatever the type. Typed: 1 for an overlap of the same type.
    """
    partial, free = 0.0, list(gold)
    for one in said:
        met = [other for other in free if one.start < other.end and other.start < one.end]
        same = [other for other in met if other[:2] == one[:2]]
        if met:
            free.remove((same or met)[0])
            partial += 1.0 if same else 0.5
    typed, free = 0, list(gold)
    for one in said:
        met = [other for other in free if one.start < other.end and other.start < one.end]
        alike = [other for other in met if other.label == one.label]
        if met:
            free.remove(min(alike, key=lambda x: abs(x.start - one.start) + abs(x.end - one.end)) if alike else met[0])
            typed += bool(alike)
    return partial, typed


def credit_f1(table: Table, column: str) -> float:
    """F1 of a credit: 2 credit / (predicted + gold); 0 where there is neither."""
    sizes = float(table["gold_count"].sum() + table["predicted_count"].sum())
    return ratio(2 * float(table[column].sum()), sizes, 0.0 if len(table[column]) else float("nan"))


def entity_macro_f1(table: Table) -> float:
    """Mean F1 over the types that occur, in gold or predicted."""
    right = table["correct"].sum(axis=0)
    sizes = table["gold_count"].sum(axis=0) + table["predicted_count"].sum(axis=0)
    occurs = sizes > 0
    return float(np.mean(2 * right[occurs] / sizes[occurs])) if occurs.any() else float("nan")


def token_accuracy(table: Table) -> float:
    """Share of words with the right tag."""
    return ratio(float(table["correct"].sum()), float(table["gold_count"].sum()))


def sentence_accuracy(table: Table) -> float:
    """Share of sentences whose words all have the right tag."""
    return mean(table["correct"].sum(axis=1) == table["gold_count"].sum(axis=1))
