"""What a study says: verdicts, tables, figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from ..printing import Block, Shown, Table

Answer = Literal["confirmed", "not confirmed", "undecided"]
"""What the data say about a claim."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the data say about a claim.

    Attributes:
        claim: The claim, in a sentence.
        answer: Whether it was confirmed.
        sentence: What was measured, with figures and intervals, in one or two sentences.
        decide: What would decide it, where it is undecided, without a full stop; else empty.
    """

    claim: str
    answer: Answer
    sentence: str
    decide: str = ""


@dataclass(frozen=True, slots=True)
class Board:
    """A table with a title.

    Attributes:
        title: What it shows.
        columns: Names of the columns.
        rows: The values of each row: texts, whole numbers, numbers (None where one is not defined).
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Series:
    """A line of a figure, with its band where it has one.

    Attributes:
        name: Name of the line.
        x: Places on the axis.
        y: Values there.
        low: Lower bounds of the values; empty without a band.
        high: Upper bounds.
        points: Names of its values, which stand alone then, without a line; empty for a line.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    points: Sequence[str] = field(default=(), kw_only=True)


@dataclass(frozen=True, slots=True)
class Figure:
    """Lines over one axis.

    Attributes:
        title: What it shows.
        x: What the axis shows, with its unit.
        y: What the values are, with their unit.
        series: The lines.
        logarithmic: Whether the axis is logarithmic.
    """

    title: str
    x: str
    y: str
    series: Sequence[Series]
    logarithmic: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Summary(Shown):
    """What a study found. `print` shows what the command line shows, and a notebook a table.

    It depends on the results of the trials alone. Whatever depends on the time of day or the speed of the machine is
    in `times`, which is kept in a file of its own.

    Attributes:
        verdicts: What the data say about each claim.
        boards: Tables, the most important one first.
        figures: Figures, the most important one first.
        times: Tables of seconds and of what follows from them.
        notes: What else should be known, such as diverged trials; each begins small and has no full stop.
        recommended: Settings by path that the study recommends; empty where it recommends none.
    """

    verdicts: Sequence[Verdict]
    boards: Sequence[Board] = ()
    figures: Sequence[Figure] = ()
    times: Sequence[Board] = ()
    notes: Sequence[str] = ()
    recommended: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Summary({'; '.join(f'{one.claim}: {one.answer}' for one in self.verdicts)})"

    def blocks(self) -> Iterator[Block]:
        """Verdicts, tables, notes, and the recommended settings."""
        for verdict in self.verdicts:
            yield f"{verdict.claim}: {verdict.answer}"
            yield f"  {verdict.sentence}"
            if verdict.decide:
                yield f"  What would decide it: {verdict.decide}."
        for board in (*self.boards, *self.times):
            yield ""
            yield board.title
            yield Table(board.columns, [["-" if value is None else value for value in row] for row in board.rows])
        if self.notes:
            yield ""
            yield from (f"note: {note}" for note in self.notes)
        if self.recommended:
            yield ""
            yield "recommended: " + " ".join(f"--set {path}={value}" for path, value in self.recommended.items())

    def record(self) -> dict[str, Any]:
        """All but the times, as JSON values."""
        return {name: value for name, value in asdict(self).items() if name != "times"}

    @classmethod
    def of(cls, record: Mapping[str, Any], times: Sequence[Mapping[str, Any]]) -> Summary:
        """A summary from JSON values.

        Args:
            record: What `record` gave.
            times: The tables of times.

        Raises:
            TypeError: a part is missing, or one that there is none of is there.
        """
        figures = [
            Figure(**{**one, "series": [Series(**line) for line in one["series"]]}) for one in record.get("figures", ())
        ]
        return cls(
            [Verdict(**one) for one in record.get("verdicts", ())],
            [Board(**one) for one in record.get("boards", ())],
            figures,
            [Board(**one) for one in times],
            record.get("notes", ()),
            record.get("recommended", {}),
        )
