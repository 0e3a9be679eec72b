"""The sheets of Excel's workbooks (xlsx), which are XML in a zip archive, row by row."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element
from zipfile import ZipFile

from .cells import Cells, Sheet, error, form_of, letters, merged, moment_text, number_text, uncomputed
from .lines import CHUNK
from .markup import attribute, events, local

WORKBOOK = "xl/workbook.xml"
FORMS = {
    **dict.fromkeys((14, 15, 16, 17, 27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 57, 58), "date"),
    **dict.fromkeys((18, 19, 20, 21, 32, 33, 34, 35, 45, 47, 55, 56), "time"),
    22: "moment",
    46: "elapsed",
}
"""What the number formats show that have no code of their own, where they show dates or times."""
REFERENCE = re.compile(r"([A-Z]{1,3})(\d+)")
MERGES = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*?\bref="([A-Z]+\d+):([A-Z]+\d+)"')
LONGEST_TAG = 200
"""Bytes of a tag about merged cells."""
ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
"""How a character is written that XML can't hold."""


class Book(NamedTuple):
    """What the cells of all sheets refer to.

    Attributes:
        strings: The texts of cells.
        forms: By style, what it shows.
        since_1904: Whether days are counted from 1904.
    """

    strings: Sequence[str]
    forms: Sequence[str]
    since_1904: bool


class Merge(NamedTuple):
    """A rectangle of merged cells; rows from 1, columns from 0, the last ones included."""

    top: int
    left: int
    bottom: int
    right: int


def sheets_of(archive: ZipFile) -> list[Sheet]:
    """The sheets of a workbook.

    Raises:
        KeyError: a part is missing.
        ParseError: a part is no XML.
    """
    parts = relations(archive)
    found: list[tuple[str, bool, str]] = []
    since_1904 = False
    with archive.open(WORKBOOK) as file:
        for event, name, element in events(file):
            if event == "start" and name == "workbookPr":
                since_1904 = attribute(element, "date1904") in ("1", "true")
            elif event == "start" and name == "sheet":
                visible = attribute(element, "state") in ("", "visible")
                found.append((attribute(element, "name"), visible, attribute(element, "id")))
    paths = {part: path for part, (kind, path) in parts.items() if kind == "worksheet"}
    others = dict(parts.values())
    strings = [*strings_of(archive, others["sharedStrings"])] if "sharedStrings" in others else []
    forms = forms_of(archive, others["styles"]) if "styles" in others else []
    book = Book(strings, forms, since_1904)
    return [sheet(archive, name, visible, paths[part], book) for name, visible, part in found if part in paths]


def sheet(archive: ZipFile, name: str, visible: bool, path: str, book: Book) -> Sheet:
    """A sheet whose rows are read when they are asked for."""
    return Sheet(name, visible, lambda: rows_of(archive, path, book))


def relations(archive: ZipFile) -> dict[str, tuple[str, str]]:
    """By their ids the kinds and paths of the parts of a workbook."""
    found = {}
    with archive.open("xl/_rels/workbook.xml.rels") as file:
        for event, name, element in events(file):
            if event == "start" and name == "Relationship":
                kind = attribute(element, "Type").rpartition("/")[2]
                path = posixpath.normpath(posixpath.join("/xl", attribute(element, "Target")))[1:]
                found[attribute(element, "Id")] = kind, path
    return found


def strings_of(archive: ZipFile, path: str) -> Iterator[str]:
    """The texts that cells refer to by their numbers."""
    with archive.open(path) as file:
        for event, name, element in events(file, "si"):
            if event == "end" and name == "si":
                yield text_of(element)


def text_of(element: Element) -> str:
    """A text, perhaps of several runs; how it is spoken is no part of it."""
    found = []
    for part in element:
        if local(part.tag) == "t":
            found.append(part.text or "")
        elif local(part.tag) == "r":
            found += [run.text or "" for run in part if local(run.tag) == "t"]
    text = "".join(found)
    return ESCAPE.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


