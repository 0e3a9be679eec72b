"""Tiny networks with their tasks, tokenizers and windows, put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from afina.model import network as networks
from afina.model.network import Network
from afina.model.pretrained import load_tokenizer
from afina.records import Batch, Example, Window
from afina.tasks.base import Task, find
from afina.text.tokenization import Tokenizer
from afina.training.objective import Objective, Unit
from tests.arithmetic import HERE

FITTED: dict[str, Mapping[str, Any]] = {
    "classification": {"labels": ["a", "b", "c"]},
    "multilabel": {"labels": ["a", "b", "c"]},
    "regression": {"mean": 3.0, "deviation": 2.0},
    "tokens": {"kind": "plain", "types": ["A", "B", "C"]},
    "answers": {"no_answer": True},
}
"""What each task learns from its training data, made up."""


def task_of(name: str = "classification", fitted: Mapping[str, Any] | None = None, **options: Any) -> Task:
    """A task that has been fitted."""
    kind = find(name)
    return kind(kind.Options(**options), FITTED[name] if fitted is None else fitted)


def network_of(folder: Path, task: Task | None = None, *, layers: int | None = None, **settings: Any) -> Network:
    """A network on a tiny model whose last `layers` layers train (None: everything).

    Settings are those of `build`; where nothing else is said, it computes as the tests do.
    """
    task = task or task_of()
    settings.setdefault("compute", HERE)
    network = networks.build(str(folder), task.head, level=task.level, **settings)
    network.train_last(layers)
    return network


def tokenizer_of(folder: Path, max_length: int = 60) -> Tokenizer:
    """The tokenizer of a tiny model."""
    return Tokenizer(load_tokenizer(str(folder), local=True), max_length)


def windows_of(folder: Path, inputs: Sequence[str | Example], *, max_length: int = 60) -> list[Window]:
    """One window of each text, pair or example."""
    examples = [Example(one) if isinstance(one, str) else one for one in inputs]
    return [features.windows[0] for features in tokenizer_of(folder, max_length).encode(examples)]


def staged(objective: Objective, units: Sequence[Unit], batch: Batch) -> dict[str, torch.Tensor]:
    """What a loss needs beside its batch, where the batch is."""
    return {name: one.to(batch.ids.device) for name, one in objective.stage(units, batch).items()}


def set_weights(network: Network, name: str, values: float | torch.Tensor) -> None:
    """Overwrite a parameter of a network, by its name."""
    with torch.no_grad():
        network.get_parameter(name).copy_(torch.as_tensor(values))
