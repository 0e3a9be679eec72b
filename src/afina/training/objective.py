"""Objectives: the loss of a step and its examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from ..assembly import EncodedDataset
from ..model.network import Network
from ..records import Batch, States, Window
from ..tasks.base import Array, Task


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
