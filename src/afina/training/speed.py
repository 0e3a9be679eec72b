"""Speed of a training: what it was, compared with the peak of the machine, and what it will be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..assembly import EncodedDataset
from ..model import flops
from ..model.network import Network
from .recipe import Recipe

if TYPE_CHECKING:
    from .trainer import Trainer

SHARE = 0.75
"""Expected share of the measured matrix-product peak that a run reaches; 0.7 to 0.9 on CPUs in bench/RESULTS.md."""
GLANCE = 0.05
"""Seconds that a measurement of the peak may take at the start of a training."""


def speed_of(trainer: Trainer) -> dict[str, Any]:
    """Tokens and FLOPs per second of a training, with the peak of the machine."""
    seconds = max(trainer.clock.seconds.get("train", 0.0), 1e-9)
    tokens = trainer.tokens - trainer.earlier_tokens
    rate = (trainer.computed - trainer.earlier_flops) / seconds  # kept states are computed outside the time of `train`
    peak = flops.peak(trainer.network.compute)
    return {
        "tokens_per_second": round(tokens / seconds, 1),
        "padding": round(1 - trainer.tokens / max(1, trainer.padded_tokens), 4),
        "flops_per_second": round(rate),
        "peak_flops_per_second": round(peak),
        "share_of_peak": round(rate / peak, 3),
    }


def speed_note(speed: Mapping[str, Any]) -> str:
    """The speed in one line."""
    note = f"speed: {speed['tokens_per_second']:,.0f} tokens a second, {speed['padding']:.0%} padding"
    if speed["flops_per_second"]:
        peak = f"{speed['peak_flops_per_second'] / 1e9:,.0f} GFLOP/s"
        note += f", {speed['share_of_peak']:.0%} of this machine's {peak} in matrix products"
    return note


def evaluations(recipe: Recipe) -> int:
    """Number of evaluations on the validation data without early stopping."""
    return (
        recipe.epochs * recipe.parts if recipe.evaluate_every < 1 else math.ceil(recipe.epochs / recipe.evaluate_every)
    )


def expected_seconds(
    network: Network, splits: Mapping[str, EncodedDataset], recipe: Recipe, *, left: float = 1.0
) -> float | None:
    """Rough seconds of a training with its evaluations, without early stopping; None where only a head trains.

    The time of a head is that of its many small steps, which no number of FLOPs tells.

    Args:
        network: The network, whose frozen part has been computed where it is kept.
        splits: The data.
        recipe: Settings of the training.
        left: Share of the steps that are left.
    """
    total = 0.0
    for name, factor, times in (("train", 3, recipe.epochs), ("validation", 1, evaluations(recipe))):
        work = flops.forward(network, splits[name].lengths)
        if not work.above:
            return None
        total += (factor * work.above + (work.below if splits[name].kept is None else 0)) * times
    return left * total / (SHARE * flops.peak(network.compute, GLANCE))
