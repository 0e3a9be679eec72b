"""Search: which settings score best on the validation data, and do they hold on data that did not choose them?

Settings are proposed by Optuna's tree-structured Parzen estimator (Bergstra et al. 2011) from the scores of those that
were tried. A proposal depends on its number and on the finished trials alone, so that a search that was killed goes on
as if it had not been. A trial whose validation score is below the median of the others at the same epoch is given up
(the median stopping rule, Golovin et al. 2017).
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Annotated, Any

from pydantic import Field

from ..errors import ConfigError, MissingExtra, printable
from ..printing import many, number
from .base import Asked, Level, Margin, Seeds, as_list
from .comparisons import Against, against, answer_of, board_of, problems, where
from .results import Result, Results
from .study import Study
from .summaries import Answer, Board, Figure, Series, Summary, Verdict
from .trials import Trial
from .words import what_decides

CLAIM = "The settings that were found are better than the defaults"
LOWER = "--search learning_rate=1e-6..1e-4"
RANGE = re.compile(r"\s*([^\s.].*?)\s*\.\.\s*(\S+)\s*")
STARTUP = 5
"""Finished trials of the same kind before any is given up."""
FIRST = 1 / 3
"""Share of its epochs that every trial gets."""
WIDE = 10
"""A range whose ends differ by this factor is searched on a logarithmic scale."""


def sweep(
    study: Study,
    *,
    search: dict[str, Any] | None = None,
    trials: Annotated[int, Field(ge=1)] = 20,
    batch: Annotated[int, Field(ge=1)] = 1,
    prune: bool = True,
    seeds: Seeds = 3,
    margin: Margin = 0.01,
    level: Level = 0.95,
) -> Generator[Sequence[Asked], Results, Summary]:
    """Search the settings, then compare the best with the defaults on seeds that neither was chosen by.

    Args:
        study: What it is about.
        search: Settings by path, each with a range (`1e-5..1e-3`, `2..8`) or a list of values; by default the learning
            rate, the weight decay, dropout and the batch size.
        trials: Number of settings to try.
        batch: Number of settings that are proposed at once.
        prune: Whether trials that score low on the way are given up.
        seeds: Seeds of the comparison with the defaults.
        margin: Difference of the score that does not matter.
        level: Confidence level of the intervals.
    """
    space = {path: Space.read(path, value) for path, value in (search or usual(study)).items()}
    results, asked = Results(), list[Trial]()
    while len(asked) < trials:
        number = len(asked)
        fresh = proposals(space, results, study, number=number, count=min(batch, trials - number))
        asked += [trial_of(number + i, settings, results, study, prune=prune) for i, settings in enumerate(fresh)]
        results = yield list(asked)
    best = max(searched(results), key=lambda one: value_of(one, study), default=None)
    if best is None:
        lost = Verdict(CLAIM, "undecided", "No trial of the search came to its end.", f"lower rates ({LOWER})")
        return Summary([lost], [history(results, space, study)], notes=problems(results, study))
    chosen = dict(best.trial.settings)
    recipes = {"found": chosen, "defaults": {}}
    results = yield [
        *asked,
        *(Trial(recipe, seed, settings) for recipe, settings in recipes.items() for seed in range(1, seeds + 1)),
    ]
    return summary(results, study, space, best=best, margin=margin, level=level)


def summary(
    results: Results, study: Study, space: Mapping[str, Space], *, best: Result, margin: float, level: float
) -> Summary:
    """What the search found, and whether it holds."""
    found = searched(results)
    gain = against(results, study, ["found"], "defaults", margin=margin, level=level).get("found")
    answer, sentence, decide = judged(gain, study)
    reached = value_of(best, study)
    reached = reached if study.higher_is_better else -reached
    optimism = (
        f"the best of {many(len(found), 'trial')} reached {study.metric} {reached:.4f} on the validation data. That is "
        "the luckiest of many and too good: the comparison above has other seeds"
    )
    values = [value_of(one, study) for one in found]
    climb = [max(values[: i + 1]) * (1 if study.higher_is_better else -1) for i in range(len(values))]
    series = Series("best so far", list(range(1, len(climb) + 1)), climb)
    figure = Figure("best validation score so far", "trials", study.metric, [series])
    return Summary(
        [Verdict(CLAIM, answer, sentence, decide)],
        [board_of(results, study, ["found", "defaults"], level=level), history(results, space, study)],
        [figure],
        notes=[line for line in (optimism, where(study), *problems(results, study)) if line],
        recommended=dict(best.trial.settings) if answer == "confirmed" else {},
    )


def judged(gain: Against | None, study: Study) -> tuple[Answer, str, str]:
    """The answer, the figures, and what would decide it."""
    if gain is None:
        return "undecided", "No trial of the comparison came to its end.", "lower rates (--learning-rate)"
    first, second = number(gain.difference.first), number(gain.difference.second)
    sentence = f"{study.split.capitalize()} {study.metric} {first}, of the defaults {second}: {gain.decision.finding}."
    return answer_of(gain.decision), sentence, what_decides([gain.decision])


# ---------------------------------------------------------------------------------------------------------------------
# Proposals.


@dataclass(frozen=True, slots=True)
class Space:
    """The values that a setting may have.

    Attributes:
        low: Lower end of a range; None for a list.
        high: Upper end.
        values: The list; empty for a range.
        whole: Whether the range is one of whole numbers.
    """

    low: float | None = None
    high: float | None = None
    values: Sequence[Any] = ()
    whole: bool = False

    @classmethod
    def read(cls, path: str, value: Any) -> Space:
        """A space as it is written: `1e-5..1e-3`, `2..8`, or a list, which commas make, too.

        Raises:
            ConfigError: it is neither.
        """
        if isinstance(value, (list, tuple)) and value:
            return cls(None, None, value)
        if isinstance(value, str) and "," in value:
            return cls(None, None, as_list(value))
        match = RANGE.fullmatch(value) if isinstance(value, str) else None
        try:
            low, high = (float(match[1]), float(match[2])) if match else (1.0, 0.0)
        except ValueError:
            low, high = 1.0, 0.0
        if match is None or not low < high:
            raise ConfigError(
                f"search: {path}: expected a range or a list, found {printable(value)}; for example "
                "--search learning_rate=1e-5..1e-3 --search strategy=full,last-2"
            )
        return cls(low, high, whole=all(re.fullmatch(r"[+-]?\d+", end) for end in match.groups()))

    @property
    def logarithmic(self) -> bool:
        """Whether it is searched on a logarithmic scale."""
        return self.low is not None and self.high is not None and self.low > 0 and self.high >= WIDE * self.low


def usual(study: Study) -> dict[str, Any]:
    """The settings that are searched where the user names none."""
    rate = study.usual_rate
    return {
        "training.learning_rate": f"{rate / 5:g}..{rate * 5:g}",
        "training.weight_decay": [0.0, 0.01, 0.1],
        "model.dropout": [0.0, 0.1, 0.2],
        "training.batch_size": [16, 32],
    }


def proposals(
    space: Mapping[str, Space], results: Results, study: Study, *, number: int, count: int
) -> list[dict[str, Any]]:
    """The next settings, from what is known of those that were tried."""
    optuna = library()
    distributions = {path: distribution(optuna, one) for path, one in space.items()}
    sampler = optuna.samplers.TPESampler(seed=number, multivariate=True)
    history = optuna.create_study(direction="maximize", sampler=sampler)
    worst = min((value_of(one, study) for one in searched(results)), default=0.0)
    for one in results:
        if set(space) <= set(one.trial.settings):
            value = value_of(one, study) if one.state == "done" else worst
            params = {path: one.trial.settings[path] for path in space}
            history.add_trial(optuna.create_trial(params=params, distributions=distributions, value=value))
    asked = [history.ask(distributions) for _ in range(count)]
    return [dict(one.params) for one in asked]


def distribution(optuna: Any, space: Space) -> Any:
    """A space as Optuna knows it."""
    kinds = optuna.distributions
    if space.values:
        return kinds.CategoricalDistribution(space.values)
    if space.whole:
        return kinds.IntDistribution(int(space.low or 0), int(space.high or 0), log=space.logarithmic)
    return kinds.FloatDistribution(space.low, space.high, log=space.logarithmic)


def library() -> Any:
    """Optuna, which says nothing.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import optuna
    except ImportError:
        raise MissingExtra("optuna", "sweep", "a search of settings") from None
    optuna.logging.set_verbosity(logging.ERROR)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    return optuna


