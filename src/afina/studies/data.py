"""How many labels a pre-trained model saves: curves of score against labels, from it and from random weights.

The same architecture trains on nested samples, beside a linear model on TF-IDF features. Each seed draws its own.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field

from ..baselines import LINEAR
from ..errors import ConfigError
from ..metrics.kinds import Array, Table
from ..metrics.recipes import mean_score
from ..printing import many
from ..work import Work
from .arms import Arm, constant_score, failures, pretrained, rate_notes, scratch, screened
from .base import Asked, LeftOut, Level, Margin, Rates, Seeds
from .labels import Curve, Point, summary_of
from .results import Results
from .study import Study
from .summaries import Summary
from .trials import Measurement, Trial

SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


def share_or_number(value: Any) -> Any:
    """A share of the training data, or a number of examples: 1.0 is all of them, and 1 a single one.

    Raises:
        ValueError: it is neither.
    """
    share, whole = type(value) is float and 0 < value <= 1, type(value) is int and value >= 1
    if not (share or whole):
        raise ValueError("expected a share up to 1.0, which is all, or a whole number of examples")
    return value


def least_important(study: Study, sizes: Sequence[float]) -> int:
    """The place of the size that says least: one that can't be drawn, else the smallest but one.

    The largest sizes decide what labels are worth, and the smallest where a curve begins.
    """
    order = sorted(range(len(sizes)), key=lambda place: number_of(study, sizes[place]))
    counts, _ = usable(study, sizes, 1)
    unused = (place for place in order if number_of(study, sizes[place]) not in counts)
    return next(unused, order[1])


Sizes = Annotated[
    Sequence[Annotated[int | float, BeforeValidator(share_or_number)]], Field(min_length=2), LeftOut(least_important)
]


def data(
    study: Study,
    *,
    sizes: Sizes = SHARES,
    seeds: Seeds = 3,
    rates: Rates = (),
    scratch_rates: Rates = (),
    margin: Margin = 0.01,
    level: Level = 0.95,
) -> Generator[Sequence[Asked], Results, Summary]:
    """Curves of score against labels, and what they say.

    Args:
        study: The study.
        sizes: Shares of the training data (1.0 is all) or numbers of examples.
        seeds: Number of seeds; each draws its own sample.
        rates: Learning rates of the pre-trained model; the best is chosen at the largest size. By default one.
        scratch_rates: Those of random weights; by default three around it.
        margin: Gain of score that would not be worth twice the labels.
        level: Probability that intervals are meant to hold.
    """
    arms = (pretrained(study, rates), scratch(study, scratch_rates))
    counts, left_out = usable(study, sizes, seeds)
    best = yield from screened(study, arms, sample(study, counts[-1], 0), about=about(counts[-1]))
    trials = [trial_of(study, arm, best, n, seed) for n in counts for arm in arms for seed in range(seeds)]
    linear = [linear_on(study, n, seed) for n in counts for seed in range(seeds) if study.task.level == "example"]
    results = yield [*trials, *{one.name: one for one in linear}.values()]
    recipes = [[arm.recipe(best[arm.name], about(n)) for n in counts] for arm in arms]
    curves = [
        curve_of(study, arm.name, counts, names, results, level) for arm, names in zip(arms, recipes, strict=True)
    ]
    if linear:
        curves.append(linear_curve(study, counts, seeds, results, level))
    constant = constant_score(study, study.split)
    notes = [*left_out, *constant_note(study, constant), *rate_notes(arms, best)]
    for arm, names in zip(arms, recipes, strict=True):
        notes += failures(results, names, arm.name)
    notes += still_learning(results.of(recipes[1][-1]))
    return summary_of(study, curves, notes, margin=margin, level=level, constant=constant)


# ---------------------------------------------------------------------------------------------------------------------
# What is asked for.


def usable(study: Study, sizes: Sequence[float], seeds: int) -> tuple[list[int], list[str]]:
    """The sizes as numbers of examples, ascending, and what was left out, in sentences.

    Raises:
        ConfigError: fewer than two are left.
    """
    whole = study.examples
    asked = sorted({number_of(study, size) for size in sizes})
    counts, notes = [], []
    large = [size for size in asked if size > whole]
    for size in asked:
        if size > whole:
            continue
        try:
            for seed in range(seeds):
                study.data_for(study.configured(sample(study, size, seed)))
        except ConfigError:
            notes.append(size)
        else:
            counts.append(size)
    said = [f"left out: {sizes_in_words(notes)}, too few to show every label"] if notes else []
    said += [f"left out: {sizes_in_words(large)}, more than the {many(whole, 'example')} to train on"] if large else []
    if len(counts) < 2:
        raise ConfigError(
            f"option.sizes: a curve takes two sizes, and {many(len(counts), 'size')} can be drawn from "
            f"{many(whole, 'training example')} ({'; '.join(said) or 'no more were given'}); give others, such as "
            "--option sizes=0.25,0.5,1.0"
        )
    return counts, said


def number_of(study: Study, size: float) -> int:
    """A size as a number of examples."""
    return size if isinstance(size, int) else max(1, round(size * study.examples))


def sizes_in_words(sizes: Sequence[int]) -> str:
    """Numbers of examples in words."""
    *most, last = [f"{size:,}" for size in sizes]
    return f"{', '.join(most)} and {last} examples" if most else many(sizes[0], "example")


def about(n: int) -> str:
    """What tells the recipes of a size from others."""
    return many(n, "example")


def sample(study: Study, n: int, seed: int) -> dict[str, Any]:
    """Settings that train on n examples."""
    return {"data.sample": None if n == study.examples else n, "data.sample_seed": seed}


def trial_of(study: Study, arm: Arm, best: Mapping[str, float], n: int, seed: int) -> Trial:
    """A trial of an arm on n examples."""
    return arm.trial(best[arm.name], seed, sample(study, n, seed), about(n))


def linear_on(study: Study, n: int, seed: int) -> Measurement:
    """The linear model on the sample of a seed; on all examples it is the same for all seeds."""
    seed = 0 if n == study.examples else seed

    def compute() -> Work[Any]:
        yield 0.0
        found = study.baselines(sample(study, n, seed))
        return kept_table(found.tables[study.split].get(LINEAR))

    return Measurement(linear_name(study, n, seed), compute)


def linear_name(study: Study, n: int, seed: int) -> str:
    """Name of the measurement."""
    return f"linear-{n}-seed{0 if n == study.examples else seed}"


def kept_table(table: Table | None) -> Any:
    """A score table as JSON values; None without one."""
    return None if table is None else {name: column.tolist() for name, column in table.items()}


def read_table(kept: Mapping[str, Any]) -> dict[str, Array]:
    """A score table from JSON values, in which None stands for nan."""
    columns = {name: np.array(values) for name, values in kept.items()}
    return {name: column.astype(float) if column.dtype == object else column for name, column in columns.items()}


# ---------------------------------------------------------------------------------------------------------------------
# Curves.


def curve_of(
    study: Study, name: str, counts: Sequence[int], recipes: Sequence[str], results: Results, level: float
) -> Curve:
    """The curve of an arm from its recipes, one a size."""
    points, groups = [], None
    for n, recipe in zip(counts, recipes, strict=True):
        finished = results.done(recipe)
        tables = [one.table(study.split) for one in finished]
        groups = finished[0].groups(study.split) if finished else groups
        mean = mean_score(tables, study.score, groups=groups, level=level) if tables else None
        points.append(Point(n, [one.score(study.split, study.metric) for one in results.of(recipe)], mean, tables))
    return Curve(name, points, groups)


def linear_curve(study: Study, counts: Sequence[int], seeds: int, results: Results, level: float) -> Curve:
    """The curve of the linear model."""
    groups = next((one.groups(study.split) for one in results if one.done), None)
    points = []
    for n in counts:
        kept = [results.measured[linear_name(study, n, seed)] for seed in range(seeds)]
        tables = [read_table(one) for one in kept if one is not None]
        fixed = n == study.examples
        mean = mean_score(tables, study.score, groups=groups, level=level, deterministic=fixed) if tables else None
        points.append(Point(n, [float(study.score(table)) for table in tables], mean, tables))
    return Curve(LINEAR, points, groups, fixed=True)


def constant_note(study: Study, score: float) -> list[str]:
    """The score that every curve has to beat, of the constant answer; nan where there is none."""
    return [f"the constant answer has {study.metric} {score:.4f} on {study.split}"] if math.isfinite(score) else []


def still_learning(results: Sequence[Any]) -> list[str]:
    """A note where trainings from random weights were best at their very end."""
    ends = [one.evaluations[-1]["step"] == one.record["best"]["step"] for one in results if one.done]
    if not ends or not all(ends):
        return []
    return ["random weights scored best in their last epoch on the most labels: more epochs (--epochs) may help them"]
