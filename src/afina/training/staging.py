"""Micro-batches: made on the host, sent to the device, computed.

A GPU computes one step while the host makes the micro-batches of the next and queues their copies. Copies leave from
pinned memory: only from there does a GPU fetch them by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch

from ..model.network import Network
from ..records import Batch
from .objective import Objective, Unit

Tensors = Mapping[str, torch.Tensor]


@dataclass(frozen=True, slots=True)
class Piece:
    """A micro-batch of a step.

    Attributes:
        batch: The windows of its units.
        staged: What the loss needs beside them.
    """

    batch: Batch
    staged: Tensors

    @property
    def tensors(self) -> list[torch.Tensor]:
        """All of its tensors."""
        return [*self.batch.tensors().values(), *self.staged.values()]

    def on(self, device: torch.device) -> Piece:
        """The same piece on a device."""
        batch = self.batch.with_tensors(sent(self.batch.tensors(), device))
        return Piece(batch, sent(self.staged, device))


def sent(tensors: Tensors, device: torch.device) -> dict[str, torch.Tensor]:
    """Tensors of the host on a device. A CUDA GPU fetches them when it comes to it."""
    if device.type != "cuda":
        return {name: one.to(device) for name, one in tensors.items()}
    return {name: one.pin_memory().to(device, non_blocking=True) for name, one in tensors.items()}


def longest_window(unit: Unit) -> int:
    """Number of tokens of a unit's longest window."""
    return max(map(len, unit.windows))


def divided(network: Network, units: Sequence[Unit], *, micro_tokens: int) -> Iterator[tuple[list[Unit], Batch]]:
    """The units of each micro-batch of a step, and their windows as a batch on the host."""
    lengths = [longest_window(unit) for unit in units]
    for group in network.layout.split(lengths, micro_tokens, [len(unit.windows) for unit in units]):
        chosen = [units[i] for i in group]
        yield chosen, network.collate([window for unit in chosen for window in unit.windows], host=True)


def pieces(network: Network, objective: Objective, units: Sequence[Unit], *, micro_tokens: int) -> Iterator[Piece]:
    """The micro-batches of a step, on the host."""
    for chosen, batch in divided(network, units, micro_tokens=micro_tokens):
        yield Piece(batch, objective.stage(chosen, batch))


def computed(network: Network, objective: Objective, piece: Piece) -> tuple[torch.Tensor, torch.Tensor]:
    """Summed loss of a piece on the device, and number (or weight) of its items. Its gradient is added to those there.

    Nothing is read on the host here: the pass can be captured.
    """
    loss, weight = objective.loss(network, piece.batch, piece.staged)
    loss.backward()  # type: ignore[no-untyped-call]
    return loss.detach(), weight