# ---------------------------------------------------------------------------------------------------------------------
# Trials.


def trial_of(number: int, settings: Mapping[str, Any], results: Results, study: Study, *, prune: bool) -> Trial:
    """A trial of settings, with the scores below which it is given up."""
    floors = floors_of(settings, results, study) if prune else []
    return Trial(f"trial {number}", study.config.seed, dict(settings), floors)


def floors_of(settings: Mapping[str, Any], results: Results, study: Study) -> list[tuple[float, float]]:
    """At each epoch the median of the best scores up to there of the finished trials with the same strategy."""
    alike = [
        one for one in searched(results)
        if one.state == "done" and one.trial.settings.get("strategy") == settings.get("strategy")
    ]  # fmt: skip
    curves = [best_so_far(one, study) for one in alike]
    if len(curves) < STARTUP:
        return []
    last = max(max(curve) for curve in curves)
    floors = []
    for epoch in sorted(set().union(*curves)):
        begun = [curve for curve in curves if min(curve) <= epoch]
        known = [max(value for place, value in curve.items() if place <= epoch) for curve in begun]
        if len(known) >= STARTUP and epoch >= FIRST * last:
            middle = median(known)
            floors.append((epoch, middle if study.higher_is_better else -middle))
    return floors


def best_so_far(result: Result, study: Study) -> dict[float, float]:
    """The best validation score up to each evaluated epoch; the greater the better."""
    curve: dict[float, float] = {}
    best = -float("inf")
    for line in result.evaluations:
        value = line["metrics"][study.metric]
        best = max(best, study.oriented(float("nan") if value is None else value))
        curve[line["epoch"]] = best
    return curve


def searched(results: Results) -> list[Result]:
    """The trials of the search that have a score."""
    own = (one for one in results if one.trial.recipe.startswith("trial "))
    return [one for one in own if one.state != "diverged" and one.evaluations]


def value_of(result: Result, study: Study) -> float:
    """The best validation score of a trial; the greater the better."""
    return max(best_so_far(result, study).values(), default=-float("inf"))


def history(results: Results, space: Mapping[str, Space], study: Study) -> Board:
    """The trials of the search, the best first."""
    own = [one for one in results if one.trial.recipe.startswith("trial ")]
    sign = 1 if study.higher_is_better else -1
    rows = [
        [
            one.trial.recipe,
            *(one.trial.settings[path] for path in space),
            one.state,
            None if one.state == "diverged" or not one.evaluations else sign * value_of(one, study),
        ]
        for one in sorted(own, key=lambda one: (one.state == "diverged", -value_of(one, study)))
    ]
    names = [path.rpartition(".")[2] for path in space]
    return Board("search, the best first", ["trial", *names, "state", f"validation {study.metric}"], rows)
