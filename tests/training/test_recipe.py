"""The settings of a training, complete, and in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from afina.config import load
from afina.training.recipe import decided, recipe_of
from tests.networks import network_of, task_of


def test_a_recipe_is_the_configuration_with_whole_steps(tiny: Callable[[str], Path]) -> None:
    settings = {
        "training.epochs": 1, "training.batch_size": 4, "training.accumulation": 3, "training.learning_rate": 2e-4,
        "training.head_learning_rate": 1e-3, "training.diverged": "warn", "seed": 7,
    }  # fmt: skip
    recipe = recipe_of(load(None, settings), task_of())
    assert (recipe.batch_size, recipe.metric, recipe.diverged, recipe.seed) == (12, "accuracy", "warn", 7)
    line = decided(recipe, network_of(tiny("bert"), layers=0), strategy="head")
    assert "learning rate 0.0002, head 0.001, 1 epoch, batch size 12, seed 7" in line
