"""What the courses of trainings say: how many steps a share of the gain takes, and how many times as many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ..metrics.ratios import Bound, Ratio, mean_over_seeds, ratio_of
from ..printing import many
from .curves import Reach, first_reached, ratio_between
from .study import Study
from .summaries import Answer, Board, Figure, Series, Summary, Verdict
from .words import interval, times

SHARES = (0.9, 0.95, 0.99)
"""Shares of the gain."""
HEADLINE = 0.95
"""The share that decides."""
FASTER = "A pre-trained model converges faster"
"""The claim."""


@dataclass(frozen=True, slots=True)
class Course:
    """A training, as its evaluations on the validation data saw it.

    Attributes:
        steps: Number of steps before each evaluation, ascending.
        scores: The metric that chooses; nan where it is not defined.
        losses: Mean loss on the validation data.
        training_losses: Mean loss of the steps since the evaluation before.
        flops: FLOPs of a step; nan where they are not known.
        seconds: Seconds of a step.
    """

    steps: Sequence[int]
    scores: Sequence[float]
    losses: Sequence[float]
    training_losses: Sequence[float]
    flops: float = math.nan
    seconds: float = math.nan


Courses: TypeAlias = Sequence[Course | None]
"""The trainings of an arm by seed; None for one that diverged."""


@dataclass(frozen=True, slots=True)
class Gain:
    """What a training gains over the constant answer. More is better here: errors have their sign changed.

    Attributes:
        floor: Score of the constant answer.
        best: Best score of the training.
    """

    floor: float
    best: float

    def at(self, share: float) -> float:
        """The score at a share of the gain; nan where nothing was gained."""
        return self.floor + share * (self.best - self.floor) if self.best > self.floor else math.nan


@dataclass(frozen=True, slots=True)
class Race:
    """Trainings from pre-trained and from random weights, seed by seed, to a share of a gain.

    Attributes:
        share: The share.
        targets: The score to reach of each seed, a share of the pre-trained model's gain.
        first: Steps that the pre-trained model took.
        second: Steps that random weights took.
        own: Steps that random weights took to the same share of their own gain.
        level: Probability that intervals are meant to hold.
    """

    share: float
    targets: Sequence[float]
    first: Sequence[Reach]
    second: Sequence[Reach]
    own: Sequence[Reach]
    level: float

    @property
    def ratio(self) -> Ratio:
        """How many times as many steps random weights took to the same score."""
        return self.between(self.second)

    @property
    def own_ratio(self) -> Ratio:
        """How many times as many steps random weights took to the share of their own gain."""
        return self.between(self.own)

    def between(self, other: Sequence[Reach]) -> Ratio:
        """How many times the steps of the pre-trained model others are."""
        pairs = [ratio_between(one, first) for one, first in zip(other, self.first, strict=True)]
        return ratio_of([value for value, _ in pairs], [bound for _, bound in pairs], level=self.level)

    @property
    def missed(self) -> int:
        """Number of seeds with which random weights never reached the score."""
        return sum(reach.bound == "least" for reach in self.second)


def race(
    own: Courses,
    random: Courses,
    share: float,
    *,
    floor: float,
    sign: int,
    level: float,
) -> Race:
    """The race to a share of the gain. Seeds of which either training diverged are left out.

    Args:
        own: Trainings from pre-trained weights, by seed; None where one diverged.
        random: Those from random weights with the same seeds.
        share: Share of the gain.
        floor: Score of the constant answer, with its sign changed where less is better.
        sign: 1 where more of the metric is better, else -1.
        level: Probability that intervals are to hold.
    """
    targets, first, second, alone = [], [], [], []
    for one, other in zip(own, random, strict=True):
        if one is None or other is None:
            continue
        scores, others = ([sign * score for score in course.scores] for course in (one, other))
        target = Gain(floor, peak(scores)).at(share)
        targets.append(sign * target)
        first.append(first_reached(one.steps, scores, target))
        second.append(first_reached(other.steps, others, target))
        alone.append(first_reached(other.steps, others, Gain(floor, peak(others)).at(share)))
    return Race(share, targets, first, second, alone, level)


def peak(scores: Sequence[float]) -> float:
    """The best score; nan where none is defined."""
    return max((score for score in scores if math.isfinite(score)), default=math.nan)


def floor_of(constant: float, courses: Courses, *, higher: bool) -> float:
    """The score from which gains count, higher is better.

    It is that of the constant answer. Where that is not defined, as for a correlation, it is 0; for errors, the worst
    score of any evaluation.
    """
    if math.isfinite(constant):
        return constant if higher else -constant
    if higher:
        return 0.0
    known = [-score for one in courses if one is not None for score in one.scores if math.isfinite(score)]
    return min(known, default=math.nan)


# ---------------------------------------------------------------------------------------------------------------------
# What they say.


def summary_of(
    study: Study,
    first: str,
    second: str,
    courses: Sequence[Courses],
    notes: Sequence[str],
    *,
    constant: float,
    level: float,
) -> Summary:
    """The verdict, tables and figures.

    Args:
        study: The study.
        first, second: Names of the arms: pre-trained, and random weights.
        courses: Their trainings, by seed.
        notes: What else is to be said.
        constant: Score of the constant answer; nan without one.
        level: Probability that intervals are to hold.
    """
    own, random = courses
    higher = study.higher_is_better
    sign = 1 if higher else -1
    floor = floor_of(constant, [*own, *random], higher=higher)
    races = [race(own, random, share, floor=floor, sign=sign, level=level) for share in SHARES]
    (headline,) = [one for one in races if one.share == HEADLINE]
    names = (first, second)
    boards = [steps_board(study, names, races, sign * floor), finals_board(study, names, courses, level=level)]
    times_board = seconds_board(names, courses, races)
    return Summary(
        [faster(study, headline, own, sign * floor)],
        boards,
        figures_of(study, names, courses, level=level),
        [times_board],
        notes=[*notes, "scores are those of the validation data, which trainings are followed on"],
    )


def faster(study: Study, found: Race, own: Courses, floor: float) -> Verdict:
    """The verdict on the claim that a pre-trained model converges faster."""
    known = [target for target in found.targets if math.isfinite(target)]
    constant = f"the constant answer ({study.metric} {floor:.4f})"
    if not known:
        why = f"is not better than {constant}" if found.targets else "diverged"
        return Verdict(FASTER, "undecided", f"The pre-trained model {why}.", "another learning rate, or more epochs")
    ratio, share = found.ratio, f"{found.share:.0%}"
    answer: Answer = "confirmed" if ratio.low > 1 else "not confirmed" if ratio.high < 1 else "undecided"
    budget = max(course.steps[-1] for course in own if course is not None)
    sentence = (
        f"{share} of what the pre-trained model gains over {constant} is {sum(known) / len(known):.4f}. "
        f"It takes {mean_steps(found.first)} from pre-trained weights. "
    )
    many_times = times(ratio, "times as many")
    if found.missed == len(found.second):
        sentence += f"Random weights never got there in {many(budget, 'step')}"
        sentence += f": {many_times}." if math.isfinite(ratio.value) else "."
    elif math.isfinite(ratio.value):
        missed = f" ({found.missed} of {many(len(found.second), 'seed')} never got there)" if found.missed else ""
        sentence += f"From random weights it takes {many_times}{missed}."
    else:
        sentence += f"How many times as many it takes from random weights can't be told: {ratio.reason}."
    if math.isfinite(found.own_ratio.value):
        own_times = times(found.own_ratio, "times as many steps")
        sentence += f" For {share} of their own gain random weights take {own_times} as the pre-trained model for its."
    decide = "more seeds (--seeds), or more evaluations (--option evaluations=40)" if answer == "undecided" else ""
    return Verdict(FASTER, answer, sentence, decide)


def mean_steps(reaches: Sequence[Reach]) -> str:
    """Steps in words: the geometric mean over seeds, or a bound of it."""
    found = ratio_of([reach.amount for reach in reaches], [reach.bound for reach in reaches])
    if not math.isfinite(found.value):
        return "-"
    words: dict[Bound, str] = {"": "", "most": " or fewer", "least": " or more"}
    return f"{many(round(found.value), 'step')}{words[found.bound]}"


def steps_board(study: Study, names: Sequence[str], races: Sequence[Race], floor: float) -> Board:
    """Steps to shares of the gain."""
    rows = []
    for one in races:
        known = [target for target in one.targets if math.isfinite(target)]
        never = f" ({one.missed} of {len(one.second)} never)" if one.missed else ""
        rows.append([
            f"{one.share:.0%}", sum(known) / len(known) if known else None, mean_steps(one.first),
            mean_steps(one.second) + never, times(one.ratio), mean_steps(one.own), times(one.own_ratio),
        ])  # fmt: skip
    level = races[0].level
    title = (
        f"steps to a share of the gain in {study.metric} over the constant answer ({floor:.4f}), with {level:.0%} "
        "intervals over seeds"
    )
    columns = [
        "share of the gain", "score", names[0], names[1], "ratio", f"{names[1]}, own gain", "ratio, own gain"
    ]  # fmt: skip
    return Board(title, columns, rows)


def finals_board(study: Study, names: Sequence[str], courses: Sequence[Courses], *, level: float) -> Board:
    """The best scores, and the budget."""
    rows: list[list[object]] = []
    sign = 1 if study.higher_is_better else -1
    for name, some in zip(names, courses, strict=True):
        done = [course for course in some if course is not None]
        bests = [sign * peak([sign * score for score in course.scores]) for course in done]
        score = interval(*mean_over_seeds(bests, level=level)) if done else None
        steps = done[0].steps[-1] if done else None
        flops = done[0].flops * done[0].steps[-1] / 1e12 if done else math.nan
        rows.append([name, len(done), len(some) - len(done), score, steps, flops if math.isfinite(flops) else None])
    columns = ["weights", "trainings", "diverged", f"best {study.metric}", "steps", "TFLOP"]
    return Board("the budget, and what it brought on the validation data", columns, rows)


def seconds_board(names: Sequence[str], courses: Sequence[Courses], races: Sequence[Race]) -> Board:
    """Seconds to shares of the pre-trained model's gain, evaluations apart."""
    per_step = [mean_over_seeds([one.seconds for one in some if one is not None])[0] for some in courses]
    rows = []
    for one in races:
        cells = []
        for reaches, seconds in zip((one.first, one.second), per_step, strict=True):
            found = ratio_of([reach.amount for reach in reaches], [reach.bound for reach in reaches])
            words: dict[Bound, str] = {"": "", "most": " or less", "least": " or more"}
            known = math.isfinite(found.value * seconds)
            cells.append(f"{found.value * seconds:,.1f}{words[found.bound]}" if known else None)
        rows.append([f"{one.share:.0%}", *cells])
    return Board("seconds of training to a share of the pre-trained model's gain", ["share of the gain", *names], rows)


