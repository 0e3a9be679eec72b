"""A column of dates or times, as numbers that order its rows.

A value is read by itself first, so that a bad one is a problem of its row; what only the whole column tells (whether
03/04 is in March or in April, and that all count from the same moment) is settled in the end.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, NoReturn

from ..errors import DataError, Problem, printable

SLASHED = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})(?:[T ,]+(\d{1,2}:\d{2}.*))?", re.ASCII)
"""A day, a month and a year, the day or the month first, and perhaps a time."""
NOUGHT = re.compile(r"((?<=\d)-|[T ])(?=\d(?!\d))", re.ASCII)
"""Where a nought lacks before a month, a day or an hour of one digit."""
MONTH = re.compile(r"\d{4}-\d{2}", re.ASCII)
NUMBER = re.compile(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?", re.ASCII)
UNITS = (1e11, 1e14, 1e17)
"""From these on a number of seconds since 1970 is one of milli-, micro- and nanoseconds."""
FIX = "write dates as 2024-12-31 or 2024-12-31T23:59:59"


@dataclass(frozen=True, slots=True)
class Moment:
    """One value of the column, in seconds since 1970 or, where the data hold a number, as that number.

    Attributes:
        place: The row's place.
        shown: The value as it stands in the data.
        day_first: The value where dates are written day/month/year; None if it can't be so.
        month_first: The value where they are written month/day/year; None if it can't be so.
        counted: Whether the data hold a number.
        zoned: Whether the data hold a time with its zone.
    """

    place: str
    shown: str
    day_first: float | None
    month_first: float | None
    counted: bool = False
    zoned: bool = False


def moment_of(value: Any, *, column: str, place: str) -> Moment:
    """When a row was, by the value of its column of times.

    Raises:
        DataError: it can't be read.
    """
    text = value.strip() if isinstance(value, str) else ""
    if NUMBER.fullmatch(text):
        value = float(text)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return Moment(place, f"{value:.15g}", float(value), float(value), counted=True)
    if isinstance(value, date):
        text = value.isoformat()
    found = slashed(text) or written(text.replace("/", "-"))
    if found is None:
        shown = "nothing" if value is None or value == "" else printable(value, 40)
        message = f"column {column!r}: expected a date or a time, found {shown}"
        raise DataError(Problem(place, message, FIX, "no-time"))
    return replace(found, place=place, shown=text)


def slashed(text: str) -> Moment | None:
    """A date of the form 31/12/2024, 31.12.2024 or 12-31-2024, perhaps with a time; None for any other text."""
    match = SLASHED.fullmatch(text)
    if match is None:
        return None
    first, sign, second, year, time = match.groups()
    rest = f"T{time}" if time else ""
    day_first = written(f"{year}-{second:0>2}-{first:0>2}{rest}")
    month_first = written(f"{year}-{first:0>2}-{second:0>2}{rest}")
    if sign == ".":  # nobody writes the month first with points
        return day_first
    known = day_first or month_first
    return known and replace(
        known,
        day_first=day_first.day_first if day_first else None,
        month_first=month_first.month_first if month_first else None,
    )


def written(text: str) -> Moment | None:
    """A date or time in a form of ISO 8601, a month alone included; None for any other text."""
    padded = text if "W" in text else NOUGHT.sub(r"\g<1>0", text)
    try:
        time = datetime.fromisoformat(f"{padded}-01" if MONTH.fullmatch(padded) else padded)
    except ValueError:
        return None
    number = (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    return Moment("", text, number, number, zoned=time.tzinfo is not None)


def ordered(moments: Sequence[Moment], column: str) -> list[float]:
    """The numbers of all rows, the later the greater. A time without a zone is taken as UTC.

    Raises:
        DataError: some are dates and others numbers, the numbers have several units, or the order of day and month is
            open or not the same everywhere.
    """
    first = moments[0]
    for one in moments:
        if one.counted != first.counted:
            found = f"a {'number' if one.counted else 'date'}, and a {'number' if first.counted else 'date'}"
            refuse(one, column, f"{found} in {first.place}", "write all in one form")
        if unit(one) != unit(first):
            refuse(one, column, f"a number of another unit than that in {first.place}", "write all in one unit")
    days = [one for one in moments if one.month_first is None]
    months = [one for one in moments if one.day_first is None]
    open_ones = [one for one in moments if one.day_first != one.month_first]
    if days and months:
        refuse(days[0], column, f"a date with the day first, and in {months[0].place} one with the month first")
    if open_ones and not days and not months:
        refuse(open_ones[0], column, "a date that does not tell the day from the month, nor does any other")
    return [(one.month_first if months else one.day_first) or 0.0 for one in moments]


def unit(moment: Moment) -> int:
    """0 for a number of seconds (or of days, years), 1 for milliseconds, 2 for micro- and 3 for nanoseconds."""
    return sum(moment.counted and (moment.day_first or 0) >= limit for limit in UNITS)


def refuse(moment: Moment, column: str, found: str, fix: str = FIX) -> NoReturn:
    """Refuse the whole column.

    Raises:
        DataError: always.
    """
    raise DataError(Problem(moment.place, f"column {column!r} can't be put in order: found {found}", fix, "no-order"))
