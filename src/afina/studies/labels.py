"""What curves of score against labels say: how many labels pre-training saves, and whether more would help."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from ..metrics.intervals import holm
from ..metrics.kinds import Array, Table
from ..metrics.ratios import Bound, Ratio, mean_over_seeds, ratio_of
from ..metrics.recipes import Difference, Mean, compare
from ..printing import many
from .comparisons import where
from .curves import Reach, needed, ratio_between
from .extrapolation import Outlook, outlook
from .study import Study
from .summaries import Answer, Board, Figure, Series, Summary, Verdict
from .words import interval, ranged, times

FEWER, MORE = "A pre-trained model needs fewer labels", "More labels would help"
"""The claims."""


@dataclass(frozen=True, slots=True)
class Point:
    """The score on a number of labels.

    Attributes:
        labels: The number.
        scores: The score of each seed on the compared split; nan where it diverged.
        mean: Their mean with its interval over seeds and examples; None where all diverged.
        tables: The score tables of the seeds that did not diverge.
    """

    labels: int
    scores: Sequence[float]
    mean: Mean | None
    tables: Sequence[Table] = ()


@dataclass(frozen=True, slots=True)
class Curve:
    """The scores of a model against the number of labels.

    Attributes:
        name: Name of the model.
        points: Its scores, by ascending number of labels.
        groups: Group of each example of the compared split. [n]
        fixed: Whether it has no randomness of its own on all the labels.
    """

    name: str
    points: Sequence[Point]
    groups: Array | None = None
    fixed: bool = False

    @property
    def labels(self) -> list[int]:
        """Numbers of labels."""
        return [point.labels for point in self.points]

    def of_seed(self, i: int) -> list[float]:
        """The scores of a seed."""
        return [point.scores[i] for point in self.points]

    @property
    def series(self) -> Series:
        """The curve as the line of a figure."""
        means = [point.mean for point in self.points]
        return Series(
            self.name,
            self.labels,
            *([math.nan if one is None else getattr(one, name) for one in means] for name in ("value", "low", "high")),
        )


def summary_of(
    study: Study,
    curves: Sequence[Curve],
    notes: Sequence[str],
    *,
    margin: float,
    level: float,
    constant: float = math.nan,
) -> Summary:
    """Verdicts, tables and figures from the curves: pre-trained, random weights, and a linear model where it serves.

    Args:
        study: The study.
        curves: The curves.
        notes: What else should be known.
        margin: Gain of score that would not be worth twice the labels.
        level: Probability that intervals are meant to hold.
        constant: Score of the constant answer; nan without one.
    """
    own, random = curves[:2]
    differences, gains = against_all(study, own, random, level=level), gains_of(study, own, random, level=level)
    ratio, per_size = ratios_of(own, random, higher=study.higher_is_better, level=level)
    ahead = outlook_of(own, higher=study.higher_is_better, level=level)
    fewer = fewer_labels(study, own, random, ratio, differences, gains, constant=constant)
    boards = [scores_board(study, curves, gains, level=level), ratio_board(study, own, per_size, level=level)]
    boards += [check_board(study, ahead)] if ahead.checks else []
    lines = [curve.series for curve in curves]
    sign = 1 if study.higher_is_better else -1
    if not ahead.reason:
        lines.append(
            Series("forecast", [own.labels[-1], ahead.amount], [sign * (ahead.score - ahead.gain), sign * ahead.score])
        )
    what = f"{study.metric} on {study.split}"
    figure = Figure(f"{what} by number of labels", "labels", what, lines, logarithmic=True)
    notes = [*notes, *([where(study)] if where(study) else [])]
    return Summary([fewer, more_labels(study, ahead, margin)], boards, [figure], notes=notes)


@dataclass(frozen=True, slots=True)
class Against:
    """The pre-trained model on some labels, against random weights on all of them, or on as many.

    Attributes:
        labels: Number of labels of the pre-trained model.
        difference: Its score minus that of random weights.
        p_value: Adjusted for all sizes (Holm); nan where there is no test.
    """

    labels: int
    difference: Difference
    p_value: float


def against_all(study: Study, own: Curve, random: Curve, *, level: float) -> list[Against]:
    """The pre-trained model on each number of labels, against random weights on all of them."""
    most = random.points[-1].tables
    if not most:
        return []
    return adjusted(
        (point.labels, compare(point.tables, most, study.score, groups=random.groups, level=level))
        for point in own.points
        if point.tables
    )


def gains_of(study: Study, own: Curve, random: Curve, *, level: float) -> list[Against]:
    """The pre-trained model against random weights on as many labels."""
    return adjusted(
        (one.labels, compare(one.tables, other.tables, study.score, groups=own.groups, level=level))
        for one, other in zip(own.points, random.points, strict=True)
        if one.tables and other.tables
    )


def adjusted(found: Iterable[tuple[int, Difference]]) -> list[Against]:
    """Differences by number of labels, with their p-values adjusted."""
    each = list(found)
    known = iter(holm([one.p_value for _, one in each if math.isfinite(one.p_value)]))
    return [Against(n, one, next(known) if math.isfinite(one.p_value) else math.nan) for n, one in each]


def ratios_of(own: Curve, random: Curve, *, higher: bool, level: float) -> tuple[Ratio, list[Ratio]]:
    """How many times the labels of the pre-trained model random weights need for the same score.

    Returns:
        The ratio at the score of random weights on all labels; and the ratio at each size of the pre-trained model.
    """
    sign = 1 if higher else -1
    at_most: list[tuple[float, Bound]] = []
    at_size: list[list[tuple[float, Bound]]] = [[] for _ in own.points]
    for seed in range(min(len(own.points[0].scores), len(random.points[0].scores))):
        first, second = ([sign * score for score in curve.of_seed(seed)] for curve in (own, random))
        at_most.append(ratio_between(Reach(random.labels[-1]), needed(own.labels, first, second[-1])))
        for i, (n, score) in enumerate(zip(own.labels, first, strict=True)):
            at_size[i].append(ratio_between(needed(random.labels, second, score), Reach(n)))
    make = partial(ratio_of, level=level)
    pairs = [at_most, *at_size]
    whole, *each = [make([value for value, _ in one], [bound for _, bound in one]) for one in pairs]
    return whole, each


def outlook_of(own: Curve, *, higher: bool, level: float) -> Outlook:
    """What twice the labels would bring the pre-trained model. Scores that are lower when better change their sign."""
    sign = 1 if higher else -1
    means = [mean_over_seeds([sign * score for score in point.scores], level=level) for point in own.points]
    noise = [(high - low) / 2 for _, low, high in means]
    return outlook(own.labels, [mean for mean, *_ in means], noise=noise, limit=1.0 if higher else 0.0, sign=sign)


def fewer_labels(
    study: Study,
    own: Curve,
    random: Curve,
    ratio: Ratio,
    differences: Sequence[Against],
    gains: Sequence[Against] = (),
    *,
    constant: float = math.nan,
) -> Verdict:
    """The verdict on the claim that fewer labels are needed.

    The ratio varies with the seeds alone, which may be few and alike. So it confirms nothing without a difference that
    holds over the examples, too: against random weights on all labels, or on as many.
    """
    most, last = random.labels[-1], random.points[-1].mean
    if last is None:
        return Verdict(FEWER, "undecided", f"Random weights diverged on {many(most, 'label')}.", LOWER)
    sign = 1 if study.higher_is_better else -1
    better, alike = (
        [one for one in some if one.p_value < 1 - last.level and sign * one.difference.value > 0]
        for some in (differences, gains)
    )
    worse = (
        bool(differences) and differences[-1].p_value < 1 - last.level and sign * differences[-1].difference.value < 0
    )
    answer: Answer = "undecided"
    if (better and better[0].labels < most) or ((better or alike) and ratio.low > 1):
        answer = "confirmed"
    elif ratio.high < 1 or worse:
        answer = "not confirmed"
    score = interval(last.value, last.low, last.high)
    sentence = f"Random weights with all {many(most, 'label')} have {study.metric} {score}. "
    if sign * last.value <= sign * constant:
        sentence += (
            f"That is no more than the constant answer ({constant:.4f}), with which no number of labels compares."
        )
    else:
        sentence += ratio_sentence(ratio, most, least=own.labels[0])
    if better:
        gain = abs(better[0].difference.value)
        sentence += f" With {many(better[0].labels, 'label')} it is already significantly better, by {gain:.4f}."
    elif alike:
        gain = abs(alike[-1].difference.value)
        sentence += f" With {many(alike[-1].labels, 'label')} each it is significantly better, by {gain:.4f}."
    else:
        sentence += " With no number of labels it is significantly better."
    return Verdict(FEWER, answer, sentence, CLOSER if answer == "undecided" else "")


CLOSER = "more seeds (--seeds), or sizes closer to each other (--option sizes=0.1,0.2,0.4,0.7,1.0)"
LOWER = "a lower learning rate for them (--option scratch_rates=1e-5,1e-4)"


def ratio_sentence(ratio: Ratio, most: int, *, least: int) -> str:
    """How many labels the pre-trained model needs for the score of random weights on all labels."""
    if not math.isfinite(ratio.value):
        return f"How many labels the pre-trained model needs for that can't be told: {ratio.reason}."
    labels, fewer = most / ratio.value, times(ratio, "times fewer")
    if ratio.bound == "least" and labels <= least * (1 + 1e-9):
        return f"The pre-trained model scores as much with {many(least, 'label')} or fewer: {fewer}."
    if ratio.bound == "most":
        more = f" or more: {fewer}" if labels < most * (1 - 1e-9) else " or more"
        return f"The pre-trained model needs about {many(round(labels), 'label')} for that{more}."
    return f"The pre-trained model needs about {many(round(labels), 'label')} for that: {fewer}."


def more_labels(study: Study, ahead: Outlook, margin: float) -> Verdict:
    """The verdict on the claim that more labels would help."""
    if ahead.reason:
        sentence = f"What twice the labels would bring can't be told: {ahead.reason}."
        return Verdict(MORE, "undecided", sentence, "larger sizes, and more seeds (--seeds)")
    score = ahead.score if study.higher_is_better else -ahead.score
    words = "more" if study.higher_is_better else "less"
    sentence = (
        f"With {many(round(ahead.amount), 'label')}, twice as many, {study.metric} would be about {score:.4f}: "
        f"{ahead.gain:.4f} {words}. The same power law was wrong by {ahead.error:.4f} at most where it was checked."
    )
    answer: Answer = "undecided"
    if ahead.gain - ahead.error > margin:
        answer = "confirmed"
    elif ahead.gain + ahead.error < margin:
        answer = "not confirmed"
        sentence += f" That is less than the margin of {margin:g}."
    return Verdict(
        MORE, answer, sentence, "more seeds (--seeds), for a smoother curve" if answer == "undecided" else ""
    )


def scores_board(study: Study, curves: Sequence[Curve], gains: Sequence[Against], *, level: float) -> Board:
    """The scores by number of labels, with intervals, and the gain of the pre-trained model over random weights."""
    found = {one.labels: one for one in gains}
    rows = []
    for i, labels in enumerate(curves[0].labels):
        cells = [ranged(curve.points[i].mean) for curve in curves]
        gain = found.get(labels)
        difference, p_value = (None, math.nan) if gain is None else (gain.difference, gain.p_value)
        rows.append([labels, *cells, ranged(difference), p_value if math.isfinite(p_value) else None])
    title = (
        f"{study.metric} on {study.split} by number of labels, with {level:.0%} intervals over seeds and examples "
        "(p: of the gain, Holm over the sizes)"
    )
    return Board(title, ["labels", *(curve.name for curve in curves), "gain over random weights", "p"], rows)


def ratio_board(study: Study, own: Curve, ratios: Sequence[Ratio], *, level: float) -> Board:
    """How many labels random weights need for the scores of the pre-trained model."""
    rows = []
    for point, ratio in zip(own.points, ratios, strict=True):
        needs = "-" if not math.isfinite(ratio.value) else f"{round(ratio.value * point.labels):,}"
        if ratio.bound == "least":
            needs = f"beyond the data ({needs} or more)"
        elif ratio.bound == "most":
            needs += " or fewer"
        score = None if point.mean is None else point.mean.value
        rows.append([point.labels, score, needs, times(ratio)])
    title = f"labels that random weights need for the same score, with {level:.0%} intervals over seeds"
    return Board(title, ["labels of the pre-trained model", study.metric, "labels of random weights", "ratio"], rows)


def check_board(study: Study, ahead: Outlook) -> Board:
    """How well the power law foretold what was measured."""
    sign = 1 if study.higher_is_better else -1
    rows = [
        [
            f"{check.amount:,.0f}", check.fitted, sign * check.forecast, sign * check.measured, sign * check.error,
            check.allowed, "yes" if check.passed else "no",
        ]
        for check in ahead.checks
    ]  # fmt: skip
    columns = ["labels", "fitted to", "forecast", "measured", "error", "allowed", "passed"]
    return Board("back-test of the power law: the larger sizes, foretold from the smaller ones", columns, rows)
