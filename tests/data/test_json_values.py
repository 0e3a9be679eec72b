"""What JSON allows is kept, and what it does not is named with its column."""

from __future__ import annotations

import json

import pytest

from afina.data.sources import rows
from tests.data.files import Write, items, only_problem, values

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