def forms_of(archive: ZipFile, path: str) -> list[str]:
    """What each style shows."""
    codes: dict[int, str] = {}
    styles: list[int] = []
    with archive.open(path) as file:
        inside = False
        for event, name, element in events(file):
            if name == "cellXfs":
                inside = event == "start"
            elif event == "start" and name == "numFmt":
                codes[int(attribute(element, "numFmtId"))] = attribute(element, "formatCode")
            elif event == "start" and name == "xf" and inside:
                styles.append(int(attribute(element, "numFmtId") or 0))
    return [form_of(codes[style]) if style in codes else FORMS.get(style, "") for style in styles]


# ---- rows


def rows_of(archive: ZipFile, path: str, book: Book) -> Iterator[Cells]:
    """The rows of a sheet that are not empty."""
    waiting = sorted(merges_of(archive, path), reverse=True)
    active: list[Merge] = []
    with archive.open(path) as file:
        number = 0
        for event, name, element in events(file, "row"):
            if event == "start" or name != "row":
                continue
            number = int(element.get("r") or number + 1)
            while waiting and waiting[-1].top <= number:
                active.append(waiting.pop())
            active = [merge for merge in active if merge.bottom >= number]
            row = cells_of(number, element, active, book)
            if row.texts:
                yield row


def cells_of(number: int, row: Element, merges: Sequence[Merge], book: Book) -> Cells:
    """The cells of a row."""
    texts: dict[int, str] = {}
    faults: dict[int, tuple[str, str]] = {}
    column = -1
    for cell in row:
        place = REFERENCE.fullmatch(cell.get("r", ""))
        column = column_of(place[1]) if place else column + 1
        text = text_in(cell, book)
        if isinstance(text, str):
            texts[column] = text
        else:
            faults[column] = text
    filled = [column for column, text in texts.items() if text] + [*faults]
    if filled:
        for merge in merges:
            first = f"{letters(merge.left)}{merge.top}"
            for column in range(merge.left + (number == merge.top), merge.right + 1):
                faults[column] = merged(first)
    last = max([*filled, *faults], default=-1)
    return Cells(number, [texts.get(column, "") for column in range(last + 1)], faults)


def column_of(name: str) -> int:
    """The number of a column, from 0."""
    number = 0
    for letter in name:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1


def text_in(cell: Element, book: Book) -> str | tuple[str, str]:
    """What a cell shows, or what is wrong with it."""
    parts: Mapping[str, Element] = {local(part.tag): part for part in cell}
    kind, value = cell.get("t", "n"), parts["v"].text or "" if "v" in parts else ""
    if kind == "inlineStr":
        return text_of(parts["is"]) if "is" in parts else ""
    if not value:
        return uncomputed() if "f" in parts and kind != "str" else ""
    if kind == "s":
        return book.strings[int(value)]
    if kind == "str":
        return ESCAPE.sub(lambda match: chr(int(match[1], 16)), value)
    if kind == "e":
        return error(value)
    return plain_text(kind, value, int(cell.get("s", 0)), book)


def plain_text(kind: str, value: str, style: int, book: Book) -> str:
    """What a cell shows that holds no text."""
    if kind == "b":
        return "TRUE" if value == "1" else "FALSE"
    if kind == "d":
        return value.replace("T", " ").removesuffix(" 00:00:00")
    form = book.forms[style] if style < len(book.forms) else ""
    return moment_text(value, form, since_1904=book.since_1904) if form else number_text(value)


def merges_of(archive: ZipFile, path: str) -> Iterator[Merge]:
    """The merged cells of a sheet, which stand behind its rows."""
    rest = b""
    with archive.open(path) as file:
        for chunk in iter(lambda: file.read(CHUNK), b""):
            data, end = rest + chunk, 0
            for match in MERGES.finditer(data):
                end = match.end()
                first, last = (REFERENCE.fullmatch(part.decode()) for part in match.groups())
                if first and last:
                    yield Merge(int(first[2]), column_of(first[1]), int(last[2]), column_of(last[1]))
            rest = data[max(end, len(data) - LONGEST_TAG) :]
