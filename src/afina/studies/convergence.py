"""How much faster a pre-trained model converges: steps to a share of what it gains, from it and from random weights.

Both have the same budget, each at its own best rate. What a model gains is its best validation score above the constant
answer's: 95 % of it is the score of the constant answer and 95 % of that difference. This means the same for every
metric, also where less is better, and where a constant answer is right nine times of ten.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from typing import Annotated, Any

from pydantic import Field

from .. import strategies
from ..strategies import Defaults
from .arms import Arm, constant_score, failures, pretrained, rate_notes, scratch, screened
from .base import Asked, Level, Rates, Seeds
from .courses import Course, summary_of
from .results import Result, Results
from .study import Study
from .summaries import Summary


def convergence(
    study: Study,
    *,
    seeds: Seeds = 3,
    rates: Rates = (),
    scratch_rates: Rates = (),
    evaluations: Annotated[int, Field(ge=2)] = 20,
    level: Level = 0.95,
) -> Generator[Sequence[Asked], Results, Summary]:
    """Score and loss in the course of trainings from pre-trained and from random weights.

    Args:
        study: The study.
        seeds: Number of seeds.
        rates: Learning rates of the pre-trained model; the best is chosen. By default three around the usual one.
        scratch_rates: Those of random weights; by default three around the usual one, further apart.
        evaluations: Number of evaluations in the course of a training, at least.
        level: Probability that intervals are meant to hold.
    """
    arms = (pretrained(study, rates, factors=(0.5, 1, 2)), scratch(study, scratch_rates))
    settings = budget(study, evaluations)
    best = yield from screened(study, arms, settings)
    trials = [arm.trial(best[arm.name], seed, settings) for arm in arms for seed in range(seeds)]
    results = yield trials
    notes = rate_notes(arms, best)
    for arm in arms:
        notes += failures(results, [arm.recipe(best[arm.name])], arm.name)
    courses = [courses_of(study, arm, best[arm.name], results) for arm in arms]
    return summary_of(
        study, arms[0].name, arms[1].name, courses, notes, constant=constant_score(study, "validation"), level=level
    )


def budget(study: Study, evaluations: int) -> dict[str, Any]:
    """Settings that give both arms the same budget, without early stopping, and enough evaluations."""
    asked = study.config.training
    usual = defaults(study)
    epochs = asked.epochs or usual.epochs
    every: float = epochs // evaluations
    if not every:
        parts = math.ceil(evaluations / epochs)
        every = 1 / parts if parts > 1 else 1
    return {
        "training.epochs": epochs,
        "training.batch_size": asked.batch_size or usual.batch_size,
        "training.patience": epochs,
        "training.evaluate_every": asked.evaluate_every or every,
    }


def defaults(study: Study) -> Defaults:
    """What the strategy decides for the pre-trained model."""
    asked = study.config.training
    return strategies.find(study.config.strategy).defaults(
        examples=study.examples,
        width=int(study.model_config.hidden_size),
        batch_size=asked.batch_size,
        accumulation=asked.accumulation,
    )


def courses_of(study: Study, arm: Arm, rate: float, results: Results) -> list[Course | None]:
    """The courses of the trainings of an arm, by seed; None for one that diverged."""
    return [course_of(study, one) if one.done else None for one in results.of(arm.recipe(rate))]


def course_of(study: Study, result: Result) -> Course:
    """The course of a training."""
    lines = result.evaluations
    values = [line["metrics"][study.metric] for line in lines]
    steps = int(result.record["steps"])
    return Course(
        [int(line["step"]) for line in lines],
        [math.nan if value is None else float(value) for value in values],
        [math.nan if line["loss"] is None else float(line["loss"]) for line in lines],
        [math.nan if line["training_loss"] is None else float(line["training_loss"]) for line in lines],
        result.flops / steps,
        float(result.record["seconds"].get("train", math.nan)) / steps,
    )
