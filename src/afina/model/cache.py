"""Keep the states at the frozen boundary, so that no frozen layer is computed twice."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..records import States, Window
from ..text.batching import shelve
from .network import Network


class Cache:
    """The states of many windows at a network's cut, in memory.

    Attributes:
        vectors: All states in one tensor, windows in order. [N, d] (one line a token, or one a window when pooled)
    """

    def __init__(self, vectors: torch.Tensor, lengths: Sequence[int], *, pooled: bool) -> None:
        self.vectors = vectors
        self.lengths = lengths
        self.pooled = pooled
        lines = torch.ones(len(lengths), dtype=torch.long) if pooled else torch.tensor(lengths)
        self.starts = torch.cat([torch.zeros(1, dtype=torch.long), lines.cumsum(0)]).tolist()

    def take(self, indices: Sequence[int]) -> States:
        """The states of some windows, in the order asked for."""
        parts = [self.vectors[self.starts[i] : self.starts[i + 1]] for i in indices]
        return States(torch.cat(parts), tuple(self.lengths[i] for i in indices), pooled=self.pooled)


def size(network: Network, windows: Sequence[Window]) -> int:
    """Bytes that a cache of these windows takes."""
    pooled = network.cut_at == network.trunk.depth and network.reads != "tokens"
    lines = len(windows) if pooled else sum(map(len, windows))
    return lines * network.trunk.width * 4


def fill(network: Network, windows: Sequence[Window], *, pad: int, budget: int) -> Cache:
    """Run every window through the frozen part once.

    Args:
        network: With a cut above the embeddings.
        windows: What to keep states of.
        pad: Vocabulary id of padding.
        budget: Padded tokens in one go.
    """
    network.eval()
    lengths = [len(window) for window in windows]
    pooled = network.cut_at == network.trunk.depth and network.reads != "tokens"
    starts = torch.cat([torch.zeros(1, dtype=torch.long), torch.tensor(lengths).cumsum(0)]).tolist()
    vectors = torch.empty(len(windows) if pooled else starts[-1], network.trunk.width)
    for shelf in shelve(lengths, budget, packed=network.packs):
        states = network.lower(network.collate([windows[i] for i in shelf], pad)).vectors.cpu()
        if pooled:
            vectors[shelf] = states
            continue
        for i, part in zip(shelf, torch.split(states, [lengths[i] for i in shelf]), strict=True):
            vectors[starts[i] : starts[i + 1]] = part
    return Cache(vectors, lengths, pooled=pooled)
