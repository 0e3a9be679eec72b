"""Everything afina raises on purpose.

AfinaError              exit code 1
├── InputError          exit code 2: the user's input is wrong, and the message says how to mend it
│   ├── ConfigError     a setting: unknown, of the wrong type, impossible together with another
│   ├── DataError       rows of a data file; carries one `Problem` per fault, each with its place
│   ├── ModelError      a model folder or name that can't be loaded, or can't do what was asked
│   └── MissingExtra    an optional package is not installed; names the extra that brings it
└── TrainingError       the run failed: a loss that is not finite, a frozen weight that moved

AfinaWarning            what should be looked at, said by `warnings` in Python
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

SHOWN = 5
"""Places of equal problems that a message lists, and different problems of one kind; the counts cover all of them."""
MOST = 10
"""Names that a message lists; of more names those nearest to what was looked for."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in the data, with its place and its cure.

    Attributes:
        place: Where, for example `train.csv:17` (a physical line, counted from 1).
        message: What was found and what was expected.
        fix: How to mend it; may be empty.
        code: A short stable name of the kind of fault, for example `empty-label`.
        raw: The bytes of the record as they stand in the file, when a record is at fault.
    """

    place: str
    message: str
    fix: str = ""
    code: str = ""
    raw: bytes = b""

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" + (f"; {self.fix}" if self.fix else "")


@dataclass
class Equals:
    """Problems that differ in their places alone.

    Attributes:
        first: The first of them.
        places: Places of the first few.
        count: Number of all of them.
    """

    first: Problem
    places: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, problem: Problem) -> None:
        """Count one more."""
        self.count += 1
        if len(self.places) < SHOWN:
            self.places.append(problem.place)


class Tally:
    """Problems by kind, in memory that grows with the number of kinds alone."""

    def __init__(self) -> None:
        self.kinds: dict[str, dict[tuple[str, str], Equals]] = {}
        self.others: dict[str, Equals] = {}

    def add(self, *problems: Problem) -> None:
        """Count some problems. Of one kind, the first few different ones are told apart, the others only counted."""
        for problem in problems:
            kind = self.kinds.setdefault(problem.code, {})
            words = (problem.message, problem.fix)
            if words in kind or len(kind) < SHOWN:
                kind.setdefault(words, Equals(problem)).add(problem)
            else:
                self.others.setdefault(problem.code, Equals(problem)).add(problem)

    @property
    def groups(self) -> list[Equals]:
        """All that are told apart, kind by kind."""
        return [equals for kind in self.kinds.values() for equals in kind.values()]

    @property
    def firsts(self) -> list[Problem]:
        """One problem of each group."""
        return [equals.first for equals in self.groups]

    @property
    def total(self) -> int:
        """Number of all problems."""
        return sum(equals.count for equals in (*self.groups, *self.others.values()))

    def lines(self) -> list[str]:
        """The problems, a line a group: the first as it is, how many there are, and where the next ones stand.

        A cure that a kind's problems share is printed with the first of them.
        """
        lines = []
        for code, kind in self.kinds.items():
            told = ""
            for (message, fix), equals in kind.items():
                cure = "" if fix == told else fix
                told = fix
                more = f" ({equals.count:,} of the kind: {listed_places(equals)})" if equals.count > 1 else ""
                lines.append(f"{equals.places[0]}: {message}" + (f"; {cure}" if cure else "") + more)
            if code in self.others:
                rest = self.others[code]
                lines.append(f"... and {rest.count:,} more of the kind: {listed_places(rest)}")
        if len(lines) > 1 and self.total > len(lines):
            lines.append(f"{self.total:,} problems in all")
        return lines


def listed_places(equals: Equals) -> str:
    """The first places of equal problems."""
    return ", ".join(shortened(equals.places)) + (", ..." if equals.count > len(equals.places) else "")


def shortened(places: Sequence[str]) -> list[str]:
    """Places without the name of the file where it is that of the place before."""
    files = [place.rpartition(":")[0] for place in places]
    return [
        place.removeprefix(file) if file and file == before else place
        for place, file, before in zip(places, files, ["", *files], strict=False)
    ]


def listed(names: Iterable[Any], *, near: Iterable[str] = (), most: int = MOST, width: int = 40) -> str:
    """Names as a list for a message. Of many names only the nearest ones are listed, and the others counted.

    Args:
        names: Any number.
        near: What was looked for: of many names, those most like one of these are listed. Without it, the first ones.
        most: Number of names that are listed at most.
        width: Number of characters that a name takes at most.
    """
    known, wanted = list(names), [text.casefold() for text in near]
    chosen = known
    if len(known) > most and wanted:

        def likeness(name: Any) -> float:
            return max(SequenceMatcher(None, text, str(name).casefold()).ratio() for text in wanted)

        chosen = sorted(known, key=likeness, reverse=True)
    shown = ", ".join(printable(name, width) for name in chosen[:most])
    return shown + (f" and {len(known) - most:,} more" if len(known) > most else "")


class AfinaError(Exception):
    """Base of all errors that afina raises on purpose."""

    exit_code = 1


class AfinaWarning(UserWarning):
    """Something about a run that should be looked at: about its data, its settings or its scores."""


class InputError(AfinaError):
    """The user's input is wrong; the message says where and how to mend it."""

    exit_code = 2


class ConfigError(InputError):
    """One or more settings are wrong. All of them are listed."""

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


class DataError(InputError):
    """One or more rows, or a whole file, can't be used. Equal problems are one line, with their number.

    Args:
        problems: Any number of them, or a tally.
        hint: How to go on without the rows, where that can be done.
    """

    def __init__(self, problems: Problem | Iterable[Problem] | Tally, hint: str = "") -> None:
        tally = problems if isinstance(problems, Tally) else Tally()
        if not isinstance(problems, Tally):
            self.problems = [problems] if isinstance(problems, Problem) else list(problems)
            tally.add(*self.problems)
        else:
            self.problems = tally.firsts
        self.total = tally.total
        super().__init__("\n".join([*tally.lines(), *([hint] if hint else [])]))


class ModelError(InputError):
    """A model can't be loaded, or can't do what was asked of it."""


class MissingExtra(InputError):
    """An optional package is needed and not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs the package {package!r}: pip install 'afina[{extra}]'")


class TrainingError(AfinaError):
    """The run failed for a reason that is not the user's input."""


class Diverged(TrainingError):
    """The loss of a training is not finite, or has left its start for good."""


def printable(value: object, limit: int = 80) -> str:
    """A value of the user's as it may stand in a message: quoted, escaped, not longer than `limit`."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
