"""Answers in passages: kinds of errors, kinds of questions, and passages with both answers marked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from .blocks import Block, Cell, Chart, Grid, Piece, Prose
from .figures import Bars, bars
from .kinds import MOST, Choice, Kind
from .overview import Overview
from .phrases import Words
from .source import Item, Source
from .spans import cut_off, pieces

AROUND = 220
"""Characters of a passage that are shown on each side of an answer."""
ERRORS = ("elsewhere", "overlaps", "unanswered", "invented")
QUESTIONS = {
    "how many": r"how (?:many|much)|quant[oa]s?|cuánt[oa]s?|combien",
    "who": r"who(?:m|se)?|quem|quién(?:es)?|qui",
    "when": r"when|quando|cuándo|quand",
    "where": r"where|aonde|onde|dónde|où",
    "why": r"why|por ?qu[eê]|pourquoi",
    "how": r"how|como|cómo|comment",
    "which": r"which|qua(?:l|is)|cuál(?:es)?|quel(?:le)?s?",
    "what": r"what|o que|que|qué|quoi|que",
}
"""Words that ask, by the kind of question: the first that stands in a question decides."""
ASKS = {kind: re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for kind, words in QUESTIONS.items()}
LENGTHS = (1, 2, 3, 5, 8)
"""Numbers of words from which answers count as longer."""


class Answers(Kind):
    """The stretch of a passage that answers a question, or none."""

    title = "part.answer_errors"
    csv = ("given", "predicted", "confidence", "relabel")

    def __init__(self, source: Source, words: Words) -> None:
        super().__init__(source, words)
        self.counts = Counter[str]()
        self.kinds: list[str] = []
        self.asked: list[str] = []
        self.long: list[str] = []
        self.names: dict[str, str] = {}

    def add(self, item: Item) -> None:
        kind = kind_of(item)
        self.counts[kind] += 1
        # Equal names are one object, so that a million of them are a million references.
        for values, value in ((self.kinds, kind), (self.asked, asks(item.example.text)), (self.long, length_of(item))):
            values.append(self.names.setdefault(value, value))

    def groupings(self) -> Mapping[str, Sequence[str]]:
        words = self.words
        asked = [words(f"question.{kind.replace(' ', '_')}") for kind in self.asked]
        long = [words("answers.none") if one == "0" else one for one in self.long]
        return {words("answers.question"): asked, words("answers.words"): long}

    def weak(self) -> Markup:
        wrong = Counter({kind: count for kind, count in self.counts.items() if kind in ERRORS})
        if not wrong:
            return Markup()
        kind, count = wrong.most_common(1)[0]
        return self.words.html(
            "verdict.weak_answer", kind=self.words(f"answers.{kind}"), count=self.words.numbers.whole(count)
        )

    def blocks(self) -> Sequence[Block]:
        words, title = self.words, self.words("answers.kinds")
        kinds = [words(f"answers.{kind}") for kind in ERRORS]
        values = [self.counts[kind] for kind in ERRORS]
        figure = Bars(title, words("answers.count"), kinds, values, whole=True)
        rows: list[list[Cell]] = [[words("answers.right"), self.counts["right"]]]
        rows += [[kind, value] for kind, value in zip(kinds, values, strict=True)]
        grid = Grid([words("answers.kind"), words("answers.count")], rows, "answers.csv")
        found: list[Block] = [Chart(title, bars(figure, words.numbers), grid, words("answers.note"))]
        if self.source.task is not None and "threshold" in self.source.task.fitted:
            threshold = self.source.task.fitted["threshold"]
            if isinstance(threshold, int | float):
                found.append(Prose(words.html("answers.threshold", value=words.numbers.score(threshold)), "note"))
        return [*found, *cut_off(self.source, words)]

    def choices(self, overview: Overview) -> Sequence[Choice]:
        wrong = np.flatnonzero(np.array([kind != "right" for kind in self.kinds], bool))
        order = wrong[np.argsort(-overview.sureness()[wrong], kind="stable")][:MOST].tolist()
        if not order:
            return []
        words = self.words
        filters = [words(f"answers.{self.kinds[i]}") for i in order]
        intro = words("errors.answers_intro", count=words.numbers.whole(len(wrong)))
        return [Choice("sure", words("errors.sure"), intro, order, filters)]

    def written(self, answer: object) -> str:
        if isinstance(answer, list):
            return " | ".join(text for text, _ in map(reference, answer)) or self.words("answers.none")
        return str(answer) if answer else self.words("answers.none")

    def texts(self, item: Item) -> Sequence[tuple[str, Sequence[Piece]]]:
        words, passage = self.words, item.example.pair or ""
        if not item.example.text and not passage:
            return []
        said = (item.prediction.get("start") or 0, item.prediction.get("end") or 0) if item.said else (0, 0)
        gold = [(start, start + len(text)) for text, start in map(reference, item.target or []) if start is not None]
        spans = dict.fromkeys(gold[:1], "gold")
        if said[1]:
            spans[said] = "both" if said in gold else "said"
        shown = shown_part(passage, list(spans))
        names = {"gold": words("errors.given"), "said": words("errors.said"), "both": words("errors.both")}
        marks = [(start - shown[0], end - shown[0], names[kind], kind) for (start, end), kind in spans.items()]
        text = passage[slice(*shown)]
        around = [Piece("… ")] if shown[0] else []
        after = [Piece(" …")] if shown[1] < len(passage) else []
        parts = [*around, *pieces(text, marks, len(text)), *after]
        return [(words("answers.asked"), [Piece(item.example.text)]), ("", parts)]


def reference(answer: Any) -> tuple[str, int | None]:
    """Text and start of a reference answer in a record."""
    if isinstance(answer, Mapping):
        return str(answer.get("text", "")), answer.get("start", answer.get("answer_start"))
    text, *start = answer
    return str(text), start[0] if start else None


def shown_part(passage: str, spans: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The part of a passage around some stretches; its beginning without any."""
    if not spans:
        return 0, min(len(passage), 2 * AROUND)
    low, high = min(start for start, _ in spans), max(end for _, end in spans)
    if high - low > 4 * AROUND:
        high = min(high, low + 4 * AROUND)
    return max(0, low - AROUND), min(len(passage), high + AROUND)


def kind_of(item: Item) -> str:
    """Whether an answer is right, and what is wrong with it."""
    said, gold = str(item.said or ""), [*map(reference, item.target or [])]
    if not said or not gold:
        return "right" if not said and not gold else "invented" if said else "unanswered"
    if any(plain(said) == plain(text) for text, _ in gold):
        return "right"
    words = set(plain(said).split())
    return "overlaps" if any(words & set(plain(text).split()) for text, _ in gold) else "elsewhere"


def plain(text: str) -> str:
    """An answer as it is compared: without case, punctuation and English articles (SQuAD's rules)."""
    from ..metrics.answers import normalized

    return normalized(text)


def asks(question: str) -> str:
    """The kind of a question, by the first word that asks."""
    found = (
        (match.start(), order, kind)
        for order, (kind, ask) in enumerate(ASKS.items())
        if (match := ask.search(question))
    )
    return min(found, default=(0, 0, "other"))[2]


def length_of(item: Item) -> str:
    """How long the first reference answer is, in words."""
    texts = [text for text, _ in map(reference, item.target or [])]
    if not texts or not texts[0]:
        return "0"
    size = len(texts[0].split())
    low = max((bound for bound in LENGTHS if bound <= max(1, size)), default=1)
    after = [bound for bound in LENGTHS if bound > low]
    return f"{low}+" if not after else str(low) if after[0] == low + 1 else f"{low}-{after[0] - 1}"
