"""A pre-trained model and the same architecture with random weights, each at a learning rate of its own."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..baselines import unvaried
from ..errors import ConfigError
from ..printing import many
from .base import Asked
from .results import Result, Results
from .study import Study
from .trials import Trial

PRETRAINED, RANDOM = "pre-trained", "random weights"
"""Names of the two arms."""


@dataclass(frozen=True, slots=True)
class Arm:
    """Weights to start from, and the learning rates to choose from.

    Attributes:
        name: Name of the arm.
        rates: Learning rates, ascending; the best one is chosen on the validation data where there are several.
        settings: Settings of its trials, by path.
    """

    name: str
    rates: Sequence[float]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def recipe(self, rate: float, about: str = "") -> str:
        """Name of a recipe: the arm, the rate, and what else tells it from others."""
        return f"{self.name}, rate {rate:g}{about and f', {about}'}"

    def trial(self, rate: float, seed: int, settings: Mapping[str, Any], about: str = "") -> Trial:
        """A trial of the arm.

        Args:
            rate: Learning rate.
            seed: Seed of everything random in it.
            settings: Further settings, by path.
            about: What tells it from other recipes of the arm and rate.
        """
        return Trial(self.recipe(rate, about), seed, {**self.settings, "training.learning_rate": rate, **settings})


def around(rate: float, factors: Sequence[float]) -> list[float]:
    """A rate times each factor, in one digit."""
    return [float(f"{rate * factor:.0e}") for factor in factors]


def configured_rate(study: Study) -> float:
    """The configured learning rate, or the usual one of the encoder."""
    return study.config.training.learning_rate or study.usual_rate


def pretrained(study: Study, rates: Sequence[float] = (), *, factors: Sequence[float] = (1,)) -> Arm:
    """The configured model as it is.

    Args:
        study: The study.
        rates: Its learning rates; by default the configured or usual one times each factor.
        factors: Factors on that rate.

    Raises:
        ConfigError: the configuration itself asks for random weights.
    """
    if study.config.model.weights == "random":
        raise ConfigError("model.weights: this study compares pretrained with random weights itself; leave it out")
    return Arm(PRETRAINED, sorted(rates) or around(configured_rate(study), factors))


def scratch(study: Study, rates: Sequence[float] = (), *, factors: Sequence[float] = (1 / 3, 1, 3)) -> Arm:
    """The same architecture with random weights. All of it trains: frozen random layers would teach nothing.

    Args:
        study: The study.
        rates: Its learning rates; by default the configured or usual one times each factor.
        factors: Factors on that rate.
    """
    settings = {"model.weights": "random", "strategy": "full"}
    return Arm(RANDOM, sorted(rates) or around(configured_rate(study), factors), settings)


def screened(
    study: Study, arms: Sequence[Arm], settings: Mapping[str, Any], *, about: str = ""
) -> Generator[Sequence[Asked], Results, dict[str, float]]:
    """The best learning rate of each arm by its validation score with seed 0.

    Args:
        study: The study.
        arms: The arms; one with a single rate needs no trial.
        settings: Settings of the trials beside those of the arms, by path.
        about: What tells the recipes from others of the arm and rate.
    """
    trials = {
        (arm.name, rate): arm.trial(rate, 0, settings, about)
        for arm in arms
        if len(arm.rates) > 1
        for rate in arm.rates
    }
    if not trials:
        return {arm.name: arm.rates[0] for arm in arms}
    results = yield list(trials.values())
    best = {}
    for arm in arms:
        scores = [
            validated(study, results.trials[trials[arm.name, rate].name])
            for rate in arm.rates
            if (arm.name, rate) in trials
        ]
        best[arm.name] = chosen(arm.rates, scores) if scores else arm.rates[0]
    return best


def validated(study: Study, result: Result) -> float:
    """The validation score of a trial, higher is better; nan where it diverged or is not defined."""
    value = result.score("validation", study.metric)
    return value if study.higher_is_better else -value


def chosen(rates: Sequence[float], scores: Sequence[float]) -> float:
    """The rate with the best score; the lower one of two that are as good; the middle one where no score is defined."""
    known = [(score, -rate) for rate, score in zip(rates, scores, strict=True) if math.isfinite(score)]
    return -max(known)[1] if known else rates[len(rates) // 2]


def rate_notes(arms: Sequence[Arm], best: Mapping[str, float]) -> list[str]:
    """How each rate was chosen, and a warning where the best one lies at an edge of what was tried."""
    notes = []
    for arm in arms:
        rate = best[arm.name]
        if len(arm.rates) < 2:
            continue
        tried = ", ".join(f"{one:g}" for one in arm.rates)
        end = "lowest" if rate == arm.rates[0] else "highest" if rate == arm.rates[-1] else ""
        edge = f"; the {end} one was the best, so one beyond it may be better" if end else ""
        notes.append(
            f"{arm.name}: learning rate {rate:g}, the best of {tried} on the validation data with one seed{edge}"
        )
    return notes


def failures(results: Results, recipes: Sequence[str], name: str) -> list[str]:
    """Notes on trials of some recipes that diverged or give one answer to all inputs: none is left out in silence."""
    own = [result for recipe in recipes for result in results.of(recipe)]
    diverged = sum(not result.done for result in own)
    constant = sum(result.degenerate for result in own)
    notes = []
    if diverged:
        notes.append(f"{name}: {diverged} of {many(len(own), 'training')} diverged; no score counts for them")
    if constant:
        word = "gives" if constant == 1 else "give"
        notes.append(
            f"{name}: {constant} of {many(len(own), 'training')} {word} one answer to every input; "
            f"{'its score counts' if constant == 1 else 'their scores count'} like the others"
        )
    return notes


def constant_score(study: Study, split: str) -> float:
    """The score of the constant answer on a split; nan where there is none."""
    constant = study.task.constant(study.data.splits["train"])
    if constant is None:
        return math.nan
    return float(study.score(unvaried(study.task, constant, study.data.splits[split])))
