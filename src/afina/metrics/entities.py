"""Scores of entities and of one tag per word, from the counts of each example.

Columns: `correct`, `predicted_count`, `gold_count` [n] or, by type, [n, types + 1]; `partial`, `typed` [n].
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..text.spans import Span
from .scores import Table, mean, ratio, ratio_or_zero, total


def entity_precision(table: Table) -> float:
    """Share of the predicted entities that are correct; 0 where none is predicted, as in conlleval."""
    return ratio_or_zero(total(table, "correct"), total(table, "predicted_count"), len(table["correct"]))


def entity_recall(table: Table) -> float:
    """Share of the gold entities that are predicted; 0 where there is no gold entity, as in conlleval."""
    return ratio_or_zero(total(table, "correct"), total(table, "gold_count"), len(table["correct"]))


def entity_f1(table: Table) -> float:
    """F1 over entities, 2 correct / (predicted + gold); 0 where there is neither, as in conlleval."""
    sizes = total(table, "predicted_count") + total(table, "gold_count")
    return ratio_or_zero(2 * total(table, "correct"), sizes, len(table["correct"]))


def credits(gold: Sequence[Span], said: Sequence[Span]) -> tuple[float, int]:
    """Credits of partly right entities by SemEval 2013 task 9 (Segura-Bedmar et al.), as nervaluate counts them.

    Each predicted entity is matched with one gold entity, in order.

    Returns:
        Partial credit: 1 for an exact span and 1/2 for an overlap, whatever the type. Typed credit: 1 for an overlap of
        the same type.
    """
    partial, free = 0.0, list(gold)
    for span in said:
        hits = [other for other in free if span.start < other.end and other.start < span.end]
        exact = [other for other in hits if other[:2] == span[:2]]
        if hits:
            free.remove((exact or hits)[0])
            partial += 1.0 if exact else 0.5
    typed, free = 0, list(gold)
    for span in said:
        hits = [other for other in free if span.start < other.end and other.start < span.end]
        alike = [other for other in hits if other.label == span.label]
        if hits:
            free.remove(
                min(alike, key=lambda x: abs(x.start - span.start) + abs(x.end - span.end)) if alike else hits[0]
            )
            typed += bool(alike)
    return partial, typed


def credit_f1(table: Table, column: str) -> float:
    """F1 of a credit, 2 credit / (predicted + gold); 0 where nothing is predicted or gold."""
    sizes = float(table["gold_count"].sum() + table["predicted_count"].sum())
    return ratio(2 * float(table[column].sum()), sizes, 0.0 if len(table[column]) else float("nan"))


def entity_macro_f1(table: Table) -> float:
    """Mean F1 over the entity types that occur in gold or predicted entities."""
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
