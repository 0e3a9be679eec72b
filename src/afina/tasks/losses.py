"""What the losses of tasks share: rows that are left out, and weights of labels, without a look from the host."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

IGNORED = -100
"""Target of a row that has no label. torch's cross-entropy leaves it out."""


def weights_for(logits: torch.Tensor, weights: Sequence[float] | None) -> torch.Tensor | None:
    """The weights of labels as a tensor in fp32 beside some logits; None where there are none."""
    return None if weights is None else constant(tuple(weights), logits.device)


@lru_cache(maxsize=8)
def constant(values: tuple[float, ...], device: torch.device) -> torch.Tensor:
    """Numbers as a tensor, copied to a device once: a captured step can't copy from the host."""
    import torch

    return torch.tensor(values, dtype=torch.float32, device=device)


def weight_of(targets: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
    """Number of rows with a label or, with weights, the sum of their labels' weights. A scalar.

    Args:
        targets: Number of each row's label, or `IGNORED`. [m]
        weights: Weight of each label. [k]
    """
    known = targets != IGNORED
    if weights is None:
        return known.sum().float()
    if targets.device.type == "cpu":
        return weights[targets[known]].sum()
    return (weights[targets.clamp_min(0)] * known).sum()
