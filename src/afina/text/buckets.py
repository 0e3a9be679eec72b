"""Layouts for a GPU: batches of few shapes, so that what was prepared for a shape serves many steps.

A kernel's plan, a captured graph and the allocator's blocks belong to a shape. So every tensor of a batch has a shape
that follows from a few numbers, each rounded up to one of a few values. Rows are rounded up to a step of an eighth of
the power of two below: at most an eighth is padding, and a sixteenth on average. Numbers of windows are rounded up to
1, 2, 3, 4, 6, 8, 12, 16, 24 and so on, and the longest window to a power of four times 128, since kernels are launched
for it and return at once where a window is shorter. A run with 32 short texts a step meets about ten shapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..records import Batch, Window
from .layouts import pack_greedily, plan_microbatches

if TYPE_CHECKING:
    import torch

ROWS, LEAST = 8, 64
"""Lengths of packed rows between two powers of two; their least common step."""
COUNTS = 2
"""Numbers of windows between two powers of two."""
WIDTHS, NARROWEST = 4, 16
"""Widths of rectangles between two powers of two; their least common step."""
SHORTEST, RATIO = 128, 4
"""The first value that a longest window is rounded up to, and the ratio of the next to it."""
OVERHEAD = 2048
"""Cost of an additional rectangle, in tokens of computation: a small one doesn't fill a GPU."""


def step(n: int, parts: int, least: int) -> int:
    """The distance from n to its neighbours, where `parts` values lie between two powers of two."""
    power: int = 1 << (n - 1).bit_length()
    return max(least, power // (2 * parts))


def bucket(n: int, parts: int, least: int = 1) -> int:
    """n, or the next value above it of `parts` values between two powers of two, at least `least` apart."""
    wide = step(n, parts, least)
    return -(-n // wide) * wide


def shape(tokens: int, windows: int, longest: int) -> tuple[int, int, int]:
    """The shape of a packed row: its number of places, its number of slots, and a bound on the longest slot.

    Every slot holds a token at least: a kernel that is asked for an empty one may not write what it gives. A slot
    without a window holds padding, and there are enough of them that none is longer than the bound.

    Args:
        tokens: Number of real tokens.
        windows: Number of windows.
        longest: Number of tokens of the longest.
    """
    most = SHORTEST
    while most < longest:
        most *= RATIO
    places = bucket(tokens, ROWS, LEAST)
    while True:
        spare = -(-step(places, ROWS, LEAST) // (most - 1))
        slots = bucket(windows, COUNTS) + spare
        if tokens + slots - windows <= places:
            return places, slots, min(most, places)
        places = bucket(places + 1, ROWS, LEAST)


@dataclass(frozen=True, slots=True)
class Row:
    """Windows concatenated in one row of a bucket's length; the places behind the last hold padding.

    Attributes:
        pad: Vocabulary id of padding.
        device: Where batches go.
    """

    name: ClassVar[str] = "row"
    budget: ClassVar[int] = 16384
    prunes: ClassVar[bool] = True

    pad: int
    device: torch.device | str = "cpu"

    def split(self, lengths: Sequence[int], budget: int, counts: Sequence[int] | None = None) -> list[list[int]]:
        # A slot may need a place more than its window, so that a full row is still within the budget.
        return pack_greedily([length + 1 for length in lengths], budget - SHORTEST, counts, packed=True)

    def fill(self, lengths: Sequence[int], budget: int) -> list[list[int]]:
        return self.split(lengths, budget)

    def multiple(self, rows: int) -> int:
        """The number of slots is rounded up already."""
        return 1

    def collate(self, windows: Sequence[Window]) -> Batch:
        """Collate windows into a single row. [1, T]"""

        lengths = [len(window) for window in windows]
        tokens = sum(lengths)
        places, slots, longest = shape(tokens, len(lengths), max(lengths))
        spare, rest = slots - len(lengths), places - tokens
        sizes = np.array([*lengths, *((rest + i) // spare for i in range(spare))])
        ends = sizes.cumsum()

        def row(pieces: Sequence[np.ndarray[Any, Any]], filler: int = 0) -> torch.Tensor:
            return self.placed(np.concatenate([*pieces, np.full(rest, filler)])[None].astype(np.int64))

        return Batch(
            ids=row([window.ids for window in windows], self.pad),
            types=row([window.types for window in windows]),
            mask=row([np.ones(tokens)]),
            lengths=tuple(lengths),
            sizes=self.placed(sizes),
            firsts=self.placed(ends - sizes),
            positions=row([np.arange(length) for length in lengths]),
            cumulative=self.placed(np.concatenate([[0], ends]).astype(np.int32)),
            longest=longest,
        )

    def placed(self, table: np.ndarray[Any, Any]) -> torch.Tensor:
        """An array as a tensor on the device."""
        import torch

        return torch.from_numpy(table).to(self.device)


@dataclass(frozen=True, slots=True)
class Rectangle:
    """One window per row, rows and width rounded up, for families whose attention can't tell windows in a row apart.

    Attributes:
        pad: Vocabulary id of padding.
        device: Where batches go.
        widest: Number of positions that the model has.
    """

    name: ClassVar[str] = "rectangle"
    budget: ClassVar[int] = 16384
    prunes: ClassVar[bool] = False

    pad: int
    device: torch.device | str = "cpu"
    widest: int = 1 << 30

    def split(self, lengths: Sequence[int], budget: int, counts: Sequence[int] | None = None) -> list[list[int]]:
        return plan_microbatches(lengths, budget, counts, area=self.area, overhead=OVERHEAD)

    def fill(self, lengths: Sequence[int], budget: int) -> list[list[int]]:
        return pack_greedily([self.width(length) for length in lengths], budget, packed=False)

    def multiple(self, rows: int) -> int:
        """The number of rows is rounded up already."""
        return 1

    def width(self, longest: int) -> int:
        """The width for a longest window."""
        return max(longest, min(bucket(longest, WIDTHS, NARROWEST), self.widest))

    def area(self, longest: int, windows: int) -> int:
        """Number of places for so many windows."""
        return self.width(longest) * bucket(windows, COUNTS)

    def collate(self, windows: Sequence[Window]) -> Batch:
        """Collate windows into one row per window. [R, W]

        A row without a window attends to its first place: a softmax over no keys is not a number.
        """
        import torch

        lengths = np.array([len(window) for window in windows])
        rows, width = bucket(len(lengths), COUNTS), self.width(int(lengths.max()))
        sizes = np.concatenate([lengths, np.ones(rows - len(lengths), np.int64)])
        tokens = np.arange(width) < lengths[:, None]
        ids, types = np.full((rows, width), self.pad, np.int64), np.zeros((rows, width), np.int64)
        ids[: len(lengths)][tokens] = np.concatenate([window.ids for window in windows])
        types[: len(lengths)][tokens] = np.concatenate([window.types for window in windows])
        tables = {
            "ids": ids,
            "types": types,
            "mask": (np.arange(width) < sizes[:, None]).astype(np.int64),
            "sizes": sizes,
            "firsts": np.arange(rows) * width,
        }
        tensors: dict[str, Any] = {name: torch.from_numpy(table).to(self.device) for name, table in tables.items()}
        return Batch(
            lengths=tuple(lengths.tolist()),
            **tensors,
        )
