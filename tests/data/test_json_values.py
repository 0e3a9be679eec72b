"""JSON is read strictly: what a later program could not keep is refused, with a code."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.data.json_values import DEPTH_LIMIT, halves_in, parse_json, too_deep
from afina.data.lines import RecordError

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=9
)


@given(tree=trees)
def test_what_json_writes_comes_back(tree: Any) -> None:
    text = json.dumps(tree)
    assert parse_json(text) == tree
    assert too_deep(text, tree) is None
    assert halves_in(text, tree) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"a": 1, "b": {"c": 1, "c": 2}}', "duplicate-key"),
        ("[NaN]", "not-finite"),
        ("-Infinity", "not-finite"),
        ("1e400", "not-finite"),
        ("9" * 5000, "too-long"),
        ("[" * 100_000, "too-deep"),
    ],
)
def test_what_json_can_say_and_nobody_should(text: str, code: str) -> None:
    with pytest.raises(RecordError) as caught:
        parse_json(text)
    assert caught.value.code == code


def test_what_is_not_json_is_left_to_the_reader() -> None:
    with pytest.raises(json.JSONDecodeError):
        parse_json("{")


@pytest.mark.parametrize("deep", [DEPTH_LIMIT, DEPTH_LIMIT + 1])
def test_the_limit_of_depth(deep: int) -> None:
    text = '{"a":' * (deep - 1) + "[]" + "}" * (deep - 1)
    error = too_deep(text, parse_json(text))
    assert (error is not None) == (deep > DEPTH_LIMIT)
    assert error is None or error.code == "too-deep"
    wide = "[" + ",".join(["[]"] * deep) + "]"
    assert too_deep(wide, parse_json(wide)) is None


def test_half_a_character_can_be_written_as_an_escape_only() -> None:
    for text in ('"\\ud83d"', '{"\\ud83d": 1}'):
        error = halves_in(text, parse_json(text))
        assert error is not None
        assert error.code == "lone-surrogate"
    whole = '"\\ud83d\\ude00"'
    assert halves_in(whole, parse_json(whole)) is None
