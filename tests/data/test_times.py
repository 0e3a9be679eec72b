"""Dates and times in any usual form order their rows, or are refused with the row and the cure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.data.times import FIX, moment_of, ordered
from afina.errors import DataError


def order(*values: Any) -> list[float]:
    return ordered([moment_of(value, column="when", place=f"t.csv:{n}") for n, value in enumerate(values, 2)], "when")


LATE = datetime(2024, 2, 5, 9, 7, 30, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "value",
    [
        "2024-02-05T09:07:30", "2024-02-05 09:07:30", "2024-02-05 9:07:30", "2024-02-05T09:07:30Z",
        "2024/02/05 09:07:30",
        "2024-02-05T06:07:30-03:00", "05.02.2024 09:07:30", " 2024-2-5 9:07:30 ", "2024-02-05T09:07:30.000",
        datetime(2024, 2, 5, 9, 7, 30), datetime(2024, 2, 5, 6, 7, 30, tzinfo=timezone(timedelta(hours=-3))),
    ],
)  # fmt: skip
def test_forms_of_one_moment(value: Any) -> None:
    assert order(value) == [LATE]


DAY = datetime(2024, 2, 5, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("value", ["2024-02-05", "2024/2/5", "05.02.2024", "5.2.2024", date(2024, 2, 5), "2024-W06-1"])
def test_forms_of_one_day(value: Any) -> None:
    assert order(value) == [DAY]


def test_a_month_is_its_first_day() -> None:
    assert order("2024-02", "2024-02-01") == [DAY - 4 * 86400] * 2


@pytest.mark.parametrize("sign", "/-")
def test_the_column_tells_the_day_from_the_month(sign: str) -> None:
    brazilian = [value.replace("/", sign) for value in ("03/04/2024", "05/02/2024 10:00", "31/01/2024")]
    assert order(*brazilian)[2] < order(*brazilian)[1] < order(*brazilian)[0]
    american = [value.replace("/", sign) for value in ("03/04/2024", "05/02/2024", "01/31/2024")]
    assert order(*american)[2] < order(*american)[0] < order(*american)[1]
    assert order(f"05{sign}05{sign}2024") == [datetime(2024, 5, 5, tzinfo=UTC).timestamp()]  # the same either way


@given(st.lists(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)), min_size=1, max_size=20))
def test_any_form_of_dates_orders_alike(times: list[datetime]) -> None:
    times = [*times, datetime(2024, 1, 31)]  # tells the day from the month
    days = [datetime(time.year, time.month, time.day, time.hour, time.minute) for time in times]
    expected = [time.replace(tzinfo=UTC).timestamp() for time in days]
    for form in ("%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%d.%m.%Y %H:%M", "%Y/%m/%dT%H:%M"):
        assert order(*[f"{time:{form}}" if time.year >= 1000 else "" for time in days]) == expected


def test_numbers_count_from_wherever() -> None:
    assert order(1_700_000_000, "1700000000.5", 0) == [1_700_000_000, 1_700_000_000.5, 0]
    assert order("2019", 2020) == [2019, 2020]
    assert order("20240131", "20240201") == [20240131, 20240201]


@pytest.mark.parametrize(
    "value",
    [None, "", " ", "soon", "2024-02-30", "31/31/2024", "05/02/24", True, float("nan"), float("inf"), [1], "1,5"],
)
def test_what_is_no_time_is_a_problem_of_its_row(value: Any) -> None:
    with pytest.raises(DataError) as caught:
        order("2024-02-05", value)
    (problem,) = caught.value.problems
    assert (problem.place, problem.code, problem.fix) == ("t.csv:3", "no-time", FIX)
    assert problem.message.startswith("column 'when': expected a date or a time, found ")


@pytest.mark.parametrize(
    ("values", "place", "says"),
    [
        (("2024-02-05", 7, "2024-02-06"), "t.csv:3", "a number, and a date in t.csv:2; write all in one form"),
        ((1_700_000_000, 1_700_000_000_000), "t.csv:3", "another unit than that in t.csv:2"),
        (
            ("31/12/2024", "03/04/2024", "12/31/2024"),
            "t.csv:2",
            "with the day first, and in t.csv:4 one with the month",
        ),
        (("05/05/2024", "03/04/2024"), "t.csv:3", "does not tell the day from the month"),
    ],
)
def test_what_only_the_column_tells(values: tuple[Any, ...], place: str, says: str) -> None:
    with pytest.raises(DataError) as caught:
        order(*values)
    assert str(caught.value).startswith(f"{place}: column 'when' can't be put in order: found ")
    assert says in str(caught.value)
