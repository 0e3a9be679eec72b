"""Padding-free attention and cheap dropout: what makes a packed row of windows exact, and fast on a CPU.

A packed batch is one row of all windows' tokens, one after the other. Everything in an encoder but attention works on
single tokens, so only attention must know where a window ends. `NAME` is an attention function in transformers'
registry: with the keyword `lengths` each window sees itself alone; without it a padded batch is computed as ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import torch
from torch import nn

NAME = "afina"
"""Name of the attention function in transformers' registry; never written into a saved model."""
STEPS = 1 << 16
"""A dropout rate is rounded to a multiple of 1 / STEPS."""


def keep_mask(shape: Sequence[int], rate: float, like: torch.Tensor) -> torch.Tensor:
    """1 / (1 - rate) where an element stays, 0 where it is dropped, in the type of `like`.

    Sixteen random bits an element, from a small generator that torch's own seeds: five times as fast on a CPU as
    `bernoulli_`, and still a pure function of torch's random state, so checkpointed layers draw the same mask again.
    """
    count = int(np.prod(shape))
    seed = int(torch.randint(2**62, ()))
    bits = np.random.SFC64(seed).random_raw(-(-count // 4)).view(np.int16)[:count]
    dropped = round(rate * STEPS)
    kept = torch.from_numpy(bits).view(*shape) >= dropped - STEPS // 2
    return kept.to(like.dtype).mul_(STEPS / (STEPS - dropped))


class Masked(torch.autograd.Function):
    """x times a fixed mask: no gradient for the mask, and only the mask is kept."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(mask)
        return x * mask

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        (mask,) = ctx.saved_tensors
        return gradient * mask, None


class Dropout(nn.Dropout):
    """torch's dropout with a cheaper mask on a CPU: the same rate (to 1/65536) and the same expectation."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training or self.p == 0.0 or x.device.type != "cpu":
            return super().forward(x)
        return Masked.apply(x, keep_mask(x.shape, self.p, x))  # type: ignore[no-any-return, no-untyped-call]


def cheapen(model: nn.Module) -> None:
    """Turn the plain dropout modules of a model into ours, in place: they hold no weights."""
    for module in model.modules():
        if type(module) is nn.Dropout:
            module.__class__ = Dropout


class Packed(torch.autograd.Function):
    """softmax(q k^T scale) v within each window of a packed row, with a backward of its own.

    The queries are those of all tokens, or of each window's first one alone.

    Written by hand because autograd's slices would fill a gradient of the whole row with zeros for each window, and
    because windows of one length are one matrix product.
    """

    @staticmethod
    def forward(
        ctx: Any,
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        lengths: tuple[int, ...],
        scale: float,
        rate: float,
        reach: int | None,
    ) -> torch.Tensor:
        """[n, H, d] each, or q [B, H, d] -> the shape of q

        Args:
            ctx: Autograd's.
            q: Queries of all windows' tokens, or one a window.
            k: Keys.
            v: Values.
            lengths: Tokens of each window.
            scale: Of the scores.
            rate: Dropout of the probabilities.
            reach: How far a token sees to either side, or None for the whole window.
        """
        out = torch.empty_like(q)
        stretches = list(runs(lengths, firsts=len(q) == len(lengths)))
        sizes = [q.shape[1] * one.count * one.asking * one.length for one in stretches]
        masks = torch.split(keep_mask((sum(sizes),), rate, q), sizes) if rate else [None] * len(sizes)
        kept: list[torch.Tensor] = []
        for one, mask in zip(stretches, masks, strict=True):
            queries, keys, values = (x.contiguous() for x in (one.queries(q), one.keys(k), one.keys(v)))
            # In one layout whatever the number of windows: another layout is another kernel, and other last bits.
            scores = torch.matmul(queries, keys.transpose(-1, -2)).float().mul_(scale)
            if reach is not None and one.length > reach + 1:
                scores.masked_fill_(beyond(one, reach, scores.device), -torch.inf)
            probabilities = torch.softmax(scores, dim=-1).to(q.dtype)
            dropped = probabilities if mask is None else probabilities * mask.view_as(probabilities)
            one.queries(out).copy_(torch.matmul(dropped, values))
            kept += [probabilities, dropped] if mask is not None else [probabilities]
        ctx.save_for_backward(q, k, v, *kept)
        ctx.stretches, ctx.scale, ctx.each = stretches, scale, 2 if rate else 1
        return out

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[Any, ...]:
        """With A the dropped P and G = A * (g V^T): dV = A^T g, dS = G - P * rowsum(G), dQ = dS K, dK = dS^T Q."""
        q, k, v, *kept = ctx.saved_tensors
        gq, gk, gv = torch.empty_like(q), torch.empty_like(k), torch.empty_like(v)
        for i, one in enumerate(ctx.stretches):
            queries, keys, values, g = one.queries(q), one.keys(k), one.keys(v), one.queries(gradient)
            probabilities, dropped = kept[ctx.each * i], kept[ctx.each * (i + 1) - 1]
            one.keys(gv).copy_(torch.matmul(dropped.transpose(-1, -2), g))
            products = torch.matmul(g, values.transpose(-1, -2)).mul_(dropped)
            scores = products.sub_(probabilities * products.sum(dim=-1, keepdim=True)).mul_(ctx.scale)
            one.queries(gq).copy_(torch.matmul(scores, keys))
            one.keys(gk).copy_(torch.matmul(scores.transpose(-1, -2), queries))
        return gq, gk, gv, None, None, None, None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbouring windows of one length in a packed row.

    Attributes:
        first: Number of the first window.
        start: Its first token.
        count: How many windows.
        length: Tokens of each.
        firsts: Whether only the first token of each window asks.
    """

    first: int
    start: int
    count: int
    length: int
    firsts: bool

    @property
    def asking(self) -> int:
        """Queries of each window."""
        return 1 if self.firsts else self.length

    def keys(self, rows: torch.Tensor) -> torch.Tensor:
        """The part of a row that holds these windows' tokens. [n, H, d] -> [count, H, length, d]"""
        own = rows[self.start : self.start + self.count * self.length]
        return own.view(self.count, self.length, *rows.shape[1:]).transpose(1, 2)

    def queries(self, rows: torch.Tensor) -> torch.Tensor:
        """The part of the queries. [n, H, d] or [B, H, d] -> [count, H, asking, d]"""
        return rows[self.first : self.first + self.count, :, None] if self.firsts else self.keys(rows)


def runs(lengths: Sequence[int], *, firsts: bool = False) -> Iterator[Stretch]:
    """The stretches of a packed row.

    Args:
        lengths: Tokens of each window.
        firsts: Whether only the first token of each window asks.
    """
    first = start = 0
    for length, group in groupby(lengths):
        count = sum(1 for _ in group)
        yield Stretch(first, start, count, length, firsts)
        first, start = first + count, start + count * length


def beyond(one: Stretch, reach: int, device: torch.device) -> torch.Tensor:
    """True where a query and a token are further apart than `reach`. [asking, length]"""
    places = torch.arange(one.length, device=device)
    return (places[: one.asking, None] - places[None, :]).abs() > reach


def attention(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    lengths: tuple[int, ...] | None = None,
    sliding_window: int | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """transformers' interface: [1, H, n, d] of a packed row, or [R, H, W, d] of a padded batch; out with H inside."""
    if lengths is None:
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        out: torch.Tensor = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, is_causal=False, **kwargs
        )[0]
        return out, None
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    # ModernBERT's modules hold one more than the tokens that are seen to either side.
    reach = None if sliding_window is None else sliding_window - 1
    rows = (x[0].transpose(0, 1).contiguous() for x in (query, key, value))
    out = Packed.apply(*rows, lengths, scale, dropout, reach)  # type: ignore[no-untyped-call]
    return out[None], None


def first_of_last(layer: Any, hidden: torch.Tensor, lengths: tuple[int, ...], firsts: torch.Tensor) -> torch.Tensor:
    """The last layer of BERT's kind for each window's first token only: nothing reads the others. [n, d] -> [B, d]

    Exact: a token's own row of a layer needs the keys and values of all tokens, but no other query, and no other row
    of the feed-forward part.
    """
    own = layer.attention.self
    asking = hidden.index_select(0, firsts)  # [B, d]
    shape = (-1, own.num_attention_heads, own.attention_head_size)
    q, k, v = own.query(asking).view(shape), own.key(hidden).view(shape), own.value(hidden).view(shape)
    rate = own.dropout.p if own.training else 0.0
    context = Packed.apply(q, k, v, lengths, own.scaling, rate, None)  # type: ignore[no-untyped-call]
    attended = layer.attention.output(context.reshape(len(asking), -1), asking)
    return layer.feed_forward_chunk(attended)  # type: ignore[no-any-return]


def mask_function(*args: Any, attention_mask: torch.Tensor | None = None, **kwargs: Any) -> torch.Tensor | None:
    """A packed row needs no mask; a padded batch gets the usual one."""
    from transformers.masking_utils import sdpa_mask

    return None if attention_mask is None else sdpa_mask(*args, attention_mask=attention_mask, **kwargs)


def register() -> None:
    """Make `NAME` known to transformers; as often as one likes."""
    from transformers import AttentionInterface, AttentionMaskInterface

    AttentionInterface.register(NAME, attention)
    AttentionMaskInterface.register(NAME, mask_function)
