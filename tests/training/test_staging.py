"""Micro-batches are made on the host, sent, and computed: together they are the step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from afina.assembly import encode_dataset, with_targets
from afina.model.network import Network
from afina.records import Example
from afina.training.objective import Supervised
from afina.training.staging import computed, divided, longest_window, pieces, sent
from tests.networks import network_of, task_of, tokenizer_of

EXAMPLES = [Example(f"a lovely {thing}", target="a") for thing in ("cat", "film of a cat in a fine room", "dog")]


def made(folder: Path) -> tuple[Network, Supervised]:
    task = task_of()
    data = with_targets(encode_dataset(tokenizer_of(folder), task, EXAMPLES), task)
    return network_of(folder, task, dropout=0.0, head_dropout=0.0), Supervised(task, data)


def test_the_pieces_of_a_step_hold_each_unit_once(tiny: Callable[[str], Path]) -> None:
    network, objective = made(tiny("bert"))
    units = objective.units(range(3), 0)
    assert longest_window(units[1]) == max(objective.data.lengths)
    divisions = [list(divided(network, units, micro_tokens=tokens)) for tokens in (1, 1000)]
    assert [len(pieces) for pieces in divisions] == [3, 1]
    for division in divisions:
        assert sorted(unit.places[0] for chosen, _ in division for unit in chosen) == [0, 1, 2]
        for chosen, batch in division:
            assert batch.lengths == tuple(len(unit.windows[0]) for unit in chosen)


def test_gradients_of_pieces_add_up_to_that_of_the_step(tiny: Callable[[str], Path]) -> None:
    network, objective = made(tiny("bert"))
    network.train()
    units, runs = objective.units(range(3), 0), []
    for tokens in (1, 1000):
        network.zero_grad()
        results = [
            computed(network, objective, piece.on(network.device))
            for piece in pieces(network, objective, units, micro_tokens=tokens)
        ]
        assert not any(one.requires_grad for one, _ in results)
        gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
        runs.append((sum(one for one, _ in results), sum(weight for _, weight in results), gradients))
    (loss, weight, gradients), (whole, count, together) = runs
    assert weight == count == 3
    torch.testing.assert_close(loss, whole)
    for one, other in zip(gradients, together, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-4)


def test_a_piece_is_the_same_elsewhere(tiny: Callable[[str], Path]) -> None:
    network, objective = made(tiny("bert"))
    (piece,) = pieces(network, objective, objective.units(range(3), 0), micro_tokens=1000)
    there = piece.on(torch.device("meta"))
    assert {one.device.type for one in there.tensors} == {"meta"}
    assert [one.shape for one in there.tensors] == [one.shape for one in piece.tensors]
    assert there.batch.lengths == piece.batch.lengths
    assert len(piece.tensors) == len(piece.batch.tensors()) + 1  # the targets


def test_a_gpu_fetches_from_pinned_memory_without_being_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def to(self: torch.Tensor, device: torch.device, *, non_blocking: bool = False) -> torch.Tensor:
        asked.append((self.sum().item(), device.type, non_blocking))
        return self

    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: self + 1)
    monkeypatch.setattr(torch.Tensor, "to", to)
    sent({"ids": torch.zeros(1)}, torch.device("cuda"))
    sent({"ids": torch.zeros(1)}, torch.device("mps"))
    assert asked == [(1.0, "cuda", True), (0.0, "mps", False)]
