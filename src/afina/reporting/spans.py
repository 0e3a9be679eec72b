"""Entities in texts: kinds of errors, and texts with what is right and what was said marked in place."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup

from ..text.schemes import entities_of
from .blocks import Block, Cell, Chart, Grid, Piece, Prose
from .figures import Bars, bars
from .kinds import LONGEST, MOST, Choice, Kind, breakdown_grid
from .overview import Overview
from .phrases import Words, foreign
from .source import Item, Source

ERRORS = ("boundary", "type", "both", "missed", "invented")
"""Kinds of errors: wrong edges, wrong type, both; an entity that was not found, and one that is none."""


class Found(NamedTuple):
    """An entity: where it begins and ends, by characters or words, and its type."""

    start: int
    end: int
    label: str


class Spans(Kind):
    """Entities."""

    title = "part.entities"

    def __init__(self, source: Source, words: Words) -> None:
        super().__init__(source, words)
        self.counts: Counter[tuple[str, str]] = Counter()
        self.right, self.gold = Counter[str](), Counter[str]()
        self.confused: Counter[tuple[str, str]] = Counter()
        self.first: dict[str, int] = {}
        self.worst, self.sure = array("l"), array("d")

    def add(self, item: Item) -> None:
        gold, said = both_of(item)
        errors = compared(gold, set(said))
        self.gold.update(one.label for one in gold)
        self.right.update(one.label for one in gold & set(said))
        for kind, one, other in errors:
            self.counts[kind, one.label] += 1
            if kind in ("type", "both") and other is not None:
                self.confused[one.label, other.label] += 1
        kinds = [kind for kind, _, _ in errors]
        self.worst.append(self.first.setdefault(kinds[0], len(self.first)) if kinds else -1)
        wrong = [said[one] for one in said if one not in gold]
        self.sure.append(max(wrong, default=0.0))

    def weak(self) -> Markup:
        total = Counter[str]()
        for (kind, _), count in self.counts.items():
            total[kind] += count
        if not total:
            return Markup()
        words, (kind, count) = self.words, total.most_common(1)[0]
        label = max((one for one in self.counts if one[0] == kind), key=lambda one: self.counts[one])[1]
        return words.html(
            "verdict.weak_entity",
            kind=words(f"entities.{kind}"),
            count=words.numbers.whole(count),
            label=foreign(label),
            of=words.numbers.whole(self.counts[kind, label]),
        )

    def blocks(self) -> Sequence[Block]:
        words = self.words
        names = {kind: words(f"entities.{kind}") for kind in ERRORS}
        sums = [sum(count for (one, _), count in self.counts.items() if one == kind) for kind in ERRORS]
        title = words("entities.kinds")
        figure = Bars(title, words("entities.count"), [*names.values()], sums, whole=True)
        labels = sorted({label for _, label in self.counts} | set(self.gold), key=lambda one: -self.gold[one])
        rows: list[list[Cell]] = [
            [label, self.gold[label], self.right[label], *(self.counts[kind, label] for kind in ERRORS)]
            for label in labels
        ]
        columns = [words("entities.type_of"), words("entities.gold"), words("entities.right"), *names.values()]
        grid = Grid(columns, rows, "entity-errors.csv")
        found: list[Block] = [*breakdown_grid(self.source, words)]
        found.append(Chart(title, bars(figure, words.numbers), grid, words("entities.kinds_note")))
        if self.confused:
            pairs: list[list[Cell]] = [[one, other, n] for (one, other), n in self.confused.most_common(15)]
            heads = [words("entities.gold_type"), words("entities.said_type"), words("entities.count")]
            found.append(Grid(heads, pairs, "types.csv", words("entities.confused")))
        return [*found, *cut_off(self.source, words)]

    def choices(self, overview: Overview) -> Sequence[Choice]:
        wrong = np.frombuffer(self.worst, np.int_)
        found = np.flatnonzero(wrong >= 0)
        order = found[np.argsort(-np.frombuffer(self.sure)[found], kind="stable")][:MOST].tolist()
        if not order:
            return []
        words, kinds = self.words, list(self.first)
        filters = [words(f"entities.{kinds[wrong[i]]}") for i in order]
        intro = words("errors.entities_intro", count=words.numbers.whole(len(found)))
        return [Choice("sure", words("errors.entities"), intro, order, filters)]

    def facts(self, item: Item) -> Sequence[tuple[str, Cell]]:
        if item.example.text:
            return []
        return super().facts(item)

    def written(self, answer: object) -> str:
        if not isinstance(answer, list):
            return ""
        return "; ".join(one if isinstance(one, str) else "-".join(map(str, values_of(one))) for one in answer)

    def texts(self, item: Item) -> Sequence[tuple[str, Sequence[Piece]]]:
        gold, said = both_of(item)
        words = item.example.words
        marks = [
            (
                *characters(one, words),
                one.label,
                "both" if one in gold and one in said else "gold" if one in gold else "said",
            )
            for one in sorted(gold | set(said))
        ]
        return [("", pieces(item.example.text, marks))]


def values_of(one: Any) -> list[Any]:
    """Start, end and type of an entity in a record."""
    return [one.get(name) for name in ("start", "end", "label")] if isinstance(one, Mapping) else list(one)


def both_of(item: Item) -> tuple[set[Found], dict[Found, float]]:
    """The entities of an example that are right, and those that were said with their confidence."""
    target = item.target or []
    if target and isinstance(target[0], str):
        gold = {Found(one.start, one.end, one.label) for one in entities_of(target)}
    else:
        gold = {Found(*values_of(one)[:3]) for one in target}
    said = item.prediction.get("entities") or []
    return gold, {Found(one["start"], one["end"], one["label"]): float(one.get("score") or 0.0) for one in said}


def compared(gold: set[Found], said: set[Found]) -> list[tuple[str, Found, Found | None]]:
    """The errors of an example: the kind of each, what is right (or invented), and what was said in its place.

    Each entity is in one error at most: of those that overlap, the ones with the same edges or type come first.
    """
    missed, invented = sorted(gold - said), sorted(said - gold)
    pairs = [
        (kind_of(one, other), one, other)
        for one in missed
        for other in invented
        if one.start < other.end and other.start < one.end
    ]
    found: list[tuple[str, Found, Found | None]] = []
    for kind, one, other in sorted(pairs, key=lambda pair: ERRORS.index(pair[0])):
        if one in missed and other in invented:
            missed.remove(one)
            invented.remove(other)
            found.append((kind, one, other))
    return [*found, *(("missed", one, None) for one in missed), *(("invented", one, None) for one in invented)]


def kind_of(gold: Found, said: Found) -> str:
    """How two entities that overlap differ."""
    same_edges, same_type = gold[:2] == said[:2], gold.label == said.label
    return "type" if same_edges else "boundary" if same_type else "both"


def characters(one: Found, words: Sequence[tuple[int, int]] | None) -> tuple[int, int]:
    """Where an entity stands in the text."""
    if words is None:
        return one.start, one.end
    known = 0 <= one.start < one.end <= len(words)
    return (words[one.start][0], words[one.end - 1][1]) if known else (0, 0)


def pieces(text: str, marks: Sequence[tuple[int, int, str, str]], most: int = LONGEST) -> list[Piece]:
    """A text in pieces, so that each mark is one: those that overlap an earlier one are named behind their place.

    Args:
        text: The text.
        marks: Start, end, label and kind of each mark.
        most: Characters that are shown.
    """
    found: list[Piece] = []
    at = 0
    for start, end, label, kind in sorted(marks, key=lambda mark: (mark[0], mark[3] == "said", -mark[1])):
        if not 0 <= start < end <= min(len(text), most):
            continue
        if start < at:
            found.append(Piece(f"[{text[start:end]}]", kind, label))
            continue
        found += [Piece(text[at:start]), Piece(text[start:end], kind, label)]
        at = end
    end = max(at, min(len(text), most))
    found.append(Piece(text[at:end]))
    if len(text) > end:
        found.append(Piece(f" … (+{len(text) - end:,})"))
    return [piece for piece in found if piece.text]


def cut_off(source: Source, words: Words) -> list[Block]:
    """How many gold items no prediction could express, and why: what windows and the edges of tokens cost."""
    covered = (source.record.get("coverage") or {}).get(source.split) or {}
    lost = covered.get("lost") or {}
    if not lost or not covered.get("gold"):
        return []
    reasons = "; ".join(f"{count} {reason}" for reason, count in lost.items())
    count, gold = words.numbers.whole(sum(lost.values())), words.numbers.whole(covered["gold"])
    return [Prose(words.html("entities.cut", count=count, gold=gold, reasons=reasons), "note")]
