"""`classification`: one label for a text or for a pair of texts (sentiment, topic, intent, NLI, paraphrase)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from ..errors import ConfigError, Problem, printable
from ..metrics import scores
from ..records import Example, Features, Prediction, Row, ScoreRow, Window
from . import base
from .base import Array, Broken, HeadSpec, Sample

if TYPE_CHECKING:
    import torch

UNSEEN = "(unseen in training)"
"""Stands for labels that training lacks, in the table of labels."""
LABEL_NAMES = ("label", "labels", "class", "category", "target", "intent", "rótulo", "classe", "categoria")


class ClassificationOptions(base.TextOptions):
    """Columns and settings of `classification`."""

    class_weights: Literal["none", "balanced"] | dict[str, float] = Field(
        "none", description="weight of each class in the loss: none, balanced (n / (classes * count)), or label: weight"
    )
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="share of the target spread over all labels")


class Classification(base.Task):
    """One label out of a fixed set, which comes from the training data only."""

    name = "classification"
    summary = "one label for a text or a pair of texts"
    Options = ClassificationOptions
    level = "example"
    label_unit = "text"
    metrics = {  # noqa: RUF012 - a ClassVar of the contract
        "accuracy": scores.accuracy,
        "macro_f1": scores.macro_f1,
        "balanced_accuracy": scores.balanced_accuracy,
        "matthews": scores.matthews,
        "log_loss": scores.log_loss,
        "expected_calibration_error": scores.expected_calibration_error,
    }

    def __init__(self, options: ClassificationOptions, fitted: Mapping[str, Any] | None = None) -> None:
        self.options = options
        self.fitted = fitted or {}

    @property
    def labels(self) -> list[str]:
        """The label set; a label's position is its id."""
        labels: list[str] = self.fitted["labels"]
        return labels

    @property
    def slides(self) -> bool:
        return bool(self.options.long == "windows")

    @property
    def head(self) -> HeadSpec:
        return HeadSpec(
            "AutoModelForSequenceClassification",
            len(self.labels),
            {
                "id2label": dict(enumerate(self.labels)),
                "label2id": {label: i for i, label in enumerate(self.labels)},
                "problem_type": "single_label_classification",
            },
        )

    def columns(self, names: Sequence[str], *, labelled: bool = True) -> Classification:
        return Classification(base.input_columns(self.options, LABEL_NAMES, names, labelled=labelled), self.fitted)

    def read(self, row: Row, *, labelled: bool = True) -> Example:
        text, pair = base.read_inputs(row, self.options, labelled=labelled)
        target = base.read_label(row, self.options.label) if labelled else None
        return Example(text, pair, target, row.place)

    def fit(self, examples: Sequence[Example]) -> Classification:
        counts = Counter(example.target for example in examples)
        labels = base.sorted_labels(counts)
        if len(labels) < 2:
            raise ConfigError(
                f"label: the training data hold {len(labels)} label ({base.listed(labels)}), and a classifier needs "
                "two or more; is the right column named?"
            )
        weights = class_weights(self.options.class_weights, labels, counts)
        return Classification(self.options, {"labels": labels, **({"weights": weights} if weights else {})})

    def check(self, example: Example) -> Problem | None:
        return base.unseen(example, self.labels, countable=True)

    def encode_target(self, example: Example, window: Window) -> Array:
        return np.array(self.labels.index(example.target))

    def loss(self, logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Cross-entropy; with weights w the mean is sum(w l) / sum(w), as torch's own."""
        from torch.nn import functional as F

        weights = self.fitted.get("weights")
        weight = None if weights is None else logits.new_tensor(weights)
        total = F.cross_entropy(
            logits.float(), targets, weight=weight, reduction="sum", label_smoothing=self.options.label_smoothing
        )
        return total, logits.new_tensor(float(len(targets))) if weight is None else weight[targets].sum()

    def fit_thresholds(
        self, examples: Sequence[Example], features: Sequence[Features], logits: Sequence[Sequence[Array]]
    ) -> Classification:
        return self

    def decode(self, example: Example, windows: Sequence[Window], logits: Sequence[Array]) -> Prediction:
        probabilities = softmax(np.stack(logits).astype(np.float64).mean(axis=0))
        best = int(probabilities.argmax())
        named = dict(zip(self.labels, probabilities.tolist(), strict=True))
        return {"label": self.labels[best], "probabilities": named}

    def score_row(self, example: Example, prediction: Prediction) -> ScoreRow:
        probabilities = prediction["probabilities"]
        known = example.target in self.labels
        return {
            "gold": self.labels.index(example.target) if known else len(self.labels),
            "predicted": self.labels.index(prediction["label"]),
            "log_probability": float(np.log(max(probabilities.get(example.target, 0.0), 1e-300))),
            "confidence": probabilities[prediction["label"]],
        }

    def breakdown(self, table: Mapping[str, Array]) -> list[dict[str, Any]]:
        unseen = bool((table["gold"] == len(self.labels)).any())
        return scores.per_label(table, [*self.labels, UNSEEN] if unseen else self.labels)

    samples = (
        Sample(
            [
                {"text": f"{word} {thing}", "label": label}
                for label, words in (("good", ("lovely", "fine", "great")), ("bad", ("awful", "poor", "broken")))
                for word in words
                for thing in ("film", "room", "meal", "song")
            ]
        ),
        Sample(
            [
                {
                    "premise": f"the {animal} {verb}",
                    "hypothesis": f"a {animal} is {state}",
                    "label": int(state == "great"),
                }
                for animal in ("cat", "dog", "bird")
                for verb in ("sleeps", "barks")
                for state in ("great", "awful", "poor")
            ],
            {"class_weights": "balanced", "label_smoothing": 0.05},
        ),
    )
    broken = (
        Broken({"text": "a text without a label", "label": ""}, "no label"),
        Broken({"text": "  ", "label": "good"}, "empty"),
        Broken({"text": ["not", "a", "text"], "label": "good"}, "expected a text"),
        Broken({"text": "two labels", "label": ["good", "bad"]}, "expected one label"),
    )


def softmax(logits: Array) -> Array:
    """Softmax over the last axis, in the precision of its input."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    result: Array = shifted / shifted.sum(axis=-1, keepdims=True)
    return result


def class_weights(
    asked: str | Mapping[str, float], labels: Sequence[str], counts: Mapping[str, int]
) -> list[float] | None:
    """One weight a label, or None for none.

    `balanced` is n / (k * count), the heuristic of King and Zeng (2001) that scikit-learn uses.

    Raises:
        ConfigError: a weight for an unknown label, or a label without a weight.
    """
    if asked == "none":
        return None
    if isinstance(asked, str):
        total = sum(counts.values())
        return [total / (len(labels) * counts[label]) for label in labels]
    wrong = sorted(set(asked) ^ set(labels))
    if wrong:
        raise ConfigError(
            f"options.class_weights: needs one weight for each label; {base.listed(wrong)} stand on one side only. "
            f"The labels are: {', '.join(printable(label, 30) for label in labels)}"
        )
    return [float(asked[label]) for label in labels]
