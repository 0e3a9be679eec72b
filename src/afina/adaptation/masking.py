"""Masks: which tokens of a window are to be predicted, and what stands in their places (Devlin et al. 2019, 3.1).

A mask is a pure function of seed, epoch and the window's number, so that a training that was stopped goes on with the
same masks. It is made of the raw bits of a Philox counter, which numpy promises to keep.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..records import Example, Ints, Window
from ..text.words import UNIT
from .corpus import IGNORED

TRAINING, VALIDATION = 0, 1
"""Streams of random bits that have nothing in common."""


class Masked(NamedTuple):
    """A window in which tokens are hidden.

    Attributes:
        window: The window with other ids in their places.
        labels: The ids that were there, `IGNORED` elsewhere. [n]
    """

    window: Window
    labels: Ints

    @property
    def hidden(self) -> int:
        """Number of tokens to be predicted."""
        return int((self.labels != IGNORED).sum())


@dataclass(frozen=True, slots=True)
class Masking:
    """How tokens are hidden. Each unit, a token or a word, is hidden with the same probability.

    Attributes:
        mask: Vocabulary id of the mask token.
        others: Vocabulary ids that a random token is drawn from.
        seed: Seed of all masks.
        share: Probability that a unit is hidden.
        mask_token: Share of the hidden tokens that the mask token stands for.
        random_token: Share of the hidden tokens that a random token stands for. The rest keep their own.
    """

    mask: int
    others: Ints
    seed: int
    share: float = 0.15
    mask_token: float = 0.8
    random_token: float = 0.1

    def draw(
        self,
        windows: Sequence[Window],
        units: Sequence[Ints],
        numbers: Sequence[int],
        *,
        epoch: int,
        stream: int = TRAINING,
    ) -> list[Masked]:
        """Windows with hidden tokens, without those in which none was hidden: they have no loss.

        Where no window had any, one unit of the first window is hidden.

        Args:
            windows: Windows, each with a token that is not a special one.
            units: The unit of each token, as `tokens_of` or `words_of` gives them.
            numbers: Number of each window in the data.
            epoch: Number of the epoch.
            stream: For training or for validation.
        """
        given = list(zip(windows, units, numbers, strict=True))
        drawn = [self.hide(*one, epoch=epoch, stream=stream) for one in given]
        return [one for one in drawn if one.hidden] or [self.hide(*given[0], epoch=epoch, stream=stream, least=True)]

    def hide(self, window: Window, units: Ints, number: int, *, epoch: int, stream: int, least: bool = False) -> Masked:
        """A window with hidden tokens.

        Args:
            window: The window.
            units: The unit of each of its tokens, -1 for special ones. [n]
            number: Its number in the data.
            epoch: Number of the epoch.
            stream: For training or for validation.
            least: Whether the likeliest unit is hidden in any case.
        """
        n = len(window)
        bits = np.random.Philox(key=[self.seed, stream], counter=[0, 0, number, epoch]).random_raw(3 * n)
        chance, kind = uniform(bits[:n]), uniform(bits[n : 2 * n])
        random = self.others[bits[2 * n :] % np.uint64(len(self.others))]
        own = np.where(units < 0, 1.0, chance[np.maximum(units, 0)])  # one number for all tokens of a unit
        hidden = own < self.share
        if least and not hidden.any():
            hidden = own == own.min()
        ids = np.where(kind < self.mask_token, self.mask, window.ids)
        ids = np.where((kind >= self.mask_token) & (kind < self.mask_token + self.random_token), random, ids)
        ids = np.where(hidden, ids, window.ids).astype(np.int32)
        return Masked(replace(window, ids=ids), np.where(hidden, window.ids, IGNORED).astype(np.int32))


def uniform(bits: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
    """Numbers from 0 up to 1 from 64 random bits each."""
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def tokens_of(window: Window) -> Ints:
    """Each token as a unit of its own; -1 for special tokens. [n]"""
    return np.where(window.segments < 0, -1, np.arange(len(window))).astype(np.int32)


def words_of(example: Example, window: Window) -> Ints:
    """The words of a window as units: the first token's position for all tokens of a word, -1 for special tokens. [n]

    A word is a run of letters and digits with their marks; in scripts without blanks it is a letter, and every other
    sign is a word by itself. A word that continues in another window is hidden in each of them by itself.
    """
    units = tokens_of(window)
    for segment, text in enumerate((example.text, example.pair or "")):
        places = np.flatnonzero(window.segments == segment)
        spans = np.array([match.span() for match in UNIT.finditer(text)], np.int64).reshape(-1, 2)
        if not len(places) or not len(spans):
            continue
        starts = window.spans[places, 0]
        word = np.searchsorted(spans[:, 0], starts, side="right") - 1
        inside = (word >= 0) & (starts < spans[word, 1])
        known = places[inside]
        _, first, index = np.unique(word[inside], return_index=True, return_inverse=True)
        units[known] = known[first][index]
    return units
