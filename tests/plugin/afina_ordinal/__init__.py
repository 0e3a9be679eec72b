"""A task of somebody else's: grades in an order (stars, levels). It knows afina's public contract and nothing more.

One output for each border between two grades says whether the text is above it (Frank and Hall 2001).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from afina.errors import ConfigError, Problem
from afina.metrics import scores
from afina.records import Example, Prediction, Row, ScoreRow, Window
from afina.tasks import base, inputs

if TYPE_CHECKING:
    import torch


class Ordinal(base.Task):
    """One grade out of an ordered few."""

    name = "ordinal"
    aliases = ("ordinal-regression", "rating")
    summary = "a grade in an order"
    Options = base.TextOptions
    level = "example"
    metrics: ClassVar = {
        "spearman": scores.spearman,
        "mean_absolute_error": scores.mean_absolute_error,
        "accuracy": scores.accuracy,
    }

    @property
    def grades(self) -> list[str]:
        grades: list[str] = self.fitted["grades"]
        return grades

    @property
    def head(self) -> base.HeadSpec:
        names = {i: f"above {grade}" for i, grade in enumerate(self.grades[:-1])}
        config = {"id2label": names, "problem_type": "multi_label_classification"}
        return base.HeadSpec("AutoModelForSequenceClassification", len(names), config)

    def columns(self, names: Sequence[str], *, rows: Sequence[Row] = (), labelled: bool = True) -> Self:
        return type(self)(inputs.input_columns(self.options, ("grade", "stars"), names, labelled=labelled), self.fitted)

    def read(self, row: Row, *, labelled: bool = True) -> Example:
        text, pair = inputs.read_inputs(row, self.options, labelled=labelled)
        return Example(text, pair, inputs.read_label(row, self.options.label or "") if labelled else None, row.place)

    def fit(self, examples: Sequence[Example]) -> Self:
        grades = inputs.sorted_labels(example.target for example in examples)
        if len(grades) < 2:
            raise ConfigError("label: grades need two or more")
        return self.with_fitted(grades=grades)

    def check(self, example: Example) -> Problem | None:
        return inputs.unseen(example, self.grades)

    def encode_target(self, example: Example, window: Window) -> base.Array:
        return (np.arange(len(self.grades) - 1) < self.grades.index(example.target)).astype(np.float32)

    def loss(self, logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        from torch.nn import functional as F  # only when it trains: `afina tasks` need not wait for torch

        total = F.binary_cross_entropy_with_logits(logits.float(), targets, reduction="sum")
        return total, targets.new_tensor(float(targets.numel()))

    def decode(self, example: Example, windows: Sequence[Window], logits: Sequence[base.Array]) -> Prediction:
        above = 1 / (1 + np.exp(-np.stack(logits).astype(np.float64).mean(axis=0)))
        return {"grade": self.grades[int((above > 0.5).sum())], "expected": float(above.sum())}

    def score_row(self, example: Example, prediction: Prediction) -> ScoreRow:
        return {"gold": self.grades.index(example.target), "predicted": self.grades.index(prediction["grade"])}

    def breakdown(self, table: Mapping[str, base.Array]) -> list[dict[str, Any]]:
        return scores.per_label(table, self.grades)

    samples = (
        base.Sample(
            [
                {"text": f"a {word} {thing}", "stars": stars}
                for word, stars in (("awful", 1), ("poor", 2), ("fine", 3), ("great", 10))
                for thing in ("film", "room", "meal")
            ]
        ),
        base.Sample(
            [
                {"premise": f"the {thing}", "hypothesis": f"it's {word}", "grade": grade}
                for thing in ("film", "room", "meal", "song")
                for word, grade in (("awful", "a"), ("fine", "b"), ("lovely", "c"))
            ]
        ),
    )
    broken = (
        base.Broken({"text": "no grade", "stars": None}, "no label"),
        base.Broken({"text": " ", "stars": 1}, "empty"),
        base.Broken({"text": "two grades", "stars": [1, 2]}, "expected one label"),
        base.Broken({"text": {"a": 1}, "stars": 1}, "expected a text"),
    )
