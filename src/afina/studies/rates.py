"""Learning rates: too high a rate is unstable, too low a rate is slow; which are stable on these data?

A geometric range is tried, and extended where the best rate lies at its edge. The rates are halved by their mean score
on the validation data as seeds are added (successive halving, Jamieson and Talwalkar 2016): a whole training with one
seed says more about a rate than the beginning of one, since the schedule of a shorter training is another one. Only
rates with the same seeds are ranked, so that a lucky seed is worth no more than others. The lowest and the highest rate
have two seeds, too: what is said of rates that fail shall not rest on one trial.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence

import numpy as np

from ..printing import number
from .base import Asked, Factors, Level, Seeds
from .comparisons import board_of, problems, where
from .results import Results
from .strategies import Names, Way, settings_of, way_of
from .study import Study
from .summaries import Answer, Board, Figure, Series, Summary, Verdict

CLAIM = "Too high a learning rate is unstable and too low a rate is slow"
EXTENSIONS = 3
"""Rates by which a range is extended at each end at most."""
LOST = 0.05
"""A rate is stable where no trial diverged or collapsed, and no more than this share of the way from the constant
answer to the best score is lost."""
LEARNED = 0.05
"""Rates can be told apart where the best one goes this share of the way from the constant answer to a perfect score."""


def rates(
    study: Study,
    *,
    names: Names | None = None,
    factors: Factors = [1.0, 0.2, 5.0, 0.04, 25.0],  # noqa: B006 - read only
    seeds: Seeds = 3,
    level: Level = 0.95,
) -> Generator[Sequence[Asked], Results, Summary]:
    """Try a range of learning rates for some strategies.

    Args:
        study: What it is about.
        names: Strategies; by default the configured one.
        factors: Rates as multiples of each strategy's usual one, the most important first.
        seeds: Seeds of the best rates; each halving of the rates adds one. The lowest and the highest rate have two.
        level: Confidence level of the intervals.
    """
    ways = [way_of(study, name, sorted(factors)) for name in names or [study.config.strategy]]
    tried = {way.name: list(way.rates) for way in ways}
    asked = [way.trial(rate, 0) for way in ways for rate in way.rates]
    results = yield list(asked)
    for _ in range(EXTENSIONS):
        fresh = {way.name: beyond(way, tried[way.name], results, study) for way in ways}
        if not any(rate is not None for rate in fresh.values()):
            break
        for way in ways:
            rate = fresh[way.name]
            if rate is not None:
                tried[way.name] = sorted([*tried[way.name], rate])
                asked.append(way.trial(rate, 0))
        results = yield list(asked)
    for seed in range(1, seeds):
        for way in ways:
            own = tried[way.name]
            ends = [own[0], own[-1]] if seed == 1 else []
            more = dict.fromkeys([*halved(way, own, results, study, seed=seed), *ends])
            asked += [way.trial(rate, seed) for rate in more]
        results = yield list(asked)
    return summary(results, study, [(way, tried[way.name]) for way in ways], level=level)


def beyond(way: Way, tried: Sequence[float], results: Results, study: Study) -> float | None:
    """A rate beyond the range, where the best one lies at its edge and more were not added yet."""
    order = ranked(way, tried, results, study)
    added = len(tried) - len(way.rates)
    if added >= EXTENSIONS or len(tried) < 2 or order[0] not in (tried[0], tried[-1]):
        return None
    known = worth(way, order[0], results, study)
    if known == -math.inf or (order[0] == tried[0] and not learned(known, study)):
        return None  # nothing is known of any rate; and one that hardly learns is not better for being lower
    step = tried[1] / tried[0] if order[0] == tried[0] else tried[-1] / tried[-2]
    rate = order[0] / step if order[0] == tried[0] else order[0] * step
    return float(f"{rate:.2g}")


def halved(way: Way, tried: Sequence[float], results: Results, study: Study, *, seed: int) -> list[float]:
    """The rates that get another seed: the better half after the first, a quarter after the second, two at least."""
    count = max(2, math.ceil(len(tried) / 2**seed))
    return ranked(way, leading(way, tried, results), results, study)[:count]


def leading(way: Way, tried: Sequence[float], results: Results) -> list[float]:
    """The rates with the most seeds among those that are sound, or among all where none is."""
    known = [rate for rate in tried if sound(way, rate, results)] or list(tried)
    most = max(len(results.of(way.recipe(rate))) for rate in known)
    return [rate for rate in known if len(results.of(way.recipe(rate))) == most]


def sound(way: Way, rate: float, results: Results) -> bool:
    """Whether no trial of a rate diverged or gives one answer to all inputs."""
    return all(one.done and not one.degenerate for one in results.of(way.recipe(rate)))


def ranked(way: Way, tried: Sequence[float], results: Results, study: Study) -> list[float]:
    """Rates by their mean validation score, the best first; of two that are as good the lower one."""
    return sorted(tried, key=lambda rate: (-worth(way, rate, results, study), rate))


def worth(way: Way, rate: float, results: Results, study: Study, *, first: int | None = None) -> float:
    """The mean validation score of a rate; the greater the better, the lowest where a trial diverged.

    Args:
        way: The strategy.
        rate: The rate.
        results: What the trials brought.
        study: The study.
        first: The number of its seeds that count; None for all. Those of a rate with fewer seeds are the first of one
            with more.
    """
    mine = results.of(way.recipe(rate))[:first]
    if any(one.state == "diverged" for one in mine):
        return -math.inf
    scores = [score for one in mine if math.isfinite(score := one.score("validation", study.metric))]
    return study.oriented(float(np.mean(scores)) if scores else math.nan)


# ---------------------------------------------------------------------------------------------------------------------
# What follows.


def summary(results: Results, study: Study, tried: Sequence[tuple[Way, Sequence[float]]], *, level: float) -> Summary:
    """What the trials say of the rates of each strategy."""
    verdicts, boards, series = [], [], []
    notes = [line for line in (where(study), *problems(results, study)) if line]
    recommended: dict[str, object] = {}
    for way, own in tried:
        recipes = [way.recipe(rate) for rate in own]
        best = ranked(way, leading(way, own, results), results, study)[0]
        held = stable(way, own, results, study, best=best)
        verdicts.append(verdict(way, own, results, study, best=best, held=held))
        boards.append(board_of(results, study, recipes, level=level, title=f"learning rates of {way.name}"))
        boards.append(states(way, own, results))
        series.append(
            Series(way.name, list(own), [results.mean(recipe, "validation", study.metric) for recipe in recipes])
        )
        if not learned(worth(way, best, results, study), study):
            continue
        if held and best in (own[0], own[-1]) and len(own) > 1:
            end = "lowest" if best == own[0] else "highest"
            notes.append(
                f"{way.name}: the best rate, {best:g}, is the {end} that was tried; one beyond it may be better "
                f"({further(way, own, end == 'highest')})"
            )
        if held and not recommended:
            recommended = {**way.settings, **settings_of(results.done(way.recipe(best))[0])}
    figure = Figure("score against learning rate", "learning rate", f"validation {study.metric}", series, True)
    return Summary(verdicts, boards, [figure], notes=notes, recommended=recommended)


def verdict(
    way: Way, tried: Sequence[float], results: Results, study: Study, *, best: float, held: Sequence[float]
) -> Verdict:
    """What becomes of a strategy at rates that are too high and too low."""
    claim = f"{CLAIM} ({way.name})"
    if not held:
        sentence = "No rate was stable: each diverged, gave one answer to all inputs, or scored far below the best."
        return Verdict(claim, "undecided", sentence, "lower rates (--option factors=0.001,0.005,0.02)")
    top = results.mean(way.recipe(best), "validation", study.metric)
    seeds = len(results.of(way.recipe(best)))
    score = f"validation {study.metric} {number(top)}" + (f", the mean of {seeds} seeds" if seeds > 1 else "")
    if not learned(study.oriented(top), study):
        constant = number(study.oriented(constant_score(study)))
        sentence = (
            f"Hardly anything is learned at any rate. Best: {best:g} ({score}); the constant answer has {constant}."
        )
        beside = f", or higher rates ({further(way, tried, True)})" if best == tried[-1] else ""
        return Verdict(claim, "undecided", sentence, f"more labels, or more epochs (--epochs){beside}")
    sides = {
        "higher": [rate for rate in tried if rate > max(held)],
        "lower": [rate for rate in tried if rate < min(held)],
    }
    fates = " ".join(fate(way, some, results, study, side) for side, some in sides.items())
    wanted = [f"{side} rates ({further(way, tried, side == 'higher')})" for side, some in sides.items() if not some]
    if any(some and len(seeds_of(way, some, results)) < 2 for some in sides.values()):
        wanted.append("a second seed (--seeds 2)")
    answer: Answer = "undecided" if wanted else "confirmed"
    return Verdict(
        claim, answer, f"Stable: {spanned(held, tried)}. Best: {best:g} ({score}). {fates}", " and ".join(wanted)
    )


def spanned(held: Sequence[float], tried: Sequence[float]) -> str:
    """The stable rates: as a range where all between its ends are."""
    between = [rate for rate in tried if min(held) <= rate <= max(held)]
    if len(held) == 1:
        return f"{held[0]:g} alone"
    return f"{held[0]:g} to {held[-1]:g}" if len(between) == len(held) else ", ".join(f"{rate:g}" for rate in held)


def further(way: Way, tried: Sequence[float], above: bool) -> str:
    """The option that tries a rate more, above or below those that were tried."""
    step = tried[1] / tried[0] if len(tried) > 1 else 5.0
    more = [*tried, tried[-1] * step] if above else [tried[0] / step, *tried]
    factors = [float(f"{rate / way.usual:.2g}") for rate in more]
    return f"--option factors={','.join(f'{factor:g}' for factor in factors)}"


def seeds_of(way: Way, some: Sequence[float], results: Results) -> set[int]:
    """The seeds of the trials with some rates."""
    return {one.trial.seed for rate in some for one in results.of(way.recipe(rate))}


def fate(way: Way, some: Sequence[float], results: Results, study: Study, side: str) -> str:
    """What became of the rates on one side of the stable ones."""
    if not some:
        return f"No {side} rate was tried that fails."
    trials = [one for rate in some for one in results.of(way.recipe(rate))]
    diverged, constant = sum(not one.done for one in trials), sum(one.degenerate for one in trials)
    scores = [one.score("validation", study.metric) for one in trials if one.done and not one.degenerate]
    known = [value for value in scores if math.isfinite(value)]
    parts = [f"{diverged} diverged"] if diverged else []
    parts += [f"{constant} gave one answer"] if constant else []
    reached = " to ".join(dict.fromkeys(number(value) for value in (min(known), max(known)))) if known else ""
    if len(trials) == 1:
        one = f"scored {reached}" if reached else parts[0].removeprefix("1 ") if parts else "has no score"
        return f"The only trial at {side} rates {one}."
    if not parts:
        return f"{len(trials)} trials at {side} rates scored {reached}."
    parts += [f"the other{'s' if len(known) > 1 else ''} scored {reached}"] if known else []
    return f"Of {len(trials)} trials at {side} rates {', '.join(parts)}."


def stable(way: Way, tried: Sequence[float], results: Results, study: Study, *, best: float) -> list[float]:
    """The rates at which nothing diverged or collapsed, and little of the best score is lost, seed by seed."""
    floor, held = constant_score(study), []
    for rate in tried:
        first = len(results.of(way.recipe(rate)))
        top = worth(way, best, results, study, first=first)
        value = worth(way, rate, results, study, first=first)
        if sound(way, rate, results) and math.isfinite(value) and value >= top - LOST * abs(top - floor):
            held.append(rate)
    return held


def learned(value: float, study: Study) -> bool:
    """Whether a score, the greater the better, is far enough above that of the constant answer to compare rates by."""
    perfect, floor = 1.0 if study.higher_is_better else 0.0, constant_score(study)
    return value - floor >= LEARNED * (perfect - floor)


def constant_score(study: Study) -> float:
    """The validation score of the constant answer, the greater the better; 0 without one."""
    beside = study.baselines()
    tables = beside.tables.get("validation", {})
    if beside.constant is None or beside.constant.name not in tables:
        return 0.0
    value = study.oriented(float(study.score(tables[beside.constant.name])))
    return value if math.isfinite(value) else 0.0


def states(way: Way, tried: Sequence[float], results: Results) -> Board:
    """What became of the trials at each rate, diverged and collapsed ones apart."""
    rows = []
    for rate in tried:
        mine = results.of(way.recipe(rate))
        diverged, constant = sum(not one.done for one in mine), sum(one.degenerate for one in mine)
        rows.append([f"{rate:g}", len(mine), len(mine) - diverged - constant, constant, diverged])
    return Board(f"trials of {way.name}", ["rate", "trials", "sound", "one answer", "diverged"], rows)
