"""A tag for each word: confusions of tags, and the words that are most often wrong."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from .blocks import Block, Cell, Chart, Grid, Piece
from .figures import Bars, bars
from .kinds import MOST, Choice, Kind, breakdown_grid
from .overview import Overview
from .phrases import Words, foreign
from .source import Item, Source
from .spans import pieces

PAIRS = 15
DISTINCT = 50_000
"""Most different wrong words that are counted."""


class Tags(Kind):
    """A tag for each word."""

    title = "part.confusions"

    def __init__(self, source: Source, words: Words) -> None:
        super().__init__(source, words)
        self.counts: Counter[tuple[str, str]] = Counter()
        self.spelled: Counter[tuple[str, str, str]] = Counter()
        self.wrong = array("l")

    def add(self, item: Item) -> None:
        said, text, spans = item.said or [], item.example.text, item.example.words
        wrong = 0
        for place, (gold, tag) in enumerate(zip(item.target or [], said, strict=False)):
            if gold == tag:
                continue
            wrong += 1
            self.counts[gold, tag] += 1
            if spans is not None and place < len(spans):
                key = text[slice(*spans[place])], gold, tag
                if key in self.spelled or len(self.spelled) < DISTINCT:
                    self.spelled[key] += 1
        self.wrong.append(wrong)

    def weak(self) -> Markup:
        if not self.counts:
            return Markup()
        (gold, said), count = self.counts.most_common(1)[0]
        count_of = self.words.numbers.whole(count)
        return self.words.html("verdict.weak_tag", gold=foreign(gold), said=foreign(said), count=count_of)

    def blocks(self) -> Sequence[Block]:
        words = self.words
        found: list[Block] = []
        if self.counts:
            title, worst = words("confusions.pairs"), self.counts.most_common(PAIRS)
            figure = Bars(
                title,
                words("confusions.count"),
                [f"{one} → {other}" for (one, other), _ in worst],
                [n for _, n in worst],
                whole=True,
            )
            rows: list[list[Cell]] = [[one, other, n] for (one, other), n in self.counts.most_common(60)]
            heads = [words("confusions.gold"), words("confusions.said"), words("confusions.count")]
            found.append(Chart(title, bars(figure, words.numbers), Grid(heads, rows, "pairs.csv")))
        found += breakdown_grid(self.source, words)
        if self.spelled:
            spelled: list[list[Cell]] = [[*key, n] for key, n in self.spelled.most_common(25)]
            heads = [words("tags.word"), words("confusions.gold"), words("confusions.said"), words("confusions.count")]
            found.append(Grid(heads, spelled, "words.csv", words("tags.caption")))
        return found

    def choices(self, overview: Overview) -> Sequence[Choice]:
        wrong = np.frombuffer(self.wrong, np.int_)
        order = np.argsort(-wrong, kind="stable")[:MOST]
        order = order[wrong[order] > 0]
        title, intro = self.words("errors.tags"), self.words("errors.tags_intro")
        return [Choice("tags", title, intro, order.tolist())] if len(order) else []

    def facts(self, item: Item) -> Sequence[tuple[str, Cell]]:
        return []

    def texts(self, item: Item) -> Sequence[tuple[str, Sequence[Piece]]]:
        spans, said = item.example.words or (), item.said or []
        marks = [
            (*span, f"{gold} → {tag}", "said")
            for span, gold, tag in zip(spans, item.target or [], said, strict=False)
            if gold != tag
        ]
        return [("", pieces(item.example.text, marks))]
