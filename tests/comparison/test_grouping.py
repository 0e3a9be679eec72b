"""Runs that differ by their seed alone are seeds of one recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from afina.comparison.grouping import recipes_of
from afina.comparison.runs import opened
from tests.comparison.made import made


def grouped(folder: Path, *settings: dict[str, Any]) -> list[tuple[str, tuple[int, ...]]]:
    """The recipes of runs with these settings."""
    runs = [opened(made(folder / str(i), right=[True] * 6, **own), "test") for i, own in enumerate(settings)]
    return [(recipe.name, recipe.members) for recipe in recipes_of(runs)]


def test_seeds_are_gathered_under_what_tells_recipes_apart(tmp_path: Path) -> None:
    settings = [
        {"strategy": strategy, "training__learning_rate": rate, "seed": seed, "training__threads": 1 + seed}
        for seed in (0, 1)
        for strategy, rate in (("head", 1e-3), ("full", 2e-5))
    ]
    assert grouped(tmp_path, *settings) == [
        ("strategy head (2 seeds)", (0, 2)),
        ("strategy full (2 seeds)", (1, 3)),
    ]
    settings = [{**own, "training__learning_rate": rate} for own in settings[:2] for rate in (1e-3, 1e-4)]
    more = [{**own, "seed": 5} for own in settings]
    assert [name for name, _ in grouped(tmp_path / "more", *settings, *more)] == [
        "strategy head, learning_rate 0.001 (2 seeds)",
        "strategy head, learning_rate 0.0001 (2 seeds)",
        "strategy full, learning_rate 0.001 (2 seeds)",
        "strategy full, learning_rate 0.0001 (2 seeds)",
    ]


def test_a_run_alone_has_the_name_of_its_folder(tmp_path: Path) -> None:
    found = grouped(tmp_path, {"seed": 0}, {"seed": 1}, {"strategy": "head"})
    assert found == [("strategy full (2 seeds)", (0, 1)), (str(tmp_path / "2"), (2,))]


def test_the_same_seed_twice_is_no_second_seed(tmp_path: Path) -> None:
    found = grouped(tmp_path, {"seed": 0}, {"seed": 0}, {"seed": 1})
    assert [members for _, members in found] == [(0, 2), (1,)]


def test_seeds_of_one_recipe_stand_beside_each_other(tmp_path: Path) -> None:
    assert grouped(tmp_path, {"seed": 3}, {"seed": 4}) == [(str(tmp_path / "0"), (0,)), (str(tmp_path / "1"), (1,))]
