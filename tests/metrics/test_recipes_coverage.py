"""How often recipes that are equal are called different, and how often intervals over seeds and examples hold.

`python -m tests.metrics.test_recipes_coverage` prints the table of docs/statistics.md.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from scipy.special import expit

from afina.metrics import entities, scores
from afina.metrics.answers import answer_f1
from afina.metrics.intervals import paired
from afina.metrics.kinds import Metric
from afina.metrics.recipes import compare, mean_score
from afina.metrics.seeds import spread_test

Data = dict[str, np.ndarray]
Generator = np.random.Generator


@dataclass(frozen=True)
class Recipe:
    """How a recipe's runs vary.

    Attributes:
        seeds: Number of runs.
        sd: Spread of how good a run is.
        suits: How far examples suit this recipe more than another.
        own: How far each run errs on examples of its own.
    """

    seeds: int
    sd: float
    suits: float
    own: float = 1.0


Draw = Callable[[Generator, int, list[Recipe]], tuple[list[list[Data]], np.ndarray | None]]


def latent(
    generator: Generator, n: int, recipes: list[Recipe], groups: np.ndarray | None = None
) -> list[list[np.ndarray]]:
    """How well each run does on each example: what is hard, what suits the recipe, the seed, and the run's own part."""

    def varying(size: float) -> np.ndarray:
        values = generator.standard_normal(n)
        if groups is not None:
            values = (values[groups] + generator.standard_normal(len(groups))) / np.sqrt(2)
        return np.multiply(size, values)

    hard, runs = varying(1.0), []
    for recipe in recipes:
        base = hard + varying(recipe.suits)
        drawn = recipe.sd * generator.standard_normal(recipe.seeds)
        runs.append([base + effect + varying(recipe.own) for effect in drawn])
    return runs


def answers(generator: Generator, n: int, recipes: list[Recipe]) -> tuple[list[list[Data]], None]:
    """Partly right answers, where seeds and examples add up."""
    return [[{"f1": 0.5 + 0.08 * run} for run in runs] for runs in latent(generator, n, recipes)], None


def labels(mean: float, k: int = 3, grouped: bool = False) -> Draw:
    """Labels, right where a run does well enough; groups hold one to seven examples."""

    def draw(generator: Generator, n: int, recipes: list[Recipe]) -> tuple[list[list[Data]], np.ndarray | None]:
        groups = np.repeat(np.arange(n), generator.integers(1, 8, n)) if grouped else None
        gold = generator.integers(0, k, n if groups is None else len(groups))
        tables = [
            [{"gold": gold, "predicted": np.where(run + mean > 0, gold, (gold + 1) % k)} for run in runs]
            for runs in latent(generator, n, recipes, groups)
        ]
        return tables, groups

    return draw


def sentences(generator: Generator, n: int, recipes: list[Recipe]) -> tuple[list[list[Data]], None]:
    """Entities of sentences, of which half have none."""
    gold = generator.negative_binomial(1, 1 / 3, size=n)

    def counts(run: np.ndarray) -> Data:
        recall = expit(1.4 + run)
        hits = generator.binomial(gold, recall)
        wrong = generator.poisson(0.2 * (gold + 0.3) * (1 - recall))
        return {"correct": hits, "gold_count": gold, "predicted_count": hits + wrong}

    return [[counts(run) for run in runs] for runs in latent(generator, n, recipes)], None


def numbers(generator: Generator, n: int, recipes: list[Recipe]) -> tuple[list[list[Data]], None]:
    """Ratings from 1 to 5; runs differ in how noisy they are."""
    gold = np.clip(np.round(generator.standard_normal(n) + 3), 1, 5)
    return [
        [
            {"gold": gold, "predicted": gold + 0.5 * np.exp(0.3 * recipe.sd * generator.standard_normal()) * run}
            for run in latent(generator, n, [Recipe(recipe.seeds, 0.0, 0.0, recipe.own)])[0]
        ]
        for recipe in recipes
    ], None


WORLDS: dict[str, tuple[Draw, Metric, int]] = {
    "answer F1": (answers, answer_f1, 200),
    "accuracy 0.8": (labels(1.2), scores.accuracy, 500),
    "accuracy 0.95": (labels(2.4), scores.accuracy, 500),
    "accuracy, 50 groups": (labels(1.2, grouped=True), scores.accuracy, 50),
    "macro-F1, 3 labels": (labels(1.2), scores.macro_f1, 500),
    "entity F1": (sentences, entities.entity_f1, 300),
    "Pearson": (numbers, scores.pearson, 300),
}
"""A draw, a metric, and a number of examples or groups, by name."""
SEEDS = {"none": (0.0, 0.0), "none, suits": (0.0, 0.4), "as examples": (0.1, 0.2), "large": (0.6, 0.2)}
"""Spread of runs over seeds, and how far examples suit one of the recipes, by name."""


