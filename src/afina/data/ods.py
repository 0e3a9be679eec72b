"""The sheets of OpenDocument spreadsheets (ods), which are XML in a zip archive, row by row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element
from zipfile import ZipFile

from .cells import Cells, Sheet, error, merged, number_text, uncomputed
from .markup import attribute, events, local

CONTENT = "content.xml"
ROWS, COLUMNS = 1 << 20, 1 << 14
"""How many a sheet may have; more of them are no sheet but an attack."""
ERRORS = re.compile(r"#(N/A|REF!|DIV/0!|VALUE!|NAME\?|NUM!|NULL!)|Err:\d+")
"""What formulas show that have no value."""
CLOCK = re.compile(r"PT(\d+)H(\d+)M(\d+)(?:[.,]\d+)?S")
REMARKS = ("annotation", "note")
"""What stands in a cell or text and is no part of it."""


def sheets_of(archive: ZipFile) -> list[Sheet]:
    """The sheets of a workbook.

    Raises:
        KeyError: the content is missing.
        ParseError: it is no XML.
    """
    with archive.open(CONTENT) as file:
        names = [
            attribute(element, "name") for event, name, element in events(file) if event == "start" and name == "table"
        ]
    return [sheet(archive, i, name) for i, name in enumerate(names)]


def sheet(archive: ZipFile, index: int, name: str) -> Sheet:
    """A sheet whose rows are read when they are asked for."""
    return Sheet(name, True, lambda: rows_of(archive, index))


def rows_of(archive: ZipFile, index: int) -> Iterator[Cells]:
    """The rows of a sheet that are not empty.

    Raises:
        DataError: it has more rows or columns than any program writes.
    """
    table, number = -1, 0
    with archive.open(CONTENT) as file:
        for event, name, element in events(file, "table-row"):
            if event == "start" and name == "table":
                table += 1
            if event == "end" and name == "table" and table == index:
                return
            if event == "start" or name != "table-row" or table != index:
                continue
            repeated = times(element, "number-rows-repeated")
            row = cells_of(number + 1, element)
            if row.texts:
                limit(number + repeated, ROWS)
                yield from (row._replace(number=number + i) for i in range(1, repeated + 1))
            number += repeated


def times(element: Element, name: str) -> int:
    """How often a cell or row stands there."""
    return max(1, int(attribute(element, name) or 1))


def limit(number: int, most: int) -> None:
    """Refuse what would fill memory.

    Raises:
        ValueError: there are more than any program writes.
    """
    if number > most:
        raise ValueError(f"{number:,} filled rows or columns; {most:,} are the most")


def cells_of(number: int, row: Element) -> Cells:
    """The cells of a row.

    Raises:
        ValueError: it has more columns than any program writes.
    """
    texts: list[str] = []
    faults: dict[int, tuple[str, str]] = {}
    column = 0
    for cell in row:
        if local(cell.tag) not in ("table-cell", "covered-table-cell"):
            continue
        repeated = times(cell, "number-columns-repeated")
        covered = local(cell.tag) == "covered-table-cell"
        text = merged("another cell") if covered else text_in(cell)
        if text:
            limit(column + repeated, COLUMNS)
            texts += [""] * (column - len(texts)) + [text if isinstance(text, str) else ""] * repeated
        if isinstance(text, tuple):
            faults |= dict.fromkeys(range(column, column + repeated), text)
        column += repeated
    return Cells(number, texts, faults)


def text_in(cell: Element) -> str | tuple[str, str]:
    """What a cell shows, or what is wrong with it."""
    given = {local(key): value for key, value in cell.items() if ":office:" in key}
    kind = given.get("value-type", "")
    shown = "\n".join(text_of(part) for part in cell if local(part.tag) == "p")
    formula = attribute(cell, "formula")
    if formula and ERRORS.fullmatch(shown):
        return error(shown)
    if formula and not kind:
        return uncomputed()
    if kind in ("float", "percentage", "currency"):
        return number_text(given.get("value", shown))
    if kind == "boolean":
        return given.get("boolean-value", shown).upper()
    if kind in ("date", "time"):
        return moment(given.get(f"{kind}-value", shown))
    return given.get("string-value", "") or shown


def moment(value: str) -> str:
    """A date or time as the form writes it, in the form of all sheets."""
    if match := CLOCK.fullmatch(value):
        return ":".join(f"{int(part):02}" for part in match.groups())
    return value.partition(".")[0].replace("T", " ")


def text_of(element: Element) -> str:
    """A paragraph of text."""
    found = [element.text or ""]
    for part in element:
        name = local(part.tag)
        if name == "s":
            found.append(" " * times(part, "c"))
        elif name in ("tab", "line-break"):
            found.append("\t" if name == "tab" else "\n")
        elif name not in REMARKS:
            found.append(text_of(part))
        found.append(part.tail or "")
    return "".join(found)
