"""Stretches of a passage that could answer a question, with their scores."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..errors import printable
from ..records import Example, Window
from .aims import Aim, Array, Term, Wanted, refusal, stretch_of

if TYPE_CHECKING:
    from .base import Task


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


def tokens_of(window: Window, start: int, end: int) -> tuple[int, int] | None:
    """First and last token of characters [start, end) of the passage; None where the window does not hold them all."""
    own = np.flatnonzero((window.segments == 1) & (window.spans[:, 1] > window.spans[:, 0]))
    if not len(own):
        return None
    starts, ends = window.spans[own, 0], window.spans[own, 1]
    inside = own[(ends > start) & (starts < end)]
    if not len(inside) or starts[0] > start or ends[-1] < end:
        return None
    return int(inside[0]), int(inside[-1])


def of_answer(
    task: Task, example: Example, windows: Sequence[Window], logits: Sequence[Array], wanted: Wanted
) -> list[Aim]:
    """The aim of an answer: the logits of its first and its last token, in the window that gives it most.

    Args:
        task: Fitted.
        example: The question and its passage.
        windows: Its windows.
        logits: Of each, [n, 2].
        wanted: Characters of the passage, or a text that stands in it; the empty text for "no answer"; None for what
            the model answers.

    Raises:
        ConfigError: the text does not stand in the passage, or no window holds it.
    """
    passage, said = example.pair or "", task.decode(example, windows, logits)
    places = [(said["start"], said["end"])] if wanted is None else wished(example, wanted)
    stretch: tuple[int, int] | None = None
    if places == [(0, 0)]:
        number, first, last = int(np.argmin([rows[0].sum() for rows in logits])), 0, 0
    else:
        found = [
            (float(logits[number][ends[0], 0] + logits[number][ends[1], 1]), number, *ends)
            for place in places
            for number, window in enumerate(windows)
            if (ends := tokens_of(window, *place)) is not None
            and (wanted is not None or window.core[0] <= ends[0] < window.core[1])
        ]
        if not found:
            raise refusal(example, f"no window holds the whole of {printable(passage[slice(*places[0])])}")
        _, number, first, last = max(found)
        stretch = int(windows[number].spans[first, 0]), int(windows[number].spans[last, 1])
    key = stretch or (0, 0)
    listed = [said, *said["alternatives"]]
    score = next((one["probability"] for one in listed if (one["start"], one["end"]) == key), None)
    terms = Term(number, first, 0, 1.0), Term(number, last, 1, 1.0)
    return [Aim(passage[slice(*key)], score, terms, stretch)]


def wished(example: Example, wanted: Wanted) -> list[tuple[int, int]]:
    """Where an answer that is asked about stands: at the characters that are named, or wherever its text is.

    Raises:
        ConfigError: it is not in the passage.
    """
    passage = example.pair or ""
    if isinstance(wanted, tuple):
        return [stretch_of(wanted, example, passage)[:2]]
    text = str(wanted)
    if not text:
        return [(0, 0)]
    places = [match.span() for match in re.finditer(re.escape(text), passage)]
    if not places:
        raise refusal(example, f"{printable(text)} is not in the passage; copy the answer from there")
    return places
