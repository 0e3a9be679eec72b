"""Objectives: the loss of a step and its examples; the loss of logits that are known already."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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

    def stage(self, units: Sequence[Unit], batch: Batch) -> dict[str, torch.Tensor]:
        """All that the loss of some units needs beside their batch, made on the host. On a GPU the shapes of the
        tensors follow from that of the batch.

        Args:
            units: The units.
            batch: Their windows as a batch.
        """

    def loss(
        self, network: Network, batch: Batch, staged: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Sum of the losses and number (or total weight) of items. Both are scalars.

        Args:
            network: The network in training mode.
            batch: Windows of some units.
            staged: What `stage` gives for them, on the network's device.
        """

    def static(self, network: Network) -> bool:
        """Whether the loss reads nothing on the host, and has no shape that the batch does not decide."""

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

    def stage(self, units: Sequence[Unit], batch: Batch) -> dict[str, torch.Tensor]:
        per_example = self.task.level == "example"
        labels = [unit.target for unit in units]
        targets = np.stack(labels) if per_example else np.concatenate(labels)
        if self.task.ignored is not None:
            targets = batch.spread(targets, pooled=per_example, filler=self.task.ignored)
        staged = {"targets": torch.from_numpy(targets)}
        if per_example and self.slides:
            counts = [len(unit.windows) for unit in units]
            if batch.slots > sum(counts):  # the slots without a window are one example more
                counts.append(batch.slots - sum(counts))
            staged["counts"] = torch.from_numpy(batch.spread(np.array(counts), pooled=True, filler=0))
        if self.data.kept is not None:
            # Where the states are on a GPU already, the numbers of their rows will do.
            index = torch.from_numpy(self.data.kept.rows([place for unit in units for place in unit.places], batch))
            table = self.data.kept.vectors
            staged |= {"rows": index} if table.device.type != "cpu" else {"states": table.index_select(0, index)}
        return staged

    @property
    def slides(self) -> bool:
        """Whether some example has several windows."""
        return len(self.data.windows) > len(self.data.examples)

    def loss(
        self, network: Network, batch: Batch, staged: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        states, kept, pooled = None, self.data.kept, self.task.level == "example"
        if kept is not None:
            vectors = staged["states"] if "states" in staged else kept.vectors.index_select(0, staged["rows"])
            states = States(vectors, pooled=kept.pooled)
        logits, targets = network(batch, states), staged["targets"]
        if "counts" in staged:
            logits = averaged(logits, staged["counts"])
        if network.criterion:
            return network.criterion(logits, batch.real(targets, pooled=pooled), batch.lengths)
        if self.task.ignored is None:
            logits = logits[: len(targets)] if pooled else batch.real(logits, pooled=False)
        return self.task.loss(logits, targets)

    def static(self, network: Network) -> bool:
        return self.task.ignored is not None and network.criterion is None

    def where(self, batch: Sequence[int]) -> list[str]:
        return [self.data.examples[i].place for i in batch]


def averaged(logits: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """Mean of the logits of each example's windows, 0 for an example without any. [B, k] -> [E, k]

    Args:
        logits: Logits of all windows, in the order of the examples. [B, k]
        counts: Number of windows of each example; their sum is B. [E]
    """
    return torch.segment_reduce(logits.float(), "mean", lengths=counts, axis=0, unsafe=True, initial=0)


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
