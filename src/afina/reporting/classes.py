"""One label an example: confusions, labels that are probably wrong, and the errors to read."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from .blocks import Block, Cell, Chart, Grid, Share
from .figures import Bars, Matrix, bars, matrix
from .kinds import MOST, Choice, Kind, breakdown_grid
from .overview import Overview
from .phrases import Words, foreign
from .source import Item, Source

SQUARE = 12
"""Most labels of a confusion matrix; of more labels the worst pairs are shown."""
PAIRS = 15
TYPICAL, OF_EACH = 8, 4
"""Confusions that are shown with examples, and examples of each."""
CONFIDENT = 0.5
"""A label is doubted only where the model prefers another one by more than this."""


class Classes(Kind):
    """One label an example."""

    title = "part.confusions"

    def __init__(self, source: Source, words: Words) -> None:
        super().__init__(source, words)
        self.counts: Counter[tuple[str, str]] = Counter()
        self.ids: dict[str, int] = {}
        self.gold, self.said = array("l"), array("l")
        self.given_chance, self.said_chance = array("d"), array("d")

    def add(self, item: Item) -> None:
        gold, said = str(item.target), str(item.said)
        self.counts[gold, said] += 1
        for labels, label in ((self.gold, gold), (self.said, said)):
            labels.append(self.ids.setdefault(label, len(self.ids)))
        chances = item.prediction.get("probabilities")
        chances = chances if isinstance(chances, dict) else {}
        self.given_chance.append(float(chances.get(gold) or 0.0))
        self.said_chance.append(float(chances.get(said) or 0.0))

    @property
    def confusions(self) -> list[tuple[tuple[str, str], int]]:
        """Pairs of a gold and another predicted label, the most frequent first."""
        return [(pair, count) for pair, count in self.counts.most_common() if pair[0] != pair[1]]

    @property
    def labels(self) -> list[str]:
        """The labels: those of the task, then others that occur."""
        known = self.source.task.labels if self.source.task else []
        return [*known, *sorted(set(self.ids) - set(known))]

    def weak(self) -> Markup:
        lines = [line for line in self.source.evaluation()["breakdown"] if (line.get("support") or 0) >= 5]
        lines = [line for line in lines if isinstance(line.get("f1"), float)]
        if not lines or not self.confusions:
            return Markup()
        worst = min(lines, key=lambda line: line["f1"])
        (gold, said), count = self.confusions[0]
        return self.words.html(
            "verdict.weak_label",
            label=foreign(worst["label"]),
            f1=self.words.numbers.score(worst["f1"]),
            gold=foreign(gold),
            said=foreign(said),
            count=self.words.numbers.whole(count),
            support=self.words.numbers.whole(sum(n for (one, _), n in self.counts.items() if one == gold)),
        )

    def blocks(self) -> Sequence[Block]:
        words, labels = self.words, self.labels
        found: list[Block] = []
        if 1 < len(labels) <= SQUARE:
            counts = [[self.counts[gold, said] for said in labels] for gold in labels]
            title, x, y = words("confusions.matrix"), words("confusions.said"), words("confusions.gold")
            figure = Matrix(title, x, y, labels, labels, counts)
            rows: list[list[Cell]] = [[gold, *own] for gold, own in zip(labels, counts, strict=True)]
            found.append(
                Chart(title, matrix(figure, words.numbers), Grid([f"{y} \\ {x}", *labels], rows, "confusions.csv"))
            )
        if self.confusions and (len(labels) > SQUARE or len(labels) > 3):
            found.append(self.worst_pairs())
        return [*found, *breakdown_grid(self.source, words)]

    def worst_pairs(self) -> Chart:
        """The most frequent confusions."""
        words, title = self.words, self.words("confusions.pairs")
        worst = self.confusions[:PAIRS]
        total = Counter[str]()
        for (gold, _), count in self.counts.items():
            total[gold] += count
        names = [f"{gold} → {said}" for (gold, said), _ in worst]
        figure = Bars(title, words("confusions.count"), names, [count for _, count in worst], whole=True)
        rows: list[list[Cell]] = [[gold, said, n, Share(n / total[gold])] for (gold, said), n in self.confusions[:500]]
        columns = [
            words("confusions.gold"),
            words("confusions.said"),
            words("confusions.count"),
            words("confusions.share"),
        ]
        return Chart(title, bars(figure, words.numbers), Grid(columns, rows[:60], "pairs.csv"))

    def choices(self, overview: Overview) -> Sequence[Choice]:
        gold, said = np.frombuffer(self.gold, np.int_), np.frombuffer(self.said, np.int_)
        names = list(self.ids)
        wrong = np.flatnonzero(gold != said)
        if not len(wrong):
            return []
        words, sure = self.words, np.frombuffer(self.said_chance, np.float64)
        order = wrong[np.argsort(-sure[wrong], kind="stable")][:MOST].tolist()
        intro = words("errors.sure_intro", count=words.numbers.whole(len(wrong)))
        return [
            Choice("sure", words("errors.sure"), intro, order, [names[gold[i]] for i in order]),
            *self.typical(gold, said, sure),
            *self.doubtful(gold, said),
        ]

    def typical(self, gold: np.ndarray, said: np.ndarray, sure: np.ndarray) -> list[Choice]:
        """Examples of the most frequent confusions, of middling confidence."""
        numbers: list[int] = []
        filters: list[str] = []
        for (one, other), _ in self.confusions[:TYPICAL]:
            own = np.flatnonzero((gold == self.ids[one]) & (said == self.ids[other]))
            middle = own[np.argsort(np.abs(sure[own] - np.median(sure[own])), kind="stable")][:OF_EACH].tolist()
            numbers += middle
            filters += [f"{one} → {other}"] * len(middle)
        title, intro = self.words("errors.typical"), self.words("errors.typical_intro")
        return [Choice("typical", title, intro, numbers, filters)]

    def doubtful(self, gold: np.ndarray, said: np.ndarray) -> list[Choice]:
        """Labels that are probably wrong, by confident learning (Northcutt, Jiang and Chuang 2021).

        The model did not train on these examples, so that its probabilities are a judgement of their labels. A label is
        doubted where another one is as likely as it is on average for those that have it, and this one is not.
        """
        given, best = np.frombuffer(self.given_chance, np.float64), np.frombuffer(self.said_chance, np.float64)
        size = len(self.ids)
        usual = np.bincount(gold, weights=given, minlength=size) / np.maximum(1, np.bincount(gold, minlength=size))
        doubted = (gold != said) & (best >= usual[said]) & (given < usual[gold]) & (best - given > CONFIDENT)
        order = np.flatnonzero(doubted)
        order = order[np.argsort((given - best)[order], kind="stable")]
        if not len(order):
            return []
        names, shown = list(self.ids), order[:MOST].tolist()
        intro = self.words("errors.doubtful_intro", count=self.words.numbers.whole(len(order)))
        title = self.words("errors.doubtful")
        return [Choice("doubtful", title, intro, shown, [names[gold[i]] for i in shown])]
