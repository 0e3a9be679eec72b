"""`multilabel`: a set of labels, perhaps empty, for a text or a pair of texts (tags, topics, emotions)."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from ..errors import ConfigError, DataError, Problem, listed, printable
from ..metrics import scores
from ..metrics.conformal import label_set
from ..metrics.temperature import LabelledLogits, moved_threshold, sigmoid
from ..records import Example, Features, Output, Prediction, Row, ScoreRow, Window
from ..text.spans import blank
from . import base, inputs, presentation
from .base import Array, Broken, Constant, HeadSpec, Sample
from .calibrations import Calibration
from .contents import holds_labels, holds_sets, vector_length
from .labels import adapted, as_label, cell_of, check_vectors, in_vector, is_whole
from .losses import weights_for
from .settings import LabelOptions
from .written import is_several

if TYPE_CHECKING:
    import torch

LABEL_NAMES = ("labels", "label", "tags", "classes", "categories", "topics", "rótulos", "etiquetas")
WEAKER_NAMES = (
    "emotions", "genres", "intents", "target", "targets", "class", "category", "topic", "categorias", "tópicos",
    "temas", "assuntos", "emoções", "gêneros", "rótulo", "etiqueta", "classe", "categoria",
)  # fmt: skip
SEPARATORS = (";", "|", ",")
SIGNS = re.compile(r"[;|,]")


class MultilabelOptions(LabelOptions):
    """Columns and settings of `multilabel`."""

    separator: str = Field(";", min_length=1, description="what stands between the labels of a csv or tsv cell")
    class_weights: Literal["none", "balanced"] = Field(
        "none", description="weight of a label's presence in the loss: none, or balanced (absent / present)"
    )


class Multilabel(base.Task):
    """Any number of labels out of a fixed set, each with its own threshold."""

    name = "multilabel"
    aliases = ("multi-label-classification", "multi-label")
    summary = "a set of labels for a text or a pair of texts"
    Options = MultilabelOptions
    level = "example"
    confident_of = "set of labels"
    set_name = "set"
    ignored = math.nan
    metrics: ClassVar = {
        "micro_f1": scores.micro_f1,
        "macro_f1": scores.multilabel_macro_f1,
        "sample_f1": scores.sample_f1,
        "subset_accuracy": scores.subset_accuracy,
        "ranking_precision": scores.ranking_precision,
    }

    @property
    def thresholds(self) -> list[float]:
        """Smallest probability with which each label is predicted."""
        return list(self.fitted.get("thresholds") or [0.5] * len(self.labels))

    @property
    def head(self) -> HeadSpec:
        return HeadSpec(
            "AutoModelForSequenceClassification",
            len(self.labels),
            {
                "id2label": dict(enumerate(self.labels)),
                "label2id": {label: i for i, label in enumerate(self.labels)},
                "problem_type": "multi_label_classification",
            },
        )

    @classmethod
    def from_stock(cls, architecture: str, config: Any) -> Multilabel | None:
        if not architecture.endswith("ForSequenceClassification"):
            return None
        if config.problem_type != "multi_label_classification":
            return None
        return cls(cls.Options(), {"labels": base.stock_labels(config)})

    def columns(self, names: Sequence[str], *, rows: Sequence[Row] = (), labelled: bool = True) -> Self:
        options = inputs.label_columns(
            self.options, LABEL_NAMES, names, labelled=labelled, rows=rows, weaker=WEAKER_NAMES, holds=holds_several
        )
        if labelled and options.label is not None:
            length = vector_length(rows, options.label, options.separator)
            if length:
                check_vectors(options.label, length, options.labels)
        return type(self)(options, self.fitted)

    def remarks(self, rows: Sequence[Row]) -> list[str]:
        names, column = self.options.labels, self.options.label
        if not names or column is None:
            return []
        some = [values for row in rows if (values := in_vector(row.values.get(column), names)) is not None]
        return [f"vectors of 0 and 1 in {column!r} stand for {listed(names)}, in this order"] if some else []

    def read(self, row: Row, *, labelled: bool = True) -> Example:
        text, pair = inputs.read_inputs(row, self.options, labelled=labelled)
        return Example(text, pair, self.read_target(row) if labelled else None, row.place)

    def read_target(self, row: Row) -> tuple[str, ...]:
        """The labels of a row, from one column, from a column of 0 and 1 for each, or from a vector of them.

        Raises:
            DataError: the value has another type, or a label is empty or repeated.
        """
        names, column, separator = self.options.labels, self.options.label, self.options.separator
        if column is None and names:
            return tuple(inputs.read_flags(row, names))
        found = in_vector(row.values.get(column or ""), names, separator) if names else None
        return read_labels(row, column, separator) if found is None else tuple(found)

    def fit(self, examples: Sequence[Example]) -> Self:
        counts = Counter(label for example in examples for label in example.target)
        if not counts:
            raise ConfigError("labels: no training example has a label; is the right column named?")
        other = unsplit(counts, self.options.separator)
        if other:
            raise ConfigError(
                f"labels: {printable(next(label for label in counts if other in label))} looks separated by {other!r}, "
                f"but the separator is {self.options.separator!r}; give --set options.separator='{other}'"
            )
        labels = inputs.sorted_labels(counts)
        fitted: dict[str, Any] = {"labels": labels}
        if self.options.class_weights == "balanced":
            fitted["weights"] = [(len(examples) - counts[label]) / counts[label] or 1.0 for label in labels]
        return self.with_fitted(**fitted)

    @property
    def found(self) -> Mapping[str, str]:
        absent = [name for name in self.options.labels or () if self.labels and name not in self.labels]
        return {"labels that no training example has": listed(absent)} if absent else {}

    def adapt(self, examples: Sequence[Example]) -> tuple[list[Example], list[str]]:
        return adapted(examples, self.labels)

    def check(self, example: Example) -> Problem | None:
        """The problem of the first label that does not occur in the training data, or None."""
        wrong = [label for label in example.target if label not in self.labels]
        return inputs.unseen(replace(example, target=wrong[0]), self.labels) if wrong else None

    def labels_in(self, example: Example) -> list[str]:
        return list(example.target)

    def show(self, target: Any) -> str:
        return inputs.show_names(target)

    def warnings(self, examples: Sequence[Example]) -> list[Problem]:
        """Labels that look like several labels: another separator divides them into known labels."""
        known = set(self.fitted.get("labels", ()))
        own = self.options.separator
        doubtful = {label: sign for label in sorted(known) if (sign := other_separator(label, known, own))}
        return [
            Problem(
                example.place,
                f"the label {printable(label, 40)} looks like several, separated by {doubtful[label]!r}",
                f"write {own!r} between labels, or --set options.separator='{doubtful[label]}'",
                "unsplit-label",
            )
            for example in examples
            for label in example.target
            if label in doubtful
        ]

    def encode_target(self, example: Example, window: Window) -> Array:
        return np.array([label in example.target for label in self.labels], dtype=np.float32)

    def loss(self, logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Binary cross-entropy of every label, as torch's `binary_cross_entropy_with_logits`; a mean over labels."""
        from torch.nn import functional as F

        known = (~targets.isnan()).float()
        total = F.binary_cross_entropy_with_logits(
            logits.float(),
            targets.nan_to_num(),
            weight=known,
            reduction="sum",
            pos_weight=weights_for(targets, self.fitted.get("weights")),
        )
        return total, known.sum()

    def fit_thresholds(
        self, examples: Sequence[Example], *, features: Sequence[Features], logits: Sequence[Sequence[Array]]
    ) -> Self:
        """Fit the threshold of each label with the best F1 on the examples, 0.5 where no threshold is better."""
        temperature = self.calibration.temperature
        probabilities = np.stack([sigmoid(np.mean(windows, axis=0), temperature) for windows in logits])  # [n, k]
        gold = np.stack([[label in example.target for label in self.labels] for example in examples])
        thresholds = [best_threshold(probabilities[:, i], gold[:, i]) for i in range(len(self.labels))]
        return self.with_fitted(**self.fitted, thresholds=thresholds)

    def decode(self, example: Example, windows: Sequence[Window], logits: Sequence[Array]) -> Prediction:
        mean = np.stack(logits).astype(np.float64).mean(axis=0)
        probabilities = sigmoid(mean, self.calibration.temperature)
        given = [
            label
            for label, probability, threshold in zip(self.labels, probabilities, self.thresholds, strict=True)
            if probability >= threshold
        ]
        return {"labels": given, "probabilities": dict(zip(self.labels, probabilities.tolist(), strict=True))}

    def output(self, example: Example, prediction: Prediction) -> Output:
        return presentation.label_set_output(example, prediction, separator=self.options.separator)

    def score_row(self, example: Example, prediction: Prediction) -> ScoreRow:
        return {
            "gold": [label in example.target for label in self.labels],
            "predicted": [label in prediction["labels"] for label in self.labels],
            "score": [prediction["probabilities"][label] for label in self.labels],
        }

    def confidences(self, example: Example, prediction: Prediction) -> list[tuple[float, bool]]:
        """How sure the model is of the whole set: the smallest probability with which a label is given, or is not."""
        sure = self.output(example, prediction).confidence
        return [] if sure is None else [(sure, set(prediction["labels"]) == set(example.target))]

    def labelled_logits(
        self, examples: Sequence[Example], *, features: Sequence[Features], logits: Sequence[Sequence[Array]]
    ) -> LabelledLogits:
        rows = np.array([np.mean(windows, axis=0, dtype=np.float64) for windows in logits])
        gold = np.array([[label in example.target for label in self.labels] for example in examples], bool)
        shape = -1, len(self.labels)
        return LabelledLogits(rows.reshape(shape), gold.reshape(shape), "several")

    def with_calibration(self, calibration: Calibration) -> Self:
        """A copy with thresholds that give the same labels at its temperature."""
        old, new = self.calibration.temperature, calibration.temperature
        if "thresholds" not in self.fitted or old == new:
            return super().with_calibration(calibration)
        moved = [moved_threshold(threshold, new, before=old) for threshold in self.thresholds]
        copy = super().with_calibration(calibration)
        return copy.with_fitted(**{**copy.fitted, "thresholds": moved})

    def strangeness(self, example: Example, prediction: Prediction) -> float:
        """The largest 1 - probability of the right labels, so that a set holds all of them; 0 where there are none."""
        return max((1 - prediction["probabilities"].get(label, 0.0) for label in example.target), default=0.0)

    def prediction_set(self, prediction: Prediction, bound: float) -> list[str]:
        return label_set(prediction["probabilities"], bound, single=False)

    def constant(self, examples: Sequence[Example]) -> Constant | None:
        """The commonest labels, as many of them as have the best micro F1 on the examples.

        No other set of labels for all examples has a higher micro F1 there: 2 hits / (gold + n labels) grows with the
        counts of its labels. It is stronger than the commonest set, or the labels of half the examples: both are
        often empty.
        """
        counts = Counter(label for example in examples for label in example.target if label in self.labels)
        order = sorted((label for label in self.labels if counts[label]), key=lambda label: -counts[label])
        if not order:
            return None
        hits = np.cumsum([counts[label] for label in order])  # of the first label, of the first two ... [k]
        gains = hits / (counts.total() + len(examples) * np.arange(1, len(order) + 1))
        chosen = order[: int(gains.argmax()) + 1]
        shares = {label: counts[label] / len(examples) for label in self.labels}
        prediction = {"labels": [label for label in self.labels if label in chosen], "probabilities": shares}
        others = f"s ({inputs.brief(order[0])} and {len(chosen) - 1} more)"
        named = others if len(chosen) > 1 else f" ({inputs.brief(order[0])})"
        return Constant(f"commonest label{named}", lambda _: prediction)

    def breakdown(self, table: Mapping[str, Array]) -> list[dict[str, Any]]:
        """The scores of each label as a binary classification."""
        return [
            {**scores.per_label(column_of(table, i), ["no", label])[1], "threshold": threshold}
            for i, (label, threshold) in enumerate(zip(self.labels, self.thresholds, strict=True))
        ]

    samples = (
        Sample(
            [
                {"text": f"{first} {second} {thing}", "labels": "; ".join(names)}
                for first, a in (("lovely", "good"), ("awful", "bad"))
                for second, b in (("great", "big"), ("broken", "old"), ("dog", ""))
                for thing in ("film", "room")
                for names in ([name for name in (a, b) if name],)
            ]
        ),
        Sample(
            [
                {"sentence1": f"the {animal} sleeps", "sentence2": f"a {word} meal", "tags": tags}
                for animal in ("cat", "dog")
                for word, tags in (("lovely", ["good"]), ("poor", []), ("great", ["good", "big"]), ("awful", ["bad"]))
            ],
            {"class_weights": "balanced"},
        ),
    )
    broken = (
        Broken({"text": "", "labels": "good"}, "empty"),
        Broken({"text": "a number", "labels": 3.5}, "expected labels"),
        Broken({"text": "not all texts", "labels": ["good", 7.5]}, "expected labels"),
        Broken({"text": "twice", "labels": "good;good"}, "stands twice"),
        Broken({"text": "a hole", "labels": "good;;bad"}, "empty label"),
    )


