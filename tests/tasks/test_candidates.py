"""Stretches that could answer a question: all of them, best first, by the sum of two logits."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from afina.records import Window
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
