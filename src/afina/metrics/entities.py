"""Scores of entities and of one tag per word, from the counts of each example.

Columns: `correct`, `predicted_count`, `gold_count` [n] or, by type, [n, types + 1]; `partial`, `typed` [n].
`raw_text_correct` and `raw_text_predicted_count` count what is found where words are cut anew, as in raw text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..text.spans import Span
from .kinds import Array, Metric, Proportion, Smooth, Table, ratio, share
from .sums import ENTITY_MACRO_F1

RAW = "raw_text_"
"""Begins the names of metrics and columns of raw text."""


def by_type(types: Sequence[str], labels: Iterable[str]) -> list[int]:
    """How many labels there are of each type, and of all other types together. [types + 1]"""
    count = Counter(labels)
    return [*(count[kind] for kind in types), sum(n for kind, n in count.items() if kind not in types)]


def agreement(types: Sequence[str], gold: Collection[Span], said: Collection[Span]) -> dict[str, Any]:
    """The columns of one example: correct, gold and predicted entities by type, and credits of partly right ones."""
    gold, said = set(gold), set(said)
    columns = {"correct": gold & said, "gold_count": gold, "predicted_count": said}
    partial, typed = credits(sorted(gold), sorted(said))
    counts = {name: by_type(types, (span.label for span in spans)) for name, spans in columns.items()}
    return {**counts, "partial": partial, "typed": typed}


def agreement_of_tags(
    types: Sequence[str], gold: Sequence[str], *, said: Sequence[str], whole: Sequence[bool] | None = None
) -> dict[str, Any]:
    """The columns of one example with a tag a word.

    Args:
        types: Known tags.
        gold, said: The tags of its words.
        whole: Whether each word comes out whole where the text is cut into words anew; only then it is right there.
    """
    right = [one if one == other else None for one, other in zip(gold, said, strict=True)]
    columns = {
        "correct": by_type(types, (tag for tag in right if tag is not None)),
        "gold_count": by_type(types, gold),
        "predicted_count": by_type(types, said),
    }
    if whole is not None:
        kept = (tag for tag, seen in zip(right, whole, strict=True) if seen and tag is not None)
        columns["raw_text_correct"] = by_type(types, kept)
    return columns


def placed(spans: Iterable[Span], words: Sequence[tuple[int, int]]) -> list[Span]:
    """Spans of words as spans of characters."""
    return [Span(words[span.start][0], words[span.end - 1][1], span.label) for span in spans]


def spans_of(entities: Iterable[Mapping[str, Any]]) -> set[Span]:
    """Predicted entities as spans."""
    return {Span(entity["start"], entity["end"], entity["label"]) for entity in entities}


def breakdown(types: Sequence[str], table: Mapping[str, Array]) -> list[dict[str, Any]]:
    """The scores of each type.

    Args:
        types: Names of the columns of the counts. The last one counts all other types; it is left out without any gold.
        table: The score table.
    """
    right, gold, said = (table[name].sum(axis=0).tolist() for name in ("correct", "gold_count", "predicted_count"))
    return [
        {
            "label": kind,
            "precision": ratio(right[i], said[i], 0.0),
            "recall": ratio(right[i], gold[i], 0.0),
            "f1": ratio(2 * right[i], gold[i] + said[i], 0.0),
            "support": gold[i],
            "predicted": said[i],
        }
        for i, kind in enumerate(types)
        if i < len(types) - 1 or gold[i]
    ]


def counted(table: Table, name: str) -> Array:
    """The items of each example, whatever their type. [n]"""
    column = table[name]
    counts: Array = column if column.ndim == 1 else column.sum(axis=1)
    return counts


def hits(column: str) -> Callable[[Table], tuple[Array, Array]]:
    """A count of what is right of each example, and of all that is gold or predicted. [n] and [n]"""

    def counts(table: Table) -> tuple[Array, Array]:
        right = counted(table, column)
        return right, counted(table, "gold_count") + counted(table, "predicted_count") - right

    return counts


entity_precision = Proportion(lambda table: (counted(table, "correct"), counted(table, "predicted_count")), empty=0.0)
"""Share of the predicted entities that are correct; 0 where none is predicted, as in conlleval."""

entity_recall = Proportion(lambda table: (counted(table, "correct"), counted(table, "gold_count")), empty=0.0)
"""Share of the gold entities that are predicted; 0 where there is no gold entity, as in conlleval."""

entity_f1 = Proportion(hits("correct"), empty=0.0, f1=True)
"""F1 over entities, 2 correct / (predicted + gold); 0 where there is neither, as in conlleval."""

entity_partial_f1 = Proportion(hits("partial"), empty=0.0, f1=True)
"""F1 of the partial credit, 2 credit / (predicted + gold); 0 where nothing is predicted or gold."""

entity_type_f1 = Proportion(hits("typed"), empty=0.0, f1=True)
"""F1 of the typed credit, 2 credit / (predicted + gold); 0 where nothing is predicted or gold."""


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


def _type_sizes(table: Table) -> Array:
    """Number of gold entities of each type that occurs in gold or predicted entities. [types]"""
    gold = table["gold_count"].sum(axis=0)
    sizes: Array = gold[gold + table["predicted_count"].sum(axis=0) > 0]
    return sizes


def _entity_macro_f1(table: Table) -> float:
    """Mean F1 over the entity types that occur in gold or predicted entities."""
    right = table["correct"].sum(axis=0)
    sizes = table["gold_count"].sum(axis=0) + table["predicted_count"].sum(axis=0)
    occurs = sizes > 0
    return float(np.mean(2 * right[occurs] / sizes[occurs])) if occurs.any() else float("nan")


entity_macro_f1 = Smooth(_entity_macro_f1, "share", classes=_type_sizes, sums=ENTITY_MACRO_F1)
"""Mean F1 over the entity types that occur in gold or predicted entities."""


token_accuracy = Proportion(lambda table: (counted(table, "correct"), counted(table, "gold_count")))
"""Share of words with the right tag."""

sentence_accuracy = share(lambda table: counted(table, "correct") == counted(table, "gold_count"))
"""Share of sentences whose words all have the right tag."""


def certainty(probabilities: Array, tags: Sequence[int], span: Span) -> float:
    """Geometric mean of the probabilities of an entity's tags.

    Args:
        probabilities: Of the tags of each word. [n, k]
        tags: The chosen tag of each word. [n]
        span: The entity's words.
    """
    own = [probabilities[i, tags[i]] for i in range(span.start, span.end)]
    return float(np.exp(np.mean(np.log(np.maximum(own, 1e-300)))))


def of_raw_text(metric: Proportion) -> Proportion:
    """The same metric of what is found in raw text."""

    def counts(table: Table) -> tuple[Array, Array]:
        return metric.counts(
            {**table, **{name.removeprefix(RAW): table[name] for name in table if name.startswith(RAW)}}
        )

    return replace(metric, counts=counts)


OF_ENTITIES: Mapping[str, Metric] = {
    "entity_f1": entity_f1,
    "entity_precision": entity_precision,
    "entity_recall": entity_recall,
    "entity_macro_f1": entity_macro_f1,
    "entity_partial_f1": entity_partial_f1,
    "entity_type_f1": entity_type_f1,
    f"{RAW}entity_f1": of_raw_text(entity_f1),
}
OF_TAGS: Mapping[str, Metric] = {
    "token_accuracy": token_accuracy,
    "sentence_accuracy": sentence_accuracy,
    f"{RAW}token_accuracy": of_raw_text(token_accuracy),
}
