"""Events of a run. The consumer displays, logs or ignores them."""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ..work import Work

if TYPE_CHECKING:
    from ..artifact import Artifact
    from ..inference import Evaluation

BEAT = 1.0
"""Seconds between progress events of work without steps. Such work can be stopped as often."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Note:
    """Something that the run decided or noticed, in one line.

    Attributes:
        text: The line.
        level: `warning` for what should be looked at, else `info`.
    """

    text: str
    level: Literal["info", "warning"] = "info"


@dataclass(frozen=True, slots=True)
class Begin:
    """Training starts.

    Attributes:
        steps: Largest number of steps.
        epochs: Largest number of epochs.
        metric: The validation metric that chooses the best epoch.
        seconds: Expected seconds of training without early stopping, or None where they are not known.
    """

    steps: int
    epochs: int
    metric: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the optimiser.

    Attributes:
        number: Number of the step in the whole run, from 1.
        epoch: Number of the epoch, from 0.
        last: Whether the step is the last of its epoch.
        loss: Mean loss over the items of the step.
        learning_rate: Learning rate of the first parameter group.
        grad_norm: Norm of the gradient before clipping.
        tokens: Number of real tokens that went through the encoder.
        padded_tokens: Number of places computed for them, padding included.
        micro_tokens: Number of tokens that may go through the encoder at once; smaller after memory ran out.
    """

    number: int
    epoch: int
    last: bool
    loss: float
    learning_rate: float
    grad_norm: float
    tokens: int
    padded_tokens: int
    micro_tokens: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of long work without steps.

    Attributes:
        what: Name of the work.
        share: Share of the work that is done, from 0 to 1.
    """

    what: str
    share: float


@dataclass(frozen=True, slots=True)
class Scored:
    """An evaluation on the validation data.

    Attributes:
        epoch: Number of finished epochs, with the finished share of one under way.
        step: Number of finished steps.
        metrics: Values of the metrics, by name.
        best: Whether this is the best evaluation so far: by the metric that chooses, and at equal values by the loss.
        loss: Mean loss on the validation data, without dropout, in the units of the training loss (as
            `training.objective.Measure` computes it); nan where no example has a label that training knows.
        training_loss: Mean loss of the steps since the last evaluation, with dropout, each as it was before its update.
    """

    epoch: float
    step: int
    metrics: dict[str, float]
    best: bool
    loss: float = math.nan
    training_loss: float = math.nan


@dataclass(frozen=True, slots=True, repr=False)
class Done:
    """The run is over, and everything is on disk.

    Attributes:
        folder: Folder of the run.
        artifact: The fine-tuned model.
        validation: Scores of the best epoch on the validation data.
        test: Scores on the test data, or None without test data.
        record: Content of `run.json`.
    """

    folder: Path
    artifact: Artifact
    validation: Evaluation
    test: Evaluation | None
    record: dict[str, Any]

    def __repr__(self) -> str:
        return f"Done({self.folder}: {self.validation!r})"


@dataclass(frozen=True, slots=True, repr=False)
class Adapted:
    """An adaptation is over, and everything is on disk.

    Attributes:
        folder: Folder of the run.
        validation: Scores of the best epoch on the validation texts, beside those of before.
        record: Content of `run.json`.
    """

    folder: Path
    validation: Evaluation
    record: dict[str, Any]

    def __repr__(self) -> str:
        return f"Adapted({self.folder}: {self.validation!r})"


Event = Note | Begin | Step | Progress | Scored | Done | Adapted


def with_progress(what: str, work: Work[T]) -> Generator[Progress, None, T]:
    """Do long work and report its progress from time to time. It can be stopped at each report."""
    reported = time.monotonic()
    with closing(work):
        while True:
            try:
                share = next(work)
            except StopIteration as end:
                result: T = end.value
                return result
            if time.monotonic() - reported >= BEAT:
                yield Progress(what, share)
                reported = time.monotonic()
