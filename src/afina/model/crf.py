"""A conditional random field over the tokens of a window, as a head for `tokens` (Lafferty et al. 2001).

The score of a tag sequence is score(y) = start[y_1] + sum_t e_t[y_t] + sum_t T[y_t-1, y_t] + end[y_n]. Training
maximises the probability of all sequences that agree with the known tags. Tokens without a tag (special tokens, later
sub-words, tokens outside the window's core) are summed over (partial annotation, Tsuboi et al. 2008). In evaluation
the head returns the logarithm of each token's exact marginals, so that the task decodes them like any other logits.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from ..devices import send

UNKNOWN = -100
"""Tag id of a token whose tag is unknown. torch's cross-entropy ignores the same value by default."""
NEVER = -1e9


class CRF(nn.Module):
    """A linear-chain CRF. Returns emissions in training, log-marginals in evaluation. [n, width] -> [n, outputs]"""

    pooling = "tokens"

    def __init__(self, width: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(width, outputs)
        nn.init.normal_(self.out.weight, std=0.02)
        nn.init.zeros_(self.out.bias)
        self.transitions = nn.Parameter(torch.zeros(outputs, outputs))
        self.start = nn.Parameter(torch.zeros(outputs))
        self.end = nn.Parameter(torch.zeros(outputs))

    def forward(self, vectors: torch.Tensor, lengths: Sequence[int]) -> torch.Tensor:
        """Emissions, or log-marginals. [n, k]

        Args:
            vectors: States of all tokens, in the order of the windows. [n, width]
            lengths: Number of tokens of each window. [B]
        """
        emissions: torch.Tensor = self.out(self.dropout(vectors)).float()
        return emissions if self.training else self.marginals(emissions, lengths)

    def criterion(
        self, emissions: torch.Tensor, targets: torch.Tensor, lengths: Sequence[int]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """-log p(known tags), summed over the windows, and the number of known tags. Both are scalars.

        Args:
            emissions: The output of `forward` in training. [n, k]
            targets: Tag ids, `UNKNOWN` for tokens without a tag. [n]
            lengths: Number of tokens of each window. [B]
        """
        known = targets != UNKNOWN
        wrong = known[:, None] & (targets[:, None] != torch.arange(emissions.shape[1], device=targets.device))
        # One recursion over twice the windows gives the sums over all sequences and over those that agree.
        both = torch.cat([emissions, emissions.masked_fill(wrong, NEVER)])
        sums = self.log_sums(both, [*lengths, *lengths])
        return (sums[: len(lengths)] - sums[len(lengths) :]).sum(), known.sum().to(emissions.dtype)

    def marginals(self, emissions: torch.Tensor, lengths: Sequence[int]) -> torch.Tensor:
        """log p(y_t = k) of each token, as the gradient of the log-sum by the emissions (Eisner 2016). [n, k]

        Where gradients are asked for, they go through it.
        """
        further = torch.is_grad_enabled() and emissions.requires_grad
        with torch.enable_grad():
            leaf = emissions if further else emissions.detach().requires_grad_()
            (probabilities,) = torch.autograd.grad(self.log_sums(leaf, lengths).sum(), leaf, create_graph=further)
        return probabilities.clamp_min(1e-30).log()

    def log_sums(self, emissions: torch.Tensor, lengths: Sequence[int]) -> torch.Tensor:
        """Logarithm of the sum of exp(score) over all tag sequences of each window, by the forward algorithm. [B]"""
        columns = torch.nn.utils.rnn.pad_sequence(list(torch.split(emissions, list(lengths))))  # [W, B, k]
        sizes = send(torch.tensor(lengths), emissions.device)[:, None]
        alpha = self.start + columns[0]  # [B, k]
        for t in range(1, len(columns)):
            moved = torch.logsumexp(alpha[:, :, None] + self.transitions, dim=1) + columns[t]
            alpha = torch.where(t < sizes, moved, alpha)
        return torch.logsumexp(alpha + self.end, dim=1)
