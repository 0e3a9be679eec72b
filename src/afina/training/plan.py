"""What a run will take, before it begins: tokens, arithmetic, time, memory, disk."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from ..config import Config
from ..data.parts import Data
from ..model import flops
from ..model.states import states_size
from ..model.vocabulary import distinct
from ..text.layouts import epoch_batches
from . import strategies
from .run import KEPT, arithmetic, assemble, encoded, store_of

SHARE = 0.75
"""Share of the measured matrix-multiply peak that a run reaches: 0.7 to 0.9 on CPUs, in bench/RESULTS.md."""
TRACE = 34
"""Numbers that a layer keeps for its backward pass, a token and unit of width (Korthikanti et al. 2022, equation 1)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Figures of a run that has not begun.

    Attributes:
        examples: Training examples.
        windows: Training windows.
        tokens: Tokens of one epoch.
        padded: Tokens of one epoch if every step were padded to its longest window.
        steps: Steps of the optimiser.
        epochs: Epochs at most.
        flops: Arithmetic of the whole run, early stopping aside.
        peak: Measured FLOP/s of matrix products.
        seconds: Expected time, training and validation.
        memory: Bytes at the height of training, beside what Python and torch take.
        states: Bytes of kept states.
        kept: What becomes of them, in words; empty where nothing is frozen.
        disk: Bytes that the run's folder and the kept states take.
    """

    examples: int
    windows: int
    tokens: int
    padded: int
    steps: int
    epochs: int
    flops: float
    peak: float
    seconds: float
    memory: float
    states: int
    kept: str
    disk: float


def plan(config: Config, data: Data) -> Plan:
    """The figures of a run, from its configuration and data; loads and encodes, and trains nothing.

    Raises:
        InputError: configuration, data or model can't be used.
    """
    if config.training.threads:
        torch.set_num_threads(config.training.threads)
    network, tokenizer = assemble(config, data.task)
    parts = {name: encoded(tokenizer, data.task, examples) for name, examples in data.parts.items()}
    train = parts["train"]
    training = strategies.resolve(
        config.training,
        config.strategy,
        examples=len(train.examples),
        width=network.backbone.width,
        device=network.device,
    )
    network.restrict_vocabulary([*distinct(train.windows), tokenizer.pad])
    batch, epochs = (training.batch_size or 1) * training.accumulation, training.epochs or 1
    lengths = {name: [len(window) for window in part.windows] for name, part in parts.items()}
    longest = [max(lengths["train"][start:end]) for start, end in train.owners]
    store, states, kept = store_of(training), 0, ""
    if network.frozen_layers:
        states = sum(states_size(network, parts[name].windows) for name in KEPT)
        kept = store.plan(states)
    found = flops.forward(network, lengths["train"])
    total = found.training(epochs, kept=states <= max(store.memory, store.disk))
    for name in set(lengths) - {"train"}:  # validation after every evaluation, and everything once at the end
        judged = flops.forward(network, lengths[name])
        times = math.ceil(epochs / (training.evaluate_every or 1)) if name == "validation" else 0
        total += judged.below + judged.above * (times + 1)
    trained = sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
    weights = sum(parameter.numel() for parameter in network.stock.parameters())
    layers = network.backbone.depth - network.frozen_layers
    row = min(training.micro_tokens or 1, sum(sorted(lengths["train"])[-batch:]))
    squares = network.backbone.config.num_attention_heads * 2 * max(lengths["train"])
    trace = row * layers * (TRACE * network.backbone.width + squares) * 4
    peak = flops.peak(network.device, arithmetic(training.precision, network.device))
    return Plan(
        examples=len(train.examples),
        windows=len(train.windows),
        tokens=sum(lengths["train"]),
        padded=sum(
            max(longest[i] for i in drawn) * sum(train.owners[i][1] - train.owners[i][0] for i in drawn)
            for drawn in epoch_batches(len(train.examples), batch, seed=config.seed, epoch=0)
        ),
        steps=math.ceil(len(train.examples) / batch) * epochs,
        epochs=epochs,
        flops=total,
        peak=peak,
        seconds=total / (SHARE * peak),
        memory=4.0 * weights + 16.0 * trained + trace + (states if states <= store.memory else 0),
        states=states,
        kept=kept,
        disk=4.0 * weights + (states if 0 < states <= store.disk else 0),
    )
