"""How the training went: losses, scores and learning rate, step by step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..studies.summaries import Figure, Series
from ..training import rundir
from .blocks import Block, Cell, Chart, Grid, Prose
from .figures import MOST_POINTS, lines
from .phrases import Words
from .source import Source

SHARES = 3
"""Most scores of one figure."""


def curves(source: Source, words: Words) -> Sequence[Block]:
    """Figures of the losses, the scores on the validation data, and the learning rate."""
    logs = [(source.run.path / name).exists() for name in (rundir.STEPS, rundir.EVALUATIONS)]
    steps = logged(source, words) if logs[0] else []
    evaluations = list(source.run.evaluations()) if logs[1] else []
    best = source.record["best"]
    values = {"epoch": best.get("epoch"), "step": best.get("step"), "metric": words.named("metric", source.metric)}
    blocks: list[Block] = [Prose(words.html("curves.best", **values))]
    return [*blocks, *losses(steps, evaluations, words), *scores(source, evaluations, words), *rates(steps, words)]


def logged(source: Source, words: Words) -> list[tuple[float, float, float]]:
    """Number, loss and learning rate of the steps, the means of neighbours where there are many."""
    total = int(source.record.get("steps") or 0)
    size = max(1, math.ceil(total / MOST_POINTS))
    rows: list[tuple[float, float, float]] = []
    held: list[tuple[float, float, float]] = []
    for step in source.run.steps():
        loss, rate = step.get("loss"), step.get("learning_rate", step.get("rate"))
        held.append(
            (step.get("number", len(rows)), math.nan if loss is None else loss, math.nan if rate is None else rate)
        )
        if len(held) == size:
            rows.append(mean_of(held))
            held = []
    return [*rows, *([mean_of(held)] if held else [])]


def mean_of(rows: Sequence[tuple[float, float, float]]) -> tuple[float, float, float]:
    """The mean of each column, of what is a number in it."""
    columns = ([value for value in column if math.isfinite(value)] for column in zip(*rows, strict=True))
    number, loss, rate = (math.fsum(column) / len(column) if column else math.nan for column in columns)
    return number, loss, rate


def losses(
    steps: Sequence[tuple[float, float, float]], evaluations: Sequence[Mapping[str, Any]], words: Words
) -> list[Block]:
    """Loss of training and validation data."""
    if not steps:
        return []
    title, x, y = words("curves.loss"), words("curves.step"), words("curves.loss_of")
    series = [Series(words("curves.training"), [step for step, _, _ in steps], [loss for _, loss, _ in steps])]
    known = [(one["step"], one["loss"]) for one in evaluations if isinstance(one.get("loss"), int | float)]
    if known:
        series.append(Series(words("curves.validation"), [step for step, _ in known], [loss for _, loss in known]))
    drawing = lines(Figure(title, x, y, series), words.numbers)
    rows: list[list[Cell]] = [
        [one.get("epoch"), one.get("step"), one.get("training_loss"), one.get("loss")] for one in evaluations
    ]
    names = [words("curves.epoch"), x, words("curves.training"), words("curves.validation")]
    return [Chart(title, drawing, Grid(names, rows, "losses.csv"))]


def scores(source: Source, evaluations: Sequence[Mapping[str, Any]], words: Words) -> list[Block]:
    """The metric that chose the epoch, and others that are shares."""
    if not evaluations:
        return []
    first = evaluations[0]["metrics"]
    alike = [name for name in first if all(share(one["metrics"].get(name)) for one in evaluations)]
    shown = list(dict.fromkeys([source.metric, *alike]))[:SHARES] if source.metric in alike else [source.metric]
    title, x, y = words("curves.scores"), words("curves.step"), words("curves.score")
    across = [one["step"] for one in evaluations]
    series = [
        Series(words.named("metric", name), across, [number(one["metrics"].get(name)) for one in evaluations])
        for name in shown
    ]
    drawing = lines(Figure(title, x, y, series), words.numbers, dots=len(across) < 30)
    rows: list[list[Cell]] = [
        [one.get("epoch"), one["step"], *(one["metrics"].get(name) for name in first)] for one in evaluations
    ]
    names = [words("curves.epoch"), x, *(words.named("metric", name) for name in first)]
    return [Chart(title, drawing, Grid(names, rows, "scores.csv"))]


def share(value: Any) -> bool:
    """Whether a value is a number from 0 to 1."""
    return isinstance(value, int | float) and 0 <= value <= 1


def number(value: Any) -> float:
    """A value of a record, in which nothing stands for what is no number."""
    return math.nan if value is None else float(value)


def rates(steps: Sequence[tuple[float, float, float]], words: Words) -> list[Block]:
    """The learning rate."""
    if not any(math.isfinite(rate) for _, _, rate in steps):
        return []
    title, x, y = words("curves.rate"), words("curves.step"), words("curves.rate_of")
    series = Series(y, [step for step, _, _ in steps], [rate for _, _, rate in steps])
    rows: list[list[Cell]] = [[round(step), rate] for step, _, rate in steps[:: max(1, len(steps) // 50)]]
    return [Chart(title, lines(Figure(title, x, y, [series]), words.numbers), Grid([x, y], rows, "rates.csv"))]
