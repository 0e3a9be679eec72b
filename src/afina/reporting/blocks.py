"""What a page is made of: sections of sentences, tables, figures, facts, commands and texts with marks.

All words of the user in them are plain text, and become harmless where a block is written as HTML.
"""

from __future__ import annotations

import base64
import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from markupsafe import Markup

from ..outputs.csv_table import csv_writer
from ..quality.label_issues import FORMULA
from .figures import Drawing
from .phrases import Words, foreign


@dataclass(frozen=True, slots=True)
class Ranged:
    """A score with its interval.

    Attributes:
        value: The score; None where it is not defined.
        low, high: Its bounds; None where it has none.
    """

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole, shown in percent."""

    value: float


Cell = str | int | float | None | Ranged | Share | Markup
"""What stands in a table: a word of the user's, a number, or words of the page (`Markup`)."""


@dataclass(frozen=True, slots=True)
class Prose:
    """Sentences.

    Attributes:
        html: The sentences.
        tone: `lead`, `note`, `warning` or nothing.
        language: Their language where it is not that of the page.
    """

    kind: ClassVar[str] = "prose"
    html: Markup | str
    tone: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table, which can be kept as csv.

    Attributes:
        columns: Names of the columns.
        rows: Their values.
        file: Name of the csv; empty for none.
        caption: What the table shows, for those who hear it read.
    """

    kind: ClassVar[str] = "grid"
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    file: str = ""
    caption: str = ""

    def shown(self, words: Words) -> list[list[tuple[Markup | str, bool]]]:
        """The cells as HTML, and whether each is a number."""
        return [[(shown(cell, words), is_number(cell)) for cell in row] for row in self.rows]

    @property
    def link(self) -> str:
        """The table as a link that holds it."""
        return csv_link(self.table())

    def table(self) -> Iterable[Sequence[Any]]:
        """The table with all digits. A score with bounds takes three columns where any in its column has them."""
        ranged = [any(isinstance(row[i], Ranged) for row in self.rows) for i in range(len(self.columns))]
        head: list[str] = []
        for name, three in zip(self.columns, ranged, strict=True):
            head += [name, f"{name} low", f"{name} high"] if three else [name]
        yield head
        for row in self.rows:
            cells: list[Any] = []
            for cell, three in zip(row, ranged, strict=True):
                cells += plain(cell, three)
            yield cells


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure with its numbers.

    Attributes:
        title: What it shows.
        drawing: The image.
        grid: Its numbers.
        note: What should be known of it; empty for nothing.
    """

    kind: ClassVar[str] = "chart"
    title: str
    drawing: Drawing
    grid: Grid
    note: Markup | str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values."""

    kind: ClassVar[str] = "facts"
    pairs: Sequence[tuple[str | Markup, str | Markup]]


@dataclass(frozen=True, slots=True)
class Code:
    """What to type, or to read as it is."""

    kind: ClassVar[str] = "code"
    text: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text.

    Attributes:
        text: The stretch.
        mark: What it is marked as: `gold`, `said`, `both`, `cut`, or nothing.
        label: The label of the mark.
        weight: How much it counted for the answer, from -1 to 1; None where that is not known.
    """

    text: str
    mark: str = ""
    label: str = ""
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """An example to read.

    Attributes:
        place: Where it stands in the data.
        texts: Its texts, each with its name and pieces.
        facts: What was right, what was said and how sure, as names and values.
        labels: Numbers of the filters that it passes.
        row: The same for a csv.
    """

    place: str
    texts: Sequence[tuple[str, Sequence[Piece]]]
    facts: Sequence[tuple[str, Cell]]
    labels: Sequence[int] = ()
    row: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """Examples to read, with filters by label and a csv to relabel.

    Attributes:
        key: A name for this list on the page, of letters only.
        rows: The examples.
        filters: Names of the filters.
        columns: Columns of the csv.
        file: Name of the csv.
    """

    kind: ClassVar[str] = "reading"
    key: str
    rows: Sequence[Shown]
    filters: Sequence[str] = ()
    columns: Sequence[str] = ()
    file: str = "errors.csv"

    def link(self, number: int | None = None) -> str:
        """The rows that pass a filter as a link that holds a csv; all rows for None."""
        rows = (one.row for one in self.rows if number is None or number in one.labels)
        return csv_link([self.columns, *rows])

    def count(self, number: int) -> int:
        """Number of rows that pass a filter."""
        return sum(number in one.labels for one in self.rows)

    @property
    def rules(self) -> str:
        """The style that hides what does not pass the chosen filter."""
        return "".join(
            f"#{self.key}:has(#{self.key}-{i}:checked) :is(li:not(.f{i}),.csv:not(.f{i})){{display:none}}\n"
            for i in range(len(self.filters))
        ) + (f"#{self.key}:has(#{self.key}-all:checked) .csv:not(.all){{display:none}}\n" if self.filters else "")


