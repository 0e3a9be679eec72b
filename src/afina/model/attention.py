"""Padding-free attention and cheap dropout: what makes a packed row of windows exact, and fast on a CPU.

A packed batch is one row of all windows' tokens, one after the other. Everything in an encoder but attention works on
single tokens, so only attention must know where a window ends. `NAME` is an attention function in transformers'
registry: with the keyword `lengths` each window sees itself alone; without it a padded batch is computed as ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any

import numpy as np
import torch
from torch import nn

NAME = "afina"
"""Name of the attention function in transformers' registry; never written into a saved model."""
STEPS = 1 << 16
"""A dropout rate is rounded to a multiple of 1 / STEPS."""
WIDTH = 8
"""Windows share a product of matrices when their lengths, rounded up to a multiple of this, are the same."""


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

    Written by hand because autograd's slices would fill a gradient of the whole row with zeros for each window.
    Windows of nearly one length are one product of matrices: on short texts the number of calls costs more than the
    few places of padding.
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
            scale: Factor on the scores.
            rate: Dropout of the probabilities.
            reach: How far a token sees to either side, or None for the whole window.
        """
        n, heads, width = k.shape
        firsts = len(q) == len(lengths) != n
        rows = arrange(lengths, heads)
        keys, values = rows.spread(k), rows.spread(v)
        queries = q.reshape(-1, width) if firsts else rows.spread(q)
        out = torch.empty_like(queries)
        sizes = [one.batch * (1 if firsts else one.width) * one.width for one in rows.buckets]
        masks = torch.split(keep_mask((sum(sizes),), rate, q), sizes) if rate else [None] * len(sizes)
        kept: list[torch.Tensor] = []
        for one, mask in zip(rows.buckets, masks, strict=True):
            scores = torch.bmm(one.queries(queries, firsts), one.keys(keys).transpose(1, 2)).float()
            scores = torch.add(one.shut(reach, firsts), scores.view(-1, heads, *scores.shape[1:]), alpha=scale)
            probabilities = torch.softmax(scores, dim=-1).view(one.batch, -1, one.width).to(q.dtype)
            dropped = probabilities if mask is None else probabilities * mask.view_as(probabilities)
            torch.bmm(dropped, one.keys(values), out=one.queries(out, firsts))
            kept += [probabilities, dropped] if mask is not None else [probabilities]
        ctx.save_for_backward(queries, keys, values, *kept)
        ctx.rows, ctx.firsts, ctx.scale, ctx.each = rows, firsts, scale, 2 if rate else 1
        return (out if firsts else rows.gather(out)).view(q.shape)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[Any, ...]:
        """With A the dropped P and G = A * (g V^T): dV = A^T g, dS = G - P * rowsum(G), dQ = dS K, dK = dS^T Q."""
        queries, keys, values, *kept = ctx.saved_tensors
        rows, firsts = ctx.rows, ctx.firsts
        # What stands at a place of padding is a copy of another token, which must not be counted twice.
        asked = gradient.reshape(queries.shape) if firsts else rows.spread(gradient).index_fill_(0, rows.padding, 0.0)
        gq, gk, gv = torch.empty_like(queries), torch.empty_like(keys), torch.empty_like(values)
        for i, one in enumerate(rows.buckets):
            probabilities, dropped = kept[ctx.each * i], kept[ctx.each * (i + 1) - 1]
            g = one.queries(asked, firsts)
            torch.bmm(dropped.transpose(1, 2), g, out=one.keys(gv))
            products = torch.bmm(g, one.keys(values).transpose(1, 2)).mul_(dropped)
            scores = products.addcmul_(probabilities, products.sum(dim=-1, keepdim=True), value=-1).mul_(ctx.scale)
            torch.bmm(scores, one.keys(keys), out=one.queries(gq, firsts))
            torch.bmm(scores.transpose(1, 2), one.queries(queries, firsts), out=one.keys(gk))
        gq = gq.view(gradient.shape) if firsts else rows.gather(gq)
        return gq, rows.gather(gk), rows.gather(gv), None, None, None, None


@dataclass(frozen=True, slots=True)
class Bucket:
    """Neighbouring windows of nearly one length, as a rectangle a head.

    Attributes:
        heads: Number of attention heads.
        first: Number of the first window.
        start: Its first place among the padded ones, times heads.
        count: How many windows.
        width: Places of each, a multiple of `WIDTH`.
        ends: Minus infinity where a key is padding, else 0. [count, 1, 1, width]
    """

    heads: int
    first: int
    start: int
    count: int
    width: int
    ends: torch.Tensor

    @property
    def batch(self) -> int:
        """Products of matrices."""
        return self.count * self.heads

    def keys(self, spread: torch.Tensor) -> torch.Tensor:
        """The part of spread rows that holds these windows. [P H, d] -> [count H, width, d]"""
        return spread[self.start : self.start + self.batch * self.width].view(self.batch, self.width, -1)

    def queries(self, spread: torch.Tensor, firsts: bool) -> torch.Tensor:
        """The same of the queries, which may be one a window. [P H, d] or [B H, d] -> [count H, width or 1, d]"""
        if not firsts:
            return self.keys(spread)
        start = self.first * self.heads
        return spread[start : start + self.batch].view(self.batch, 1, -1)

    def shut(self, reach: int | None, firsts: bool) -> torch.Tensor:
        """Minus infinity where a query does not see a key. [count, 1, 1 or width, width]"""
        if reach is None or self.width <= reach + 1:
            return self.ends
        asking = slice(1 if firsts else None)
        places = torch.arange(self.width)
        far = (places[asking, None] - places).abs() > reach
        # A place of padding asks too: without any key its softmax would not be a number.
        return self.ends.masked_fill(far & (self.ends.transpose(2, 3)[:, :, asking] == 0.0), -torch.inf)


@dataclass(frozen=True, slots=True)
class Rows:
    """How the tokens of a packed row lie in rectangles.

    Attributes:
        buckets: The rectangles.
        taken: For each head's place, the head's token that stands there; a window's first one for padding. [P H]
        back: For each head's token, its place. [n H]
        padding: The places of padding.
    """

    buckets: tuple[Bucket, ...]
    taken: torch.Tensor
    back: torch.Tensor
    padding: torch.Tensor

    def spread(self, row: torch.Tensor) -> torch.Tensor:
        """Tokens to places. [n, H, d] -> [P H, d]"""
        return row.reshape(-1, row.shape[-1]).index_select(0, self.taken)

    def gather(self, spread: torch.Tensor) -> torch.Tensor:
        """Places to tokens. [P H, d] -> [n, H, d]"""
        heads = self.buckets[0].heads
        return spread.index_select(0, self.back).view(-1, heads, spread.shape[-1])


@lru_cache(maxsize=1)
def arrange(lengths: tuple[int, ...], heads: int) -> Rows:
    """The rectangles of a packed row; the same for all layers, so the last ones are remembered.

    A window's rectangle depends on its own length alone, so that its numbers don't depend on the company.
    """
    buckets, taken, padded = [], [], []
    first = token = place = 0
    for width, group in groupby(-(-length // WIDTH) * WIDTH for length in lengths):
        count = sum(1 for _ in group)
        own = np.array(lengths[first : first + count])
        starts = token + np.cumsum(own) - own
        places = np.arange(width)
        empty = places >= own[:, None]  # [count, width]
        tokens = np.where(empty, starts[:, None], starts[:, None] + places)
        taken.append((tokens[:, None, :] * heads + np.arange(heads)[:, None]).ravel())
        padded.append(np.broadcast_to(empty[:, None, :], (count, heads, width)).ravel())
        ends = np.where(empty, -np.inf, 0.0).astype(np.float32)[:, None, None, :]
        buckets.append(Bucket(heads, first, place, count, width, torch.from_numpy(ends)))
        first, token, place = first + count, token + int(own.sum()), place + count * width * heads
    all_taken, all_padded = np.concatenate(taken), np.concatenate(padded)
    back = np.empty(token * heads, np.int64)
    back[all_taken[~all_padded]] = np.flatnonzero(~all_padded)
    index = (torch.from_numpy(one) for one in (all_taken, back, np.flatnonzero(all_padded)))
    return Rows(tuple(buckets), *index)


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


def first_of_last(
    layer: Any, hidden: torch.Tensor, lengths: tuple[int, ...], firsts: torch.Tensor, *, multiple: int = 1
) -> torch.Tensor:
    """The last layer of BERT's kind for each window's first token only: nothing reads the others. [n, d] -> [B, d]

    Exact: a token's own row of a layer needs the keys and values of all tokens, but no other query, and no other row
    of the feed-forward part.

    Args:
        layer: The last layer.
        hidden: States below it. [n, d]
        lengths: Number of tokens of each window. [B]
        firsts: Position of each window's first token. [B]
        multiple: The number of rows whose multiple products of matrices are filled up to.
    """
    own, count, n = layer.attention.self, len(firsts), len(hidden)
    asking = filled(hidden.index_select(0, firsts), multiple)  # [B and more, d]
    hidden = filled(hidden, multiple)
    shape = (-1, own.num_attention_heads, own.attention_head_size)
    q, k, v = (rows.view(shape) for rows in (own.query(asking)[:count], own.key(hidden)[:n], own.value(hidden)[:n]))
    rate = own.dropout.p if own.training else 0.0
    context = Packed.apply(q, k, v, lengths, own.scaling, rate, None)  # type: ignore[no-untyped-call]
    attended = layer.attention.output(filled(context.reshape(count, -1), multiple), asking)
    return layer.feed_forward_chunk(attended)[:count]  # type: ignore[no-any-return]


def filled(rows: torch.Tensor, multiple: int) -> torch.Tensor:
    """Rows, and rows of zeros up to a multiple. [n, d]"""
    rest = -len(rows) % multiple
    return torch.nn.functional.pad(rows, (0, 0, 0, rest)) if rest else rows


def mask_function(*args: Any, attention_mask: torch.Tensor | None = None, **kwargs: Any) -> torch.Tensor | None:
    """A packed row needs no mask; a padded batch gets the usual one."""
    from transformers.masking_utils import sdpa_mask

    return None if attention_mask is None else sdpa_mask(*args, attention_mask=attention_mask, **kwargs)


def register() -> None:
    """Make `NAME` known to transformers; as often as one likes."""
    from transformers import AttentionInterface, AttentionMaskInterface

    AttentionInterface.register(NAME, attention)
    AttentionMaskInterface.register(NAME, mask_function)
