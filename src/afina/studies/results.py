"""Results of trials, read from their folders when they are asked for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from ..metrics.kinds import Array, Metric
from ..training.rundir import RunFolder
from .trials import Trial


@dataclass(frozen=True)
class Result:
    """What became of a trial.

    Attributes:
        trial: The trial.
        state: `done`; `diverged` where its loss left its start for good or was not finite; `pruned` where it was given
            up, since its validation scores were too low.
        run: Its folder.
        message: Why it diverged; empty otherwise.
    """

    trial: Trial
    state: Literal["done", "diverged", "pruned"]
    run: RunFolder
    message: str = ""

    @property
    def done(self) -> bool:
        """Whether it came to its end."""
        return self.state == "done"

    @cached_property
    def record(self) -> dict[str, Any]:
        """Content of its `run.json`; empty where it diverged."""
        return self.run.record() if self.done else {}

    @cached_property
    def evaluations(self) -> list[dict[str, Any]]:
        """Its evaluations on the validation data, in order: epoch, step, metrics, loss, training_loss."""
        return list(self.run.evaluations()) if (self.run.path / "evaluations.jsonl").exists() else []

    @cached_property
    def losses(self) -> list[float]:
        """The loss of every step; nan where it was not finite."""
        return self.run.losses()

    def score(self, split: str, metric: str) -> float:
        """The value of a metric on a split; nan where it is not defined or the trial diverged."""
        value = self.record[split]["metrics"][metric] if self.done else None
        return math.nan if value is None else float(value)

    def table(self, split: str) -> dict[str, Array]:
        """The score table of a split.

        Raises:
            ConfigError: the trial diverged, so that it has none, or the file is damaged.
        """
        return self.run.table(split)

    def groups(self, split: str) -> Array | None:
        """The cluster of each example of a split; None where every example stands alone. [n]"""
        return self.run.groups(split)

    @property
    def degenerate(self) -> bool:
        """Whether it gives one answer for all inputs."""
        codes = {warning.get("code") for warning in self.record.get("warnings", ())}
        return "constant-prediction" in codes

    @property
    def flops(self) -> float:
        """FLOPs of the training, validation apart; nan where they are not known."""
        return float(self.record.get("flops", {}).get("training", math.nan))

    @property
    def trained_parameters(self) -> int:
        """Number of parameters that trained; 0 where it diverged."""
        return int(self.record.get("parameters", {}).get("trained", 0))

    @property
    def seconds(self) -> float:
        """Seconds of training and validation."""
        seconds = self.record.get("seconds", {})
        return float(sum(seconds.get(part, 0.0) for part in ("frozen part", "train", "validate")))


@dataclass(frozen=True, slots=True)
class Results:
    """The results of all trials that a design asked for, in the order in which it first asked for them.

    Attributes:
        trials: The result of each trial, by its name.
        measured: What each measurement returned, by its name.
    """

    trials: Mapping[str, Result] = field(default_factory=dict)
    measured: Mapping[str, Any] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Result]:
        return iter(self.trials.values())

    @property
    def recipes(self) -> list[str]:
        """The recipes, in the order in which they were asked for."""
        return list(dict.fromkeys(result.trial.recipe for result in self))

    def of(self, recipe: str) -> list[Result]:
        """The results of a recipe, by seed."""
        return sorted((one for one in self if one.trial.recipe == recipe), key=lambda one: one.trial.seed)

    def done(self, recipe: str) -> list[Result]:
        """Those of them that came to their end."""
        return [one for one in self.of(recipe) if one.done]

    def scores(self, recipe: str, split: str, metric: str) -> list[float]:
        """The scores of a recipe's finished trials, by seed."""
        return [one.score(split, metric) for one in self.done(recipe)]

    def mean(self, recipe: str, split: str, metric: str) -> float:
        """The mean of those that are defined; nan without any."""
        defined = [value for value in self.scores(recipe, split, metric) if math.isfinite(value)]
        return float(np.mean(defined)) if defined else math.nan

    def tables(self, recipe: str, split: str) -> list[dict[str, Array]]:
        """The score tables of a recipe's finished trials, by seed."""
        return [one.table(split) for one in self.done(recipe)]


def value_of(metric: Metric, tables: Sequence[Mapping[str, Array]]) -> list[float]:
    """The value of a metric on each table."""
    return [float(metric(table)) for table in tables]
