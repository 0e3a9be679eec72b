"""What a training optimises, and what its evaluations say: labelled examples here, masked tokens in `adaptation`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from .. import inference
from ..assembly import EncodedDataset
from ..model.network import Network
from ..tasks.base import Array, Task
from ..work import Work
from .objective import Measure, Objective, Supervised, loss_at_zero

Logits = Sequence[Sequence[Array]]
"""Logits of the windows of each example."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An evaluation on the validation data.

    Attributes:
        metrics: Values of the metrics, by name.
        loss: Mean loss without dropout, in the units of the training loss.
        logits: Logits of the validation data; empty where nothing after the training needs them.
    """

    metrics: dict[str, float]
    loss: float
    logits: Logits = ()


class Goal(Protocol):
    """What the trainer needs to know of what is learned."""

    @property
    def objective(self) -> Objective:
        """The loss of a step."""

    def start(self, network: Network) -> float:
        """The loss of a training's start, from which one that diverges is far away."""

    def judge(self, network: Network) -> Work[Judged]:
        """Evaluate the present weights on the validation data."""

    def logits(self, network: Network) -> Work[Logits]:
        """The logits of the validation data alone, as `judge` gives them."""


@dataclass(frozen=True)
class Labelled:
    """The loss and the metrics of a task.

    Attributes:
        task: The fitted task.
        splits: The splits `train`, with targets, and `validation`.
    """

    task: Task
    splits: Mapping[str, EncodedDataset]

    @property
    def objective(self) -> Supervised:
        """The loss of a step."""
        return Supervised(self.task, self.splits["train"])

    @cached_property
    def measure(self) -> Measure:
        """What computes the validation loss."""
        return Measure.of(self.task, self.splits["validation"])

    def start(self, network: Network) -> float:
        """The loss of logits that are all 0."""
        return loss_at_zero(self.task, self.splits["train"], outputs=network.outputs)

    def judge(self, network: Network) -> Work[Judged]:
        """Score the validation data."""
        part = self.splits["validation"]
        logits = yield from inference.compute_logits(network, part.windows, kept=part.kept)
        predictions = inference.decode(self.task, part.examples, features=part.features, logits=logits)
        table = inference.table_of(self.task, part.examples, predictions=predictions)
        metrics = inference.score(self.task, table)
        own = inference.by_example(part.features, logits)
        return Judged(metrics, self.measure.loss(own, scale=network.scale), own)

    def logits(self, network: Network) -> Work[Logits]:
        """Logits of the validation data."""
        part = self.splits["validation"]
        logits = yield from inference.compute_logits(network, part.windows, kept=part.kept)
        return inference.by_example(part.features, logits)
