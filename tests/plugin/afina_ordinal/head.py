"""A head of somebody else's: two layers on the mean of the tokens."""

from __future__ import annotations

import torch
from torch import nn


class Hidden(nn.Module):
    """[m, width] -> [m, outputs], with a hidden layer between."""

    pooling = "mean"

    def __init__(self, width: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Dropout(dropout), nn.Linear(width, outputs))

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.layers(vectors)
        return logits
