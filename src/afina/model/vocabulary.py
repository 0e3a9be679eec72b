"""Train only the rows of the vocabulary that the training texts use: no other row can receive a gradient.

A row that never occurs has a gradient of exactly 0, so its AdamW moments and update are 0 too. Only weight decay would
change it, and a row that training never sees is better left as it was pre-trained. Such rows are therefore frozen, and
no gradient or optimiser state is kept for them. For a large vocabulary, this saves most of a step's memory traffic.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ..records import Window


class Vocabulary(nn.Module):
    """Replaces a word embedding while it trains. [R, W] ids -> [R, W, d]

    Attributes:
        rows: The trainable rows, in the order of their ids. [m, d]
        used: Their ids. [m]
        index: The row of each id, -1 for one that has none. [V]
    """

    used: torch.Tensor
    index: torch.Tensor

    def __init__(self, embedding: nn.Embedding, ids: Iterable[int]) -> None:
        super().__init__()
        ordered, padding = sorted(set(ids)), embedding.padding_idx
        used = torch.tensor(ordered, device=embedding.weight.device)
        self.rows = nn.Parameter(embedding.weight.detach()[used].clone())
        index = torch.full((embedding.num_embeddings,), -1, device=embedding.weight.device)
        index[used] = torch.arange(len(used), device=index.device)
        self.register_buffer("used", used, persistent=False)
        self.register_buffer("index", index, persistent=False)
        self.whole = (embedding,)  # in a tuple, so that torch does not register it: the stock model owns the weight
        self.padding = ordered.index(padding) if padding in ordered else None
        self.stale = False

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        if not self.training:
            if self.stale:
                self.write()
            return self.whole[0](ids)  # type: ignore[no-any-return]
        return F.embedding(self.index[ids], self.rows, self.padding)

    def train(self, mode: bool = True) -> Vocabulary:
        """Set training mode. From then on the rows may differ from those of the whole table."""
        super().train(mode)
        self.stale = self.stale or mode
        return self

    @torch.no_grad()
    def write(self) -> None:
        """Write the rows back into the whole table."""
        self.whole[0].weight[self.used] = self.rows
        self.stale = False


def find(base: nn.Module) -> tuple[str, nn.Embedding] | None:
    """The path and word embedding of a base model, or None where the embedding is not a plain one."""
    table: Any = base.get_input_embeddings()  # type: ignore[operator]
    if type(table) is not nn.Embedding or table.max_norm is not None or table.sparse:
        return None
    paths = [name for name, module in base.named_modules() if module is table]
    return (paths[0], table) if len(paths) == 1 else None


def distinct(windows: Iterable[Window]) -> list[int]:
    """Distinct vocabulary ids in some windows, in ascending order."""
    ids: list[int] = np.unique(np.concatenate([window.ids for window in windows])).tolist()
    return ids
