"""A number an example: predicted beside gold numbers, what is left between them, and the furthest off."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from .blocks import Block, Cell, Chart, Grid
from .figures import Points, points
from .kinds import MOST, Choice, Kind
from .overview import Overview
from .phrases import Words
from .source import Item, Source

DRAWN = 1500
"""Points of a figure; of more examples a random draw, always the same."""


class Quantities(Kind):
    """A number an example."""

    title = "part.quantities"

    def __init__(self, source: Source, words: Words) -> None:
        super().__init__(source, words)
        self.gold, self.said = array("d"), array("d")

    def add(self, item: Item) -> None:
        for values, value in ((self.gold, item.target), (self.said, item.said)):
            values.append(float("nan") if value is None else float(value))

    def weak(self) -> Markup:
        gold, said = np.frombuffer(self.gold), np.frombuffer(self.said)
        known = np.isfinite(gold) & np.isfinite(said)
        if known.sum() < 10:
            return Markup()
        errors = said[known] - gold[known]
        order = np.argsort(gold[known], kind="stable")
        thirds = np.array_split(order, 3)
        sizes = [float(np.abs(errors[own]).mean()) for own in thirds]
        worst = int(np.argmax(sizes))
        numbers, own = self.words.numbers, gold[known][thirds[worst]]
        return self.words.html(
            "verdict.weak_range",
            low=numbers.score(float(own.min())),
            high=numbers.score(float(own.max())),
            error=numbers.score(sizes[worst]),
            all=numbers.score(float(np.abs(errors).mean())),
        )

    def blocks(self) -> Sequence[Block]:
        words, total = self.words, len(self.gold)
        chosen = np.arange(total)
        if total > DRAWN:
            chosen = np.sort(np.random.default_rng(0).choice(total, DRAWN, replace=False))
        gold, said = np.frombuffer(self.gold)[chosen].tolist(), np.frombuffer(self.said)[chosen].tolist()
        note = words("figure.drawn", count=words.numbers.whole(DRAWN)) if total > DRAWN else ""
        x, y, rest = words("quantities.gold"), words("quantities.said"), words("quantities.residual")
        pairs = list(zip(gold, said, strict=True))
        rows: list[list[Cell]] = [[one, other] for one, other in pairs]
        figure = Points(words("quantities.scatter"), x, y, pairs, diagonal=True)
        left = [(other, other - one) for one, other in pairs]
        residuals = Points(words("quantities.residuals"), y, rest, left, level=True)
        return [
            Chart(figure.title, points(figure, words.numbers), Grid([x, y], rows[:200], "scatter.csv"), note),
            Chart(
                residuals.title,
                points(residuals, words.numbers),
                Grid([y, rest], [[a, b] for a, b in left[:200]], "residuals.csv"),
                words("quantities.residuals_note"),
            ),
        ]

    def choices(self, overview: Overview) -> Sequence[Choice]:
        errors = np.abs(np.frombuffer(self.said) - np.frombuffer(self.gold))
        order = np.argsort(-np.nan_to_num(errors), kind="stable")[:MOST]
        order = order[np.nan_to_num(errors)[order] > 0]
        words = self.words
        return [Choice("far", words("errors.far"), words("errors.far_intro"), order.tolist())] if len(order) else []

    def written(self, answer: object) -> str:
        return self.words.numbers.score(float(answer)) if isinstance(answer, int | float) else ""
