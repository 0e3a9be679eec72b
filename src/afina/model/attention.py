"""Padding-free attention and a cheap dropout mask, which make packed batches exact and fast on a CPU.

A packed batch holds the tokens of all windows in one row, without padding. Every part of an encoder except attention
works on single tokens, so only attention must know where a window ends. `NAME` is an attention function in
transformers' registry. With the keyword `lengths`, each window attends to itself only; without it, the batch is padded
and computed as usual.
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

from . import flash
from .flash import Slots

NAME = "afina"
"""Name of the attention function in transformers' registry. It is never written into a saved model."""
STEPS = 1 << 16
"""A dropout rate is rounded to a multiple of 1 / STEPS."""
WIDTH = 8
"""Windows share a matrix product when their lengths are equal after rounding up to a multiple of this."""


def keep_mask(shape: Sequence[int], rate: float, like: torch.Tensor) -> torch.Tensor:
    """A dropout mask in the dtype of `like`: 1 / (1 - rate) where an element is kept, 0 where it is dropped.

    Each element uses sixteen random bits of a small generator that torch's generator seeds. This is five times as fast
    on a CPU as `bernoulli_`, and still a pure function of torch's random state, so that a checkpointed layer draws the
    same mask again.
    """
    count = int(np.prod(shape))
    seed = int(torch.randint(2**62, ()))
    bits = np.random.SFC64(seed).random_raw(-(-count // 4)).view(np.int16)[:count]
    dropped = round(rate * STEPS)
    kept = torch.from_numpy(bits).view(*shape) >= dropped - STEPS // 2
    return kept.to(like.dtype).mul_(STEPS / (STEPS - dropped))


class Masked(torch.autograd.Function):
    """Product of x and a fixed mask. The mask gets no gradient, and only the mask is saved for the backward pass."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(mask)
        return x * mask

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        (mask,) = ctx.saved_tensors
        return gradient * mask, None


class Dropout(nn.Dropout):
    """torch's dropout with a cheaper mask on a CPU. Rate (to within 1/65536) and expectation are the same."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training or self.p == 0.0 or x.device.type != "cpu":
            return super().forward(x)
        return Masked.apply(x, keep_mask(x.shape, self.p, x))  # type: ignore[no-any-return, no-untyped-call]


def cheapen(model: nn.Module) -> None:
    """Replace the class of a model's plain dropout modules by `Dropout`, in place. They hold no weights."""
    for module in model.modules():
        if type(module) is nn.Dropout:
            module.__class__ = Dropout


class Packed(torch.autograd.Function):
    """softmax(q k^T scale) v within each window of a packed row, with its own backward pass.

    The queries are those of all tokens, or only those of each window's first token.

    The backward pass is written by hand because autograd would fill a gradient of the whole row with zeros for the
    slice of each window. Windows of similar length share one matrix product, because on short texts the number of
    calls costs more than a few padded places.
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
        sizes = [bucket.batch * (1 if firsts else bucket.width) * bucket.width for bucket in rows.buckets]
        masks = torch.split(keep_mask((sum(sizes),), rate, q), sizes) if rate else [None] * len(sizes)
        saved: list[torch.Tensor] = []
        for bucket, mask in zip(rows.buckets, masks, strict=True):
            scores = torch.bmm(bucket.queries(queries, firsts), bucket.keys(keys).transpose(1, 2)).float()
            scores = torch.add(bucket.shut(reach, firsts), scores.view(-1, heads, *scores.shape[1:]), alpha=scale)
            probabilities = torch.softmax(scores, dim=-1).view(bucket.batch, -1, bucket.width).to(q.dtype)
            dropped = probabilities if mask is None else probabilities * mask.view_as(probabilities)
            torch.bmm(dropped, bucket.keys(values), out=bucket.queries(out, firsts))
            saved += [probabilities, dropped] if mask is not None else [probabilities]
        ctx.save_for_backward(queries, keys, values, *saved)
        ctx.rows, ctx.firsts, ctx.scale, ctx.each = rows, firsts, scale, 2 if rate else 1
        return (out if firsts else rows.gather(out)).view(q.shape)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[Any, ...]:
        """With A = dropout(P) and G = A * (g V^T): dV = A^T g, dS = G - P * rowsum(G), dQ = dS K, dK = dS^T Q."""
        queries, keys, values, *saved = ctx.saved_tensors
        rows, firsts = ctx.rows, ctx.firsts
        # A padded place holds a copy of another token, whose gradient must not be counted twice.
        asked = gradient.reshape(queries.shape) if firsts else rows.spread(gradient).index_fill_(0, rows.padding, 0.0)
        gq, gk, gv = torch.empty_like(queries), torch.empty_like(keys), torch.empty_like(values)
        for i, bucket in enumerate(rows.buckets):
            probabilities, dropped = saved[ctx.each * i], saved[ctx.each * (i + 1) - 1]
            g = bucket.queries(asked, firsts)
            torch.bmm(dropped.transpose(1, 2), g, out=bucket.keys(gv))
            products = torch.bmm(g, bucket.keys(values).transpose(1, 2)).mul_(dropped)
            scores = products.addcmul_(probabilities, products.sum(dim=-1, keepdim=True), value=-1).mul_(ctx.scale)
            torch.bmm(scores, bucket.keys(keys), out=bucket.queries(gq, firsts))
            torch.bmm(scores.transpose(1, 2), bucket.queries(queries, firsts), out=bucket.keys(gk))
        gq = gq.view(gradient.shape) if firsts else rows.gather(gq)
        return gq, rows.gather(gk), rows.gather(gv), None, None, None, None


@dataclass(frozen=True, slots=True)
class Bucket:
    """Neighbouring windows of similar length, padded to one rectangle per attention head.

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
        """Number of matrices in a batched product: one for each window and head."""
        return self.count * self.heads

    def keys(self, spread: torch.Tensor) -> torch.Tensor:
        """The rows of a spread tensor that belong to these windows. [P H, d] -> [count H, width, d]"""
        return spread[self.start : self.start + self.batch * self.width].view(self.batch, self.width, -1)

    def queries(self, spread: torch.Tensor, firsts: bool) -> torch.Tensor:
        """The queries of these windows, all or one per window. [P H, d] or [B H, d] -> [count H, width or 1, d]"""
        if not firsts:
            return self.keys(spread)
        start = self.first * self.heads
        return spread[start : start + self.batch].view(self.batch, 1, -1)

    def shut(self, reach: int | None, firsts: bool) -> torch.Tensor:
        """Minus infinity where a query may not attend to a key, 0 elsewhere. [count, 1, 1 or width, width]"""
        if reach is None or self.width <= reach + 1:
            return self.ends
        asking = slice(1 if firsts else None)
        places = torch.arange(self.width)
        far = (places[asking, None] - places).abs() > reach
        # A padded query keeps its keys, because a softmax over no keys would be nan.
        return self.ends.masked_fill(far & (self.ends.transpose(2, 3)[:, :, asking] == 0.0), -torch.inf)


@dataclass(frozen=True, slots=True)
class Rows:
    """How the tokens of a packed row are arranged in rectangles.

    Attributes:
        buckets: The rectangles.
        taken: For each place and head, the index of its token; padding repeats the window's first token. [P H]
        back: For each token and head, the index of its place. [n H]
        padding: Indices of the padded places.
    """

    buckets: tuple[Bucket, ...]
    taken: torch.Tensor
    back: torch.Tensor
    padding: torch.Tensor

    def spread(self, row: torch.Tensor) -> torch.Tensor:
        """Copy tokens to their places. [n, H, d] -> [P H, d]"""
        return row.reshape(-1, row.shape[-1]).index_select(0, self.taken)

    def gather(self, spread: torch.Tensor) -> torch.Tensor:
        """Copy places back to their tokens. [P H, d] -> [n, H, d]"""
        heads = self.buckets[0].heads
        return spread.index_select(0, self.back).view(-1, heads, spread.shape[-1])


@lru_cache(maxsize=1)
def arrange(lengths: tuple[int, ...], heads: int) -> Rows:
    """The rectangles of a packed row. They are the same for all layers, so the last result is cached.

    The width of a window's rectangle depends only on its own length, so that its states do not depend on the other
    windows.
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
    index = (torch.from_numpy(array) for array in (all_taken, back, np.flatnonzero(all_padded)))
    return Rows(tuple(buckets), *index)


def attention(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    lengths: tuple[int, ...] | Slots | None = None,
    sliding_window: int | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Attention as transformers calls it: [1, H, n, d] of a packed row or [R, H, W, d] of a padded batch.

    The output has the heads after the tokens: [1, n, H, d] or [R, W, H, d].
    """
    if lengths is None:
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        out: torch.Tensor = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, is_causal=False, **kwargs
        )[0]
        return out, None
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    # ModernBERT's modules store the number of tokens on either side plus one.
    reach = None if sliding_window is None else sliding_window - 1
    q, k, v = (x[0].transpose(0, 1).contiguous() for x in (query, key, value))
    return within(q, k, v, lengths, scale=scale, rate=dropout, reach=reach)[None], None


def within(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    lengths: tuple[int, ...] | Slots,
    *,
    scale: float,
    rate: float,
    reach: int | None = None,
) -> torch.Tensor:
    """softmax(q k^T scale) v within each window of a packed row. [n, H, d] each, or q [B, H, d] -> the shape of q

    Args:
        q: Queries of all tokens, or of each window's first.
        k: Keys.
        v: Values.
        lengths: Tokens of each window; on a GPU, where the slots begin.
        scale: Factor on the scores.
        rate: Dropout of the probabilities.
        reach: How far a token sees to either side, or None for the whole window.
    """
    if isinstance(lengths, Slots):
        return flash.attend(q, k, v, lengths, scale=scale, rate=rate, reach=reach)
    return Packed.apply(q, k, v, lengths, scale, rate, reach)  # type: ignore[no-any-return, no-untyped-call]


def first_of_last(
    layer: Any, hidden: torch.Tensor, lengths: tuple[int, ...] | Slots, firsts: torch.Tensor, *, multiple: int = 1
) -> torch.Tensor:
    """The last layer of BERT's kind for each window's first token only: nothing reads the others. [n, d] -> [B, d]

    Exact: a token's own row of a layer needs the keys and values of all tokens, but no other query, and no other row
    of the feed-forward part.

    Args:
        layer: The last layer.
        hidden: States below it. [n, d]
        lengths: Number of tokens of each window; on a GPU, where the slots begin. [B]
        firsts: Position of each window's first token. [B]
        multiple: The number of rows whose multiple products of matrices are filled up to.
    """
    own, count, n = layer.attention.self, len(firsts), len(hidden)
    asking = filled(hidden.index_select(0, firsts), multiple)  # [B and more, d]
    hidden = filled(hidden, multiple)
    shape = (-1, own.num_attention_heads, own.attention_head_size)
    q, k, v = (rows.view(shape) for rows in (own.query(asking)[:count], own.key(hidden)[:n], own.value(hidden)[:n]))
    rate = own.dropout.p if own.training else 0.0
    context = within(q, k, v, lengths, scale=own.scaling, rate=rate)
    attended = layer.attention.output(filled(context.reshape(count, -1), multiple), asking)
    return layer.feed_forward_chunk(attended)[:count]  # type: ignore[no-any-return]


def filled(rows: torch.Tensor, multiple: int) -> torch.Tensor:
    """Rows, and rows of zeros up to a multiple. [n, d]"""
    rest = -len(rows) % multiple
    return torch.nn.functional.pad(rows, (0, 0, 0, rest)) if rest else rows


def mask_function(*args: Any, attention_mask: torch.Tensor | None = None, **kwargs: Any) -> torch.Tensor | None:
    """The attention mask of a padded batch, or None for a packed row, which needs none. True where a query may look.

    A query without any allowed key may look at every key: nothing reads what it gives, but it must be a number. A
    padded place far behind its window is such a query where a layer sees 128 tokens only (ModernBERT) and the batch
    mixes lengths. transformers gave it all keys for torch before 2.5. Since then it leaves it none and relies on
    `scaled_dot_product_attention` to answer with zeros, which torch's own kernels do. That cuDNN's, which a GPU may
    choose, give a gradient that is not a number there is the likely cause of the one that was seen with ModernBERT. It
    was reasoned from the sources, and not run on a GPU.
    """
    from transformers.masking_utils import sdpa_mask

    if attention_mask is None:
        return None
    if attention_mask.device.type != "cpu":
        kwargs["allow_is_bidirectional_skip"] = False  # it would read the mask on the host
    mask = sdpa_mask(*args, attention_mask=attention_mask, **kwargs)
    return None if mask is None else mask | ~mask.any(dim=-1, keepdim=True)


def register() -> None:
    """Register `NAME` with transformers. Calling it again changes nothing."""
    from transformers import AttentionInterface, AttentionMaskInterface

    AttentionInterface.register(NAME, attention)
    AttentionMaskInterface.register(NAME, mask_function)
