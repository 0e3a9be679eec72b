"""Every filled line of a jsonl file is one row or one problem."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.errors import Problem
from tests.data.files import Write, items, line_of, only_problem, patient, refused, values

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(st.text(), json_values, max_size=3)
json_lines = st.one_of(
    json_values.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=8).map(lambda line: line.replace(b"\n", b"")),
    st.sampled_from([b'{"a": NaN}', b'{"a": 1, "a": 2}', b'{"a": 1},', b"{}{}", b'{"a": "\\udc00"}', b"", b" \t"]),
)


@patient
@given(lines=st.lists(json_lines, max_size=8), text=objects)
def test_every_filled_line_of_a_jsonl_file_is_one_item(folder: Path, lines: list[bytes], text: dict[str, Any]) -> None:
    path = folder / "messy.jsonl"
    start = json.dumps(text, ensure_ascii=False).encode("utf-8", "replace")
    path.write_bytes(b"\n".join([start, *lines]) + b"\n")
    filled = [number for number, line in enumerate([start, *lines], 1) if line.strip(b" \t\r\n")]
    found = items(path)
    assert [line_of(item) for item in found] == filled
    for item in found:
        if isinstance(item, Problem):
            assert item.raw.removesuffix(b"\n") == [start, *lines][line_of(item) - 1]


@patient
@given(written=st.lists(objects, min_size=1, max_size=5), ascii_only=st.booleans(), end=st.sampled_from(["\n", "\r\n"]))
def test_written_objects_come_back(folder: Path, written: list[dict[str, Any]], ascii_only: bool, end: str) -> None:
    path = folder / "written.jsonl"
    text = end.join(json.dumps(value, ensure_ascii=ascii_only) for value in written)
    path.write_bytes(text.encode())
    assert values(path) == written


def test_an_invalid_byte_in_jsonl(write: Write) -> None:
    problem = only_problem(write("a.jsonl", b'{"a": 1}\n{"a": "\x93"}\n'))
    assert problem.code == "not-utf8"
    assert "line 2, column 8 (in bytes): the byte 0x93" in problem.message


@pytest.mark.parametrize(
    "data", ['[\n{"a": 1},\n{"a": 2}\n]\n', '[{"a": 1},\n{"a": 2}]', '[{"a": 1}, {"a": 2}]', " \n\n[ \n"]
)
def test_a_json_array_file_is_named(write: Write, data: str) -> None:
    message = refused(write("a.jsonl", data))
    assert "this is a JSON array; one object a line is expected" in message
    assert "jq -c '.[]' data.json > data.jsonl" in message


def test_arrays_that_hold_no_objects_are_faults_of_their_lines(write: Write) -> None:
    assert [item.place[-2:] for item in items(write("a.jsonl", '["a", 1]\n["b", 2]\n'))] == [":1", ":2"]
    assert only_problem(write("b.jsonl", "[" * 100_000)).code == "too-deep"
