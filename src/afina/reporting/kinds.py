"""What a kind of answer (labels, numbers, entities ...) adds to the page of a run: tables, figures, errors to read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from ..comparison.labels import LABEL_METRICS
from ..metrics.intervals import interval
from .blocks import Block, Cell, Grid, Piece, Ranged, Shown
from .overview import Array, Overview, confidence_of
from .phrases import Words, foreign
from .source import Item, Source

LONGEST = 700
"""Characters of a text that are shown."""
ROWS = 40
"""Lines of a table of labels; the csv has all."""
MOST = 40
"""Examples of a list to read."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Examples that are worth reading.

    Attributes:
        key: Name of the list, of letters only.
        title: Its title.
        intro: Why they are worth it.
        numbers: Numbers of the examples, the most telling first.
        filters: For each example the name of its filter; empty for no filters.
    """

    key: str
    title: str
    intro: Markup | str
    numbers: Sequence[int]
    filters: Sequence[str] = ()


class Kind(ABC):
    """A kind of answer. It hears of every example once, in order, and keeps counts and numbers alone.

    Attributes:
        title: Key of the title of its section.
        csv: Columns of the csv of its errors, behind place and texts.
    """

    title = "part.answers"
    csv: Sequence[str] = ("given", "predicted", "confidence", "relabel")

    def __init__(self, source: Source, words: Words) -> None:
        self.source = source
        self.words = words

    @abstractmethod
    def add(self, item: Item) -> None:
        """Take one more example."""

    @abstractmethod
    def blocks(self) -> Sequence[Block]:
        """Tables and figures about the answers."""

    def weak(self) -> Markup:
        """What is weakest, in a sentence; empty where nothing is known of it."""
        return Markup()

    def groupings(self) -> Mapping[str, Sequence[str]]:
        """Names of further parts of the data, with the part of each example."""
        return {}

    def choices(self, overview: Overview) -> Sequence[Choice]:
        """Lists of examples that are worth reading: by default the wrong ones, the surest first."""
        wrong = np.flatnonzero(~overview.right(self.source))
        order = wrong[np.argsort(-overview.sureness()[wrong], kind="stable")][:MOST]
        intro = self.words("errors.sure_intro", count=self.words.numbers.whole(len(wrong)))
        return [Choice("sure", self.words("errors.sure"), intro, order.tolist())] if len(wrong) else []

    def facts(self, item: Item) -> Sequence[tuple[str, Cell]]:
        """What is shown beside the text of an example."""
        given, said = self.written(item.target), self.written(item.said)
        return [(self.words("errors.given"), foreign(given)), (self.words("errors.said"), foreign(said))]

    def written(self, answer: object) -> str:
        """An answer in a line."""
        if isinstance(answer, list):
            return "; ".join(map(str, answer)) or self.words("errors.nothing")
        return "" if answer is None else str(answer)

    def texts(self, item: Item) -> Sequence[tuple[str, Sequence[Piece]]]:
        """The texts of an example, with marks where the answer names stretches of them."""
        example = item.example
        return [("", cut(text)) for text in (example.text, example.pair) if text]


def cut(text: str, most: int = LONGEST) -> list[Piece]:
    """The beginning of a text, and how many characters are not shown."""
    rest = len(text) - most
    return [Piece(text)] if rest <= 0 else [Piece(text[:most]), Piece(f" … (+{rest:,})")]


def breakdown_grid(source: Source, words: Words, order: Sequence[str] = ()) -> list[Block]:
    """The scores of each label, the weakest first, with intervals of F1 where the scores were kept."""
    lines = [dict(line) for line in source.evaluation()["breakdown"]]
    if not lines:
        return []
    lines.sort(key=lambda line: (not line.get("support"), line["f1"] if isinstance(line.get("f1"), float) else 2.0))
    bounds = {} if source.scored is None else label_bounds(source, [str(line["label"]) for line in lines[:ROWS]])
    names = list(lines[0])
    rows: list[list[Cell]] = []
    for line in lines:
        low, high = bounds.get(str(line["label"]), (None, None))
        rows.append([Ranged(line[name], low, high) if name == "f1" else cell_of(line.get(name)) for name in names])
    columns = [words.named("column", name) for name in names]
    grid = Grid(columns, rows[:ROWS], "labels.csv" if len(rows) <= ROWS else "", words("labels.caption"))
    return [grid]


def cell_of(value: object) -> Cell:
    """A value of a record as a cell."""
    return value if value is None or isinstance(value, str | int | float) else str(value)


def label_bounds(source: Source, labels: Sequence[str]) -> dict[str, tuple[float, float]]:
    """The interval of the F1 of each label, 95 %."""
    if source.scored is None or source.task is None:
        return {}
    known = [*label_names(source)]
    columns = label_columns(source, len(known))
    if columns is None:
        return {}
    found = {}
    for label in labels:
        if label in known:
            place = known.index(label)
            table = {name: values[:, place].astype(np.int64) for name, values in columns.items()}
            one = interval(table, LABEL_METRICS["f1"], groups=source.scored.groups)
            found[label] = (one.low, one.high)
    return found


def label_names(source: Source) -> list[str]:
    """The names of labels, types or tags, in the order of the columns of the score table."""
    if source.task is None:
        return []
    return source.task.labels or list(source.task.fitted.get("types", ()))


def label_columns(source: Source, count: int) -> dict[str, Array] | None:
    """Hits, gold and predicted items of each label in each example, from the score table. [n, k] each"""
    table = {} if source.scored is None else source.scored.table
    if "correct" in table and table["correct"].ndim == 2:
        names = {"hits": "correct", "support": "gold_count", "predicted": "predicted_count"}
        return {name: table[own] for name, own in names.items()}
    gold, said = table.get("gold"), table.get("predicted")
    if gold is None or said is None or gold.dtype.kind not in "biu":
        return None
    if gold.ndim == 2:
        return {"hits": gold & said, "support": gold, "predicted": said}
    if not count or len(gold) * count > 2**26:
        return None
    ids = np.arange(count)
    support, predicted = gold[:, None] == ids, said[:, None] == ids
    return {"hits": support & predicted, "support": support, "predicted": predicted}


def shown_item(kind: Kind, item: Item, labels: Sequence[int]) -> Shown:
    """An example to read, and its line of the csv."""
    example, prediction = item.example, item.prediction
    sure = confidence_of(prediction)
    known = not np.isnan(sure)
    facts = list(kind.facts(item))
    if known:
        facts.append((kind.words("errors.confidence"), kind.words.numbers.score(sure, 2)))
    texts = [example.text, *([] if example.pair is None else [example.pair])]
    row = [
        example.place,
        *texts,
        kind.written(item.target),
        kind.written(item.said),
        round(sure, 4) if known else "",
        "",
    ]
    return Shown(example.place, kind.texts(item), facts, labels, row)
