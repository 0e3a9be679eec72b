"""Findings about labelled data: each with a severity, a code, a count and places."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import Problem, Tally
from ..printing import many
from ..records import Example

Severity = Literal["error", "warning", "note"]
SHOWN = 5
"""Places that a finding lists."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to know about the data.

    Attributes:
        severity: error (training would refuse it), warning (scores or training suffer) or note.
        code: A short stable name.
        message: What was found.
        count: How many examples or labels it concerns.
        places: The first of them.
    """

    severity: Severity
    code: str
    message: str
    count: int = 0
    places: tuple[str, ...] = ()


def of_all(some: Sequence[Any], examples: Sequence[Example]) -> str:
    """How many examples, and their share."""
    return f"{many(len(some), 'example')} ({len(some) / len(examples):.1%})"


def by_kind(problems: Sequence[Problem], severity: Severity, where: str = "") -> list[Finding]:
    """Problems by kind, so that ten thousand of one kind are one line.

    Of errors the first few that differ are told apart, since each needs a cure of its own.
    """
    kinds: dict[str, list[Problem]] = defaultdict(list)
    for problem in problems:
        kinds[problem.code].append(problem)
    if severity != "error":
        return [told(same[0], severity, where, len(same), places(same)) for same in kinds.values()]
    tally = Tally()
    tally.add(*problems)
    found = [told(one.first, severity, where, one.count, tuple(one.places)) for one in tally.groups]
    return found + [
        Finding(severity, code, f"{where}{many(one.count, 'more problem')} of this kind", one.count, tuple(one.places))
        for code, one in tally.others.items()
    ]


def told(problem: Problem, severity: Severity, where: str, count: int, at: tuple[str, ...]) -> Finding:
    """Equal problems as a finding, in the words of the first."""
    return Finding(severity, problem.code, where + "; ".join(filter(None, (problem.message, problem.fix))), count, at)


def places(some: Iterable[Problem | Example]) -> tuple[str, ...]:
    """The first places of some examples or problems."""
    return tuple(one.place for one, _ in zip(some, range(SHOWN), strict=False))
