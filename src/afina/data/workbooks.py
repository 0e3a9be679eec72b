"""Spreadsheets: a sheet of a workbook as rows, its texts as a person sees them. See `cells`.

The first visible sheet that is a table is read, the rows above its header are left out, and both are told. Places
have the numbers of rows that programs show.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import BinaryIO
from xml.etree.ElementTree import ParseError

from ..errors import printable
from ..printing import many
from ..records import Row
from . import compression, misnamed, ods, xls, xlsx
from .cells import Cells, Sheet, letters
from .dialects import SAMPLE, is_data, proposed
from .formats import Reader
from .lines import Item, ReadOptions, RecordError, fail, surrogate_in, too_long
from .names import check_names

ZIP, OLD = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""First bytes of workbooks that are zip archives, and of old ones."""
DAMAGE = (*compression.DAMAGE, LookupError, ParseError)
"""What is raised for workbooks that are cut short or damaged."""
PEEK = 3
"""Rows that are looked at to choose a sheet."""


def read_workbook(name: str, file: BinaryIO, options: ReadOptions) -> Iterator[Item]:
    """The rows of one sheet of a workbook.

    Raises:
        DataError: it is none, is damaged or protected, has no such sheet, or its header can't be used.
        MissingExtra: what reads old workbooks is not installed.
    """
    try:
        sheet = choose(name, sheets_of(name, file), options)
        yield from rows_of(name, sheet, options)
    except DAMAGE as error:
        shown = str(error).splitlines()[0] if str(error) else type(error).__name__
        fail(name, "damaged", f"cut short or damaged: {shown}", fix="fetch it again, or open it and save it again")


def sheets_of(name: str, file: BinaryIO) -> list[Sheet]:
    """The sheets of a workbook.

    Raises:
        DataError: it is none, or of a kind that can't be read.
        MissingExtra: it is an old one, and what reads those is not installed.
    """
    start = file.read(len(OLD))
    file.seek(0)
    if start == OLD:
        return xls.sheets_of(name, file)
    if not start.startswith(ZIP):
        misnamed.refuse(name, file, "a spreadsheet")
    archive = zipfile.ZipFile(file)
    compression.check_size(name, sum(member.file_size for member in archive.infolist()))
    members = archive.namelist()
    if xlsx.WORKBOOK not in members and ods.CONTENT not in members:
        fail(name, "misnamed", "no workbook that can be read", fix="save it as .xlsx in a spreadsheet program")
    return xlsx.sheets_of(archive) if xlsx.WORKBOOK in members else ods.sheets_of(archive)


def choose(name: str, sheets: Sequence[Sheet], options: ReadOptions) -> Sheet:
    """The sheet that was asked for, or the first visible one that is a table; the others are told.

    Raises:
        DataError: there is no such sheet, or none that is not empty.
    """
    if options.sheet is not None:
        asked = options.sheet.strip().casefold()
        found = next((sheet for sheet in sheets if sheet.name.strip().casefold() == asked), None)
        if found is None:
            names = ", ".join(printable(sheet.name) for sheet in sheets)
            fail(name, "no-sheet", f"no sheet {printable(options.sheet)}; the sheets are {names}")
        return found
    heads = {sheet: list(islice(sheet.rows(), PEEK)) for sheet in sheets}
    filled = [sheet for sheet in sheets if heads[sheet]]
    if not filled:
        fail(name, "no-rows", "no rows: the workbook is empty")
    order = sorted(filled, key=lambda sheet: not (sheet.visible and is_table(heads[sheet])))
    if len(filled) > 1:
        others = ", ".join(printable(sheet.name) for sheet in filled if sheet is not order[0])
        options.note(f"{name}: reads the sheet {printable(order[0].name)}; --sheet NAME for another: {others}")
    return order[0]


def is_table(rows: Sequence[Cells]) -> bool:
    """Whether the first rows of a sheet have several columns."""
    return sum(width(row) > 1 for row in rows) > 1


def width(row: Cells) -> int:
    """How many cells of a row hold text."""
    return sum(bool(text.strip()) for text in row.texts)


# ---- rows


def rows_of(name: str, sheet: Sheet, options: ReadOptions) -> Iterator[Item]:
    """The rows of a sheet below its header.

    Raises:
        DataError: the header can't be used, or there is nothing below it.
    """
    found = iter(sheet.rows())
    head = list(islice(found, SAMPLE))
    names, head = (list(options.columns), head) if options.columns else header_of(name, head, options)
    if not head:
        fail(name, "no-rows", f"no rows: there is {'nothing' if options.columns else 'only a header'}")
    if options.columns and head[0].texts == names:
        fix = "leave out columns: the sheet has a header"
        fail(f"{name}:{head[0].number}", "header", "the first row holds the column names", fix=fix)
    spilled: dict[int, int] = {}
    for row in chain(head, found):
        yield item_of(name, row, names, strict=bool(options.columns))
        for column in beyond(row, names):
            spilled[column] = spilled.get(column, 0) + 1
    nameless = sorted({column for column, named in enumerate(names) if not named} | {*spilled})
    if nameless and not options.columns:
        options.note(f"{name}: {left_out(nameless, spilled)}")