@dataclass(frozen=True, slots=True)
class Folded:
    """Blocks that are shown when somebody asks."""

    kind: ClassVar[str] = "folded"
    summary: str
    blocks: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Beside:
    """A figure, and blocks beside it where there is room."""

    kind: ClassVar[str] = "beside"
    chart: Chart
    blocks: Sequence[Any]


Block = Prose | Grid | Chart | Facts | Code | Reading | Folded | Beside


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page.

    Attributes:
        key: Its name in addresses.
        title: Its title.
        blocks: What stands in it, from top to bottom.
    """

    key: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Page:
    """A whole page.

    Attributes:
        title: Its title.
        sections: Its parts.
        facts: A line below the title: what it is about.
        end: A line at its end.
    """

    title: str
    sections: Sequence[Section]
    facts: Sequence[Markup | str] = ()
    end: Markup | str = ""
    style: Mapping[str, str] = field(default_factory=dict)

    @property
    def rules(self) -> str:
        """The style that the filters of this page need."""
        found = readings(block for section in self.sections for block in section.blocks)
        return "".join(one.rules for one in found)


def readings(blocks: Iterable[Any]) -> list[Reading]:
    """The lists of examples among some blocks."""
    found: list[Reading] = []
    for block in blocks:
        if isinstance(block, Reading):
            found.append(block)
        elif isinstance(block, Folded | Beside):
            found += readings(block.blocks)
    return found


def is_number(cell: Cell) -> bool:
    """Whether a cell is aligned as a number."""
    return cell is None or isinstance(cell, int | float | Ranged | Share)


def shown(cell: Cell, words: Words) -> Markup | str:
    """A cell as HTML."""
    numbers = words.numbers
    match cell:
        case Markup():
            return cell
        case bool() | str():
            return foreign(cell)
        case int():
            return numbers.whole(cell)
        case Ranged():
            bounds = numbers.interval(cell.low, cell.high)
            value = numbers.score(cell.value)
            return Markup('{} <span class="range">{}</span>').format(value, bounds) if bounds else value
        case Share():
            return numbers.percent(cell.value, 1)
    return numbers.score(cell)


def plain(cell: Cell, three: bool) -> list[Any]:
    """A cell for a csv: one value, or a score with its bounds."""
    if isinstance(cell, Ranged):
        return [known(cell.value), known(cell.low), known(cell.high)]
    value = cell.value if isinstance(cell, Share) else cell.striptags() if isinstance(cell, Markup) else cell
    return [value, "", ""] if three else [known(value)]


def known(value: Any) -> Any:
    """A value, or nothing where it is no number."""
    return "" if value is None or (isinstance(value, float) and not math.isfinite(value)) else value


def csv_link(rows: Iterable[Sequence[Any]]) -> str:
    """A link that holds a csv, with nothing in it that a spreadsheet would take for a formula."""
    file = io.StringIO()
    writer = csv_writer(file, csv.QUOTE_MINIMAL)
    for row in rows:
        writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in row])
    # The mark at the start lets spreadsheets know the encoding.
    data = base64.b64encode(("\ufeff" + file.getvalue()).encode("utf-8", "replace")).decode()
    return f"data:text/csv;charset=utf-8;base64,{data}"


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text
