"""What designs share: recipes side by side, each against one of them, and what became of trials that have no score."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import inference
from ..metrics.decisions import Decision, decide, p_not_worse
from ..metrics.intervals import holm
from ..metrics.kinds import Table
from ..metrics.recipes import Difference, Mean, compare, mean_score
from .results import Results
from .study import Study
from .summaries import Answer, Board

LABELS = {"better": "confirmed", "worse": "not confirmed", "not worse": "not confirmed", "undecided": "undecided"}


@dataclass(frozen=True, slots=True)
class Against:
    """A recipe against another one, over seeds and examples.

    Attributes:
        recipe: The recipe.
        reference: The other one.
        difference: Its mean score minus that of the other.
        p_value: That of no difference, adjusted for all comparisons that were made with it; nan where there is none.
        decision: What follows, with the margin.
    """

    recipe: str
    reference: str
    difference: Difference
    p_value: float
    decision: Decision


def scored(results: Results, study: Study, recipe: str, *, level: float) -> Mean | None:
    """The mean score of a recipe with its interval over seeds and examples; None where no trial came to its end."""
    done = results.done(recipe)
    if not done:
        return None
    return mean_score(
        [one.table(study.split) for one in done], study.score, groups=done[0].groups(study.split), level=level
    )


def against(
    results: Results, study: Study, recipes: Sequence[str], reference: str, *, margin: float, level: float
) -> dict[str, Against]:
    """Recipes against one of them. P-values are adjusted for their number (Holm 1979).

    Args:
        results: What the trials brought.
        study: The study.
        recipes: The recipes; those without a finished trial are left out.
        reference: What they are compared with.
        margin: Difference of the score that does not matter.
        level: Confidence level of the intervals.
    """
    other = results.done(reference)
    known = [one for one in recipes if one != reference and results.done(one)] if other else []
    groups = other[0].groups(study.split) if other else None
    tables = [one.table(study.split) for one in other]
    differences = {
        recipe: compare(results.tables(recipe, study.split), tables, study.score, groups=groups, level=level)
        for recipe in known
    }
    adjusted = adjusted_for_number({recipe: one.p_value for recipe, one in differences.items()})
    return {
        recipe: Against(
            recipe, reference, one, adjusted[recipe],
            decide(one, margin=margin, higher=study.higher_is_better, p_value=adjusted[recipe]),
        )
        for recipe, one in differences.items()
    }  # fmt: skip


def adjusted_for_number(values: Mapping[str, float]) -> dict[str, float]:
    """P-values adjusted for their number; those that are not defined stay so."""
    known = {name: value for name, value in values.items() if not math.isnan(value)}
    return {**dict.fromkeys(values, math.nan), **dict(zip(known, holm(list(known.values())), strict=True))}


def answer_of(decision: Decision) -> Answer:
    """Whether a claim that the first is better was confirmed."""
    if decision.answer == "better":
        return "confirmed"
    return "undecided" if decision.answer == "undecided" else "not confirmed"


# ---------------------------------------------------------------------------------------------------------------------
# Tables.


def board_of(
    results: Results,
    study: Study,
    recipes: Sequence[str],
    *,
    level: float,
    title: str = "recipes",
    baselines: bool = True,
    settings: Mapping[str, Any] | None = None,
) -> Board:
    """Recipes side by side: score, spread, the gap between training and validation, and what they cost.

    Args:
        results: What the trials brought.
        study: The study.
        recipes: The recipes, one a row.
        level: Confidence level of the intervals.
        title: What they are.
        baselines: Whether rows of what costs nothing (the constant answer, TF-IDF) come last.
        settings: Settings by path that say what the baselines learn from; by default what the study is about.
    """
    rows = [row_of(results, study, recipe, level=level) for recipe in recipes]
    names = [
        "recipe", study.metric, "low", "high", "sd over seeds", f"validation {study.metric}", "validation loss",
        "training loss", "trained parameters", "TFLOP", "seeds", "diverged", "one answer",
    ]  # fmt: skip
    beside = baseline_scores(study, settings) if baselines else {}
    rows += [[name, value, *[None] * (len(names) - 2)] for name, value in beside.items()]
    return Board(f"{title}, {study.split}", names, rows)


def row_of(results: Results, study: Study, recipe: str, *, level: float) -> list[object]:
    """The row of a recipe. Trials that diverged are counted and have no part in its means."""
    mine, done = results.of(recipe), results.done(recipe)
    mean = scored(results, study, recipe, level=level)
    values = results.scores(recipe, study.split, study.metric)
    best = [min(one.evaluations, key=lambda line: abs(line["step"] - one.record["best"]["step"])) for one in done]
    return [
        recipe,
        *((None, None, None) if mean is None else (finite(mean.value), finite(mean.low), finite(mean.high))),
        finite(float(np.std(values, ddof=1))) if len(values) > 1 else None,
        finite(results.mean(recipe, "validation", study.metric)),
        mean_of([line["loss"] for line in best]),
        mean_of([line["training_loss"] for line in best]),
        round(float(np.mean([one.trained_parameters for one in done]))) if done else None,
        mean_of([one.flops / 1e12 for one in done]),
        len(done),
        sum(one.state == "diverged" for one in mine),
        sum(one.degenerate for one in done),
    ]


def baseline_scores(study: Study, settings: Mapping[str, Any] | None = None) -> dict[str, float]:
    """The scores of what costs nothing on the split that is compared, by name."""
    tables = study.baselines(settings).tables.get(study.split, {})
    return {name: score_of(study, table) for name, table in tables.items()}


def score_of(study: Study, table: Table) -> float:
    """The metric of the study on a table."""
    return inference.score(study.task, dict(table))[study.metric]


def mean_of(values: Sequence[float | None]) -> float | None:
    """The mean of the values that are defined; None without any."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    return float(np.mean(known)) if known else None


