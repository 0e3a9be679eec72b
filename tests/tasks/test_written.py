"""Lists and dicts in the cells of tables, as Python, numpy, pandas and JSON write them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.tasks.written import LONGEST, unwritten


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("['a', 'b']", ["a", "b"]),
        ('["a", "b"]', ["a", "b"]),
        ("['a' 'b']", ["a", "b"]),
        ("['a'\n \"it's\" 'c']", ["a", "it's", "c"]),
        ("('a', 'b')", ["a", "b"]),
        ("{'b', 'a'}", ["a", "b"]),
        ("[0 1 0]", [0, 1, 0]),
        ("[0. 1. -1.]", [0.0, 1.0, -1.0]),
        ("[ True False]", [True, False]),
        ("[[0 1]\n [1 0]]", [[0, 1], [1, 0]]),
        ("[]", []),
        ("array(['a', 'b'], dtype=object)", ["a", "b"]),
        ("array([1, 0])", [1, 0]),
        ("[array([1, 0]), array(['x'], dtype='<U1')]", [[1, 0], ["x"]]),
        (
            "{'text': array(['Rio'], dtype=object), 'answer_start': array([3], dtype=int32)}",
            {"text": ["Rio"], "answer_start": [3]},
        ),
        ("{'text': ['Rio'], 'answer_start': [3]}", {"text": ["Rio"], "answer_start": [3]}),
        ('{"choices": ["a", "b"]}', {"choices": ["a", "b"]}),
        ("[{'start': 0, 'end': 3, 'label': None}]", [{"start": 0, "end": 3, "label": None}]),
        (" ['U.S. army', '5 km'] ", ["U.S. army", "5 km"]),
        ("[null, true]", [None, True]),
    ],
)
def test_what_is_written_is_read(cell: str, value: Any) -> None:
    assert unwritten(cell) == value
    assert not isinstance(unwritten(cell), str)


@pytest.mark.parametrize(
    "cell",
    [
        "", "a", "[INST]", "[good, bad]", "(1)", "(a)", "{x}", "['a'", "[1, 2] and more", "[NaN]", "[1 2 ... 8 9]",
        "__import__('os').system('true')", "[__import__('os')]", "[open('x')]", "[x for x in (1, 2)]", "array(1)",
        "[" * 10_000, "[" * 10_000 + "]" * 10_000, "[" + "1," * LONGEST + "]", "[\0]", "[" + "9" * 5000 + "]",
        "['a' 'b", "[1;2]", "(", "{[]: 1}",
    ],
)  # fmt: skip
def test_other_texts_stay_texts(cell: str) -> None:
    assert unwritten(cell) == cell
    assert unwritten(cell) == cell


@pytest.mark.parametrize("value", [None, 3, 1.5, ["a"], {"a": 1}, True])
def test_what_is_no_text_stays(value: Any) -> None:
    assert unwritten(value) is value
    assert unwritten(value) == value


@given(st.lists(st.text()))
def test_lists_of_texts_come_back_from_python_json_and_numpy(texts: list[str]) -> None:
    assert unwritten(repr(texts)) == texts
    assert unwritten(json.dumps(texts)) == texts
    assert unwritten(json.dumps(texts, ensure_ascii=False)) == texts
    assert unwritten(repr(np.array(texts, dtype=object))) == texts
    if not any("\0" in text for text in texts):
        assert unwritten(str(np.array(texts, dtype=object))) == texts


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=9), st.sampled_from([int, float, bool]))
def test_arrays_of_numbers_come_back(numbers: list[int], kind: type) -> None:
    array: np.ndarray[Any, Any] = np.array(numbers).astype(kind)
    assert unwritten(str(array)) == unwritten(repr(array)) == unwritten(repr(array.tolist())) == array.tolist()


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    unwritten(text)
    unwritten(f"[{text}]")
    unwritten(f"{{{text}: array([{text}])}}")
