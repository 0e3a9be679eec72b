"""What a comparison says, for people and for programs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..metrics.recipes import Difference
from ..printing import Block, Shown, Table, many, number
from .gate import POINTS, Check, Gate

SHOWN = 12
"""Labels in the table of a comparison; those with the smallest p-values are shown."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A recipe and its score.

    Attributes:
        name: What it is called.
        runs: Folders of its runs.
        seeds: Their seeds.
        score: Mean score of its runs.
        low: Lower bound of the score, nan where there is none.
        high: Upper bound.
        reason: Why there is no interval; empty where there is one.
    """

    name: str
    runs: tuple[str, ...]
    seeds: tuple[int, ...]
    score: float
    low: float
    high: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LabelChange:
    """How the F1 of a label differs.

    Attributes:
        label: The label.
        support: Number of its gold items.
        difference: F1 of the recipe minus that of the baseline.
        p_value: That of the difference, adjusted for all labels; nan where it is unknown.
    """

    label: str
    support: int
    difference: Difference
    p_value: float


@dataclass(frozen=True, slots=True)
class Contrast:
    """A recipe beside the baseline.

    Attributes:
        name: Name of the recipe.
        baseline: Name of the baseline.
        difference: Score of the recipe minus that of the baseline.
        p_value: That of the difference, adjusted for all comparisons; nan where it is unknown.
        answer: `better`, `worse`, `not worse` (by more than the margin), `undecided`, or `same`.
        phrase: The same in words.
        gained: Number of rows that only the recipe has right; None where no row is right or wrong.
        lost: Number of rows that only the baseline has right.
        labels: How the F1 of each label differs; empty without labels.
    """

    name: str
    baseline: str
    difference: Difference
    p_value: float
    answer: str
    phrase: str
    gained: int | None
    lost: int | None
    labels: Sequence[LabelChange] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Report(Shown):
    """Finished runs compared on the same rows. `print` shows what `afina compare` shows, and a notebook tables.

    Attributes:
        split: The split of the rows.
        metric: The metric.
        rows: Number of common rows.
        entries: The recipes with their scores.
        baseline: Place of the baseline among them.
        contrasts: Each of the others beside the baseline.
        margin: Difference of the score that does not matter.
        notes: What should be known before anything is concluded.
        gate: What the gate says; None without one.
    """

    split: str
    metric: str
    rows: int
    entries: Sequence[Entry]
    baseline: int
    contrasts: Sequence[Contrast]
    margin: float = 0.0
    notes: tuple[str, ...] = ()
    gate: Gate | None = None

    def __repr__(self) -> str:
        return f"Report({'; '.join(f'{one.name}: {one.answer}' for one in self.contrasts)})"

    def blocks(self) -> Iterator[Block]:
        """Scores and differences, verdicts, labels, and the gate."""
        yield f"{self.metric} on {many(self.rows, 'row')} of {self.split}"
        yield self.scores
        yield from reasons(self.entries)
        yield ""
        for one in self.contrasts:
            yield f"{one.name} against {one.baseline}: {one.phrase}"
        for one in self.contrasts:
            yield from changes(one)
        yield from ([""] if self.notes else [])
        yield from (f"note: {note}" for note in self.notes)
        if self.gate is not None:
            yield ""
            yield from gate_blocks(self.gate)

    @property
    def scores(self) -> Table:
        """The scores, and the differences from the baseline."""
        names = [
            "run",
            f"{self.metric} (95 % interval)",
            "difference",
            "p (Holm)",
            "only it right",
            "only baseline right",
        ]
        beside = {one.name: one for one in self.contrasts}
        rows = []
        for place, entry in enumerate(self.entries):
            score = within(entry.score, entry.low, entry.high)
            if place == self.baseline:
                rows.append([entry.name, score, "baseline", "", "", ""])
                continue
            one = beside[entry.name]
            flips = ["" if count is None else f"{count:,}" for count in (one.gained, one.lost)]
            rows.append([entry.name, score, signed(one.difference), probability(one.p_value), *flips])
        return Table(names, rows)

    def record(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "split": self.split,
            "metric": self.metric,
            "rows": self.rows,
            "runs": [asdict(entry) for entry in self.entries],
            "baseline": self.entries[self.baseline].name,
            "margin": self.margin,
            "comparisons": [
                {
                    "run": one.name,
                    "baseline": one.baseline,
                    **figures(one.difference, one.p_value),
                    "answer": one.answer,
                    "verdict": one.phrase,
                    "only_it_right": one.gained,
                    "only_baseline_right": one.lost,
                    "labels": [
                        {"label": line.label, "support": line.support, **figures(line.difference, line.p_value)}
                        for line in one.labels
                    ],
                }
                for one in self.contrasts
            ],
            "notes": list(self.notes),
            "gate": None if self.gate is None else gate_record(self.gate),
        }


def figures(difference: Difference, p_value: float) -> dict[str, Any]:
    """The numbers of a difference."""
    return {
        "difference": difference.value,
        "low": difference.low,
        "high": difference.high,
        "p_value": difference.p_value,
        "p_adjusted": p_value,
        **({"reason": difference.reason} if difference.reason else {}),
    }


def reasons(entries: Sequence[Entry]) -> Iterator[str]:
    """Which scores have no interval, each reason once."""
    grouped: dict[str, list[str]] = {}
    for entry in entries:
        if entry.reason:
            grouped.setdefault(entry.reason, []).append(entry.name)
    for reason, names in grouped.items():
        yield f"no interval: {', '.join(names)} ({reason})"


def changes(contrast: Contrast) -> Iterator[Block]:
    """The labels of a comparison that differ most, as a table."""
    order = sorted(contrast.labels, key=lambda line: (math.isnan(line.p_value), line.p_value, -line.support))
    chosen = {line.label for line in order[:SHOWN]}
    if chosen:
        others = len(order) - len(chosen)
        which = f", those that differ most clearly ({many(others, 'other')} with --json)" if others else ""
        yield ""
        yield f"F1 of labels, {contrast.name} against {contrast.baseline}{which}"
        rows = [
            [line.label, line.support, number(line.difference.second), number(line.difference.first),
             signed(line.difference), probability(line.p_value)]
            for line in contrast.labels
            if line.label in chosen
        ]  # fmt: skip
        yield Table(["label", "support", "baseline", "run", "difference", "p (Holm)"], rows)


def gate_blocks(gate: Gate) -> Iterator[Block]:
    """The checks of a gate, and what follows."""
    yield f"gate: {gate.newer} against {gate.older}"
    yield Table(
        ["check", "may lose", "older", "newer", "difference", "verdict"],
        [
            [check.name, amount(check), number(check.difference.second), number(check.difference.first),
             signed(check.difference), check.answer + (f" ({check.reason})" if check.reason else "")]
            for check in gate.checks
        ],
    )  # fmt: skip
    failed, open_ = gate.named("failed"), gate.named("undecided")
    if failed:
        yield f"gate: failed: significantly worse by more than is allowed: {', '.join(failed)}"
    elif open_:
        yield f"gate: nothing failed; undecided: {', '.join(open_)} (more test rows or seeds would decide)"
    else:
        yield "gate: passed"


def gate_record(gate: Gate) -> dict[str, Any]:
    """The same for programs."""
    return {
        "older": gate.older,
        "newer": gate.newer,
        "checks": [
            {
                "check": check.name,
                "allowed": check.allowed,
                **figures(check.difference, check.p_value),
                "answer": check.answer,
                **({"reason": check.reason} if check.reason else {}),
            }
            for check in gate.checks
        ],
        "failed": gate.named("failed"),
        "undecided": gate.named("undecided"),
    }


def amount(check: Check) -> str:
    """What may be lost, in words."""
    return f"{check.allowed * POINTS:g} points" if check.points else f"{check.allowed:g}"


def within(value: float, low: float, high: float) -> str:
    """A score with its interval, where there is one."""
    return number(value) if math.isnan(low) else f"{number(value)} [{number(low)}, {number(high)}]"


def signed(difference: Difference) -> str:
    """A difference with its sign and its interval, where there is one."""
    value, *bounds = (f"{one:+.4f}" for one in (difference.value, difference.low, difference.high))
    return value if math.isnan(difference.low) else f"{value} [{', '.join(bounds)}]"


def probability(p_value: float) -> str:
    """A p-value for people; a dash where it is unknown."""
    if math.isnan(p_value):
        return "-"
    if p_value < 0.001:
        return "< 0.001"
    return "< 0.05" if round(p_value, 3) == 0.05 > p_value else f"{p_value:.3f}"
