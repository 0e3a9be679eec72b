"""What a task learned of its own certainty from labelled data that did not train it; `afina.json` keeps it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, NonNegativeInt

from ..errors import ConfigError, printable
from ..metrics.conformal import quantile, rank
from ..printing import many

if TYPE_CHECKING:
    from .base import Task

NAME = "calibration"
"""Name of the entry among what was fitted."""
VALIDATION = "validation"
"""What the data of a calibration are called when they are the validation data of the training."""


class Calibration(BaseModel):
    """A temperature, and scores for sets and intervals.

    Attributes:
        temperature: What logits are divided by before they become probabilities; 1 leaves them as they are.
        data: The data that both come from: `validation`, or the name of a file; empty without any.
        examples: Number of their examples.
        scores: Their scores of strangeness (`Task.strangeness`), smallest first; of very many some
            (`metrics.conformal.kept_scores`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    temperature: float = Field(1.0, gt=0, allow_inf_nan=False)
    data: str = ""
    examples: NonNegativeInt = 0
    scores: tuple[FiniteFloat, ...] = ()

    @classmethod
    def among(cls, fitted: Mapping[str, Any]) -> Calibration:
        """The calibration among what was fitted; that of a model that has none changes nothing.

        Raises:
            ValueError: the entry is damaged.
        """
        return cls.model_validate(fitted.get(NAME, {}))

    @property
    def entry(self) -> dict[str, Any]:
        """What is added to what was fitted; nothing where nothing is known."""
        known = self.model_dump(mode="json", exclude_defaults=True)
        return {NAME: known} if known else {}


def check_precision(task: Task, precision: float) -> None:
    """See that a threshold for a precision can be looked for.

    Raises:
        ConfigError: the precision is no share between 0 and 1, or the task has no confidences.
    """
    if not 0 < precision < 1:
        raise ConfigError(
            f"precision: expected a share above 0 and below 1, such as 0.95, found {printable(precision)}"
        )
    if not task.confident_of:
        raise ConfigError(f"precision: {task.name} says no confidence that a threshold could be set on")


def bound_of(task: Task, alpha: float) -> float:
    """The largest strangeness of what stands in a set, so that a share 1 - alpha of the sets hold what is right.

    Raises:
        ConfigError: alpha is no share between 0 and 1, the task has no sets, or the model holds too few scores.
    """
    if not 0 < alpha < 1:
        raise ConfigError(f"alpha: expected a share above 0 and below 1, such as 0.1, found {printable(alpha)}")
    if not task.set_name:
        raise ConfigError(f"alpha: {task.name} has no prediction sets; classification, multilabel and regression do")
    scores = task.calibration.scores
    cure = "afina calibrate RUN --data FILE takes them from labelled data"
    if not scores:
        raise ConfigError(f"alpha: the model holds no scores for prediction sets; {cure}")
    if rank(len(scores), alpha) > len(scores):
        needed = math.ceil(1 / alpha - 1 - 1e-9)
        raise ConfigError(
            f"alpha: {alpha:g} needs {many(needed, 'labelled example')} or more, and the model holds the scores of "
            f"{len(scores):,}; a larger alpha will do, or more data: {cure}"
        )
    return quantile(scores, alpha)


def source_of(calibration: Calibration) -> str:
    """Where a model's knowledge of its certainty comes from, in words."""
    examples = many(calibration.examples, "example")
    if calibration.data == VALIDATION:
        return f"{examples} of the validation data, which also chose the epoch"
    return f"{examples} of {calibration.data}"
