"""The nouns. Nearly everything in afina is a function from one of these to the next.

Row -> Example -> Features (windows) -> Batch -> States -> logits -> prediction -> score row
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

Ints = npt.NDArray[np.int32]
Prediction = dict[str, Any]
"""What a task says about one example: JSON values only, the answer itself under the task's target name."""
ScoreRow = dict[str, Any]
"""One line of the table that metrics read: numbers only, the same names for every example of a task."""


def without_answer(prediction: Prediction) -> Prediction:
    """A prediction in which everything is None, for an input without a text; its names are those of all others."""
    return {name: dict.fromkeys(value) if isinstance(value, dict) else None for name, value in prediction.items()}


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a file or of the caller's data, as it was read.

    Attributes:
        values: Column name to value. Text files give strings; jsonl and Python callers any JSON value.
        place: Where it stands, for example `train.csv:17`.
        raw: Its bytes in the file, where it has lines of its own there.
    """

    values: Mapping[str, Any]
    place: str
    raw: bytes = field(default=b"", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Example:
    """One item of a task: what goes in and, when it is known, what should come out.

    Attributes:
        text: The first (or only) text.
        pair: The second text, or None for single texts.
        target: What the task should answer; None when it is unknown.
        place: Where it came from.
        words: For word-labelled input, the character span [start, end) of each word in `text`.
        group: What it shares with others, such as an author or a document, where a column of groups is named.
    """

    text: str
    pair: str | None = None
    target: Any = None
    place: str = ""
    words: tuple[tuple[int, int], ...] | None = None
    group: str | None = None


class Mark(NamedTuple):
    """A stretch [start, end) of a text that an answer names, with its label and the confidence in it, if any."""

    start: int
    end: int
    label: str
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """A prediction as people and other programs take it. An input without a text has no answer: its values are None.

    Attributes:
        cells: The answer as columns of a table, in the form in which training data hold such an answer; it comes first.
        confidence: How sure the model is of the whole answer, from 0 to 1; None where it can't say.
        probabilities: Probability of each label, where the task has labels; None where there is no answer.
        text: The text that `marks` lie in.
        marks: What the answer names in it.
        words: The words of the text and their tags, where the answer can be written so.
    """

    cells: Mapping[str, Any]
    confidence: float | None = None
    probabilities: Mapping[str, float | None] = field(default_factory=dict)
    text: str = ""
    marks: tuple[Mark, ...] = ()
    words: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """A run of tokens that goes through the encoder as one sequence. n is its number of tokens.

    Attributes:
        ids: Vocabulary ids, special tokens included. [n]
        types: Token types (0 first text, 1 second text where the family has them). [n]
        segments: 0 for a token of the text, 1 of the pair, -1 for a special token. [n]
        spans: Character span [start, end) in the text the token belongs to; (0, 0) for special tokens. [n, 2]
        core: Token positions [start, end) for which this window is the one with most context.
    """

    ids: Ints
    types: Ints
    segments: Ints
    spans: Ints
    core: tuple[int, int]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Features:
    """An example as the encoder sees it.

    Attributes:
        windows: One window, or several that overlap when a long example slides.
        truncated_tokens: Number of the example's tokens that stand in no window.
    """

    windows: tuple[Window, ...]
    truncated_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows as tensors, made once. Packed and padded batches look alike to everything after the encoder.

    B windows, R rows of W columns; n real tokens in all. A packed batch has one row, its windows one after the other;
    what lies behind the last one is padding of its own.

    On a GPU the shapes of all tensors follow from a few rounded numbers: S slots, of which the first B hold windows and
    the others padding. There the encoder gives a row for each place, W or R W, and not for each real token.

    Attributes:
        ids: Vocabulary ids, padding where no token is. [R, W]
        types: Token types. [R, W]
        mask: 1 for a real token, 0 for padding. [R, W]
        lengths: Number of tokens of each window. On a GPU no computation reads them. [B]
        sizes: The same as a tensor. [B] or, with those of padded slots, [S]
        firsts: Position of each window's first token among the rows that the encoder gives. [B] or [S]
        index: Position of each real token in the rectangle read row by row, windows in order; None on a GPU. [n]
        positions: For a packed batch, each token's position in its window from 0; None for a padded one. [1, W]
        cumulative: For a packed batch on a GPU, where each slot begins, and the end of the row. [S + 1]
        longest: With `cumulative`, no slot is longer than this. It is the same for all batches of these shapes.
    """

    ids: torch.Tensor
    types: torch.Tensor
    mask: torch.Tensor
    lengths: tuple[int, ...]
    sizes: torch.Tensor
    firsts: torch.Tensor
    index: torch.Tensor | None = None
    positions: torch.Tensor | None = None
    cumulative: torch.Tensor | None = None
    longest: int = 0

    @property
    def row(self) -> tuple[int, ...]:
        """What a packed row is made of: the lengths of its windows, and of the padding behind them."""
        rest = self.ids.shape[1] - self.tokens
        return (*self.lengths, rest) if rest else self.lengths

    @property
    def tokens(self) -> int:
        """Real tokens, padding not counted."""
        return sum(self.lengths)

    @property
    def rows(self) -> int:
        """Number of rows that the encoder gives for tokens."""
        return self.ids.numel() if self.index is None else self.tokens

    @property
    def slots(self) -> int:
        """Number of rows that pooling gives."""
        return len(self.firsts)

    @property
    def places(self) -> npt.NDArray[np.int64]:
        """Position of each real token among the rows that the encoder gives, windows in order. [n]"""
        if self.index is not None or self.positions is not None:
            return np.arange(self.tokens)
        return np.flatnonzero(np.arange(self.ids.shape[1]) < np.array(self.lengths)[:, None])

    @property
    def shape(self) -> Hashable:
        """All that is the same for every batch that a captured computation serves."""
        return tuple((name, tuple(tensor.shape)) for name, tensor in self.tensors().items()), self.longest

    def tensors(self) -> dict[str, torch.Tensor]:
        """Its tensors by name."""
        named = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in ("lengths", "longest")}
        return {name: tensor for name, tensor in named.items() if tensor is not None}

    def with_tensors(self, tensors: Mapping[str, torch.Tensor]) -> Batch:
        """The same batch on other tensors, such as copies on another device."""
        return replace(self, **tensors)  # type: ignore[arg-type]

    def spread(self, values: npt.NDArray[Any], *, pooled: bool, filler: float) -> npt.NDArray[Any]:
        """Values of examples, windows (pooled) or real tokens as an array with a row for each that the encoder gives.

        Args:
            values: One row each, in order. [m, ...]
            pooled: Whether there is one row per slot.
            filler: What the rows of padding hold.
        """
        if self.index is not None:
            return values
        table = np.full((self.slots if pooled else self.rows, *values.shape[1:]), filler, values.dtype)
        table[np.arange(len(values)) if pooled else self.places] = values
        return table

    def real(self, rows: torch.Tensor, *, pooled: bool) -> torch.Tensor:
        """The rows of windows (pooled) or of real tokens, without those of padding.

        Args:
            rows: What the encoder or a head gives. [R W, k] or, pooled, [S, k]
            pooled: Whether there is one row per slot.
        """
        if self.index is not None or len(rows) == (len(self.lengths) if pooled else self.tokens):
            return rows
        if pooled or self.positions is not None:
            return rows[: len(self.lengths) if pooled else self.tokens]
        import torch

        return rows.index_select(0, torch.from_numpy(self.places).to(rows.device))


@dataclass(frozen=True, slots=True)
class States:
    """What the encoder (or a part of it) gives for a batch: one vector a real token, never padding.

    Attributes:
        vectors: The states of the windows' tokens in order, [n, d]; or one vector a window, [B, d]. On a GPU a batch
            has places and slots of padding, whose states mean nothing.
        pooled: True when `vectors` holds one vector a window.
    """

    vectors: torch.Tensor
    pooled: bool = False
