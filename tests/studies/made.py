"""Studies without data and results without trainings, to try what designs conclude."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from afina.metrics.kinds import Array
from afina.metrics.scores import accuracy, root_mean_squared_error


def study(*, error: bool = False, examples: int = 800) -> Any:
    """What a conclusion needs to know of a study: of accuracy, or of an error, where less is better."""
    return SimpleNamespace(
        metric="root_mean_squared_error" if error else "accuracy",
        score=root_mean_squared_error if error else accuracy,
        higher_is_better=not error,
        split="test",
        examples=examples,
    )


def tables(
    score: float, seeds: int = 3, *, n: int = 400, spread: float = 0.01, seed: int = 0
) -> list[dict[str, Array]]:
    """Score tables of a recipe with about this accuracy: some examples are hard, and seeds differ a little."""
    rng = np.random.default_rng(7)
    hard = rng.random(n)
    own = np.random.default_rng([seed, 11])
    found = []
    for _ in range(seeds):
        level = score + 0.01 * own.normal()
        right = hard + 0.05 * own.normal(size=n) < level
        found.append({"gold": np.zeros(n, int), "predicted": 1 - right.astype(int)})
    return found


def errors(size: float, seeds: int = 3, *, n: int = 400, seed: int = 0) -> list[dict[str, Array]]:
    """Score tables of a recipe whose numbers are wrong by about this much."""
    rng = np.random.default_rng([seed, 5])
    gold = np.linspace(0, 1, n)
    return [{"gold": gold, "predicted": gold + size * rng.normal(size=n)} for _ in range(seeds)]


def scores(metric: Any, found: Sequence[Any]) -> list[float]:
    """The score of each table."""
    return [float(metric(table)) for table in found]
