"""Attention over packed rows on a CUDA GPU: the one door to the operators that torch keeps private.

`torch.ops.aten._flash_attention_forward` and `_efficient_attention_forward` take cumulative lengths and a dropout rate.
They are what `scaled_dot_product_attention` runs on, and no public function of torch offers both. Private means that
they may change: the door opens only where their arguments are those that this module was written for. Where it is shut,
batches are padded.

Flash attention (Dao 2023) computes in half precision; efficient attention (Rabe and Staats 2021) is there for fp32.
cuDNN's is never asked: it plans anew for each shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

HALF = (torch.bfloat16, torch.float16)
WIDEST, CAPABLE = 256, 8
"""Largest width of a head that flash attention serves, and the compute capability that it needs."""
ARGUMENTS = {
    "_flash_attention_forward": (
        "query key value cum_seq_q cum_seq_k max_q max_k dropout_p is_causal return_debug_mask scale "
        "window_size_left window_size_right",
        5,
    ),
    "_flash_attention_backward": (
        "grad_out query key value out logsumexp cum_seq_q cum_seq_k max_q max_k dropout_p is_causal * * scale "
        "window_size_left window_size_right",
        3,
    ),
    "_efficient_attention_forward": (
        "query key value bias cu_seqlens_q cu_seqlens_k max_seqlen_q max_seqlen_k dropout_p custom_mask_type "
        "compute_log_sumexp scale",
        6,
    ),
    "_efficient_attention_backward": (
        "grad_out_ query key value bias out cu_seqlens_q cu_seqlens_k max_seqlen_q max_seqlen_k logsumexp dropout_p "
        "philox_seed philox_offset custom_mask_type bias_requires_grad scale",
        4,
    ),
}
"""The first arguments of each operator (* where any name will do), and how many results it has."""


@dataclass(frozen=True, slots=True)
class Slots:
    """Where the slots of a packed row begin.

    Attributes:
        cumulative: The first place of each slot, and the end of the row, int32. [S + 1]
        longest: No slot is longer than this.
    """

    cumulative: torch.Tensor
    longest: int


@lru_cache(maxsize=16)
def shut(device: torch.device, dtype: torch.dtype, width: int, *, local: bool = False) -> str:
    """Why packed rows can't be computed on a device, or nothing where they can.

    Args:
        device: The device.
        dtype: The type of queries, keys and values.
        width: The width of a head.
        local: Whether some layers see a part of a window only.
    """
    if device.type != "cuda" or torch.version.cuda is None:
        return f"packed rows need a GPU with CUDA, and this is {device.type}"
    for name in ARGUMENTS:
        if not as_expected(name):
            return f"torch {torch.__version__} has another {name} than the one that is known here"
    if dtype in HALF:
        return without_flash(device, width)
    if local:
        return "efficient attention, which fp32 needs, sees whole windows only"
    return f"efficient attention has no heads of width {width}" if width % 4 else ""


def without_flash(device: torch.device, width: int) -> str:
    """Why flash attention can't serve heads of a width on a GPU, or nothing where it can."""
    major, minor = torch.cuda.get_device_capability(device)
    if major < CAPABLE:
        return f"flash attention needs compute capability {CAPABLE}.0, and this GPU has {major}.{minor}"
    if not torch.backends.cuda.is_flash_attention_available():
        return "this build of torch lacks flash attention"
    return f"flash attention has no heads of width {width}" if width % 8 or width > WIDEST else ""


def as_expected(name: str) -> bool:
    """Whether an operator has the arguments and the number of results that this module was written for."""
    operator = getattr(torch.ops.aten, name, None)
    if operator is None:
        return False
    schema, (wanted, results) = operator.default._schema, ARGUMENTS[name]
    names = [argument.name for argument in schema.arguments]
    known = wanted.split()
    pairs = zip(names, known, strict=False)
    return len(names) >= len(known) and all(k in (n, "*") for n, k in pairs) and len(schema.returns) == results


def attend(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, slots: Slots, *, scale: float, rate: float, reach: int | None
) -> torch.Tensor:
    """softmax(q k^T scale) v within each slot of a packed row. [T, H, d] each, or q [S, H, d] -> the shape of q

    Args:
        q: Queries of all places, or of each slot's first.
        k: Keys.
        v: Values.
        slots: Where the slots begin. None is empty.
        scale: Factor on the scores.
        rate: Dropout of the probabilities.
        reach: How far a token sees to either side, or None for the whole window.
    """
    q, k, asking, longest = q.to(v.dtype), k.to(v.dtype), slots.cumulative, slots.longest
    if len(q) == len(asking) - 1 != len(k):
        asking, longest = torch.arange(len(asking), dtype=torch.int32, device=q.device), 1
    reach = None if reach is None or reach + 1 >= slots.longest else reach
    if v.dtype in HALF:
        out: torch.Tensor = torch.ops.aten._flash_attention_forward(
            q, k, v, asking, slots.cumulative, longest, slots.longest, rate, False, False,
            scale=scale, window_size_left=reach, window_size_right=reach,
        )[0]  # fmt: skip
        return out
    if reach is not None:
        raise ValueError("efficient attention sees whole windows only")
    return Efficient.apply(q, k, v, asking, slots.cumulative, longest, slots.longest, scale, rate)  # type: ignore[no-any-return, no-untyped-call]


class Efficient(torch.autograd.Function):
    """Efficient attention with its own backward pass.

    torch's own derivative is given the longest key sequence that the forward operator returns, which is 0 for
    cumulative lengths (pytorch#115590), and its backward operator refuses that. Here it is given the true one.
    """

    @staticmethod
    def forward(
        ctx: Any,
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        asking: torch.Tensor,
        asked: torch.Tensor,
        longest_q: int,
        longest_k: int,
        scale: float,
        rate: float,
    ) -> torch.Tensor:
        """[T, H, d] each -> [T, H, d]"""
        tensors = tuple(x[None] for x in (q, k, v))
        out, *random = torch.ops.aten._efficient_attention_forward(
            *tensors, None, asking, asked, longest_q, longest_k, rate, 0, True, scale=scale
        )[:4]
        ctx.save_for_backward(*tensors, out, asking, asked, *random)
        ctx.numbers = longest_q, longest_k, scale, rate
        return out[0]  # type: ignore[no-any-return]

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[Any, ...]:
        *tensors, out, asking, asked, sums, seed, offset = ctx.saved_tensors
        longest_q, longest_k, scale, rate = ctx.numbers
        gradients = torch.ops.aten._efficient_attention_backward(
            gradient[None], *tensors, None, out, asking, asked, longest_q, longest_k, sums, rate, seed, offset,
            0, False, scale=scale,
        )  # fmt: skip
        return (*(one[0] for one in gradients[:3]), None, None, None, None, None, None)