def finite(value: float) -> float | None:
    """A value, or None where it is not defined."""
    return value if math.isfinite(value) else None


# ---------------------------------------------------------------------------------------------------------------------
# What should be known.


def problems(results: Results, study: Study) -> list[str]:
    """Trials that diverged, were given up or give one answer to all inputs, by recipe, in sentences."""
    notes = []
    for recipe in results.recipes:
        mine = results.of(recipe)
        diverged = sum(one.state == "diverged" for one in mine)
        constant = sum(one.degenerate for one in mine)
        alone = len(mine) == 1
        if diverged:
            some = f"{diverged} of {len(mine)} trials diverged and {'counts' if diverged == 1 else 'count'} in no mean"
            notes.append(f"{recipe}: {'its only trial diverged' if alone else some}")
        if constant:
            some = "its only trial" if alone else f"{constant} of {len(mine)} trials"
            notes.append(f"{recipe}: {some} {'gives' if constant == 1 else 'give'} one answer to all inputs")
    return notes


def where(study: Study) -> str:
    """A note on the rows that recipes are compared on, where they have chosen, too; else nothing."""
    if study.split == "test":
        return ""
    return "there are no test data: scores are those of the validation data, which also chose the epochs"


def first_not_worse(
    results: Results, study: Study, recipes: Sequence[str], best: str, *, margin: float, level: float
) -> tuple[str | None, dict[str, Against]]:
    """The first recipe that is not worse than the best by more than the margin, and all comparisons with it.

    The tests are those of non-inferiority, adjusted for their number (Holm 1979).

    Returns:
        The recipe, or None where none is shown to be; and each against the best.
    """
    found = against(results, study, recipes, best, margin=margin, level=level)
    values = {
        recipe: p_not_worse(one.difference, margin, higher=study.higher_is_better) for recipe, one in found.items()
    }
    adjusted = adjusted_for_number(values)
    enough = (recipe for recipe in recipes if recipe in adjusted and adjusted[recipe] <= 1 - level)
    return next(enough, None), found
