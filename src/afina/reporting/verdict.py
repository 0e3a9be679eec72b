"""How good the model is, in two sentences, and its scores beside those of what costs nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from ..metrics.scores import higher_is_better
from .blocks import Block, Cell, Grid, Prose, Ranged
from .kinds import Kind
from .phrases import Words, foreign
from .source import Source

CONSTANT = re.compile(r"(commonest labels?|commonest tag|mean) \((.*)\)", re.DOTALL)
"""The name of a constant answer."""


def verdict(source: Source, words: Words, kind: Kind) -> Sequence[Block]:
    """The sentences, warnings, and the table of scores."""
    blocks: list[Block] = [Prose(score_of(source, words) + Markup(" ") + kind.weak(), "lead")]
    for warning in source.record.get("warnings") or ():
        named = words.named("code", str(warning.get("code", "")))
        html = Markup('<b>{}</b>: <span lang="en">{}</span>').format(named, foreign(warning.get("message", "")))
        blocks.append(Prose(html, "warning"))
    return [*blocks, *scores(source, words)]


def score_of(source: Source, words: Words) -> Markup:
    """The score with its interval, beside those of the baselines."""
    evaluation, numbers, name = source.evaluation(), words.numbers, source.metric
    low, high = evaluation["intervals"].get(name) or (None, None)
    values = {
        "count": numbers.whole(evaluation["examples"]),
        "split": words(f"split.{source.split}"),
        "metric": words.named("metric", name),
        "score": numbers.score(evaluation["metrics"].get(name)),
        "interval": numbers.interval(low, high),
    }
    said = words.html("verdict.score" if values["interval"] else "verdict.score_alone", **values)
    beside = [
        words.html("verdict.baseline", name=baseline(other, words), score=numbers.score(scores[name]))
        for other, scores in evaluation["baselines"].items()
        if scores.get(name) is not None
    ]
    if not beside:
        return said + words.html("verdict.no_baseline")
    return said + words.html("verdict.beside") + words.html("verdict.and").join(beside) + Markup(".")


def baseline(name: str, words: Words) -> Markup:
    """The name of a baseline in the language of the page."""
    if known := CONSTANT.fullmatch(name):
        return words.html(f"baseline.{known[1].replace(' ', '_')}", value=foreign(known[2]))
    return Markup("{}").format(words.named("baseline", name))


def scores(source: Source, words: Words) -> Sequence[Block]:
    """All scores of the validation and test data, with their intervals."""
    splits = [name for name in ("test", "validation") if source.evaluation(name)]
    blocks: list[Block] = [table(source, words, splits[0])]
    reasons = source.evaluation()["reasons"]
    if reasons:
        grouped: dict[str, list[str]] = {}
        for name, reason in reasons.items():
            grouped.setdefault(reason, []).append(words.named("metric", name))
        told = Markup("; ").join(
            Markup('{} (<span lang="en">{}</span>)').format(", ".join(names), reason)
            for reason, names in grouped.items()
        )
        blocks.append(Prose(words.html("score.without", which=told), "note"))
    if source.split == "validation":
        blocks.append(Prose(words.html("score.optimistic"), "warning"))
    elif len(splits) > 1:
        from .blocks import Folded

        blocks.append(Folded(words("score.validation"), [table(source, words, "validation")]))
    return blocks


def table(source: Source, words: Words, split: str) -> Grid:
    """The scores of a split, beside those of the baselines."""
    evaluation: Mapping[str, Any] = source.evaluation(split)
    baselines = evaluation["baselines"]
    rows: list[list[Cell]] = []
    for name, value in evaluation["metrics"].items():
        low, high = evaluation["intervals"].get(name) or (None, None)
        arrow = "↑" if higher_is_better(name) else "↓"
        label = Markup("{} <small>{}</small>").format(words.named("metric", name), arrow)
        rows.append([label, Ranged(value, low, high), *(one.get(name) for one in baselines.values())])
    count = words.numbers.whole(evaluation["examples"])
    caption = words("score.caption", split=words(f"split.{split}"), count=count)
    return Grid(
        [words("score.metric"), words("score.model"), *(baseline(name, words).striptags() for name in baselines)],
        rows,
        f"scores-{split}.csv",
        caption,
    )
