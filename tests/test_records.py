"""What the nouns say of themselves."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from afina.records import Row, Window
from afina.text.layouts import Packed, Padded


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
