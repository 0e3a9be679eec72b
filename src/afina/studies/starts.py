"""What trainings from several starts say: what each brings over random weights, and over the configured model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..metrics.decisions import needed, p_in_words
from ..metrics.intervals import holm
from ..metrics.kinds import Array, Table
from ..metrics.recipes import Difference, compare, mean_score
from .arms import RANDOM
from .comparisons import where
from .study import Study
from .summaries import Answer, Board, Summary, Verdict
from .words import ranged, wanted


@dataclass(frozen=True, slots=True)
class Start:
    """Trainings from the weights of one model.

    Attributes:
        name: Name of the start.
        model: The model, as `model.name` takes it.
        trainings: Number of trainings.
        tables: Score tables of those that did not diverge, by seed.
        groups: Group of each example. [n]
        rate: Learning rate.
        constant: Number of trainings that give one answer to every input.
    """

    name: str
    model: str
    trainings: int
    tables: Sequence[Table]
    groups: Array | None = None
    rate: float = math.nan
    constant: int = 0

    @property
    def learned(self) -> bool:
        """Whether any training gives more than one answer."""
        return self.constant < len(self.tables)


@dataclass(frozen=True, slots=True)
class Gain:
    """What one start brings over another.

    Attributes:
        start: The start.
        over: The other one.
        difference: Their scores' difference; None where either has none.
        p_value: Adjusted for all comparisons of the study (Holm); nan without a test.
    """

    start: Start
    over: Start
    difference: Difference | None
    p_value: float = math.nan


def summary_of(study: Study, starts: Sequence[Start], notes: Sequence[str], *, margin: float, level: float) -> Summary:
    """Verdicts and the table.

    Args:
        study: The study.
        starts: The configured model, random weights, and other models.
        notes: What else is to be said.
        margin: Gain that does not matter.
        level: Probability that intervals are to hold.
    """
    base, random, *others = starts
    gains = tested(study, [(base, random), *((one, base) for one in others)], level=level)
    verdicts = [verdict_of(study, gain, margin=margin, level=level) for gain in gains]
    better = [gain for gain, verdict in zip(gains[1:], verdicts[1:], strict=True) if verdict.answer == "confirmed"]
    best = max(better, key=lambda gain: value_of(study, gain), default=None)
    notes = [*notes, *([where(study)] if where(study) else [])]
    return Summary(
        verdicts,
        [scores_board(study, starts, gains, level=level)],
        notes=notes,
        recommended={} if best is None else {"model.name": best.start.model},
    )


def tested(study: Study, pairs: Sequence[tuple[Start, Start]], *, level: float) -> list[Gain]:
    """The gain of the first of each pair over the second, with p-values for all of them together."""
    found = [
        compare(start.tables, over.tables, study.score, groups=start.groups, level=level)
        if start.tables and over.tables
        else None
        for start, over in pairs
    ]
    known = iter(holm([one.p_value for one in found if one is not None and math.isfinite(one.p_value)]))
    return [
        Gain(*pair, one, next(known) if one is not None and math.isfinite(one.p_value) else math.nan)
        for pair, one in zip(pairs, found, strict=True)
    ]


def value_of(study: Study, gain: Gain) -> float:
    """The gain as more is better."""
    sign = 1 if study.higher_is_better else -1
    return math.nan if gain.difference is None else sign * gain.difference.value


def verdict_of(study: Study, gain: Gain, *, margin: float, level: float) -> Verdict:
    """Whether a start brings something."""
    start, over, difference = gain.start, gain.over, gain.difference
    base = start if over.name == RANDOM else over
    words = {base.name: "the configured model"}
    claim = f"{words.get(start.name, start.name)} is a better start than {words.get(over.name, over.name)}"
    claim = claim[0].upper() + claim[1:]
    if difference is None:
        lost = " and ".join(one.name for one in (start, over) if not one.tables)
        return Verdict(
            claim, "undecided", f"All trainings from {lost} diverged.", "lower rates (--option rates=1e-5,1e-4)"
        )
    if not (start.learned or over.learned):
        sentence = "All trainings from either give one answer to every input, so that nothing was compared."
        return Verdict(claim, "undecided", sentence, "longer trainings (--epochs), another learning rate, or more rows")
    value = value_of(study, gain)
    bounds = (difference.low, difference.high) if study.higher_is_better else (-difference.high, -difference.low)
    answer: Answer = "undecided"
    if gain.p_value < 1 - level:
        answer = "confirmed" if value > 0 else "not confirmed"
    elif bounds[1] < margin:
        answer = "not confirmed"
    sentence = f"{study.split.capitalize()} {study.metric} {difference.first:.4f} against {difference.second:.4f}: "
    sentence += f"a {'gain' if value >= 0 else 'loss'} of {abs(value):.4f}"
    if math.isfinite(bounds[0]):
        low, high = bounds if value >= 0 else (-bounds[1], -bounds[0])
        p_value = p_in_words(gain.p_value, 1 - level)
        where_from = "" if difference.note else " over seeds and examples"
        sentence += f" ({low:.4f} to {high:.4f}{where_from}, {p_value})"
    sentence += "."
    if answer == "not confirmed" and value > 0:
        sentence += f" It is less than the margin of {margin:g}."
    sentence += f" {difference.note.capitalize()}." if difference.note else ""
    sentence += f" There is no interval: {difference.reason}." if difference.reason else ""
    decide = "" if answer != "undecided" else what_decides(study, gain, margin)
    return Verdict(claim, answer, sentence, decide)


def what_decides(study: Study, gain: Gain, margin: float) -> str:
    """How many seeds or examples would decide a comparison."""
    difference = gain.difference
    if difference is None or difference.spread is None:
        return "more examples to compare on"
    p_value = gain.p_value if math.isfinite(gain.p_value) else None
    return wanted([needed(difference, margin=margin, higher=study.higher_is_better, p_value=p_value)])


def scores_board(study: Study, starts: Sequence[Start], gains: Sequence[Gain], *, level: float) -> Board:
    """The score of each start, and what it brings over random weights and over the configured model."""
    base, random, *others = starts
    tests = {gain.start.name: gain for gain in gains}
    over_random = {gain.start.name: gain for gain in tested(study, [(one, random) for one in others], level=level)}
    over_random[base.name] = tests[base.name]
    over_base = {one.name: tests[one.name] for one in others}
    rows = []
    for start in starts:
        mean = mean_score(start.tables, study.score, groups=start.groups, level=level) if start.tables else None
        p_value = tests[start.name].p_value if start.name in tests else math.nan
        found = [gain.get(start.name) for gain in (over_random, over_base)]
        rows.append([
            start.name, start.rate, len(start.tables), start.trainings - len(start.tables), ranged(mean),
            *(None if gain is None else ranged(gain.difference) for gain in found),
            p_value if math.isfinite(p_value) else None,
        ])  # fmt: skip
    title = f"{study.metric} on {study.split}, with {level:.0%} intervals over seeds and examples"
    title += " (p: over random weights in the first row, over the configured model below; Holm)"
    columns = [
        "start", "rate", "trainings", "diverged", study.metric, "over random weights", "over the configured model", "p"
    ]  # fmt: skip
    return Board(title, columns, rows)
