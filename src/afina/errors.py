"""Everything afina raises on purpose.

AfinaError              exit code 1
├── InputError          exit code 2: the user's input is wrong, and the message says how to mend it
│   ├── ConfigError     a setting: unknown, of the wrong type, impossible together with another
│   ├── DataError       rows of a data file; carries one `Problem` per fault, each with its place
│   ├── ModelError      a model folder or name that can't be loaded, or can't do what was asked
│   └── MissingExtra    an optional package is not installed; names the extra that brings it
└── TrainingError       the run failed: a loss that is not finite, a frozen weight that moved
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SHOWN = 20
"""How many problems of a file a message lists; the count always covers all of them."""


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


class AfinaError(Exception):
    """Base of all errors that afina raises on purpose."""

    exit_code = 1


class InputError(AfinaError):
    """The user's input is wrong; the message says where and how to mend it."""

    exit_code = 2


class ConfigError(InputError):
    """One or more settings are wrong. All of them are listed."""

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


class DataError(InputError):
    """One or more rows, or a whole file, can't be used. The first 20 are listed, all are counted; a hint may follow."""

    def __init__(self, problems: Problem | Iterable[Problem], total: int | None = None, hint: str = "") -> None:
        self.problems = [problems] if isinstance(problems, Problem) else list(problems)
        self.total = len(self.problems) if total is None else total
        lines = [str(problem) for problem in self.problems[:SHOWN]]
        if self.total > len(lines):
            lines.append(f"... and {self.total - len(lines)} more ({self.total} problems in all)")
        lines += [hint] if hint else []
        super().__init__("\n".join(lines))


class ModelError(InputError):
    """A model can't be loaded, or can't do what was asked of it."""


class MissingExtra(InputError):
    """An optional package is needed and not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs the package {package!r}: pip install 'afina[{extra}]'")


class TrainingError(AfinaError):
    """The run failed for a reason that is not the user's input."""


def printable(value: object, limit: int = 80) -> str:
    """A value of the user's as it may stand in a message: quoted, escaped, not longer than `limit`."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
