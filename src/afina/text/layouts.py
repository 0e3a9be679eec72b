"""Which windows travel together, and how they lie.

A step is a random draw of B examples (never a length-correlated one). Inside the draw the windows are sorted and packed
into rows without padding, or, for families that can't be packed, cut into micro-batches of nearly equal length; sums of
losses over the global count make the split invisible to the maths.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

from ..records import Batch, Window

if TYPE_CHECKING:
    import torch

OVERHEAD = 160
"""What one more micro-batch costs, in tokens of computation: launching every operator once more."""
T = TypeVar("T")
Work: TypeAlias = Generator[float, None, T]
"""Something long that is done piece by piece: gives out the share that is done after each, and returns its result."""


def epoch_batches(n: int, size: int, *, seed: int, epoch: int) -> list[list[int]]:
    """The batches of one epoch: a random permutation of range(n) in pieces of `size`, the last one shorter.

    A pure function of its arguments, so that a resumed run sees the same order.
    """
    order = np.random.Generator(np.random.Philox(key=[seed, epoch])).permutation(n)
    return [order[i : i + size].tolist() for i in range(0, n, size)]


def plan(lengths: Sequence[int], budget: int, counts: Sequence[int] | None = None) -> list[list[int]]:
    """Micro-batches with the least work: padded tokens plus `OVERHEAD` for each micro-batch.

    The optimal cut of the sorted items by dynamic programming. Meant for one draw (up to some hundred items).

    Args:
        lengths: Tokens of each window, or of the longest window of each example.
        budget: Padded tokens a micro-batch may have; a longer item travels alone.
        counts: Windows of each item, when items are examples that must stay together; one by default.

    Returns:
        Indices into `lengths`, longest items first.
    """
    counts = counts or [1] * len(lengths)
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    best: list[tuple[int, int]] = [(0, 0)]  # cost of the first j items, start of their last micro-batch
    for end in range(1, len(order) + 1):
        choices, windows = [], 0
        for start in range(end - 1, -1, -1):
            windows += counts[order[start]]
            area = lengths[order[start]] * windows
            if area > budget and start < end - 1:
                break
            choices.append((best[start][0] + area + OVERHEAD, start))
        best.append(min(choices))
    cuts, end = [], len(order)
    while end:
        start = best[end][1]
        cuts.append(order[start:end])
        end = start
    return cuts[::-1]


def pack_greedily(
    lengths: Sequence[int], budget: int, counts: Sequence[int] | None = None, *, packed: bool = False
) -> list[list[int]]:
    """Micro-batches filled up to the budget in turn, longest items first.

    Args:
        lengths: Tokens of each window, or of the longest window of each example.
        budget: Tokens a micro-batch may have: of the rectangle, or for packed ones of the row. A longer item travels
            alone.
        counts: Windows of each item; one by default.
        packed: Whether windows lie one behind the other, without padding.

    Returns:
        Indices into `lengths`.
    """
    counts = counts or [1] * len(lengths)
    shelves: list[list[int]] = []
    width = windows = area = 0
    for i in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        wanted = area + lengths[i] * counts[i] if packed else width * (windows + counts[i])
        if not shelves or wanted > budget:
            shelves.append([])
            width, windows, area = lengths[i], 0, 0
        shelves[-1].append(i)
        windows, area = windows + counts[i], area + lengths[i] * counts[i]
    return shelves


def run_with_backoff(
    lengths: Sequence[int], budget: int, compute: Callable[[list[int]], None], *, packed: bool = False
) -> Work[None]:
    """Compute windows micro-batch after micro-batch; when memory runs out, in smaller ones from there on.

    Args:
        lengths: Tokens of each window.
        budget: Tokens a micro-batch may have.
        compute: Is given the indices of each micro-batch.
        packed: Whether windows lie one behind the other, without padding.
    """
    shelves = pack_greedily(lengths, budget, packed=packed)[::-1]
    done, total = 0, sum(lengths)
    while shelves:
        shelf = shelves.pop()
        try:
            compute(shelf)
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error) or len(shelf) == 1:
                raise
            budget = max(1, min(budget, sum(lengths[i] for i in shelf)) // 2)
            rest = [i for one in (shelf, *shelves[::-1]) for i in one]
            smaller = pack_greedily([lengths[i] for i in rest], budget, packed=packed)
            shelves = [[rest[i] for i in one] for one in smaller][::-1]
            continue
        done += sum(lengths[i] for i in shelf)
        yield done / total


def out_of_memory(error: Exception) -> bool:
    """Whether an error says that memory ran out, on a GPU or in torch's allocator."""
    import torch

    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    words = ("out of memory", "can't allocate memory", "not enough memory", "CUBLAS_STATUS_ALLOC_FAILED")
    return any(word in str(error) for word in words)


def drain(work: Work[T]) -> T:
    """Do something long to its end."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: T = end.value
            return result


def collate(
    windows: Sequence[Window], *, pad: int, device: torch.device | str = "cpu", packed: bool = False, multiple: int = 1
) -> Batch:
    """Windows side by side, padded to the longest [B, W], or one behind the other [1, W].

    Args:
        windows: In the order that everything after the encoder will see.
        pad: Vocabulary id of padding.
        device: Where to put the batch.
        packed: One row.
        multiple: A packed row is filled up to a multiple of this many tokens.
    """
    import torch

    if packed:
        return pack(windows, pad=pad, device=device, multiple=multiple)

    lengths = np.array([len(window) for window in windows])
    inside = np.arange(lengths.max())[None, :] < lengths[:, None]
    ids = np.full(inside.shape, pad, np.int64)
    types = np.zeros(inside.shape, np.int64)
    ids[inside] = np.concatenate([window.ids for window in windows])
    types[inside] = np.concatenate([window.types for window in windows])
    return Batch(
        ids=torch.from_numpy(ids).to(device),
        types=torch.from_numpy(types).to(device),
        mask=torch.from_numpy(inside.astype(np.int64)).to(device),
        lengths=tuple(lengths.tolist()),
        index=torch.from_numpy(np.flatnonzero(inside)).to(device),
    )


def pack(windows: Sequence[Window], *, pad: int, device: torch.device | str, multiple: int) -> Batch:
    """Windows one behind the other in a row. [1, W]"""
    import torch

    lengths = [len(window) for window in windows]
    n = sum(lengths)
    rest = -n % multiple

    def row(parts: list[np.ndarray[Any, Any]], filler: int) -> torch.Tensor:
        whole = np.concatenate([*parts, np.full(rest, filler)]).astype(np.int64)
        return torch.from_numpy(whole)[None].to(device)

    return Batch(
        ids=row([window.ids for window in windows], pad),
        types=row([window.types for window in windows], 0),
        mask=row([np.ones(n)], 0),
        lengths=tuple(lengths),
        index=torch.arange(n, device=device),
        positions=row([np.arange(length) for length in [*lengths, rest]], 0)[:, : n + rest],
    )
