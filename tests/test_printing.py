"""Lines, numbers and tables as a person sees them."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def test_nothing_of_the_users_is_markup_in_a_notebook() -> None:
    blocks: list[printing.Block] = [
        "<b>1</b>",
        "\x1b[1mtwo",
        printing.Table(["<i>name</i>", "f1"], [["<script>", 0.5], ["a\nb", 1]]),
        "",
        "end & done",
    ]
    html = printing.as_html(blocks)
    tags = set(re.findall(r"</?(\w+)", html))
    assert tags == {"pre", "table", "thead", "tbody", "tr", "th", "td"}
    assert "&lt;b&gt;1&lt;/b&gt;\n\\x1b[1mtwo</pre><table>" in html
    assert "&lt;script&gt;</td>" in html
    assert html.endswith("end &amp; done</pre>")


@given(st.lists(st.one_of(st.text(), st.lists(st.text(), min_size=1).map(lambda row: printing.Table(row, [row])))))
def test_html_gives_back_every_text(blocks: list[printing.Block]) -> None:
    class Reader(HTMLParser):
        tags: ClassVar[set[str]] = set()

        def handle_starttag(self, tag: str, attrs: object) -> None:
            self.tags.add(tag)

    reader = Reader()
    reader.feed(printing.as_html(blocks))
    assert reader.tags <= {"pre", "table", "thead", "tbody", "tr", "th", "td"}


def test_one_is_singular() -> None:
    assert [printing.many(count, "example") for count in (0, 1, 2, 1000)] == [
        "0 examples", "1 example", "2 examples", "1,000 examples",
    ]  # fmt: skip
    assert [printing.many(count, "entity", "entities") for count in (1, 2)] == ["1 entity", "2 entities"]


def test_no_number_has_digits_that_say_nothing() -> None:
    assert [printing.number(value) for value in (0.12345, 9.87654, 38.9, 403.12, -29.2611)] == [
        "0.1235", "9.8765", "38.9", "403.1", "-29.26"
    ]  # fmt: skip
