"""Recipes that are equal are called different in 5 % of cases, and intervals over seeds and examples hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy import stats

from afina.metrics import recipes, scores
from afina.metrics.answers import answer_f1
from afina.metrics.intervals import students_interval

Data = dict[str, np.ndarray]


@dataclass(frozen=True)
class World:
    """Two recipes with the same expected score, on examples of which some are harder.

    Attributes:
        seeds: Runs of each recipe.
        sd: Spread of the score over seeds.
        more: How many times as large that of the second recipe is.
        examples: Number of examples, or of groups of one to seven.
        suits: How far examples suit one recipe more than the other.
        own: How far each run errs on examples of its own.
        grouped: Whether examples come in groups that are alike.
    """

    seeds: tuple[int, int]
    sd: float = 0.0
    more: float = 1.0
    examples: int = 100
    suits: float = 0.0
    own: float = 1.0
    grouped: bool = False

    def draw(self, generator: np.random.Generator) -> tuple[list[list[Data]], np.ndarray | None]:
        """The tables of both recipes, and the groups."""
        groups = np.repeat(np.arange(self.examples), generator.integers(1, 8, self.examples)) if self.grouped else None

        def varying(size: float) -> np.ndarray:
            if groups is None:
                return generator.standard_normal(self.examples) * size
            alike, alone = generator.standard_normal(self.examples)[groups], generator.standard_normal(len(groups))
            return (0.7 * alike + 0.7 * alone) * size

        hard, drawn = varying(1.0), []
        for runs, sd in zip(self.seeds, (self.sd, self.sd * self.more), strict=True):
            base = hard + varying(self.suits)
            effects = sd * generator.standard_normal(runs)
            drawn.append([{"f1": 0.5 + 0.1 * (base + effect + varying(self.own))} for effect in effects])
        return drawn, groups


def f1_tables(values: np.ndarray) -> list[Data]:
    """One table a row."""
    return [{"f1": row} for row in values]


def test_where_only_seeds_vary_it_is_students_interval() -> None:
    """Each run scores the same on every example, so that the examples add nothing."""
    scored = np.array([0.71, 0.74, 0.69, 0.75])
    found = recipes.mean_score(f1_tables(np.repeat(scored[:, None], 50, axis=1)), mean_of_errors)
    assert found.df == pytest.approx(3)
    assert (found.low, found.high) == pytest.approx(students_interval(list(scored)))


def mean_of_errors(table: Any) -> float:
    """A plain function, whose scale is its own."""
    return float(np.mean(table["f1"]))


def test_of_one_run_it_is_the_paired_t_test_over_examples() -> None:
    generator = np.random.default_rng(0)
    first, second = generator.random((2, 1, 150)) + np.array([[[0.05]], [[0.0]]])
    found = recipes.compare(f1_tables(first), f1_tables(second), answer_f1)
    expected = stats.ttest_rel(first[0], second[0])
    assert found.value == pytest.approx(float(np.mean(first - second)))
    assert found.error == pytest.approx(abs(found.value / expected.statistic))
    assert found.p_value == pytest.approx(expected.pvalue, abs=1e-3)
    assert found.note == "over examples alone: one seed does not tell how another would score"


def test_where_only_seeds_differ_it_is_near_welchs_test() -> None:
    generator = np.random.default_rng(1)
    hard = generator.random(200)
    scored = [0.1 * generator.standard_normal(count) for count in (5, 8)]
    first, second = (f1_tables(hard + one[:, None]) for one in scored)
    found = recipes.compare(first, second, answer_f1)
    expected = stats.ttest_ind(*scored, equal_var=False)
    assert found.error == pytest.approx(found.value / expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue, abs=0.01)


@pytest.mark.parametrize("world", [World((3, 3), own=0.5, sd=0.3), World((4, 3), suits=0.5), World((2, 3), sd=0.1)])
def test_the_parts_add_up_to_the_variance(world: World) -> None:
    (first, second), _ = world.draw(np.random.default_rng(2))
    found = recipes.compare(first, second, answer_f1)
    assert found.spread is not None
    assert sum(found.spread.seeds) + found.spread.examples + sum(found.spread.both) == pytest.approx(found.error**2)
    assert found.spread.at(seeds=10**12, units=10**12) == pytest.approx(0, abs=1e-9)
    assert min(*found.spread.seeds, found.spread.examples) >= 0
    assert found.spread.counts == world.seeds


def test_tables_of_other_examples_are_refused() -> None:
    table = {"gold": np.array([0, 1]), "predicted": np.array([0, 1])}
    with pytest.raises(ValueError, match="found none"):
        recipes.compare([table], [], scores.accuracy)
    with pytest.raises(ValueError, match="gold answers differ"):
        recipes.compare([table], [table, {**table, "gold": np.array([1, 1])}], scores.accuracy)


def test_where_there_is_no_interval_the_reason_is_given() -> None:
    few = {"gold": np.arange(9) % 2, "predicted": np.arange(9) % 2}
    found = recipes.compare([few], [few], scores.accuracy)
    assert found.reason == "9 examples are too few for an interval"
    assert np.isnan([found.low, found.high, found.p_value]).all()
    constant = {"gold": np.arange(60.0), "predicted": np.zeros(60)}
    assert recipes.mean_score([constant], scores.pearson).reason == "the score of run 1 of 1 is not defined"