def rates(name: str, seeds: int, spread: str, *, times: int) -> tuple[float, float, float]:
    """Share of pairs of equal recipes that are called different, and of intervals of one that hold, over `times` pairs.

    Returns:
        False positives, coverage of a recipe's mean score, and the share of pairs with an interval.
    """
    draw, metric, n = WORLDS[name]
    sd, suits = SEEDS[spread]
    recipes = [Recipe(seeds, sd, suits)] * 2
    many = [draw(np.random.default_rng(10**6 + i), 5000, [Recipe(40, sd, suits)])[0][0] for i in range(10)]
    truth = float(np.mean([metric(table) for runs in many for table in runs]))
    generator = np.random.default_rng(crc32(f"{name} {seeds} {spread}".encode()))
    different = held = given = 0
    for _ in range(times):
        (first, second), groups = draw(generator, n, recipes)
        found, mean = compare(first, second, metric, groups=groups), mean_score(first, metric, groups=groups)
        given += not found.reason
        different += found.p_value < 0.05
        held += mean.low <= truth <= mean.high
        assert (found.p_value < 0.05) == (not found.low <= 0 <= found.high)
    return different / given, held / given, given / times


def cases() -> Iterator[tuple[str, int, str]]:
    return ((name, seeds, spread) for name, spread in rows() for seeds in (3, 5, 10))


def rows() -> Iterator[tuple[str, str]]:
    return ((name, spread) for name in WORLDS for spread in SEEDS if (name, spread) != ("Pearson", "none, suits"))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "seeds", "spread"), list(cases()))
def test_equal_recipes_are_called_different_as_often_as_promised(name: str, seeds: int, spread: str) -> None:
    different, held, given = rates(name, seeds, spread, times=1000)
    noise = 2 * np.sqrt(0.05 * 0.95 / 1000)
    assert given > 0.98
    assert 0.035 - noise <= different <= 0.065 + noise
    skewed = name == "accuracy 0.95" and spread == "large"  # a few seeds seldom show the worst ones
    assert (0.90 if skewed else 0.93) - noise <= held <= 0.97 + noise


@pytest.mark.parametrize(
    ("name", "seeds", "spread"),
    [("answer F1", 3, "none"), ("accuracy 0.8", 3, "large"), ("accuracy, 50 groups", 5, "as examples")],
)
def test_equal_recipes_are_seldom_called_different(name: str, seeds: int, spread: str) -> None:
    different, held, _ = rates(name, seeds, spread, times=250)
    assert 0.005 <= different <= 0.09
    assert 0.9 <= held <= 0.99


def trained(generator: Generator, rows: np.ndarray, wanted: np.ndarray) -> Any:
    """The weights of a logistic regression after one pass over rows in random order, from random weights."""
    weights = generator.standard_normal(rows.shape[1])
    for i in generator.permutation(len(rows)):
        error = float(wanted[i] - expit(rows[i] @ weights))
        weights = weights + 0.5 * error * rows[i]
    return weights


def test_real_seeds_of_one_recipe_are_seldom_called_different() -> None:
    """A test over examples alone takes two runs of one recipe for two recipes."""
    generator = np.random.default_rng(0)
    truth = generator.standard_normal(20)

    def data(n: int) -> tuple[np.ndarray, np.ndarray]:
        rows = generator.standard_normal((n, 20))
        return rows, (rows @ truth + 2 * generator.standard_normal(n) > 0).astype(int)

    over_both = over_examples = pairs = 0
    for _ in range(10):
        rows, wanted = data(60)
        tests, gold = data(500)
        predicted = [(tests @ trained(generator, rows, wanted) > 0).astype(int) for _ in range(60)]
        runs = [{"gold": gold, "predicted": one} for one in predicted]
        for i in range(0, 60, 6):
            pairs += 1
            over_both += compare(runs[i : i + 3], runs[i + 3 : i + 6], scores.accuracy).p_value < 0.05
            over_examples += paired(runs[i], runs[i + 1], scores.accuracy, resamples=200).p_value < 0.05
    assert over_both / pairs <= 0.10
    assert over_examples / pairs >= 0.15


def main() -> None:
    """The tables of docs/statistics.md."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    head = " | ".join(f"{what}, {seeds} seeds" for seeds in (3, 5, 10) for what in ("different", "held"))
    print(f"| world | seeds vary | {head} |\n|---|---|{'---|' * 6}")
    for name, spread in rows():
        found = [rates(name, seeds, spread, times=times) for seeds in (3, 5, 10)]
        cells = " | ".join(f"{100 * one:.1f} %" for triple in found for one in triple[:2])
        print(f"| {name} | {spread} | {cells} |", flush=True)
    print("\n| seeds | equal spreads called different | 4 times the spread found |\n|---|---|---|")
    generator = np.random.default_rng(0)
    for seeds in (3, 5, 10, 20):
        called = [
            np.mean([spread_test(*pair) < 0.05 for pair in generator.standard_normal((2000, 2, seeds)) * [[1], [more]]])
            for more in (1, 4)
        ]
        print(f"| {seeds} | {100 * called[0]:.1f} % | {100 * called[1]:.0f} % |", flush=True)


if __name__ == "__main__":
    main()
