"""Parameter groups, the optimiser and the learning rate schedule."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

from ..model.network import Network


def parameter_groups(
    network: Network,
    *,
    learning_rate: float,
    head_learning_rate: float | None = None,
    layer_decay: float = 1.0,
    weight_decay: float = 0.0,
) -> list[dict[str, Any]]:
    """Trainable parameters grouped by learning rate and weight decay.

    Biases and normalisation weights (all parameters with one dimension) are not decayed. With `layer_decay` d, the
    learning rate of the i-th layer below the top is multiplied by d^i (discriminative fine-tuning, Howard and Ruder
    2018). The head has its own learning rate.

    Args:
        network: A network whose trainable part is chosen.
        learning_rate: Peak learning rate of the encoder.
        head_learning_rate: Peak learning rate of the head; None for that of the encoder.
        layer_decay: Factor on the learning rate per layer of distance from the head.
        weight_decay: Decoupled weight decay.
    """
    top = network.backbone.depth + 1
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            layer = network.layer_of(name)
            lr = learning_rate * layer_decay ** (top - 1 - layer)
            if layer == top:
                lr = head_learning_rate or learning_rate
            decay = weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((lr, decay), []).append(parameter)
    return [{"params": params, "lr": lr, "weight_decay": decay} for (lr, decay), params in groups.items()]


def make_optimiser(groups: list[dict[str, Any]]) -> torch.optim.AdamW:
    """AdamW (Loshchilov and Hutter 2019) in torch's fused implementation, on CPU and GPU.

    Args:
        groups: Groups from `parameter_groups`.
    """
    return torch.optim.AdamW(groups, betas=(0.9, 0.999), eps=1e-8, fused=True)


def schedule(shape: str, *, steps: int, warmup: float) -> Callable[[int], float]:
    """Factor on the learning rate at step i (from 0): linear warm-up, then linear or cosine decay to 0, or constant.

    Args:
        shape: `linear`, `cosine` or `constant`.
        steps: Number of steps of the whole training.
        warmup: Share of the steps in which the learning rate rises.
    """
    warmup_steps = math.ceil(steps * warmup)

    def factor(i: int) -> float:
        if i < warmup_steps:
            return (i + 1) / warmup_steps
        done = (i - warmup_steps) / max(1, steps - warmup_steps)
        if shape == "linear":
            return 1.0 - done
        return 0.5 * (1 + math.cos(math.pi * done)) if shape == "cosine" else 1.0

    return factor
