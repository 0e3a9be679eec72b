"""The nouns hold what they say."""

from __future__ import annotations

import dataclasses

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
