"""`classification`: one label for a text or for a pair of texts (sentiment, topic, intent, NLI, paraphrase)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from ..errors import ConfigError, DataError, Problem, listed
from ..metrics import scores
from ..metrics.conformal import label_set
from ..metrics.temperature import LabelledLogits, softmax
from ..records import Example, Features, Prediction, Row, ScoreRow, Window
from . import base, inputs
from .base import Array, Broken, Constant, HeadSpec, Sample
from .inputs import UNSEEN, class_weights
from .labels import adapted, in_vector
from .losses import IGNORED, weight_of, weights_for
from .settings import LabelOptions

if TYPE_CHECKING:
    import torch

LABEL_NAMES = (
    "label", "labels", "class", "category", "target", "intent", "gold", "gold_label", "rótulo", "classe", "categoria",
    "etiqueta", "intenção",
)  # fmt: skip
WEAKER_NAMES = (
    "sentiment", "polarity", "emotion", "topic", "is_duplicate", "stance", "entailment", "y", "sentimento",
    "polaridade", "emoção", "tópico", "assunto", "score", "rating", "stars", "nota", "avaliação",
)  # fmt: skip


class ClassificationOptions(LabelOptions):
    """Columns and settings of `classification`."""

    class_weights: Literal["none", "balanced"] | dict[str, float] = Field(
        "none", description="weight of each class in the loss: none, balanced (n / (classes * count)), or label: weight"
    )
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="share of the target spread over all labels")


class Classification(base.Task):
    """One label out of a fixed set, which is that of the training data."""

    name = "classification"
    aliases = ("text-classification", "sentiment-analysis")
    summary = "one label for a text or a pair of texts"
    Options = ClassificationOptions
    level = "example"
    ignored = IGNORED
    label_unit = "text"
    confident_of = "label"
    set_name = "set"
    metrics: ClassVar = {
        "accuracy": scores.accuracy,
        "macro_f1": scores.macro_f1,
        "balanced_accuracy": scores.balanced_accuracy,
        "matthews": scores.matthews,
        "log_loss": scores.log_loss,
        "brier_score": scores.brier_score,
        "expected_calibration_error": scores.expected_calibration_error,
    }

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

    @classmethod
    def from_stock(cls, architecture: str, config: Any) -> Classification | None:
        if not architecture.endswith("ForSequenceClassification") or config.num_labels == 1:
            return None
        if config.problem_type not in (None, "single_label_classification"):
            return None
        return cls(cls.Options(), {"labels": base.stock_labels(config)})

    def columns(self, names: Sequence[str], *, rows: Sequence[Row] = (), labelled: bool = True) -> Self:
        options = inputs.label_columns(
            self.options, LABEL_NAMES, names, labelled=labelled, rows=rows, weaker=WEAKER_NAMES, single=True
        )
        return type(self)(options, self.fitted)

    def read(self, row: Row, *, labelled: bool = True) -> Example:
        text, pair = inputs.read_inputs(row, self.options, labelled=labelled)
        return Example(text, pair, self.read_target(row) if labelled else None, row.place)

    def read_target(self, row: Row) -> str:
        """The label of a row, from one column, from a column of 0 and 1 for each label, or from a vector of them.

        Raises:
            DataError: there is not exactly one label.
        """
        names, column = self.options.labels, self.options.label
        if column is not None:
            found = in_vector(row.values.get(column), names) if names else None
            if found is None:
                return inputs.read_label(row, column)
        else:
            found = inputs.read_flags(row, names or ())
        if len(found) != 1:
            shown = listed(found) or "none"
            message, fix = f"expected one label with 1, found {shown}", "with several labels a text: --task multilabel"
            raise DataError(Problem(row.place, message, fix, "not-a-label" if found else "empty-label"))
        return found[0]

    def fit(self, examples: Sequence[Example]) -> Self:
        counts = Counter(example.target for example in examples)
        labels = inputs.sorted_labels(counts)
        if len(labels) < 2:
            raise ConfigError(
                f"label: the training data hold {len(labels)} label ({listed(labels)}), and a classifier needs "
                "two or more; is the right column named?"
            )
        weights = class_weights(self.options.class_weights, labels, counts)
        return self.with_fitted(labels=labels, **({"weights": weights} if weights else {}))

    def adapt(self, examples: Sequence[Example]) -> tuple[list[Example], list[str]]:
        return adapted(examples, self.labels)

    def check(self, example: Example) -> Problem | None:
        return inputs.unseen(example, self.labels, countable=True)

    def encode_target(self, example: Example, window: Window) -> Array:
        return np.array(self.labels.index(example.target))

    def loss(self, logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Cross-entropy. With weights w, the mean is sum(w l) / sum(w), as in torch."""
        from torch.nn import functional as F

        weight = weights_for(logits, self.fitted.get("weights"))
        total = F.cross_entropy(
            logits.float(), targets, weight=weight, reduction="sum", label_smoothing=self.options.label_smoothing
        )
        return total, weight_of(targets, weight)

    def decode(self, example: Example, windows: Sequence[Window], logits: Sequence[Array]) -> Prediction:
        mean = np.stack(logits).astype(np.float64).mean(axis=0)
        probabilities = softmax(mean, self.calibration.temperature)
        best = int(mean.argmax())
        named = dict(zip(self.labels, probabilities.tolist(), strict=True))
        return {"label": self.labels[best], "probabilities": named}

    def score_row(self, example: Example, prediction: Prediction) -> ScoreRow:
        probabilities = prediction["probabilities"]
        known = example.target in self.labels
        return {
            "gold": self.labels.index(example.target) if known else len(self.labels),
            "predicted": self.labels.index(prediction["label"]),
            "log_probability": scores.log_probability(probabilities.get(example.target, 0.0)),
            "squared_error": scores.squared_error(probabilities, example.target),
            "confidence": probabilities[prediction["label"]],
        }

    def confidences(self, example: Example, prediction: Prediction) -> list[tuple[float, bool]]:
        label = prediction["label"]
        return [(prediction["probabilities"][label], label == example.target)]

    def labelled_logits(
        self, examples: Sequence[Example], *, features: Sequence[Features], logits: Sequence[Sequence[Array]]
    ) -> LabelledLogits:
        known = [i for i, example in enumerate(examples) if example.target in self.labels]
        rows = np.array([np.mean(logits[i], axis=0, dtype=np.float64) for i in known])
        gold = np.array([self.labels.index(examples[i].target) for i in known], np.int64)
        return LabelledLogits(rows.reshape(-1, len(self.labels)), gold)

    def strangeness(self, example: Example, prediction: Prediction) -> float:
        """1 - probability of the right label, 1 for one that training lacks: the score of Sadinle et al. (2019)."""
        return 1 - float(prediction["probabilities"].get(example.target, 0.0))

    def prediction_set(self, prediction: Prediction, bound: float) -> list[str]:
        return label_set(prediction["probabilities"], bound, single=True)

    def constant(self, examples: Sequence[Example]) -> Constant | None:
        """The commonest label, the first in order of equally common ones; the shares of the labels are probabilities.

        Labels that the task does not know are left out.
        """
        counts = Counter(example.target for example in examples if example.target in self.labels)
        if not counts:
            return None
        best = max(self.labels, key=counts.__getitem__)
        prediction = {"label": best, "probabilities": {label: counts[label] / counts.total() for label in self.labels}}
        return Constant(f"commonest label ({inputs.brief(best)})", lambda _: prediction)

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
