"""Objectives: the loss of a step and its examples; the loss of logits that are known already."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from ..assembly import EncodedDataset, to_dataset, with_targets
from ..model.network import Network
from ..records import Batch, States, Window
from ..tasks.base import Array, Task

CHUNK = 256
"""Examples whose loss is computed at once."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Windows that must stay in one micro-batch: a single window, or all windows of an example with one target.

    Attributes:
        windows: The windows.
        places: Indices of the windows in the data.
        target: The encoded target.
    """

    windows: Sequence[Window]
    places: Sequence[int]
    target: Array


class Objective(Protocol):
    """The loss of a step, as a sum over units. Any division into micro-batches gives the gradient of the whole."""

    @property
    def examples(self) -> int:
        """Number of examples to draw from."""

    def units(self, batch: Sequence[int], step: int) -> list[Unit]:
        """The units of some examples at a step. It is a function of its arguments, so that a run can be resumed."""

    def states(self, units: Sequence[Unit]) -> States | None:
        """The states of the units' windows at the cut, or None where they are not kept."""

    def loss(
        self, network: Network, inputs: Batch, *, units: Sequence[Unit], states: States | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Sum of the losses and number (or total weight) of items. Both are scalars.

        Args:
            network: The network in training mode.
            inputs: Windows of the units as a batch.
            units: The units of the batch.
            states: Their states, as returned by `states`.
        """

    def where(self, batch: Sequence[int]) -> list[str]:
        """The places of some examples, for a message."""


@dataclass(frozen=True, slots=True)
class Supervised:
    """The task's loss on labelled examples.

    Attributes:
        task: A fitted task.
        data: Training data with targets.
    """

    task: Task
    data: EncodedDataset

    @property
    def examples(self) -> int:
        return len(self.data.examples)

    def units(self, batch: Sequence[int], step: int) -> list[Unit]:
        windows, targets = self.data.windows, self.data.targets
        owned = [(i, range(*self.data.owners[i])) for i in batch]
        if self.task.level == "example":
            return [Unit([windows[w] for w in places], places, targets[i]) for i, places in owned]
        return [Unit([windows[w]], (w,), targets[w]) for _, places in owned for w in places]

    def states(self, units: Sequence[Unit]) -> States | None:
        return None if self.data.kept is None else self.data.kept.take([w for unit in units for w in unit.places])

    def loss(
        self, network: Network, inputs: Batch, *, units: Sequence[Unit], states: States | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        per_example = self.task.level == "example"
        labels = [unit.target for unit in units]
        targets = torch.from_numpy(np.stack(labels) if per_example else np.concatenate(labels)).to(network.device)
        logits = network(inputs, states)
        if per_example and len(inputs.lengths) > len(units):
            logits = averaged(logits, [len(unit.windows) for unit in units])
        if network.criterion:
            return network.criterion(logits, targets, inputs.lengths)
        return self.task.loss(logits, targets)

    def where(self, batch: Sequence[int]) -> list[str]:
        return [self.data.examples[i].place for i in batch]


def averaged(logits: torch.Tensor, counts: Sequence[int]) -> torch.Tensor:
    """Mean of the logits of each example's windows. [B, k] -> [E, k]

    Args:
        logits: Logits of all windows, in the order of the examples. [B, k]
        counts: Number of windows of each example. [E]
    """
    lengths = torch.tensor(counts, device=logits.device)
    return torch.segment_reduce(logits.float(), "mean", lengths=lengths, axis=0)


@dataclass(frozen=True, slots=True)
class Measure:
    """The mean loss of logits that are known already, on examples with targets.

    It is the task's loss in the units of the training loss: the cross-entropy in nats, with the label smoothing and the
    class weights of the training; of a regression, the squared error of the standardised targets. The logits are those
    of evaluation, so nothing is dropped out. A head with a loss of its own is measured by the task's: for `crf`, the
    cross-entropy of each tag under its marginal probability, where the training loss scores the tags of a window
    together. Examples with a label that training lacks have no target, and are left out.

    Attributes:
        task: The fitted task.
        data: The examples that have a target, with their targets.
        known: Their indices among all examples.
    """

    task: Task
    data: EncodedDataset
    known: Sequence[int]

    @classmethod
    def of(cls, task: Task, data: EncodedDataset) -> Measure:
        """The measure of labelled examples."""
        known = [i for i, example in enumerate(data.examples) if task.check(example) is None]
        part = to_dataset([data.examples[i] for i in known], [data.features[i] for i in known])
        return cls(task, with_targets(part, task), known)

    def loss(self, logits: Sequence[Sequence[Array]], *, scale: tuple[float, float] = (1.0, 0.0)) -> float:
        """Mean loss; nan where no example has a target.

        Args:
            logits: Logits of the windows of each example in the user's scale, for all examples. [k] or [n, k] each
            scale: Factor and shift that gave them that scale.
        """
        factor, shift = scale
        total = count = 0.0
        for start in range(0, len(self.known), CHUNK):
            known = self.known[start : start + CHUNK]
            if self.task.level == "example":
                rows = np.stack([logits[i][0] if len(logits[i]) == 1 else np.mean(logits[i], axis=0) for i in known])
                targets = np.stack(self.data.targets[start : start + CHUNK])
            else:
                first, last = self.data.owners[start][0], self.data.owners[start + len(known) - 1][1]
                rows = np.concatenate([window for i in known for window in logits[i]])
                targets = np.concatenate(self.data.targets[first:last])
            loss, weight = self.task.loss(torch.from_numpy((rows - shift) / factor), torch.from_numpy(targets))
            total, count = total + float(loss), count + float(weight)
        return total / count if count else math.nan


def loss_at_zero(task: Task, data: EncodedDataset, *, outputs: int) -> float:
    """Mean loss of logits that are all 0, which know nothing of an input: ln k for one of k labels.

    Args:
        task: The fitted task.
        data: Examples with targets.
        outputs: Width of the logits.
    """
    nothing = np.zeros(outputs, np.float32)
    rows = [nothing if task.level == "example" else np.broadcast_to(nothing, (n, outputs)) for n in data.lengths]
    measure = Measure(task, data, range(len(data.examples)))
    return measure.loss([rows[start:end] for start, end in data.owners])