def holds_several(rows: Sequence[Row], name: str) -> bool:
    """Whether a column could hold sets of labels: lists, or few labels with signs between them."""
    if holds_sets(rows, name):
        return True
    cut = [Row({name: part.strip()}, row.place) for row in rows for part in re.split(SIGNS, str(row.values.get(name)))]
    return not any(isinstance(row.values.get(name), float) for row in rows) and holds_labels(cut, name)


def read_labels(row: Row, column: str | None, separator: str) -> tuple[str, ...]:
    """The labels of a row, from a list, also one that is written in a cell, or a text with separators.

    Blanks around labels are stripped. An empty value is the empty set.

    Raises:
        DataError: the value has another type, or a label is empty or repeated.
    """
    value = cell_of(row.values.get(column or ""))
    if is_several(value):
        message = f"column {column!r}: expected labels separated by {separator!r}, found a list: {printable(value, 40)}"
        fix = f"write a{separator}b, or a list with quoted labels: ['a', 'b']"
        raise DataError(Problem(row.place, message, fix, "not-labels"))
    if isinstance(value, str):
        value = [part.strip() for part in value.split(separator)] if value.strip() else []
    value = [] if value is None else sorted(value, key=str) if isinstance(value, set | frozenset) else value
    if not isinstance(value, list) or not all(isinstance(part, (str, int)) or is_whole(part) for part in value):
        shown = f"{type(value).__name__} {printable(value)}"
        message = (
            f"column {column!r}: expected labels (a list of texts, or a text separated by {separator!r}), found {shown}"
        )
        raise DataError(Problem(row.place, message, "write a list of labels, [] for none", "not-labels"))
    labels = [as_label(part) or "" for part in value]
    if any(blank(label) for label in labels):
        raise DataError(
            Problem(row.place, f"column {column!r} holds an empty label", "remove a separator", "empty-label")
        )
    twice = [label for label, count in Counter(labels).items() if count > 1]
    if twice:
        message = f"column {column!r}: the label {printable(twice[0])} stands twice"
        raise DataError(Problem(row.place, message, "remove one", "repeated-label"))
    return tuple(labels)


