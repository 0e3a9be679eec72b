"""`regression`: one number for a text or for a pair of texts (similarity, relatedness, rating, urgency)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from ..errors import ConfigError, DataError, Problem, printable
from ..metrics import scores
from ..records import Example, Prediction, Row, ScoreRow, Window
from . import base, inputs
from .base import Array, Broken, Constant, HeadSpec, Sample
from .contents import holds_numbers
from .settings import TextOptions

if TYPE_CHECKING:
    import torch

SCORE_NAMES = ("score", "label", "target", "value", "similarity", "relatedness_score", "rating", "nota", "valor")
WEAKER_NAMES = ("stars", "gold", "y", "avaliação", "pontuação", "similaridade", "relatedness", "polarity", "polaridade")
DECIMAL_COMMA = re.compile(r"\s*[-+]?\d*,(\d{1,2}|\d{4,})\s*")
"""A number whose comma can't stand between thousands."""
THOUSANDS = re.compile(r"\s*[-+]?\d{1,3}([.,]\d{3})+\s*")
"""A number whose sign may stand between thousands."""


class RegressionOptions(TextOptions):
    """Columns of `regression`, and how its numbers are written."""

    decimal: Literal["auto", "point", "comma"] = Field(
        "auto", description="sign before the decimals of numbers that are written as text; auto: by the first rows"
    )


