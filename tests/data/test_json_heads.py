"""How JSON files begin: one of two forms, or none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.data.json_heads import is_object_a_line, is_one_value

RECORDS = [{"text": "a"}, {"text": "b", "spans": [{"start": 0, "end": 1, "label": "X"}]}]


def said(text: str) -> str:
    head = text.splitlines(keepends=True)
    return "lines" * is_object_a_line(head) + "value" * is_one_value(head)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ('{"a": 1}\n{"a": 2}\n', "lines"),
        ('\n  {"a": 1}\n\n{"a" 2}\n', "lines"),
        ('{"a": 1}\nhello world\n\nmore words\n', "lines"),
        ('{"a": 1},\n{"a": 2},\n', "lines"),
        ('{"a": 1\n{"a": 2}\n', "lines"),
        ('{"a": "x\n{"a": 2}\n', "lines"),
        ('{}\n{"a": 2}\n', "lines"),
        ('["a text", {"entities": []}]\n["another", {"entities": []}]\n', "lines"),
        ('{"text": "a"}', "linesvalue"),
        ('{"premise": "a", "hypothesis": "b"}\n', "linesvalue"),
        ('{"annotations": [{"text": "a"}]}\n', "value"),
        ('{"text": {"0": "a"}, "label": {"0": "b"}}', "value"),
        ('{"id": 3, "text": "' + "long " * 99, "linesvalue"),
        ('{"version": "1.1", "data": [{"title": "' + "long " * 99, "value"),
        ('{\n "a": 1\n}\n{\n "a": 2\n}\n', "value"),
        ('{"a": 1} {"a": 2}\n{"a": 3}\n', "value"),
        ('{"data": [\n{"a": 1},\n{"a": 2}\n]}', "value"),
        ('{"data":\n[{"a": 1},\n{"a" 2}\n]}', "value"),
        ('[{"a": 1}, {"a": 2}]', "value"),
        ('[\n  ["a text", {"entities": []}]\n]', "value"),
        ("[]", "value"),
        ('{"a": 1}\tpos\n{"a": 2}\tneg\n', ""),
        ('{"a": 1},pos\n{"a": 2},neg\n', ""),
        ('[{"start": 1}],pos\n[],neg\n', ""),
        ("{x} um filme,pos\n", ""),
        ("[ O\nok O\n] O\n", ""),
        ("[1] a note\n", ""),
        ('"{""a"": 1}",pos\n', ""),
        ("text,label\n", ""),
        ("", ""),
        ("\n\n", ""),
    ],
)
def test_beginnings(text: str, form: str) -> None:
    assert said(text) == form


@given(
    records=st.lists(st.sampled_from(RECORDS), min_size=2, max_size=5),
    indent=st.sampled_from([None, 0, 2]),
    cut=st.integers(2, 60),
)
def test_wherever_a_head_ends_the_form_is_the_same(records: list[dict[str, Any]], indent: int | None, cut: int) -> None:
    assert said("".join(json.dumps(record) + "\n" for record in records)) == "lines"
    for tree in (records, {"sentences": records}):
        lines = json.dumps(tree, indent=indent).splitlines(keepends=True)
        assert said("".join(lines[:cut])) == "value"
