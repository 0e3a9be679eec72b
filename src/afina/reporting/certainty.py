"""How far confidences can be trusted: the reliability diagram, and what answering only where it is sure brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..studies.summaries import Figure, Series
from .blocks import Block, Cell, Chart, Grid, Prose, Ranged, Share
from .figures import lines
from .phrases import Words
from .source import Source


def certainty(source: Source, words: Words) -> Sequence[Block]:
    """Reliability and abstention, where the run's probabilities were measured."""
    known = source.evaluation()["calibration"]
    if not known or not known.get("reliability"):
        return []
    blocks: list[Block] = [Prose(words.html("certainty.intro"))]
    temperature = known.get("temperature", 1.0)
    if temperature != 1.0:
        blocks.append(Prose(words.html("certainty.temperature", value=words.numbers.score(temperature)), "note"))
    blocks += [reliability(known["reliability"], words)]
    if known.get("curve"):
        blocks.append(abstention(known["curve"], words))
    scores = scores_grid(known, words)
    return [*blocks, *scores]


def reliability(bins: Sequence[Mapping[str, Any]], words: Words) -> Chart:
    """Confidence beside accuracy, by bins of confidence."""
    title, x, y = words("certainty.reliability"), words("certainty.confidence"), words("certainty.right")
    low, high = ([bounds_of(one)[k] for one in bins] for k in (0, 1))
    series = Series(y, [one["confidence"] for one in bins], [one["accuracy"] for one in bins], low, high)
    drawing = lines(Figure(title, x, y, [series]), words.numbers, dots=True, share=True, diagonal=True)
    rows: list[list[Cell]] = [
        [one["confidence"], one["count"], Ranged(one["accuracy"], *one["interval"])] for one in bins
    ]
    grid = Grid([x, words("certainty.count"), y], rows, "reliability.csv")
    return Chart(title, drawing, grid, words("certainty.reliability_note"))


def abstention(curve: Sequence[Mapping[str, Any]], words: Words) -> Chart:
    """The share of right answers among the surest."""
    title, x, y = words("certainty.abstention"), words("certainty.coverage"), words("certainty.right")
    low, high = ([bounds_of(one, "precision")[k] for one in curve] for k in (0, 1))
    series = Series(y, [one["coverage"] for one in curve], [one["precision"] for one in curve], low, high)
    drawing = lines(Figure(title, x, y, [series]), words.numbers, dots=True, share=True)
    rows: list[list[Cell]] = [
        [Share(one["coverage"]), one["count"], one["threshold"], Ranged(one["precision"], *one["interval"])]
        for one in curve
    ]
    names = [x, words("certainty.count"), words("certainty.from"), y]
    return Chart(title, drawing, Grid(names, rows, "abstention.csv"), words("certainty.abstention_note"))


def bounds_of(one: Mapping[str, Any], name: str = "accuracy") -> tuple[float, float]:
    """The bounds of a share; the share itself where it has none."""
    low, high = one["interval"]
    return (one[name], one[name]) if low is None or high is None else (low, high)


def scores_grid(known: Mapping[str, Any], words: Words) -> list[Block]:
    """Log loss, Brier score and calibration errors, before and at the temperature."""
    scores, before = known.get("scores") or {}, known.get("before") or {}
    if not scores:
        return []
    changed = known.get("temperature", 1.0) != 1.0
    heads = [words("certainty.plain"), words("certainty.given")] if changed else [words("certainty.given")]
    rows: list[list[Cell]] = [
        [words.named("metric", name), *([before.get(name)] if changed else []), value] for name, value in scores.items()
    ]
    return [Grid([words("score.metric"), *heads], rows, "calibration.csv")]
