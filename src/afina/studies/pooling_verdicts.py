"""Verdicts of `pooling`: whether one reading of a model is as good as others, and whether a pair is read as a pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..metrics.decisions import Decision, decide
from ..metrics.intervals import holm
from ..metrics.kinds import Array, Table
from ..metrics.recipes import Difference, Mean, compare, mean_score
from .study import Study
from .summaries import Answer, Verdict
from .words import interval, what_decides

ALONE = ("first", "second")
"""Readings of a pair that leave one of its texts out."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What is compared: a recipe with the score tables of its runs.

    Attributes:
        name: Its name in sentences.
        tables: Score tables, one a seed.
        groups: The cluster of each example; None where every example stands alone.
        fixed: Whether it has no randomness.
    """

    name: str
    tables: Sequence[Table]
    groups: Array | None = None
    fixed: bool = False

    def named(self, name: str) -> Compared:
        """The same under another name."""
        return replace(self, name=name)


def compared(one: Compared, study: Study, *, level: float) -> Mean:
    """The mean score of a recipe with its interval."""
    return mean_score(one.tables, study.score, groups=one.groups, level=level, deterministic=one.fixed)


def differences(first: Compared, others: Sequence[Compared], study: Study, *, level: float) -> dict[str, Difference]:
    """The mean score of a recipe minus that of each other, by the other's name."""
    return {
        one.name: compare(
            first.tables, one.tables, study.score, groups=first.groups, level=level,
            deterministic=(first.fixed, one.fixed),
        )
        for one in others
    }  # fmt: skip


def as_good(
    claim: str, mine: Compared, others: Sequence[Compared], study: Study, *, margin: float, level: float
) -> Verdict:
    """Whether one recipe is not worse than any other by more than the margin.

    It is confirmed where it is better or not worse in every comparison, which as a claim about all of them needs no
    adjustment (intersection-union test, Berger 1982), and not confirmed where it is significantly worse in one,
    adjusted for their number (Holm 1979).
    """
    mean = compared(mine, study, level=level)
    sentence = f"{mine.name[:1].upper()}{mine.name[1:]}: {study.metric} {bounded(mean)}"
    if not others:
        return Verdict(claim, "confirmed", f"{sentence}. It is the best itself.")
    found = differences(mine, others, study, level=level)
    decisions = decided(found, study, margin=margin)
    answers = {one.answer for one in decisions.values()}
    answer: Answer = "not confirmed" if "worse" in answers else "undecided"
    if answers <= {"better", "not worse"}:
        answer = "confirmed"
    sentence = f"{sentence}. Against {phrases(decisions)}"
    return Verdict(claim, answer, sentence, what_decides([*decisions.values()]) if answer == "undecided" else "")


def read_as_pair(claim: str, ways: Mapping[str, Compared], study: Study, *, margin: float, level: float) -> Verdict:
    """Whether both texts of a pair bring more than either alone; what order and separator do is told beside it.

    It is confirmed where both texts are significantly better than each one alone, adjusted for all comparisons (Holm
    1979), and not confirmed where one alone is better, or not worse by more than the margin.

    Args:
        claim: The claim.
        ways: What was read of a pair (`options.pair_as`), `both` among them where it has a score.
        study: The study.
        margin: Difference of the score that does not matter.
        level: Confidence level.
    """
    both = ways.get("both")
    if both is None or not all(way in ways for way in ALONE):
        return Verdict(claim, "undecided", "Not all of its trials came to their end.", "a lower learning rate")
    others = {way: one for way, one in ways.items() if way != "both"}
    found = dict(zip(others, differences(both, [*others.values()], study, level=level).values(), strict=True))
    decisions = decided(found, study)
    alone = decided({way: opposite(found[way]) for way in ALONE}, study, margin=margin)
    answer: Answer = "undecided"
    if all(decisions[way].answer == "better" for way in ALONE):
        answer = "confirmed"
    elif any(one.answer in ("better", "not worse") for one in alone.values()):
        answer = "not confirmed"
    mean = compared(both, study, level=level)
    said = phrases({others[way].name: one for way, one in decisions.items()})
    sentence = f"Both texts: {study.metric} {bounded(mean)}. Against {said}"
    wanted = what_decides([decisions[way] for way in ALONE]) if answer == "undecided" else ""
    return Verdict(claim, answer, sentence, wanted)


def decided(found: Mapping[str, Difference], study: Study, *, margin: float = 0.0) -> dict[str, Decision]:
    """What follows from differences, with p-values adjusted for the number of those that have one."""
    known = {name: one.p_value for name, one in found.items() if not one.reason}
    adjusted = dict(zip(known, holm([*known.values()]), strict=True))
    return {
        name: decide(one, margin=margin, higher=study.higher_is_better, p_value=adjusted.get(name))
        for name, one in found.items()
    }


def opposite(difference: Difference) -> Difference:
    """The second minus the first."""
    return replace(
        difference, value=-difference.value, low=-difference.high, high=-difference.low, first=difference.second,
        second=difference.first,
    )  # fmt: skip


def phrases(decisions: Mapping[str, Decision]) -> str:
    """What follows from each comparison, in a sentence."""
    return "; against ".join(f"{name}: {one.finding}" for name, one in decisions.items()) + "."


def bounded(mean: Mean) -> str:
    """A score with its interval, or why it has none."""
    value = interval(mean.value, mean.low, mean.high)
    return f"{value} (no interval: {mean.reason})" if mean.reason else value
