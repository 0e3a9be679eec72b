"""Any number of labels an example: which are missed and which are invented, and which of these occur together."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from .blocks import Block, Cell, Chart, Grid
from .figures import Matrix, matrix
from .kinds import MOST, Choice, Kind, breakdown_grid
from .overview import Overview
from .phrases import Words, foreign
from .source import Item, Source

SQUARE = 12
"""Most labels of the figure of errors that occur together: those with the most errors."""


class LabelSets(Kind):
    """Any number of labels an example."""

    title = "part.sets"

    def __init__(self, source: Source, words: Words) -> None:
        super().__init__(source, words)
        self.missed, self.invented = Counter[str](), Counter[str]()
        self.together: Counter[tuple[str, str]] = Counter()
        self.first: dict[str, int] = {}
        self.worst = array("l")

    def add(self, item: Item) -> None:
        gold = set(map(str, item.target or ()))
        said = set(map(str, item.said or ()))
        missed, invented = sorted(gold - said), sorted(said - gold)
        self.missed.update(missed)
        self.invented.update(invented)
        self.together.update((one, other) for one in missed for other in invented)
        wrong = [*missed, *invented]
        self.worst.append(self.first.setdefault(wrong[0], len(self.first)) if wrong else -1)

    @property
    def errors(self) -> list[tuple[str, int]]:
        """Labels with the number of their errors, the most first."""
        return (self.missed + self.invented).most_common()

    def weak(self) -> Markup:
        if not self.errors:
            return Markup()
        label = self.errors[0][0]
        numbers = self.words.numbers
        missed, invented = numbers.whole(self.missed[label]), numbers.whole(self.invented[label])
        return self.words.html("verdict.weak_set", label=foreign(label), missed=missed, invented=invented)

    def blocks(self) -> Sequence[Block]:
        words, labels = self.words, [label for label, _ in self.errors[:SQUARE]]
        rows: list[list[Cell]] = [[label, self.missed[label], self.invented[label]] for label, _ in self.errors[:40]]
        names = [words("sets.label"), words("sets.missed"), words("sets.invented")]
        found: list[Block] = [*breakdown_grid(self.source, words)]
        if rows:
            found.append(Grid(names, rows, "label-errors.csv", words("sets.caption")))
        if len(labels) > 1 and self.together:
            counts = [[self.together[one, other] for other in labels] for one in labels]
            title, x, y = words("sets.together"), words("sets.invented"), words("sets.missed")
            figure = Matrix(title, x, y, labels, labels, counts, diagonal=False)
            table: list[list[Cell]] = [[label, *own] for label, own in zip(labels, counts, strict=True)]
            grid = Grid([f"{y} \\ {x}", *labels], table, "errors-together.csv")
            found.append(Chart(title, matrix(figure, words.numbers), grid, words("sets.together_note")))
        return found

    def choices(self, overview: Overview) -> Sequence[Choice]:
        wrong = np.frombuffer(self.worst, np.int_)
        found = np.flatnonzero(wrong >= 0)
        order = found[np.argsort(-overview.sureness()[found], kind="stable")][:MOST].tolist()
        if not order:
            return []
        names, words = list(self.first), self.words
        intro = words("errors.sure_intro", count=words.numbers.whole(len(found)))
        return [Choice("sure", words("errors.sure"), intro, order, [names[wrong[i]] for i in order])]
