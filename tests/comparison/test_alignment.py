"""Common rows are found whatever their order and however often they stand."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from afina.comparison.alignment import aligned, occurrences

KEYS = st.lists(st.integers(0, 6), max_size=12)


@given(runs=st.lists(KEYS, min_size=1, max_size=4))
def test_common_rows_are_those_that_all_runs_have(runs: list[list[int]]) -> None:
    places = aligned([np.array(keys, np.uint64) for keys in runs])
    found = [[keys[place] for place in own] for keys, own in zip(runs, places, strict=True)]
    assert all(own == found[0] for own in found)
    common = Counter(runs[0])
    for keys in runs[1:]:
        common &= Counter(keys)
    assert Counter(found[0]) == common
    assert all(len(set(own.tolist())) == len(own) for own in places)
    assert places[0].tolist() == sorted(places[0].tolist())


def test_equal_rows_are_told_apart_by_their_number() -> None:
    assert occurrences(np.array([5, 7, 5, 5], np.uint64)) == [(5, 0), (7, 0), (5, 1), (5, 2)]
    one, other = aligned([np.array([5, 7, 5], np.uint64), np.array([7, 5, 5], np.uint64)])
    assert (one.tolist(), other.tolist()) == ([0, 1, 2], [1, 0, 2])
