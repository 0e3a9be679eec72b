"""Speed of a training, compared with the peak of the machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model import flops
from .trainer import Trainer


def speed_of(trainer: Trainer) -> dict[str, Any]:
    """Tokens and FLOPs per second of a training, with the peak of the machine."""
    network, part = trainer.network, trainer.splits["train"]
    seconds = max(trainer.clock.seconds.get("train", 0.0), 1e-9)
    tokens = trainer.tokens - trainer.earlier_tokens
    epochs = tokens / max(1, sum(part.lengths))
    forward = flops.forward(network, part.lengths)
    # Kept states are computed outside the time of `train`.
    rate = (3 * forward.above + (forward.below if part.kept is None else 0)) * epochs / seconds
    peak = flops.peak(network.compute)
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
