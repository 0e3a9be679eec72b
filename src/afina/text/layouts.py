"""Layouts: how windows are arranged in the batches that a model computes.

A layout divides windows into micro-batches and collates each into a batch. No other module knows whether windows are
packed or padded. Losses are summed and divided by the count of the whole step, so that the division into micro-batches
does not change the gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import mul
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from ..records import Batch, Window

if TYPE_CHECKING:
    import torch

OVERHEAD = 160
"""Cost of an additional micro-batch, in tokens of computation: every operator is launched once more."""
FILLED, LONG = 32, 512
"""A long packed row is filled up to a multiple of FILLED tokens; it is long when it has more than LONG tokens."""
DIVIDED = 8
"""Threads share the sums of a matrix product among them where it has no more rows than this part of a sum's terms."""


class Layout(Protocol):
    """How windows are arranged in a batch."""

    name: ClassVar[str]
    budget: ClassVar[int]
    """Number of tokens per batch when no gradients are kept."""
    prunes: ClassVar[bool]
    """Whether the last layer can be computed for the first token of each window only."""

    @property
    def pad(self) -> int:
        """Vocabulary id of padded places. The model never attends to them."""

    def split(self, lengths: Sequence[int], budget: int, counts: Sequence[int] | None = None) -> list[list[int]]:
        """Divide the windows of one step into micro-batches, with as little computation as possible.

        Args:
            lengths: Number of tokens of each window, or of the longest window of each example.
            budget: Largest number of places of a micro-batch, padding included. A longer item gets its own micro-batch.
            counts: Number of windows of each item, when items are examples that must stay together; 1 by default.

        Returns:
            Indices into `lengths`, longest items first.
        """

    def fill(self, lengths: Sequence[int], budget: int) -> list[list[int]]:
        """Like `split`, for any number of windows: the time is nearly linear in their number."""

    def multiple(self, rows: int) -> int:
        """The number of rows whose multiple a product of matrices with so many rows is filled up to."""

    def collate(self, windows: Sequence[Window]) -> Batch:
        """Collate windows into a batch. Their order is kept for everything after the encoder."""


