"""What is known of every example of a split, as columns of numbers. No text is kept."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..metrics.kinds import Proportion
from ..metrics.kinds import Table as ScoreTable
from ..tasks.base import Task
from .source import Item, Source

Array = np.ndarray[Any, Any]
NOT_KNOWN = -1


@dataclass(slots=True)
class Overview:
    """Columns with an entry an example.

    Attributes:
        characters: Number of characters of the texts.
        tokens: Number of tokens; `NOT_KNOWN` where that is not known.
        truncated: Number of tokens that were cut off.
        unknown: Number of tokens that the vocabulary lacks; `NOT_KNOWN` where that is not known.
        confidence: How sure the model was, from 0 to 1; nan where it does not say.
        same: Whether the answer is the target to the letter.
        groups: Number of the examples with each group.
    """

    characters: array[int] = field(default_factory=lambda: array("q"))
    tokens: array[int] = field(default_factory=lambda: array("q"))
    truncated: array[int] = field(default_factory=lambda: array("q"))
    unknown: array[int] = field(default_factory=lambda: array("q"))
    confidence: array[float] = field(default_factory=lambda: array("d"))
    same: array[int] = field(default_factory=lambda: array("b"))

    def add(self, item: Item) -> None:
        """Take one more example."""
        example = item.example
        self.characters.append(len(example.text) + len(example.pair or ""))
        self.tokens.append(NOT_KNOWN if item.tokens is None else item.tokens)
        self.truncated.append(item.truncated)
        self.unknown.append(NOT_KNOWN if item.unknown is None else item.unknown)
        self.confidence.append(confidence_of(item.prediction))
        self.same.append(item.said == item.target)

    def __len__(self) -> int:
        return len(self.same)

    def right(self, source: Source) -> Array:
        """Whether each example is right as a whole. [n]"""
        by_score = right_by(source.task, None if source.scored is None else source.scored.table)
        return np.frombuffer(self.same, np.int8).astype(bool) if by_score is None else by_score

    def sureness(self) -> Array:
        """How sure the model was of each example; 0.5 where it does not say. [n]"""
        sure = np.frombuffer(self.confidence, np.float64)
        return np.where(np.isnan(sure), 0.5, sure)


def right_by(task: Task | None, table: ScoreTable | None) -> Array | None:
    """Whether all items of each example are right, by the first metric that is a share of items. [n]"""
    if task is None or table is None:
        return None
    metric = next((one for one in task.metrics.values() if isinstance(one, Proportion)), None)
    if metric is None:
        return None
    part, whole = metric.counts(table)
    right: Array = np.asarray(part) >= np.asarray(whole)
    return right


def confidence_of(prediction: Mapping[str, Any]) -> float:
    """How sure a prediction is of itself as a whole: the smallest confidence of its parts; nan where it has none."""
    said = next(iter(prediction.values()), None)
    chances = prediction.get("probabilities")
    if isinstance(chances, dict) and isinstance(said, str):
        values = [chances.get(said)]
    elif isinstance(chances, dict) and isinstance(said, list):
        values = [
            None if chance is None else chance if name in said else 1 - chance for name, chance in chances.items()
        ]
    elif isinstance(entities := prediction.get("entities"), list):
        values = [one.get("score") for one in entities]
    else:
        scores = prediction.get("scores")
        values = list(scores) if isinstance(scores, list) else [prediction.get("probability")]
    known = [float(value) for value in values if isinstance(value, int | float)]
    return min(known, default=math.nan)