def unsplit(counts: Mapping[str, int], separator: str) -> str | None:
    """Another separator that most labels contain, which means that the named one is wrong; None without one."""
    for other in SEPARATORS:
        if other != separator and sum(other in label for label in counts) * 2 > len(counts):
            return other
    return None


def other_separator(label: str, known: Collection[str], separator: str) -> str | None:
    """Another separator that divides a label into known labels, or None."""
    for sign in (*SEPARATORS, "/", "\n"):
        if sign == separator:
            continue
        parts = [part.strip() for part in label.split(sign)]
        if len(parts) > 1 and all(part in known for part in parts):
            return sign
    return None


def best_threshold(probabilities: Array, gold: Array) -> float:
    """The threshold with the best F1, halfway between two probabilities; of equally good ones, the nearest to 0.5.

    Args:
        probabilities: Probability that the label is present. [n]
        gold: Whether it is there. [n]
    """
    values = np.unique(probabilities)
    candidates = np.concatenate([[0.5], values[:1], (values[1:] + values[:-1]) / 2])
    given = probabilities[None, :] >= candidates[:, None]  # [candidates, n]
    hits = (given & gold).sum(axis=1)
    f1 = 2 * hits / np.maximum(given.sum(axis=1) + gold.sum(), 1)
    best = candidates[f1 >= f1.max() - 1e-12]
    return float(best[np.abs(best - 0.5).argmin()])


def column_of(table: Mapping[str, Array], i: int) -> dict[str, Array]:
    """Columns of one label of a multi-label table, as a table of binary classification."""
    return {name: table[name][:, i].astype(int) for name in ("gold", "predicted")}
