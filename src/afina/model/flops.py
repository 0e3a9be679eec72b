"""Number of floating-point operations of a model, and the peak rate of a machine.

The forward pass of one token through one layer takes 2 P + 4 s d operations, where P is the number of weights in the
layer's matrices, s the number of tokens in the token's window and d the width (Kaplan et al. 2020, section 2.1, for the
attention of a bidirectional encoder). The backward pass takes twice as many above the cut and none below it.
Embeddings, normalisation and head are left out; they make up a few per cent.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from ..compute import Compute
from .backbone import Backbone
from .network import Network

SIDE, GPU_SIDE = 1024, 8192
"""Side of the matrices that measure the peak, large enough that arithmetic is the bottleneck, yet quickly done."""


@dataclass(frozen=True, slots=True)
class ForwardFlops:
    """Operations of a forward pass over some windows, in FLOPs.

    Attributes:
        below: FLOPs below the cut, where nothing trains.
        above: FLOPs above the cut.
    """

    below: float
    above: float

    def training(self, epochs: float, *, kept: bool) -> float:
        """FLOPs of training for a number of epochs, with the states at the cut kept or recomputed in each epoch."""
        return self.below * (1 if kept else epochs) + 3 * self.above * epochs


def matrix_numbers(backbone: Backbone) -> float:
    """Number of weights in the matrices of a layer, averaged over the layers (ALBERT's are counted at each use)."""
    layers = backbone.layers
    if layers is None:
        shared = [part for name, part in backbone.base.named_modules() if ".albert_layers." in name]
        return float(sum(part.weight.numel() for part in shared if isinstance(part, nn.Linear)))
    numbers = [part.weight.numel() for layer in layers for part in layer.modules() if isinstance(part, nn.Linear)]
    return sum(numbers) / len(layers)


def forward(network: Network, lengths: Sequence[int]) -> ForwardFlops:
    """FLOPs of a forward pass of this network over windows of the given lengths."""
    backbone = network.backbone
    size, tokens, squares = matrix_numbers(backbone), sum(lengths), sum(length * length for length in lengths)
    layer = 2 * size * tokens + 4 * backbone.width * squares
    last = layer
    if network.prunes:
        # Keys and values of all tokens, but query, output and feed-forward part of the first tokens only.
        rest = size - 2 * backbone.width**2
        last = 4 * backbone.width**2 * tokens + 2 * rest * len(lengths) + 4 * backbone.width * tokens
    upper = backbone.depth - network.frozen_layers
    if upper == 0:
        return ForwardFlops(layer * (backbone.depth - 1) + last, 0.0)
    return ForwardFlops(layer * network.frozen_layers, layer * (upper - 1) + last)


def peak(compute: Compute, seconds: float = math.inf) -> float:
    """Rate of the fastest of several matrix products in this arithmetic, in FLOP/s. It takes a fraction of a second.

    Args:
        compute: Device and arithmetic.
        seconds: Time after which no further product is begun; one is computed in any case.
    """
    device = compute.device
    side = GPU_SIDE if device.type == "cuda" else SIDE
    a = torch.ones(side, side, device=device, dtype=compute.dtype)
    best, begun = 0.0, time.perf_counter()
    for _ in range(8):
        start = time.perf_counter()
        if best and start - begun > seconds:
            break
        torch.mm(a, a)
        if device.type == "cuda":
            torch.cuda.synchronize()
        best = max(best, 2 * side**3 / (time.perf_counter() - start))
    return best
