"""Numbers, dates and times have the text that a person sees, in one form for all programs."""

from __future__ import annotations

import pytest

from afina.data.cells import form_of, letters, moment_text, number_text


@pytest.mark.parametrize(
    ("value", "text"),
    [("1", "1"), ("1.0", "1"), ("-3", "-3"), ("0.1", "0.1"), ("0.30000000000000004", "0.3"), ("1E-3", "0.001"),
     ("1.2345678901234567E+19", "1.23456789012346e+19"), ("12345678901234567890", "12345678901234567890"),
     ("1e999", "1e999"), ("2.5E3", "2500")],
)  # fmt: skip
def test_numbers(value: str, text: str) -> None:
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("code", "form"),
    [("General", ""), ("0.00", ""), ("#,##0", ""), ("0%", ""), ("@", ""), ('0 "days"', ""), ("[Red]0", ""),
     ("0.00E+00", ""), ('[$-409]#,##0.00" dh"', ""), ("yyyy-mm-dd", "date"), ("dd/mm/yy;@", "date"), ("mmmm", "date"),
     ("[$-416]d. mmm yyyy", "date"), ("h:mm", "time"), ("h:mm AM/PM", "time"), ("mm:ss.0", "time"),
     ("dd/mm/yyyy hh:mm", "moment"), ("[h]:mm:ss", "elapsed"), ("[mm]:ss", "elapsed"), (r"\d0", "")],
)  # fmt: skip
def test_what_a_number_format_shows(code: str, form: str) -> None:
    assert form_of(code) == form


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [("43832", "date", "2020-01-02"), ("43832.5", "date", "2020-01-02 12:00:00"),
     ("43832", "moment", "2020-01-02 00:00:00"), ("43832.127835648", "moment", "2020-01-02 03:04:05"),
     ("0.5", "time", "12:00:00"), ("1.25", "elapsed", "30:00:00"), ("1", "date", "1900-01-01"),
     ("61", "date", "1900-03-01"), ("-1", "date", "-1"), ("1e9", "date", "1000000000")],
)  # fmt: skip
def test_dates_and_times(value: str, form: str, text: str) -> None:
    assert moment_text(value, form) == text


def test_days_from_1904() -> None:
    assert moment_text("42370", "date", since_1904=True) == "2020-01-02"


def test_columns_have_letters() -> None:
    assert [letters(i) for i in (0, 25, 26, 51, 52, 701, 702, 16383)] == [
        "A",
        "Z",
        "AA",
        "AZ",
        "BA",
        "ZZ",
        "AAA",
        "XFD",
    ]
