"""Regularisation: dropout, weight decay and early stopping, each alone and together, on little data and on all.

Each is compared with training without any of them, in the score and in how much the score varies over seeds.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from .. import strategies
from ..metrics.seeds import spread_test
from ..printing import number
from .base import Asked, Level, Margin, Seeds
from .comparisons import Against, adjusted_for_number, against, board_of, problems, where
from .results import Results
from .study import Study
from .summaries import Answer, Board, Figure, Series, Summary, Verdict
from .trials import Trial
from .words import what_decides

NONE = "none"
SMALLEST, LARGEST_SHARE = 100, 0.5
"""Little data: so many examples at least, and this share of all at most; beyond it all data are the one amount."""
SHARE = 0.1
"""Share of the examples that little data are."""


def regularization(
    study: Study,
    *,
    dropout: Annotated[float, Field(gt=0, lt=1)] = 0.1,
    weight_decay: Annotated[float, Field(gt=0)] = 0.1,
    patience: Annotated[int, Field(ge=1)] = 2,
    little: Annotated[int, Field(ge=1)] | None = None,
    epochs: Annotated[int, Field(ge=1)] | None = None,
    seeds: Seeds = 3,
    margin: Margin = 0.01,
    level: Level = 0.95,
) -> Generator[Sequence[Asked], Results, Summary]:
    """Compare none, dropout, weight decay, early stopping, and all of them.

    Without early stopping a trial is scored after its last epoch; with it, after its best one.

    Args:
        study: What it is about.
        dropout: Rate of dropout in encoder and head.
        weight_decay: Decoupled weight decay.
        patience: Epochs without a better validation score before early stopping.
        little: Number of training examples that are little data; by default a tenth, a hundred at least.
        epochs: Passes over the training data; by default twice the usual number, so that overfitting can appear.
        seeds: Seeds of each recipe.
        margin: Difference of the score that does not matter.
        level: Confidence level of the intervals.
    """
    sizes = amounts(study, little)
    kinds = settings_of(dropout=dropout, weight_decay=weight_decay, patience=patience)
    trials = [
        Trial(recipe(kind, size), seed, {**kinds[kind], **amount(study, size, epochs)})
        for size in sizes
        for kind in kinds
        for seed in range(seeds)
    ]
    results = yield trials
    return summary(results, study, sizes, list(kinds), margin=margin, level=level)


def settings_of(*, dropout: float, weight_decay: float, patience: int) -> dict[str, dict[str, Any]]:
    """The settings of each kind."""
    off = {"model.dropout": 0.0, "model.head_dropout": 0.0, "training.weight_decay": 0.0, "training.keep": "last"}
    single: dict[str, dict[str, Any]] = {
        "dropout": {"model.dropout": dropout, "model.head_dropout": dropout},
        "weight decay": {"training.weight_decay": weight_decay},
        "early stopping": {"training.patience": patience, "training.keep": "best"},
    }
    together = {name: value for settings in single.values() for name, value in settings.items()}
    return {NONE: off, **{name: {**off, **settings} for name, settings in single.items()}, "all": {**off, **together}}


def amounts(study: Study, little: int | None) -> list[int]:
    """The numbers of training examples, the smaller one first; one alone where the data are few."""
    whole = study.examples
    few = little or max(SMALLEST, round(SHARE * whole))
    return [few, whole] if few <= LARGEST_SHARE * whole or (little is not None and little < whole) else [whole]


def amount(study: Study, size: int, epochs: int | None) -> dict[str, Any]:
    """The settings of a training on so many examples: their draw, and the epochs."""
    sample = {"data.sample": size} if size < study.examples else {}
    return {"training.epochs": epochs or 2 * usual_epochs(study, size), **sample}


def usual_epochs(study: Study, size: int) -> int:
    """Epochs of a training on so many examples: the configured number, or that of the strategy."""
    given = study.config.training
    usual = strategies.find(study.config.strategy).defaults(
        examples=size, width=int(study.model_config.hidden_size), batch_size=given.batch_size,
        accumulation=given.accumulation,
    )  # fmt: skip
    return given.epochs or usual.epochs


def recipe(kind: str, size: int) -> str:
    """Name of a recipe."""
    return f"{kind}, {size} examples"


# ---------------------------------------------------------------------------------------------------------------------
# What follows.


def summary(
    results: Results, study: Study, sizes: Sequence[int], kinds: Sequence[str], *, margin: float, level: float
) -> Summary:
    """What each brings, in score and in stability. P-values are adjusted for all comparisons of the study."""
    verdicts: list[Verdict] = []
    boards: list[Board] = []
    for size in sizes:
        names = {kind: recipe(kind, size) for kind in kinds}
        found = against(results, study, list(names.values()), names[NONE], margin=margin, level=level)
        spreads = adjusted_for_number({name: stability(results, study, name, names[NONE]) for name in found})
        verdicts += [
            verdict(kind, size, found[name], results, study, spreads[name])
            for kind, name in names.items()
            if name in found
        ]
        sample = {"data.sample": size} if size < study.examples else {}
        title = f"{size} training examples"
        boards.append(board_of(results, study, list(names.values()), level=level, title=title, settings=sample))
        boards.append(brought(found, spreads, results, study))
    if not verdicts:
        verdicts.append(
            Verdict("Regularisation helps", "undecided", "No trial came to its end.", "a lower rate (--learning-rate)")
        )
    figures = [figure for size in sizes for figure in curves(results, size, kinds)]
    notes = [line for line in (where(study), *problems(results, study)) if line]
    return Summary(verdicts, boards, figures, notes=notes)


def verdict(kind: str, size: int, found: Against, results: Results, study: Study, spread: float) -> Verdict:
    """What one kind brings."""
    name = {"all": "All three together help"}.get(kind, f"{kind.capitalize()} helps")
    answers: dict[str, Answer] = {"better": "confirmed", "undecided": "undecided"}
    sds = [sd(results.scores(one, study.split, study.metric)) for one in (found.recipe, found.reference)]
    first, second = number(found.difference.first), number(found.difference.second)
    sentence = f"{study.split.capitalize()} {study.metric} {first}, without any {second}: {found.decision.finding}."
    if all(map(math.isfinite, sds)):
        tested = "" if math.isnan(spread) else f" (p = {spread:.2g})"
        sentence += f" Over seeds its standard deviation is {number(sds[0])}, without any {number(sds[1])}{tested}."
    needed = what_decides([found.decision])
    return Verdict(f"{name} ({size} examples)", answers.get(found.decision.answer, "not confirmed"), sentence, needed)


def stability(results: Results, study: Study, name: str, other: str) -> float:
    """P-value of an equal spread over seeds (Brown and Forsythe 1974); nan where there are too few seeds."""
    first, second = (results.scores(one, study.split, study.metric) for one in (name, other))
    return spread_test(first, second) if min(len(first), len(second)) > 2 else math.nan


def brought(found: Mapping[str, Against], spreads: Mapping[str, float], results: Results, study: Study) -> Board:
    """What each brings over none."""
    rows = []
    for name, one in found.items():
        sds = [sd(results.scores(recipe, study.split, study.metric)) for recipe in (name, one.reference)]
        p = None if math.isnan(spreads[name]) else spreads[name]
        difference = one.difference
        rows.append([name, difference.value, difference.low, difference.high, one.p_value, *sds, p])
    columns = [
        "recipe",
        "brings",
        "low",
        "high",
        "p (Holm)",
        "sd over seeds",
        "sd without any",
        "p of equal sds (Holm)",
    ]
    return Board("what each brings over none", columns, rows)


def curves(results: Results, size: int, kinds: Sequence[str]) -> list[Figure]:
    """Losses by epoch, means over seeds: where the validation loss rises while that of training falls, it overfits."""
    figures = []
    for name, which in (("validation loss", "loss"), ("training loss", "training_loss")):
        series = []
        for kind in kinds:
            done = results.done(recipe(kind, size))
            epochs = sorted({line["epoch"] for one in done for line in one.evaluations})
            series.append(Series(kind, epochs, [mean_at(done, epoch, which) for epoch in epochs]))
        figures.append(Figure(f"{name} with {size} examples", "epochs", name, series))
    return figures


def mean_at(done: Sequence[Any], epoch: float, which: str) -> float:
    """The mean of a loss over the trials that were evaluated after an epoch."""
    values = [line[which] for one in done for line in one.evaluations if line["epoch"] == epoch]
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else math.nan


def sd(values: Sequence[float]) -> float:
    """Sample standard deviation; nan for fewer than two values."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
