"""The nouns hold what they say."""

from __future__ import annotations

import dataclasses
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from afina.records import Example, Row, Window
from afina.text.layouts import Packed, Padded

WINDOWS = [
    Window(
        np.arange(n, dtype=np.int32), np.zeros(n, np.int32), np.zeros(n, np.int32), np.zeros((n, 2), np.int32), (0, n)
    )
    for n in (3, 5)
]


@pytest.mark.parametrize("layout", [Packed(0), Padded(0)])
def test_a_batch_knows_its_windows(layout: Packed | Padded) -> None:
    batch = layout.collate(WINDOWS)
    assert (batch.lengths, batch.tokens) == ((3, 5), 8)
    assert batch.sizes.tolist() == [3, 5]
    assert batch.firsts.tolist() == [0, 3]
    assert batch.ids.flatten()[batch.index].tolist() == [0, 1, 2, 0, 1, 2, 3, 4]


def test_nouns_are_frozen_and_rows_compare_without_their_bytes() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Example("a").text = "b"  # type: ignore[misc]
    assert Row({"a": 1}, "x:1", b"a") == Row({"a": 1}, "x:1", b"b")


def window(n: int) -> Window:
    line = np.arange(n, dtype=np.int32)
    return Window(line, 0 * line, 0 * line, np.zeros((n, 2), np.int32), (0, n))


def test_a_packed_row_is_its_windows_and_the_padding_behind_them() -> None:
    windows = [window(5), window(3)]
    plain, filled = Packed(0).collate(windows), Packed(0, shared=True).collate(windows)
    assert (plain.tokens, plain.row) == (8, (5, 3))
    assert (filled.tokens, filled.row) == (8, (5, 3, 24))
    assert Padded(0).collate(windows).tokens == 8


def test_a_window_is_as_long_as_its_tokens() -> None:
    assert len(window(7)) == 7


def test_rows_are_equal_by_what_they_hold_and_where_they_stand() -> None:
    assert Row({"text": "a"}, "x:1", b"a") == Row({"text": "a"}, "x:1", b'"a"')
    assert Row({"text": "a"}, "x:1") != Row({"text": "a"}, "x:2")
    assert "raw" not in repr(Row({"text": "a"}, "x:1", b"a"))
    with pytest.raises(FrozenInstanceError):
        Row({}, "x:1").place = "y"  # type: ignore[misc]
