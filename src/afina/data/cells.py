"""Cells of spreadsheets as the text that a person sees in them, and sheets as rows of such cells.

What differs by program and locale has one form: whole numbers without a point, others with one and with up to fifteen
digits, dates and times in ISO form, TRUE and FALSE. What has no value to be seen is a fault of its row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from math import isfinite
from typing import NamedTuple

EPOCHS = {False: datetime(1899, 12, 30), True: datetime(1904, 1, 1)}
"""Day 0, by whether a workbook counts from 1904."""
LEAP = 60
"""The day that Excel counts and that never was, the 29th of February 1900."""
WHOLE = re.compile(r"-?\d+")
UNSEEN = re.compile(r'"[^"]*"|\\.|_.|\*.|am/pm|a/p', re.IGNORECASE)
"""Parts of a number format that stand for themselves."""
ELAPSED = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)
COMPUTE = "open the file in a spreadsheet program and save it, which computes formulas"
MERGED = "unmerge the cells and fill in each row"


class Cells(NamedTuple):
    """A row of a sheet.

    Attributes:
        number: Its number, from 1, as programs show it.
        texts: The text of each cell from column A on; empty for an empty one. The last one is filled or faulty.
        faults: By column, from 0, what is wrong and how to mend it.
    """

    number: int
    texts: list[str]
    faults: dict[int, tuple[str, str]]


class Sheet(NamedTuple):
    """A sheet of a workbook.

    Attributes:
        name: Its name.
        visible: Whether it is shown.
        rows: Gives its rows that are not empty, from the first one on.
    """

    name: str
    visible: bool
    rows: Callable[[], Iterator[Cells]]


def letters(column: int) -> str:
    """The name of a column, counted from 0: A, B, ... Z, AA."""
    name, column = "", column + 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def error(value: str) -> tuple[str, str]:
    """The fault of a cell that holds an error."""
    return f"holds the error {value}", "mend the formula, or replace it by a value"


def uncomputed() -> tuple[str, str]:
    """The fault of a formula without a value."""
    return "holds a formula whose value was never computed", COMPUTE


def merged(first: str) -> tuple[str, str]:
    """The fault of a cell whose value stands in the first of the merged cells."""
    return f"is merged with {first}, where the value stands", MERGED


# ---- numbers and dates


def number_text(value: str) -> str:
    """A number as text: as it stands where it is whole, else with up to fifteen digits, as programs show it."""
    if WHOLE.fullmatch(value):
        return value
    number = float(value)
    if not isfinite(number):
        return value
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(float(f"{number:.15g}"))


def form_of(code: str) -> str:
    """What a number format shows: date, time, moment (both), elapsed (hours beyond 24), or nothing of these."""
    section = UNSEEN.sub("", code).split(";")[0]
    if ELAPSED.search(section):
        return "elapsed"
    signs = re.sub(r"\[[^\]]*\]", "", section).lower()
    if "general" in signs or "#" in signs or "0" in signs.replace(".0", ""):
        return ""
    clock = "h" in signs or "s" in signs
    day = "y" in signs or "d" in signs or ("m" in signs and not clock)
    return "moment" if day and clock else "date" if day else "time" if clock else ""


def moment_text(value: str, form: str, *, since_1904: bool = False) -> str:
    """A number that is shown as a date or time, in ISO form; as a number where it is none that can be."""
    days = float(value)
    try:
        span = timedelta(seconds=round(days * 86_400))
        quirk = timedelta(days=not since_1904 and form != "time" and 1 <= days < LEAP)
        moment = EPOCHS[since_1904] + span + quirk
    except (OverflowError, ValueError):
        return number_text(value)
    if days < 0 or form == "":
        return number_text(value)
    if form == "elapsed":
        minutes, seconds = divmod(round(days * 86_400), 60)
        return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
    if form == "time" and days < 1:
        return moment.time().isoformat()
    return moment.date().isoformat() if form == "date" and days.is_integer() else moment.isoformat(sep=" ")
