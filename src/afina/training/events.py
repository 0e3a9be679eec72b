"""What a run says while it goes on. Whoever listens draws it, logs it, or lets it pass."""

from __future__ import annotations

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
"""Seconds between two words of a part of the work that has no steps; a stop is heard as often."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Note:
    """Something that the run decided or found, in one line.

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
        steps: Number of steps at most.
        epochs: Number of epochs at most.
        metric: The validation metric that chooses the best epoch.
    """

    steps: int
    epochs: int
    metric: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the optimiser.

    Attributes:
        number: Counted from 1 over the whole run.
        epoch: Counted from 0.
        last: Whether it ends its epoch.
        loss: Mean over the step's items.
        learning_rate: That of the first parameter group.
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
    """How far a long part of the work has come that has no steps.

    Attributes:
        what: Its name.
        share: The share that is done, from 0 to 1.
    """

    what: str
    share: float


@dataclass(frozen=True, slots=True)
class Scored:
    """An evaluation on the validation data.

    Attributes:
        epoch: Number of finished epochs.
        step: Number of finished steps.
        metrics: Name to value.
        best: Whether it is the best so far.
    """

    epoch: int
    step: int
    metrics: dict[str, float]
    best: bool


@dataclass(frozen=True, slots=True)
class Done:
    """The run is over, and everything is on disk.

    Attributes:
        folder: Folder of the run.
        artifact: The fine-tuned model.
        validation: Scores of the best epoch on the validation data.
        test: Scores on the test data, when there are any.
        record: What `run.json` holds.
    """

    folder: Path
    artifact: Artifact
    validation: Evaluation
    test: Evaluation | None
    record: dict[str, Any]


Event = Note | Begin | Step | Progress | Scored | Done


def with_progress(what: str, work: Work[T]) -> Generator[Progress, None, T]:
    """Do something long, and say now and then how far it is: what it says is where it can be stopped."""
    said = time.monotonic()
    with closing(work):
        while True:
            try:
                share = next(work)
            except StopIteration as end:
                result: T = end.value
                return result
            if time.monotonic() - said >= BEAT:
                yield Progress(what, share)
                said = time.monotonic()
