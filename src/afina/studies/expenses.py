"""What trainings took, in tables, beside what was published of a pre-training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..model.pretraining import Stage, pretraining_of
from ..printing import many
from .summaries import Answer, Board, Summary, Verdict

LITTLE = 0.01
"""Share of the pre-training's FLOPs below which fine-tuning costs little."""
CLAIM = "Fine-tuning costs little against pre-training"
"""The claim."""
WORK = ("frozen part", "train", "validate")
"""Parts of a run that are its training."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a training took.

    Attributes:
        source: The study or run that it belongs to.
        recipe: What was tried.
        done: Whether it came to its end; what others took is not known.
        flops: FLOPs; nan where they are not known.
        trained: Number of weights that trained.
        total: Number of all weights.
        seconds: Seconds of training and validation.
        memory: Peak of memory in bytes; nan where it was not measured.
        joules: Energy; nan where it was not measured.
    """

    source: str
    recipe: str
    done: bool = False
    flops: float = math.nan
    trained: int = 0
    total: int = 0
    seconds: float = math.nan
    memory: float = math.nan
    joules: float = math.nan


def spent_by(source: str, recipe: str, record: Mapping[str, Any]) -> Spent:
    """What a training took, from its `run.json`; an empty record is that of one that diverged."""
    if not record:
        return Spent(source, recipe)
    seconds, speed = record.get("seconds", {}), record.get("speed", {})
    flops = (record.get("flops") or {}).get("training")
    if flops is None:  # runs of before these were recorded
        flops = speed.get("flops_per_second", math.nan) * seconds.get("train", math.nan)
    parameters = record.get("parameters", {})
    return Spent(
        source,
        recipe,
        True,
        float(flops),
        int(parameters.get("trained", 0)),
        int(parameters.get("trained", 0) + parameters.get("frozen", 0)),
        float(sum(seconds.get(part, 0.0) for part in WORK)),
        peak_of(record),
        float(record.get("joules", math.nan)),
    )


def peak_of(record: Mapping[str, Any]) -> float:
    """The peak of memory of a run: of its GPU, or else of its process; nan where neither was measured."""
    memory = record.get("memory") or {}
    value = memory.get("gpu") or memory.get("process")
    return math.nan if value is None else float(value)


@dataclass(frozen=True, slots=True)
class Group:
    """The trainings of a recipe.

    Attributes:
        source: Study or run.
        recipe: The recipe.
        members: What each of them took, those that diverged left out.
        diverged: Number of those.
    """

    source: str
    recipe: str
    members: Sequence[Spent]
    diverged: int

    def mean(self, name: str) -> float:
        """The mean of what is known of a quantity; nan where nothing is."""
        known = [float(getattr(one, name)) for one in self.members if math.isfinite(getattr(one, name))]
        return sum(known) / len(known) if known else math.nan

    @property
    def row(self) -> list[object]:
        """The first cells of its row in a table."""
        return [self.source, self.recipe, len(self.members)]


def grouped(spent: Sequence[Spent]) -> list[Group]:
    """Trainings by source and recipe, in the order in which they come."""
    names = dict.fromkeys((one.source, one.recipe) for one in spent)
    groups = []
    for name in names:
        own = [one for one in spent if (one.source, one.recipe) == name]
        groups.append(Group(*name, [one for one in own if one.done], sum(not one.done for one in own)))
    return groups


def summary_of(
    model: str, spent: Sequence[Spent], *, price: float | None = None, known: float | None = None
) -> Summary:
    """The verdict and the tables.

    Args:
        model: Name of the pre-trained model.
        spent: What trainings took.
        price: Money for an hour.
        known: FLOPs of the pre-training, where the user knows them.
    """
    stages = pretraining_of(model)
    stages = stages if known is None else (Stage("as given", 1.0, known / 6, source="--option pretraining"),)
    flops = sum(stage.flops for stage in stages if stage.flops is not None)
    groups = grouped(spent)
    boards = [trainings_board(groups, flops)]
    boards += [pretraining_board(stages)] if stages else []
    diverged = sum(group.diverged for group in groups)
    took = "what it took" if diverged == 1 else "what they took"
    notes = [f"{many(diverged, 'training')} diverged; {took} was not recorded"] if diverged else []
    return Summary(
        [little(model, stages, groups, flops)], boards, times=[machine_board(groups, stages, price)], notes=notes
    )


