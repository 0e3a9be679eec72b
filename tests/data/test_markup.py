"""XML is read element by element; what was read is forgotten."""

from __future__ import annotations

import io
import tracemalloc
from xml.etree.ElementTree import ParseError

import pytest

from afina.data.markup import attribute, events


def test_kept_elements_are_whole_and_all_have_local_names() -> None:
    file = io.BytesIO(b'<a xmlns:n="space"><n:row n:x="1"><c>one</c></n:row><row><c>two</c></row></a>')
    found = [(name, [part.text for part in element], attribute(element, "x"))
             for event, name, element in events(file, "row") if event == "end" and name == "row"]  # fmt: skip
    assert found == [("row", ["one"], "1"), ("row", ["two"], "")]


def test_memory_does_not_grow() -> None:
    def peak(rows: int) -> int:
        file = io.BytesIO(b"<a>" + b"<row><c>one</c></row>" * rows + b"</a>")
        tracemalloc.start()
        assert sum(event == "end" and name == "row" for event, name, _ in events(file, "row")) == rows
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(20_000) < 2 * peak(2_000) + 100_000


def test_entities_do_not_grow() -> None:
    levels = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 20}">' for i in range(1, 9))
    text = f'<!DOCTYPE a [<!ENTITY e0 "lol">{levels}]><a>&e8;</a>'
    with pytest.raises(ParseError):
        list(events(io.BytesIO(text.encode())))