@dataclass(frozen=True, slots=True)
class Packed:
    """Windows concatenated in one row, without padding between them.

    Attributes:
        pad: Vocabulary id that fills the end of a row.
        device: Where batches go.
        shared: Whether the states of a window are kept and shared, so that they must not depend on its company.
        widest: Largest number of terms in a sum of the model's matrix products.
    """

    name: ClassVar[str] = "packed"
    budget: ClassVar[int] = 1024
    prunes: ClassVar[bool] = True

    pad: int
    device: torch.device | str = "cpu"
    shared: bool = False
    widest: int = 0

    def split(self, lengths: Sequence[int], budget: int, counts: Sequence[int] | None = None) -> list[list[int]]:
        return pack_greedily(lengths, budget, counts, packed=True)

    def fill(self, lengths: Sequence[int], budget: int) -> list[list[int]]:
        return pack_greedily(lengths, budget, packed=True)

    def multiple(self, rows: int) -> int:
        """The number of rows whose multiple a product of matrices with so many rows is filled up to: a row a token.

        Matrix products give a row the same bits whatever its neighbours, but for the last few rows of a thread, and
        where several threads share a sum: where states are shared, there are more rows, and they are filled up. So are
        long products without gradients: tensors of fewer sizes find room where others were, and a process that
        predicts needs 60 MB less.
        """
        import torch

        if self.shared:
            threads = torch.get_num_threads()
            multiple = math.lcm(FILLED, 8 * threads)
            divided = threads > 1 and rows <= self.widest // DIVIDED
            return multiple * (self.widest // DIVIDED // multiple + 1) if divided else multiple
        return FILLED if rows > LONG and not torch.is_grad_enabled() else 1

    def collate(self, windows: Sequence[Window]) -> Batch:
        """Collate windows into a single row. [1, W]"""
        import torch

        lengths = [len(window) for window in windows]
        n = sum(lengths)
        rest = -n % self.multiple(n)

        def row(pieces: list[np.ndarray[Any, Any]], filler: int) -> torch.Tensor:
            whole = np.concatenate([*pieces, np.full(rest, filler)]).astype(np.int64)
            return torch.from_numpy(whole)[None].to(self.device)

        return batch(
            lengths,
            ids=row([window.ids for window in windows], self.pad),
            types=row([window.types for window in windows], 0),
            mask=row([np.ones(n)], 0),
            index=torch.arange(n, device=self.device),
            positions=row([np.arange(length) for length in [*lengths, rest]], 0)[:, : n + rest],
        )


@dataclass(frozen=True, slots=True)
class Padded:
    """One window per row, padded to the longest window.

    Attributes:
        pad: Vocabulary id that fills the ends of the rows.
        device: Device of the batches.
    """

    name: ClassVar[str] = "padded"
    budget: ClassVar[int] = 8192
    prunes: ClassVar[bool] = False

    pad: int
    device: torch.device | str = "cpu"

    def split(self, lengths: Sequence[int], budget: int, counts: Sequence[int] | None = None) -> list[list[int]]:
        return plan_microbatches(lengths, budget, counts)

    def fill(self, lengths: Sequence[int], budget: int) -> list[list[int]]:
        return pack_greedily(lengths, budget, packed=False)

    def multiple(self, rows: int) -> int:
        """Rectangles are as large as their windows make them, so a window's bits depend on its company."""
        return 1

    def collate(self, windows: Sequence[Window]) -> Batch:
        """Collate windows into one row per window. [B, W]"""
        import torch

        lengths = np.array([len(window) for window in windows])
        inside = np.arange(lengths.max())[None, :] < lengths[:, None]
        ids = np.full(inside.shape, self.pad, np.int64)
        types = np.zeros(inside.shape, np.int64)
        ids[inside] = np.concatenate([window.ids for window in windows])
        types[inside] = np.concatenate([window.types for window in windows])

        def placed(table: np.ndarray[Any, Any]) -> torch.Tensor:
            return torch.from_numpy(table).to(self.device)

        return batch(
            lengths.tolist(),
            ids=placed(ids),
            types=placed(types),
            mask=placed(inside.astype(np.int64)),
            index=placed(np.flatnonzero(inside)),
        )


def batch(lengths: Sequence[int], *, ids: torch.Tensor, **tensors: Any) -> Batch:
    """Make a batch, with the sizes and first tokens that follow from the lengths of its windows."""
    import torch

    sizes = torch.tensor(lengths)
    firsts = sizes.cumsum(0) - sizes
    return Batch(ids=ids, lengths=tuple(lengths), sizes=sizes.to(ids.device), firsts=firsts.to(ids.device), **tensors)


def plan_microbatches(
    lengths: Sequence[int],
    budget: int,
    counts: Sequence[int] | None = None,
    *,
    area: Callable[[int, int], int] = mul,
    overhead: int = OVERHEAD,
) -> list[list[int]]:
    """Divide items into padded micro-batches of least total cost: places, padding included, and an overhead for each.

    Dynamic programming finds the optimal division of the sorted items. It is meant for one step (up to a few hundred
    items).

    Args:
        lengths: As for `Layout.split`.
        budget: As for `Layout.split`.
        counts: As for `Layout.split`.
        area: Number of places of a micro-batch, from its longest window and its number of windows.
        overhead: Cost of an additional micro-batch, in places.

    Returns:
        What `Layout.split` returns.
    """
    counts = counts or [1] * len(lengths)
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    best: list[tuple[int, int]] = [(0, 0)]  # cost of the first j items, start of their last micro-batch
    for end in range(1, len(order) + 1):
        choices, windows = [], 0
        for start in range(end - 1, -1, -1):
            windows += counts[order[start]]
            places = area(lengths[order[start]], windows)
            if places > budget and start < end - 1:
                break
            choices.append((best[start][0] + places + overhead, start))
        best.append(min(choices))
    pieces, end = [], len(order)
    while end:
        start = best[end][1]
        pieces.append(order[start:end])
        end = start
    return pieces[::-1]


def pack_greedily(
    lengths: Sequence[int], budget: int, counts: Sequence[int] | None = None, *, packed: bool
) -> list[list[int]]:
    """Fill one micro-batch after the other up to the budget, longest items first.

    Args:
        lengths: Number of tokens of each window, or of the longest window of each example.
        budget: Largest number of places of a micro-batch, counted in the row when packed, else in the rectangle.
        counts: Number of windows of each item; 1 by default.
        packed: Whether windows are concatenated without padding.

    Returns:
        Indices into `lengths`.
    """
    counts = counts or [1] * len(lengths)
    batches: list[list[int]] = []
    width = windows = area = 0
    for i in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        wanted = area + lengths[i] * counts[i] if packed else width * (windows + counts[i])
        if not batches or wanted > budget:
            batches.append([])
            width, windows, area = lengths[i], 0, 0
        batches[-1].append(i)
        windows, area = windows + counts[i], area + lengths[i] * counts[i]
    return batches
