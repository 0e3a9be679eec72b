"""What trains and how fast: strategies, their defaults, parameter groups, the optimiser and the schedule."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

from ..config import TrainingConfig
from ..errors import ConfigError, ModelError
from ..model.network import Network

FULL_STEPS = 600
"""Full and last-N fine-tuning take at least about this many steps: on small data three epochs are too few
(Mosbach et al. 2021; Zhang et al. 2021)."""
MOST_EPOCHS = 20
CPU_TOKENS, GPU_TOKENS = 2048, 16384
"""Tokens that go through the encoder at once: on a CPU what its caches hold, on a GPU enough to fill it."""
HEAD_EPOCHS, HEAD_STEPS = 200, 3000
"""A head trains for at most so many epochs or steps, whichever is more; in truth until it has converged."""
HEAD_PATIENCE, HEAD_PATIENT_STEPS = 10, 500
"""It has converged when so many epochs or steps, whichever is more, bring no better validation score."""
HEAD_EVALUATION_STEPS = 25
"""On few examples its epochs are too short to evaluate after each."""


def trainable_layers(strategy: str, network: Network) -> int | None:
    """How many of the last layers train: None for all and the embeddings, 0 for the head alone.

    Raises:
        ConfigError: more layers are asked for than there are.
        ModelError: the family's layers can't be told apart.
    """
    if strategy == "full":
        return None
    if strategy == "head":
        return 0
    layers = int(strategy.removeprefix("last-"))
    backbone = network.backbone
    if backbone.layers is None:
        raise ModelError(
            f"strategy: {strategy} means nothing for {backbone.config.model_type}: "
            f"{backbone.family.note or 'unknown layout'}"
        )
    if layers > backbone.depth:
        raise ConfigError(f"strategy: {strategy} asked for, but the model has {backbone.depth} layers")
    return layers


def resolve(
    training: TrainingConfig,
    strategy: str,
    *,
    examples: int,
    width: int,
    device: torch.device = torch.device("cpu"),  # noqa: B008 - immutable
) -> TrainingConfig:
    """The training settings with everything decided that the user left open.

    The narrower an encoder, the higher the rate it needs: 2e-5 at width 1024, 5e-5 at 768, 2e-4 at 384 are the values
    that the literature and our own runs (bench/RESULTS.md) settle on, close to 2e-5 * (1024 / width)^2.3.

    Args:
        training: As configured.
        strategy: full, head or last-N.
        examples: Training examples.
        width: Width of the encoder's states.
        device: Where the training runs.
    """
    rate = float(f"{2e-5 * (1024 / width) ** 2.3:.0e}")
    head_only = strategy == "head"
    batch = training.batch_size or (32 if examples >= 640 or head_only else 16)
    steps = math.ceil(examples / (batch * training.accumulation))
    epochs = min(MOST_EPOCHS, max(3, math.ceil(FULL_STEPS / steps)))
    patience, every = None, 1
    if head_only:
        epochs = max(HEAD_EPOCHS, math.ceil(HEAD_STEPS / steps))
        patience = max(HEAD_PATIENCE, math.ceil(HEAD_PATIENT_STEPS / steps))
        every = math.ceil(HEAD_EVALUATION_STEPS / steps)
    decided = {
        "batch_size": batch,
        "epochs": training.epochs or epochs,
        "learning_rate": training.learning_rate or (1e-3 if head_only else rate),
        "schedule": training.schedule or ("constant" if head_only else "linear"),
        "micro_tokens": training.micro_tokens or (CPU_TOKENS if device.type == "cpu" else GPU_TOKENS),
        "patience": training.patience or patience,
        "evaluate_every": training.evaluate_every or every,
    }
    return training.model_copy(update=decided)


def parameter_groups(network: Network, training: TrainingConfig) -> list[dict[str, Any]]:
    """Trainable parameters by learning rate and weight decay.

    Biases and normalisation weights (everything with one dimension) don't decay. With `layer_decay` d, a layer i below
    the top gets d^i of the rate (Howard and Ruder 2018, discriminative fine-tuning); the head gets its own.
    """
    top = network.backbone.depth + 1
    rate = training.learning_rate or 0.0
    head_rate = training.head_learning_rate or rate
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            level = network.layer_of(name)
            speed = head_rate if level == top else rate * training.layer_decay ** (top - 1 - level)
            decay = training.weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((speed, decay), []).append(parameter)
    return [{"params": params, "lr": speed, "weight_decay": decay} for (speed, decay), params in groups.items()]


def optimiser(network: Network, training: TrainingConfig) -> torch.optim.AdamW:
    """AdamW (Loshchilov and Hutter 2019) in torch's fused form, on CPU and GPU."""
    return torch.optim.AdamW(parameter_groups(network, training), betas=(0.9, 0.999), eps=1e-8, fused=True)


def schedule(shape: str, *, steps: int, warmup: float) -> Callable[[int], float]:
    """Factor on the learning rate at step i (from 0): up over the warm-up, then linear or cosine down to 0, or flat."""
    rising = math.ceil(steps * warmup)

    def factor(i: int) -> float:
        if i < rising:
            return (i + 1) / rising
        done = (i - rising) / max(1, steps - rising)
        if shape == "linear":
            return 1.0 - done
        return 0.5 * (1 + math.cos(math.pi * done)) if shape == "cosine" else 1.0

    return factor