def little(model: str, stages: Sequence[Stage], groups: Sequence[Group], flops: float) -> Verdict:
    """The verdict on the claim that fine-tuning costs little."""
    known = [group for group in groups if math.isfinite(group.mean("flops"))]
    dearest = max(known, key=lambda group: group.mean("flops"), default=None)
    if dearest is None:
        return Verdict(CLAIM, "undecided", "The FLOPs of no training are known.", "a study by this version of afina")
    value = dearest.mean("flops")
    total = sum(one.flops for group in groups for one in group.members if math.isfinite(one.flops))
    count = sum(len(group.members) for group in groups)
    took = f"The dearest training ({dearest.recipe}) took {big(value)} FLOP"
    took += f", all {count} together {big(total)}" if count > 1 else ""
    if not flops:
        what = "only its hours are" if any(stage.device_hours for stage in stages) else "nothing of it is"
        sentence = f"{took}. The FLOPs of the pre-training of {model} are not known here; {what} published."
        return Verdict(CLAIM, "undecided", sentence, "the FLOPs of the pre-training (--option pretraining=1e19)")
    answer: Answer = "confirmed" if value < LITTLE * flops else "not confirmed"
    parts = [stage for stage in stages if stage.flops is None]
    most = " at most" if any(stage.most for stage in stages) else ""
    sentence = (
        f"{took}. The pre-training of {model} took {big(flops)} FLOP{most}: {fold(flops / value)} times as much as "
        f"{f'the dearest training, and {fold(flops / total)} times as much as all' if count > 1 else 'that'}."
    )
    if parts:
        sentence += f" That is without {' and '.join(part.what for part in parts)}, of which no figure is published."
    return Verdict(CLAIM, answer, sentence)


def big(value: float) -> str:
    """A large number in two digits."""
    return f"{value:.1e}" if value >= 1e5 else f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def fold(ratio: float) -> str:
    """A ratio in two digits."""
    return f"{ratio:#.2g}" if ratio < 9.95 else f"{float(f'{ratio:.2g}'):,.0f}"


def optional(value: float, unit: float = 1.0) -> float | None:
    """A number in a unit; None where it is not known."""
    return value / unit if math.isfinite(value) else None


def trainings_board(groups: Sequence[Group], flops: float) -> Board:
    """Parameters and FLOPs of the trainings."""
    rows = []
    for group in groups:
        value = group.mean("flops")
        share = value / flops if flops else math.nan
        rows.append([
            *group.row, optional(group.mean("trained"), 1e6), optional(group.mean("total"), 1e6), optional(value, 1e12),
            f"{share:.1e}" if math.isfinite(share) else None,
        ])  # fmt: skip
    columns = ["study", "recipe", "trainings", "trained, M", "weights, M", "TFLOP each", "share of pre-training"]
    return Board("what trainings took", columns, rows)


def pretraining_board(stages: Sequence[Stage]) -> Board:
    """What was published of the pre-training."""
    rows = []
    for stage in stages:
        most = "at most " if stage.most else ""
        hardware = f"{stage.devices:,} x {stage.device}" if stage.devices else "unknown"
        rows.append([
            stage.what,
            "unknown" if stage.tokens is None else f"{most}{big(stage.tokens)}",
            "unknown" if stage.flops is None else f"{most}{big(stage.flops)}",
            hardware,
            "unknown" if stage.device_hours is None else f"{stage.device_hours:,.0f}",
            stage.source,
        ])  # fmt: skip
    columns = ["stage", "tokens", "FLOP (6 N D)", "hardware", "device hours", "source"]
    return Board("what is published of the pre-training", columns, rows)


def machine_board(groups: Sequence[Group], stages: Sequence[Stage], price: float | None) -> Board:
    """Seconds, memory, energy and money."""
    rows = []
    for group in groups:
        seconds = group.mean("seconds")
        money = optional(seconds * price, 3600) if price is not None else None
        memory, energy = optional(group.mean("memory"), 1e6), optional(group.mean("joules"), 3600)
        rows.append([
            *group.row, optional(seconds), "not measured" if memory is None else f"{memory:,.0f}",
            "not measured" if energy is None else f"{energy:,.2f}", *([money] if price is not None else []),
        ])  # fmt: skip
    hours = [stage.device_hours for stage in stages if stage.device_hours is not None]
    if hours:
        paid = [sum(hours) * price] if price is not None else []
        rows.append(["published", "pre-training", 1, sum(hours) * 3600, "unknown", "unknown", *paid])
    columns = ["study", "recipe", "trainings", "seconds each", "memory, MB", "energy, Wh"]
    return Board("time, memory and energy", [*columns, *(["money each"] if price is not None else [])], rows)
