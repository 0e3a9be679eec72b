"""Strategies: training less of the model costs less and overfits less; how little is enough?

Howard and Ruder (2018) unfreeze gradually; Lee, Tang and Lin (2019) train the last quarter of the layers; Kumar et al.
(2022) train the head first.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from .. import strategies as kinds
from ..model.families import find_family
from ..printing import number
from ..yaml_files import read_yaml
from .base import Asked, Factors, Level, Margin, Seeds
from .comparisons import Against, against, board_of, first_not_worse, mean_of, problems, where
from .results import Result, Results
from .study import Study
from .summaries import Answer, Board, Figure, Series, Summary, Verdict
from .trials import Trial
from .words import what_decides

CLAIM = "A cheaper strategy than the best one is not worse"
HEAD_MEAN = "head-mean"
OTHERS = ("head-then-full", "gradual")
"""Strategies in stages."""


def known(name: str) -> str:
    """The name of a strategy, or of the head on the mean of all tokens.

    Raises:
        ValueError: there is none of that name.
    """
    if name != HEAD_MEAN and not kinds.is_known(name):
        raise ValueError(f"{kinds.expected()}, or {HEAD_MEAN}")
    return name


Names = Annotated[list[Annotated[str, AfterValidator(known)]], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Way:
    """A strategy with what belongs to it.

    Attributes:
        name: Name of it in tables.
        settings: Settings by path.
        rates: Learning rates to choose from.
        usual: The rate that the strategy decides.
    """

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    rates: Sequence[float] = ()
    usual: float = math.nan

    def recipe(self, rate: float) -> str:
        """Name of the recipe with one of its rates."""
        return f"{self.name}, rate {rate:g}"

    def trial(self, rate: float, seed: int) -> Trial:
        """A trial with one of its rates."""
        return Trial(self.recipe(rate), seed, {**self.settings, "training.learning_rate": rate})


def strategies(
    study: Study,
    *,
    names: Names | None = None,
    factors: Factors = [1.0, 0.5, 2.0],  # noqa: B006 - read only
    every_rate: bool = False,
    seeds: Seeds = 3,
    margin: Margin = 0.01,
    level: Level = 0.95,
) -> Generator[Sequence[Asked], Results, Summary]:
    """Compare strategies, each at its own best learning rate.

    The rate of each is chosen on the validation data with the first seed; the other seeds are for that rate alone.

    Args:
        study: What it is about.
        names: Strategies; `head-mean` is the head on the mean of all tokens. By default full, the last layers, heads,
            and the strategies in stages.
        factors: Learning rates as multiples of each strategy's usual one, the most important first.
        every_rate: Whether all rates are tried with all seeds.
        seeds: Seeds of each strategy.
        margin: Difference of the score that does not matter.
        level: Confidence level of the intervals.
    """
    ways = [way_of(study, name, factors) for name in names or usual(study)]
    first = range(seeds if every_rate else 1)
    screen = [way.trial(rate, seed) for way in ways for rate in way.rates for seed in first]
    results = yield screen
    chosen = {way.name: best_rate(way, results, study) for way in ways}
    trials = [way.trial(chosen[way.name], seed) for way in ways for seed in range(seeds)]
    results = yield [*screen, *(trial for trial in trials if trial not in screen)]
    recipes = {way.recipe(chosen[way.name]): way for way in ways}
    return summary(results, study, recipes, margin=margin, level=level, every=[trial.recipe for trial in screen])


def usual(study: Study) -> list[str]:
    """The strategies that suit a model, those that matter most first."""
    layered = bool(find_family(study.model_config.model_type).layers)
    depth = study.depth
    last = sorted({1, 2, max(1, depth // 2)} & set(range(1, depth))) if layered else []
    whole = ["full", *(f"last-{count}" for count in last), "head"]
    means = [] if study.task.level == "token" else [HEAD_MEAN]
    return [*whole, *means, *(name for name in OTHERS if kinds.is_known(name) and (layered or name != "gradual"))]


def way_of(study: Study, name: str, factors: Sequence[float]) -> Way:
    """A strategy and its rates.

    Raises:
        ConfigError: there is no such strategy.
    """
    strategy = "head" if name == HEAD_MEAN else name
    settings = {"strategy": strategy, **({"model.head": "mean"} if name == HEAD_MEAN else {})}
    given = study.config.training
    defaults = kinds.find(strategy).defaults(
        examples=study.examples, width=int(study.model_config.hidden_size), batch_size=given.batch_size,
        accumulation=given.accumulation,
    )  # fmt: skip
    usual = defaults.learning_rate
    return Way(name, settings, [float(f"{usual * factor:.2g}") for factor in factors], usual)


def best_rate(way: Way, results: Results, study: Study) -> float:
    """The rate with the best mean score on the validation data; the first where no score is defined."""

    def worth(rate: float) -> float:
        return study.oriented(results.mean(way.recipe(rate), "validation", study.metric))

    return max(way.rates, key=worth)


# ---------------------------------------------------------------------------------------------------------------------
# What follows.


def summary(
    results: Results, study: Study, ways: Mapping[str, Way], *, margin: float, level: float, every: Sequence[str] = ()
) -> Summary:
    """What the trials say.

    Args:
        results: What they brought.
        study: The study.
        ways: The strategy of each recipe that is compared.
        margin: Difference of the score that does not matter.
        level: Confidence level.
        every: All recipes that were tried, the rates that were not chosen too.
    """
    finished = [recipe for recipe in ways if results.done(recipe)]
    notes = [line for line in (where(study), *problems(results, study)) if line]
    if not finished:
        return Summary(
            [Verdict(CLAIM, "undecided", "No trial came to its end.", "lower rates (--option factors=0.01,0.1)")],
            notes=notes,
        )
    known = {recipe: mean_of([one.flops for one in results.done(recipe)]) for recipe in finished}
    cost = {recipe: math.inf if value is None else value for recipe, value in known.items()}
    cheapest_first = sorted(finished, key=lambda recipe: cost[recipe])
    # The validation data choose, also where there are test data: those compare, and choose nothing.
    best = max(finished, key=lambda recipe: study.oriented(results.mean(recipe, "validation", study.metric)))
    cheaper = [recipe for recipe in cheapest_first if cost[recipe] < cost[best]]
    enough, found = first_not_worse(results, study, cheaper, best, margin=margin, level=level)
    chosen = enough or best
    boards = [
        board_of(results, study, cheapest_first, level=level, title="strategies, the cheapest first"),
        compared_board({**against(results, study, finished, best, margin=margin, level=level)}),
    ]
    if rest := [recipe for recipe in dict.fromkeys(every) if recipe not in ways]:
        boards.append(
            board_of(results, study, rest, level=level, title="learning rates that were not chosen", baselines=False)
        )
    return Summary(
        [verdict(results, study, cheaper, best, enough, found, cost, names={one: ways[one].name for one in ways})],
        boards,
        [front(results, study, cheapest_first, cost)],
        times=[times_of(results, cheapest_first)],
        notes=notes,
        recommended={**ways[chosen].settings, **settings_of(results.done(chosen)[0])},
    )


def verdict(
    results: Results, study: Study, cheaper: Sequence[str], best: str, enough: str | None,
    found: Mapping[str, Against], cost: Mapping[str, float], *, names: Mapping[str, str],
) -> Verdict:  # fmt: skip
    """Whether less than the best strategy is enough. Sentences have the names of strategies; rates are in the table."""
    score = number(results.mean(best, study.split, study.metric))
    top = f"The best on the validation data is {names[best]}: {study.split} {study.metric} {score}"
    if not cheaper and math.isinf(cost[best]):
        return Verdict(CLAIM, "undecided", f"{top}. What the strategies cost is not known.", "")
    if not cheaper:
        return Verdict(CLAIM, "not confirmed", f"{top}, and it is the cheapest of those that were tried.")
    if enough is not None:
        share = cost[enough] / cost[best] if cost[best] else 0.0
        score = number(results.mean(enough, study.split, study.metric))
        sentence = (
            f"{top}. {names[enough]} ({score}) is the cheapest that is enough, with {share:.0%} of the arithmetic: "
            f"{found[enough].decision.finding}."
        )
        return Verdict(CLAIM, "confirmed", sentence)
    parts = "; ".join(f"{names[one.recipe]}: {one.decision.finding}" for one in found.values())
    decisions = [one.decision for one in found.values()]
    answer: Answer = "not confirmed" if all(one.answer == "worse" for one in decisions) else "undecided"
    return Verdict(CLAIM, answer, f"{top}. Against it {parts}.", what_decides(decisions))


def compared_board(found: Mapping[str, Against]) -> Board:
    """Every recipe against the best."""
    rows = [
        [one.recipe, one.difference.value, one.difference.low, one.difference.high, one.p_value, one.decision.answer]
        for one in found.values()
    ]
    best = next((one.reference for one in found.values()), "the best")
    return Board(f"against {best}", ["recipe", "difference", "low", "high", "p (Holm)", "verdict"], rows)


def front(results: Results, study: Study, recipes: Sequence[str], cost: Mapping[str, float]) -> Figure:
    """Score against arithmetic: all strategies, and those that no cheaper one surpasses."""
    score = {recipe: results.mean(recipe, study.split, study.metric) for recipe in recipes}
    flops = [cost[recipe] / 1e12 for recipe in recipes]
    points = Series("strategies", flops, [score[recipe] for recipe in recipes], points=recipes)
    ahead: list[str] = []
    for recipe in recipes:
        if not ahead or study.oriented(score[recipe]) > study.oriented(score[ahead[-1]]):
            ahead.append(recipe)
    line = Series("front", [cost[recipe] / 1e12 for recipe in ahead], [score[recipe] for recipe in ahead])
    return Figure("score against cost", "TFLOP of training", study.metric, [points, line], logarithmic=True)


def times_of(results: Results, recipes: Sequence[str]) -> Board:
    """Mean seconds of the trials."""
    means = [mean_of([one.seconds for one in results.done(recipe)]) for recipe in recipes]
    rows = [[recipe, mean and round(mean, 1)] for recipe, mean in zip(recipes, means, strict=True)]
    return Board("time of a training", ["recipe", "seconds"], rows)


def settings_of(result: Result) -> dict[str, Any]:
    """Rate and epochs that a trial was configured with."""
    training = read_yaml(result.run.config)["training"]
    return {f"training.{name}": training[name] for name in ("learning_rate", "epochs")}