def beyond(row: Cells, names: Sequence[str]) -> list[int]:
    """The filled cells of a row that stand in no column with a name."""
    return [i for i, text in enumerate(row.texts) if text.strip() and (i >= len(names) or not names[i])]


def left_out(columns: Sequence[int], filled: dict[int, int]) -> str:
    """Columns without a name, for a note."""
    shown = ", ".join(f"{letters(i)} ({filled.get(i, 0):,} filled)" for i in columns)
    return f"column{'s' * (len(columns) > 1)} {shown} without a name {'are' if len(columns) > 1 else 'is'} left out"


def item_of(name: str, row: Cells, names: Sequence[str], *, strict: bool) -> Item:
    """A row of a sheet under its column names, or what is wrong with it.

    Args:
        name: Path of the workbook.
        row: The row.
        names: The column names; empty where a column has none.
        strict: Whether cells without a name are a fault.
    """
    place = f"{name}:{row.number}"
    texts = [*row.texts, *[""] * (len(names) - len(row.texts))]
    values = {column: text for column, text in zip(names, texts, strict=False) if column}
    error = fault_of(row, names) or too_long(texts, sum(map(len, texts)))
    error = error or next(filter(None, map(surrogate_in, texts)), None)
    if error is None and strict and beyond(row, names):
        fix = f"name all {len(row.texts)} columns: --header A,B"
        error = RecordError("ragged-row", f"found {many(len(row.texts), 'cell')}, expected {len(names)}", fix)
    if error is None:
        return Row(values, place)
    return error.at(place, (json.dumps(values, ensure_ascii=False) + "\n").encode("utf-8", "replace"))


def fault_of(row: Cells, names: Sequence[str]) -> RecordError | None:
    """What is wrong with a cell that has a name, if anything is."""
    for column, (what, fix) in sorted(row.faults.items()):
        if column < len(names) and names[column]:
            return RecordError("no-value", f"cell {letters(column)}{row.number} {what}", fix)
    return None


def header_of(name: str, head: list[Cells], options: ReadOptions) -> tuple[list[str], list[Cells]]:
    """The column names, with empty ones for columns that have none, and the rows below them.

    Rows of one cell above rows of several are titles.

    Raises:
        DataError: there is none, it is a row like the others, or its names can't be told apart.
    """
    titles = titles_in(head)
    if titles:
        numbers = ", ".join(str(row.number) for row in head[:titles])
        what = f"row{'s' * (titles > 1)} {numbers} above the header"
        options.note(f"{name}: {what} {'are' if titles > 1 else 'is'} left out: {shown_titles(head[:titles])}")
    if not head:
        fail(name, "no-rows", "no rows: the sheet is empty")
    header, rows = head[titles], head[titles + 1 :]
    place = f"{name}:{header.number}"
    first, others = padded([header, *rows])
    if is_data(first, others):
        fix = f"if there is no header, name the {len(first)} columns: --header {','.join(proposed(first, others))}"
        shown = printable(", ".join(first))
        fail(place, "no-header", f"the first row looks like the others: {shown}", fix=fix)
    names = [text.strip() for text in header.texts]
    check_names(place, [column for column in names if column])
    return names, rows


def titles_in(head: Sequence[Cells]) -> int:
    """How many of the first rows are titles: of one cell, above others most of which have several.

    One cell above two columns is the header where it stands above the second: pandas gives no name to an index.
    """
    first = next((i for i, row in enumerate(head) if width(row) > 1), 0)
    below = head[first:]
    indexed = all(not row.texts[0] for row in head[:first]) and len(head[first].texts) == 2 if below else False
    return 0 if indexed or 2 * sum(width(row) > 1 for row in below) <= len(below) else first


def shown_titles(rows: Iterable[Cells]) -> str:
    """The texts of rows above a header, for a note."""
    return printable(" / ".join(text for row in rows for text in row.texts if text.strip()))


def padded(rows: Sequence[Cells]) -> tuple[list[str], list[list[str]]]:
    """The texts of a header and of the rows below it, all as many as the header has."""
    wide = len(rows[0].texts)
    first, *others = ([*row.texts[:wide], *[""] * (wide - len(row.texts))] for row in rows)
    return first, others


READER = Reader(
    "excel",
    (".xlsx", ".xlsm", ".ods", ".xls"),
    read_workbook,
    summary="spreadsheets; .xls needs afina[excel]",
    magic=(ZIP, OLD),
    cures=dict.fromkeys((".xlsb", ".numbers", ".wk1"), "save it as .xlsx"),
)
