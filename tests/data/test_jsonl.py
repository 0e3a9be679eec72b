"""Objects, one a line: each filled line is a row or says what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.data.sources import rows
from afina.errors import Problem
from tests.data.reading import Write, items, line_of, only_problem, patient, refused, values

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
    lines = [*lines, b"{}"]  # a line alone may be a file of one value
    path.write_bytes(b"\n".join([start, *lines]) + b"\n")
    filled = [number for number, line in enumerate([start, *lines], 1) if line.strip(b" \t\r\n")]
    found = items(path, encoding="utf-8")
    assert [line_of(item) for item in found] == filled
    for item in found:
        if isinstance(item, Problem):
            assert item.raw.removesuffix(b"\n") == [start, *lines][line_of(item) - 1]


@patient
@given(written=st.lists(objects, min_size=2, max_size=5), ascii_only=st.booleans(), end=st.sampled_from(["\n", "\r\n"]))
def test_written_objects_come_back(folder: Path, written: list[dict[str, Any]], ascii_only: bool, end: str) -> None:
    path = folder / "written.jsonl"
    text = end.join(json.dumps(value, ensure_ascii=ascii_only) for value in written)
    path.write_bytes(text.encode())
    assert values(path) == written


DEEP = '{"a": ' + "[" * 100 + "]" * 100 + "}"


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ('{"a": }', "bad-json", "not JSON: expecting value at column 7"),
        ("hello", "bad-json", "not JSON: expecting value at column 1"),
        ('{"a": 1', "bad-json", "expecting ',' delimiter at column 8"),
        ('["a"]', "not-an-object", "a JSON object is expected, found an array"),
        ('"a"', "not-an-object", "found a string"),
        ("1", "not-an-object", "found a number"),
        ("null", "not-an-object", "found null"),
        ("true", "not-an-object", "found a truth value"),
        ('{"a": 1} {"a": 2}', "bad-json", "several objects on one line, the second at column 10"),
        ('{"a": 1},', "bad-json", "a trailing comma at column 9"),
        ('{"a": 1, }', "bad-json", "a trailing comma at column 8"),
        ('{"a": [1,], "b": 2}', "bad-json", "a trailing comma at column 9"),
        ('{"a": ",}" 1}', "bad-json", "expecting ',' delimiter at column 12"),
        ('{"a": 1, "b": 2, "a": 3}', "duplicate-key", "the key 'a' stands twice"),
        ('{"x": {"a": 1, "a": 3}}', "duplicate-key", "the key 'a' stands twice"),
        ('{"a": NaN}', "not-finite", "'NaN' is not a finite number"),
        ('{"a": [-Infinity]}', "not-finite", "'-Infinity' is not a finite number"),
        ('{"a": 1e999}', "not-finite", "'1e999' is not a finite number"),
        ('{"a": "\\ud83d"}', "lone-surrogate", "\\ud83d, half of a surrogate pair"),
        ('{"\\udc00": 1}', "lone-surrogate", "\\udc00, half of a surrogate pair"),
        ('{"a": [{"b": "\\ud83d x"}]}', "lone-surrogate", "\\ud83d, half of a surrogate pair"),
        (DEEP, "too-deep", "nested more than 100 deep"),
        ('{"a": ' * 100_000, "too-deep", "nested more than 100 deep"),
        ('{"a": ' + "9" * 4301 + "}", "too-long", "a whole number of too many digits"),
        ('{"a": "\0"}', "nul", "column 8: a NUL character"),
    ],
)
def test_faults_of_a_json_line(write: Write, line: str, code: str, says: str) -> None:
    path = write("a.jsonl", f'{{"a": 0}}\n\n{line}\n{{"a": 1}}\n')
    problem = only_problem(path)
    assert (problem.code, problem.place) == (code, f"{path}:3")
    assert says in problem.message
    assert problem.raw == f"{line}\n".encode()
    assert len(items(path)) == 3


def test_what_json_allows_is_kept(write: Write) -> None:
    written = [
        {"a": "\U0001f600"},
        {"a": 1e308, "b": None},
        {"a": int("9" * 4300)},
        {},
    ]
    path = write("a.ndjson", "\n".join(json.dumps(value) for value in written))
    assert values(path) == written
    assert len(rows(write("b.jsonl", DEEP.replace("[]", "1")))) == 1


@pytest.mark.parametrize("data", ['[\n{"a": 1},\n{"a": 2}\n]\n', '[{"a": 1},\n{"a": 2}]', '[{"a": 1}, {"a": 2}]'])
def test_an_array_is_read_as_json_and_named_where_another_form_is_asked(write: Write, data: str) -> None:
    path = write("a.jsonl", data)
    notes: list[str] = []
    assert values(path, note=notes.append) == [{"a": 1}, {"a": 2}]
    assert notes == [f"{path}: read as json, as its content looks (--format NAME for another)"]
    message = refused(path, format="jsonl")
    assert "this is a JSON array; one object a line is expected; --format json, or" in message
    assert "jq -c '.[]' data.json > data.jsonl" in message
    assert values(path, format="json") == [{"a": 1}, {"a": 2}]


def test_what_python_prints_is_named(write: Write) -> None:
    problem = only_problem(write("a.jsonl", '{"text": "a"}\n{\'text\': "b"}\n'))
    assert "json.dumps" in problem.fix


@pytest.mark.parametrize(
    ("first", "code"),
    [('{"a": 1', "bad-json"), ('{"a": "x', "bad-json"), ('{"a" 1}', "bad-json"), ('{"a": 1,}', "bad-json"),
     ('{"a": NaN}', "not-finite"), ('{"a": ' * 20_000, "too-deep")],
)  # fmt: skip
def test_a_broken_first_line_spoils_itself_only(write: Write, first: str, code: str) -> None:
    for name in ("a.jsonl", "a.txt", "a"):
        path = write(name, f'{first}\n\n{{"a": 2}}\n{{"a": 3}}\n')
        problem, *rows = items(path)
        assert isinstance(problem, Problem)
        assert (problem.code, problem.place, len(rows)) == (code, f"{path}:1", 2)


def test_arrays_that_hold_no_objects_are_faults_of_their_lines(write: Write) -> None:
    assert [item.place[-2:] for item in items(write("a.jsonl", '["a", 1]\n["b", 2]\n'))] == [":1", ":2"]
    assert only_problem(write("b.jsonl", "[" * 100_000)).code == "too-deep"
