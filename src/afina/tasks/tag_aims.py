"""What can be explained of tags and entities: the logits of the tags of their words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..metrics.entities import certainty
from ..metrics.temperature import softmax, tempered
from ..records import Example, Window
from ..text.schemes import entities_of
from ..text.spans import Span, opens, owners
from .aims import Aim, Array, Term, Wanted, known_label, refusal, stretch_of

if TYPE_CHECKING:
    from .tokens import Tokens

Place = tuple[int, int]
"""The number of a window, and that of a token in it."""


@dataclass(frozen=True, slots=True)
class Units:
    """What has a tag: the words of a text, or its tokens.

    Attributes:
        spans: Character spans. [n, 2]
        probabilities: Of the tags of each. [n, k]
        homes: The token whose logits decide each; None for a word without a token.
    """

    spans: Array
    probabilities: Array
    homes: list[Place | None]


def of_tags(
    task: Tokens, example: Example, windows: Sequence[Window], logits: Sequence[Array], wanted: Wanted
) -> list[Aim]:
    """The aims of a tagged text: each entity or plain tag that is given, those of one label, or those of a stretch.

    Raises:
        ConfigError: there is no such label, or the stretch holds no word.
    """
    units = units_of(task, example, windows, logits)
    columns = units.probabilities.argmax(axis=1).tolist() if task.plain else []
    tags = [task.tags[i] for i in columns] if task.plain else task.best_tags(units.probabilities)
    if isinstance(wanted, tuple):
        return [asked_about(task, example, units, tags, wanted)]
    found = [Span(i, i + 1, tag) for i, tag in enumerate(tags)] if task.plain else entities_of(tags)
    label = None if wanted is None else known_label(wanted, task.types)
    chosen = [span for span in found if label in (None, span.label)]
    aims = (aim_of(task, units, span, [task.tags.index(tag) for tag in tags[span.start : span.end]]) for span in chosen)
    return [aim for aim in aims if aim is not None]


def units_of(task: Tokens, example: Example, windows: Sequence[Window], logits: Sequence[Array]) -> Units:
    """The units that `Tokens.decode` gives tags, each read in the window where it has most context."""
    spans = np.concatenate([window.spans[slice(*window.core)] for window in windows])
    rows = np.concatenate([rows[slice(*window.core)] for window, rows in zip(windows, logits, strict=True)])
    places = [(number, row) for number, window in enumerate(windows) for row in range(*window.core)]
    probabilities = softmax(rows.astype(np.float64)) if len(rows) else rows
    words = example.words
    if words is None and task.fitted.get("scheme") == "spans":
        visible = np.flatnonzero(spans[:, 1] > spans[:, 0])
        return Units(spans[visible], probabilities[visible], [places[i] for i in visible])
    words = task.raw_words(example.text) if words is None else words
    owner = owners(words, spans)
    homes: list[Place | None] = [None] * len(words)
    for i in np.flatnonzero(opens(owner)):
        homes[owner[i]] = places[i]
    return Units(np.array(words, np.int64).reshape(-1, 2), task.by_word(words, spans, probabilities), homes)


def aim_of(task: Tokens, units: Units, span: Span, columns: Sequence[int]) -> Aim | None:
    """The mean logit of some tags of neighbouring units; None where none of them has a token.

    Args:
        task: Fitted.
        units: All units.
        span: The first, the one after the last, and the label.
        columns: The tag of each.
    """
    homes = units.homes[span.start : span.end]
    seen = [(home, column) for home, column in zip(homes, columns, strict=True) if home is not None]
    if not seen:
        return None
    sure = tempered(units.probabilities[span.start : span.end], task.calibration.temperature)
    score = certainty(sure, columns, Span(0, len(columns), span.label))
    stretch = int(units.spans[span.start, 0]), int(units.spans[span.end - 1, 1])
    return Aim(span.label, score, tuple(Term(*home, column, 1 / len(seen)) for home, column in seen), stretch)


def asked_about(task: Tokens, example: Example, units: Units, tags: Sequence[str], wanted: Wanted) -> Aim:
    """What is explained of a stretch of the text: that its words have the tags of a label or, without one, their own.

    Raises:
        ConfigError: it holds no word that has a token, or the label is none.
    """
    start, end, label = stretch_of(wanted, example, example.text)
    inside = np.flatnonzero((units.spans[:, 1] > start) & (units.spans[:, 0] < end))
    aim = None
    if len(inside):
        first, last = int(inside[0]), int(inside[-1]) + 1
        own = list(tags[first:last])
        if label is not None:
            known = [*task.types, *(tag for tag in task.tags if "-" not in tag and tag not in task.types)]
            kind = known_label(label, known)
            if kind != type_of(own[0]):
                own = [tag_for(kind, task.tags, first=i == 0) for i in range(len(own))]
        aim = aim_of(task, units, Span(first, last, type_of(own[0])), [task.tags.index(tag) for tag in own])
    if aim is None:
        raise refusal(example, f"there is no word that is read at the characters {start} to {end}")
    return aim


def type_of(tag: str) -> str:
    """The type of a tag of an entity; any other tag itself."""
    edge, sign, kind = tag.partition("-")
    return kind if sign and len(edge) == 1 else tag


def tag_for(kind: str, tags: Sequence[str], *, first: bool) -> str:
    """The tag of a word in an entity of a type, or the plain tag itself."""
    names = [kind, f"{'B' if first else 'I'}-{kind}", f"I-{kind}", f"B-{kind}"]
    return next((name for name in names if name in tags), next(tag for tag in tags if type_of(tag) == kind))
