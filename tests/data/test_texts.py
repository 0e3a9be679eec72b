"""Plain texts, one a line, when they are asked for."""

from __future__ import annotations

from tests.data.reading import Write, items, values


def test_every_line_is_a_text_and_keeps_its_number(write: Write) -> None:
    path = write("a.txt", "one, with a sign\r\n\n\ttwo\n")
    found = items(path, format="lines")
    assert [item.place for item in found] == [f"{path}:{number}" for number in (1, 2, 3)]
    assert values(path, format="lines") == [{"text": "one, with a sign"}, {"text": ""}, {"text": "\ttwo"}]


def test_a_line_that_is_no_text_is_a_problem(write: Write) -> None:
    (one, two) = items(write("a.txt", b"good\n\xff\n"), format="lines", encoding="utf-8")
    assert (one.place[-1], getattr(two, "code", "")) == ("1", "not-utf8")