class Regression(base.Task):
    """One finite number, standardised for training and predicted in the user's scale."""

    name = "regression"
    aliases = ("text-regression", "sentence-similarity", "similarity")
    summary = "one number for a text or a pair of texts"
    Options = RegressionOptions
    level = "example"
    ignored = math.nan
    set_name = "interval"
    metrics: ClassVar = {
        "pearson": scores.pearson,
        "spearman": scores.spearman,
        "mean_squared_error": scores.mean_squared_error,
        "mean_absolute_error": scores.mean_absolute_error,
        "r2": scores.r2,
    }

    @property
    def head(self) -> HeadSpec:
        name = self.options.label or "score"
        return HeadSpec(
            "AutoModelForSequenceClassification",
            1,
            {"id2label": {0: name}, "label2id": {name: 0}, "problem_type": "regression"},
            scale=(self.fitted.get("deviation", 1.0), self.fitted.get("mean", 0.0)),
        )

    @classmethod
    def from_stock(cls, architecture: str, config: Any) -> Regression | None:
        if not architecture.endswith("ForSequenceClassification"):
            return None
        single = config.num_labels == 1 and config.problem_type != "multi_label_classification"
        return cls(cls.Options(), {}) if single or config.problem_type == "regression" else None

    def columns(self, names: Sequence[str], *, rows: Sequence[Row] = (), labelled: bool = True) -> Self:
        options = inputs.input_columns(
            self.options, SCORE_NAMES, names, labelled=labelled, rows=rows, weaker=WEAKER_NAMES, holds=holds_numbers
        )
        if labelled and options.decimal == "auto":
            options = options.model_copy(update={"decimal": decimal_of(row.values.get(options.label) for row in rows)})
        return type(self)(options, self.fitted)

    @property
    def found(self) -> dict[str, str]:
        return {"decimal": "comma"} if self.options.decimal == "comma" else {}

    def read(self, row: Row, *, labelled: bool = True) -> Example:
        text, pair = inputs.read_inputs(row, self.options, labelled=labelled)
        target = read_number(row, self.options.label, comma=self.options.decimal == "comma") if labelled else None
        return Example(text, pair, target, row.place)

    def fit(self, examples: Sequence[Example]) -> Self:
        """Fit the mean and standard deviation of the training targets, which become the scale of the last layer."""
        targets = np.array([example.target for example in examples], dtype=np.float64)
        deviation = float(targets.std())
        if not math.isfinite(deviation) or deviation == 0:
            raise ConfigError(
                f"label: the training targets do not vary in a usable way (standard deviation {deviation}); "
                "is the right column named?"
            )
        return self.with_fitted(mean=float(targets.mean()), deviation=deviation)

    def essentials(self, examples: Sequence[Example]) -> list[set[str]]:
        """The ends of the scale, so that the training targets vary and span what is to be predicted."""
        targets = [example.target for example in examples]
        ends = {min(targets): "lowest", max(targets): "highest"}
        return [{ends[target]} if target in ends else set() for target in targets]

    def encode_target(self, example: Example, window: Window) -> Array:
        return np.array((example.target - self.fitted["mean"]) / self.fitted["deviation"], dtype=np.float32)

    def loss(self, logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Squared error of the standardised targets."""
        known = ~targets.isnan()
        error = (logits.float()[:, 0] - targets.nan_to_num()) * known
        return error.square().sum(), known.sum().float()

    def decode(self, example: Example, windows: Sequence[Window], logits: Sequence[Array]) -> Prediction:
        return {"score": float(np.mean(np.stack(logits), dtype=np.float64))}

    def score_row(self, example: Example, prediction: Prediction) -> ScoreRow:
        return {"gold": float(example.target), "predicted": float(prediction["score"])}

    def strangeness(self, example: Example, prediction: Prediction) -> float:
        """The distance of the prediction from the target, in the user's scale (Papadopoulos et al. 2002)."""
        return abs(float(prediction["score"]) - float(example.target))

    def prediction_set(self, prediction: Prediction, bound: float) -> dict[str, float]:
        return {"low": prediction["score"] - bound, "high": prediction["score"] + bound}

    def constant(self, examples: Sequence[Example]) -> Constant | None:
        """The mean of the targets, which has the smallest mean squared error of all numbers."""
        mean = math.fsum(example.target / len(examples) for example in examples)
        return Constant(f"mean ({mean:.4g})", lambda _: {"score": mean})

    samples = (
        Sample(
            [
                {"text": f"{word} {thing}", "score": value}
                for word, value in (("awful", 100.0), ("poor", 150), ("fine", "300"), ("great", 410.5))
                for thing in ("film", "room", "meal", "song")
            ]
        ),
        Sample(
            [
                {"sentence1": f"the {animal} {verb}", "sentence2": f"a {animal} is {state}", "label": value}
                for animal in ("cat", "dog", "bird")
                for verb in ("sleeps", "barks")
                for state, value in (("great", -1.0), ("fine", "-2.5"), ("awful", -3))
            ]
        ),
    )
    broken = (
        Broken({"text": "no number", "score": ""}, "no number"),
        Broken({"text": "a word", "score": "high"}, "expected a number"),
        Broken({"text": "a decimal comma", "score": "1,5"}, "decimal point"),
        Broken({"text": "not finite", "score": float("nan")}, "finite"),
        Broken({"text": "a truth value", "score": True}, "expected a number"),
    )


def decimal_of(values: Iterable[Any]) -> str:
    """The sign before decimals in numbers that are written as text: a comma where nothing speaks against it."""
    texts = [value for value in values if isinstance(value, str)]
    comma = any(DECIMAL_COMMA.fullmatch(text) for text in texts) and not any("." in text for text in texts)
    return "comma" if comma else "auto"


def read_number(row: Row, column: str, *, comma: bool = False) -> float:
    """A finite number of a row.

    Args:
        row: The row.
        column: Its column.
        comma: Whether numbers that are written as text have a decimal comma.

    Raises:
        DataError: there is no value, or it is not a finite number.
    """
    value = row.values.get(column)
    if value is None or (isinstance(value, str) and not value.strip()):
        raise DataError(
            Problem(row.place, f"column {column!r} holds no number", "fill it in or drop the row", "empty-label")
        )
    fix = "write plain digits with '.' as the decimal point: no comma, blank, unit or other minus than '-'"
    if isinstance(value, str) and DECIMAL_COMMA.fullmatch(value):
        fix += "; or --set options.decimal=comma"
    wrong = Problem(row.place, f"column {column!r}: expected a number, found {printable(value)}", fix, "not-a-number")
    # float() accepts "1_000", which is Python syntax and not a number in data.
    if isinstance(value, bool) or not isinstance(value, (int, float, str)) or "_" in str(value):
        raise DataError(wrong)
    if comma and isinstance(value, str):
        if THOUSANDS.fullmatch(value) and "." in value:
            raise DataError(wrong)
        value = value.replace(",", ".")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise DataError(wrong) from None
    if not math.isfinite(number):
        raise DataError(
            Problem(row.place, f"column {column!r}: expected a finite number, found {printable(value)}",
                    "correct it or drop the row", "not-finite")
        )  # fmt: skip
    return number
