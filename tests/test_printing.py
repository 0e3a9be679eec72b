"""Lines, numbers and tables as a person sees them."""

from __future__ import annotations

import pytest

from afina import printing


def test_everything_that_moves_a_cursor_is_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    printing.say("a\tb\x1b[1m\r\u2028\ud800 é 漢\nz")
    assert capsys.readouterr().out == "a\\tb\\x1b[1m\\r\\u2028\\ud800 é 漢\nz\n"


def test_numbers_for_people() -> None:
    assert [printing.number(value) for value in (0.5, 12345.678, float("nan"), 7, "x")] == [
        "0.5000",
        "12345.7",
        "nan",
        "7",
        "x",
    ]


def test_columns_stand_below_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    printing.say_table(["label", "f1"], [["漢字", 0.5], ["e\u0301a", 1.0], ["new\nline", 2]])
    assert capsys.readouterr().out == "label      f1\n漢字       0.5000\ne\u0301a         1.0000\nnew\\nline  2\n"


def test_one_is_singular() -> None:
    assert [printing.many(count, "example") for count in (0, 1, 2, 1000)] == [
        "0 examples", "1 example", "2 examples", "1,000 examples",
    ]  # fmt: skip
    assert [printing.many(count, "entity", "entities") for count in (1, 2)] == ["1 entity", "2 entities"]
