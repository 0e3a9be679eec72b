"""Attention over the slots of a packed row, computed one by one: what the door to torch's operators must give."""

from __future__ import annotations

from itertools import pairwise

import torch

from afina.model.flash import Slots


def attend(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, slots: Slots, *, scale: float, rate: float, reach: int | None
) -> torch.Tensor:
    """As `flash.attend`, on any device and in any type; refuses slots that the operators might not serve."""
    ends = slots.cumulative.tolist()
    assert slots.cumulative.dtype == torch.int32
    assert ends[0] == 0
    assert ends[-1] == len(k) == len(v)
    one = len(q) == len(ends) - 1 != len(k)
    found = []
    for i, (start, end) in enumerate(pairwise(ends)):
        assert 0 < end - start <= slots.longest <= len(k)
        asking = q[i : i + 1] if one else q[start:end]
        scores = torch.einsum("qhd,khd->hqk", asking, k[start:end]) * scale
        places = torch.arange(end - start, device=q.device)
        if reach is not None:
            far = (places[: len(asking), None] - places).abs() > reach
            scores = scores.masked_fill(far, -torch.inf)
        shares = torch.dropout(torch.softmax(scores.float(), dim=-1).to(v.dtype), rate, train=rate > 0)
        found.append(torch.einsum("hqk,khd->qhd", shares, v[start:end]))
    return torch.cat(found)