def figures_of(study: Study, names: Sequence[str], courses: Sequence[Courses], *, level: float) -> list[Figure]:
    """Score and losses against steps, and the score against FLOPs."""
    score, loss, training = f"{study.metric} on validation", "loss on validation", "loss in training"
    figures = []
    for what, column in ((score, "scores"), (loss, "losses"), (training, "training_losses")):
        lines = [line(name, some, column, level) for name, some in zip(names, courses, strict=True)]
        figures.append(Figure(f"{what} by steps", "steps", what, lines))
    flops = [next((one.flops for one in some if one is not None), math.nan) for some in courses]
    if all(map(math.isfinite, flops)):
        lines = [
            line(name, some, "scores", level, unit=each / 1e12)
            for name, some, each in zip(names, courses, flops, strict=True)
        ]
        figures.insert(1, Figure(f"{score} by arithmetic", "TFLOP", score, lines))
    return figures


def line(name: str, courses: Courses, column: str, level: float, *, unit: float = 1.0) -> Series:
    """The mean over seeds in the course of a training, with its interval."""
    done = [course for course in courses if course is not None]
    if not done:
        return Series(name, [], [])
    steps = [step * unit for step in done[0].steps]
    found = [
        mean_over_seeds([getattr(course, column)[i] for course in done], level=level) for i in range(len(done[0].steps))
    ]
    mean, low, high = (list(some) for some in zip(*found, strict=True))
    return Series(name, steps, mean, *((low, high) if len(done) > 1 else ()))
