"""Stretches of a passage that could answer a question, with their scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..records import Window
from .base import Array


class Candidate(NamedTuple):
    """A possible answer: the sum of the logits of its first and last token, and its characters [start, end)."""

    score: float
    start: int
    end: int


def candidates(
    windows: Sequence[Window], logits: Sequence[Array], longest: int, best: int = 20
) -> tuple[list[Candidate], float]:
    """Possible answers across all windows, best first, and the score of "no answer".

    An answer starts in a window's core, where its first token has most context. The score of "no answer" is the
    smallest score of the first token over the windows, as in the code of Devlin et al.
    """
    best_scores: dict[tuple[int, int], float] = {}
    none = min(float(rows[0, 0] + rows[0, 1]) for rows in logits)
    for window, rows in zip(windows, logits, strict=True):
        own = (window.segments == 1) & (window.spans[:, 1] > window.spans[:, 0])
        core = np.zeros(len(window), bool)
        core[slice(*window.core)] = True
        firsts = np.flatnonzero(own & core)
        for first in firsts[np.argsort(-rows[firsts, 0], kind="stable")[:best]]:
            lasts = np.arange(first, min(first + longest, len(window)))
            lasts = lasts[own[lasts]]
            for last in lasts[np.argsort(-rows[lasts, 1], kind="stable")[:best]]:
                place = int(window.spans[first, 0]), int(window.spans[last, 1])
                best_scores[place] = max(best_scores.get(place, -np.inf), float(rows[first, 0] + rows[last, 1]))
    ranked = sorted(
        (Candidate(score, *place) for place, score in best_scores.items()),
        key=lambda candidate: (-candidate.score, candidate[1:]),
    )
    return ranked[:best], none
