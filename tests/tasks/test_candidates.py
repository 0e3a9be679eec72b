"""Stretches that could answer a question: all of them, best first, by the sum of two logits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.errors import ConfigError
from afina.records import Example, Window
from afina.tasks.answers import Answers
from afina.tasks.candidates import candidates

N = 5
SPANS = np.array([(0, 0), *((i, i + 1) for i in range(N))], np.int32)
WINDOW = Window(
    np.arange(N + 1, dtype=np.int32), np.zeros(N + 1, np.int32), np.array([-1, *[1] * N], np.int32), SPANS, (0, N + 1)
)
Logits = st.lists(st.floats(-9, 9), min_size=12, max_size=12).map(lambda row: np.array(row).reshape(6, 2))


@given(Logits, st.integers(1, N))
def test_they_are_those_of_an_exhaustive_search(logits: np.ndarray, longest: int) -> None:
    found, none = candidates([WINDOW], [logits], longest)
    every = [
        (logits[i, 0] + logits[j, 1], i - 1, j) for i in range(1, N + 1) for j in range(i, min(i + longest, N + 1))
    ]
    every.sort(key=lambda one: (-one[0], one[1:]))
    assert [tuple(one) for one in found] == every[:20]
    assert none == logits[0].sum()


TASK = Answers(Answers.Options(), {"no_answer": True})
EXAMPLE = Example("who?", "abcab", place="item 1")


@given(Logits)
def test_an_answer_is_explained_by_the_logits_that_chose_it(logits: np.ndarray) -> None:
    said = TASK.decode(EXAMPLE, [WINDOW], [logits])
    (aim,) = TASK.aims(EXAMPLE, [WINDOW], [logits], None)
    assert (aim.label, aim.score) == (said["answer"], said["probability"])
    assert aim.stretch == ((said["start"], said["end"]) if said["answer"] else None)
    ends = (aim.stretch[0] + 1, aim.stretch[1]) if aim.stretch else (0, 0)
    assert aim.value([logits]) == pytest.approx(logits[ends[0], 0] + logits[ends[1], 1])


def test_another_answer_may_be_asked_about() -> None:
    logits = np.zeros((6, 2))
    logits[4, 0], logits[5, 1] = 3.0, 2.0  # the second "ab" is the model's answer
    assert TASK.aims(EXAMPLE, [WINDOW], [logits], "ab")[0].stretch == (3, 5)
    first = TASK.aims(EXAMPLE, [WINDOW], [logits], (0, 2))[0]
    assert (first.label, first.stretch, first.value([logits])) == ("ab", (0, 2), 0.0)
    none = TASK.aims(EXAMPLE, [WINDOW], [logits], "")[0]
    assert (none.label, none.stretch, [term.row for term in none.terms]) == ("", None, [0, 0])
    with pytest.raises(ConfigError, match="item 1: label: 'z' is not in the passage; copy"):
        TASK.aims(EXAMPLE, [WINDOW], [logits], "z")
    with pytest.raises(ConfigError, match=r"expected \(start, end\) .* <= 5, the characters .*, found \(3, 9\)"):
        TASK.aims(EXAMPLE, [WINDOW], [logits], (3, 9))


def test_the_window_that_gives_an_answer_most_explains_it() -> None:
    weak, strong = np.zeros((6, 2)), np.zeros((6, 2))
    strong[2, 0] = strong[3, 1] = 5.0
    (aim,) = TASK.aims(EXAMPLE, [WINDOW, WINDOW], [weak, strong], None)
    assert {term.window for term in aim.terms} == {1}
    outside = replace(WINDOW, spans=WINDOW.spans + np.array([5, 5], np.int32))
    with pytest.raises(ConfigError, match="no window holds the whole of 'ab'"):
        TASK.aims(EXAMPLE, [outside], [weak], (0, 2))
