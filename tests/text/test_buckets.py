"""Batches for a GPU have few shapes, hold the same tokens as others, and hide their padding."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from afina.text.buckets import COUNTS, LEAST, ROWS, Rectangle, Row, bucket, shape
from afina.text.layouts import Padded
from tests.text.test_layouts import PAD, windows_of

lengths = st.lists(st.integers(1, 300), min_size=1, max_size=60)


@given(n=st.integers(1, 100_000))
def test_a_bucket_is_a_little_larger_and_its_own_bucket(n: int) -> None:
    for parts, least, waste in ((ROWS, LEAST, 1 / ROWS), (COUNTS, 1, 1 / COUNTS), (4, 16, 1 / 4)):
        size = bucket(n, parts, least)
        assert n <= size < n + max(least, n * waste) + 1
        assert bucket(size, parts, least) == size


def test_there_are_few_buckets() -> None:
    assert len({bucket(n, ROWS, LEAST) for n in range(1, 16385)}) == 48
    assert sorted({bucket(n, COUNTS) for n in range(1, 33)}) == [1, 2, 3, 4, 6, 8, 12, 16, 24, 32]
    assert {bucket(n, ROWS, LEAST) % 64 for n in range(1, 16385)} == {0}


@given(lengths=lengths)
def test_a_row_is_divided_into_slots_that_are_neither_empty_nor_too_long(lengths: list[int]) -> None:
    places, slots, longest = shape(sum(lengths), len(lengths), max(lengths))
    batch = Row(PAD).collate(windows_of(lengths))
    assert batch.ids.shape == batch.types.shape == batch.mask.shape == (1, places)
    assert batch.slots == len(batch.sizes) == slots > len(lengths)
    assert batch.cumulative is not None
    ends = batch.cumulative.tolist()
    assert (batch.cumulative.dtype, ends[0], ends[-1]) == (torch.int32, 0, places)
    assert [after - before for before, after in pairwise(ends)] == batch.sizes.tolist()
    assert all(0 < size <= longest <= places for size in batch.sizes.tolist())
    assert batch.longest == longest
    assert batch.firsts.tolist() == ends[:-1]
    assert batch.sizes.tolist()[: len(lengths)] == lengths


@pytest.mark.parametrize("layout", [Row(PAD), Rectangle(PAD)], ids=lambda layout: layout.name)
@given(lengths=lengths)
def test_a_batch_gives_back_its_tokens(layout: Row | Rectangle, lengths: list[int]) -> None:
    windows = windows_of(lengths)
    batch, plain = layout.collate(windows), Padded(PAD).collate(windows)
    assert batch.lengths == plain.lengths
    assert batch.rows == batch.ids.numel()
    for name in ("ids", "types", "mask"):
        table, wanted = getattr(batch, name).reshape(-1), getattr(plain, name).reshape(-1)
        assert torch.equal(batch.real(table, pooled=False), wanted[plain.index])
    hidden = np.setdiff1d(np.arange(batch.rows), batch.places)
    assert (batch.ids.reshape(-1)[hidden] == PAD).all()
    own = [int(window.ids[0]) for window in windows]
    assert batch.real(batch.ids.reshape(-1)[batch.firsts], pooled=True).tolist() == own


@given(lengths=lengths)
def test_every_row_of_a_rectangle_has_a_place_to_attend_to(lengths: list[int]) -> None:
    batch = Rectangle(PAD).collate(windows_of(lengths))
    assert batch.mask.sum(1).tolist() == batch.sizes.tolist()
    assert batch.sizes.min() > 0
    assert batch.mask[: len(lengths)].sum() == sum(lengths)


def test_a_rectangle_is_no_wider_than_the_model() -> None:
    assert Rectangle(PAD, widest=66).collate(windows_of([65])).ids.shape == (1, 66)
    assert Rectangle(PAD).collate(windows_of([65])).ids.shape == (1, 80)


@given(lengths=lengths)
def test_values_are_spread_to_the_rows_that_the_encoder_gives(lengths: list[int]) -> None:
    for layout in (Row(PAD), Rectangle(PAD)):
        batch = layout.collate(windows_of(lengths))
        for pooled, count in ((False, sum(lengths)), (True, len(lengths))):
            values = np.arange(count)
            table = torch.from_numpy(batch.spread(values, pooled=pooled, filler=-1))
            assert len(table) == (batch.slots if pooled else batch.rows)
            assert batch.real(table, pooled=pooled).tolist() == values.tolist()
            assert int((table == -1).sum()) == len(table) - count


@given(
    lengths=st.lists(st.integers(1, 120), max_size=40), counts=st.integers(1, 4), budget=st.sampled_from([512, 2048])
)
def test_a_split_holds_every_item_once_within_the_budget(lengths: list[int], counts: int, budget: int) -> None:
    for layout in (Row(PAD), Rectangle(PAD)):
        for groups in (layout.split(lengths, budget, [counts] * len(lengths)), layout.fill(lengths, budget)):
            assert sorted(i for group in groups for i in group) == list(range(len(lengths)))
        for group in layout.split(lengths, budget, [counts] * len(lengths)):
            windows = [lengths[i] for i in group for _ in range(counts)]
            assert layout.collate(windows_of(windows)).ids.numel() <= budget or len(group) == 1


def test_a_whole_step_is_one_micro_batch() -> None:
    for layout in (Row(PAD), Rectangle(PAD)):
        assert len(layout.split([20 + 5 * i for i in range(32)], 16384)) == 1
    assert len(Rectangle(PAD).split([512] * 4 + [16] * 60, 16384)) == 2


@pytest.mark.parametrize(("mean", "size", "most"), [(25, 32, 12), (55, 32, 16), (180, 32, 24), (55, 256, 12)])
def test_a_run_meets_few_shapes(mean: int, size: int, most: int) -> None:
    """Texts with the skewed lengths of reviews; 200 steps, and 5 % of padding in the mean."""
    drawn = np.random.default_rng(0)
    whole, shapes = [0, 0], set()
    for _ in range(200):
        lengths = np.clip(drawn.gamma(2.0, mean / 2.0, size), 5, 512).astype(int).tolist()
        for group in Row(PAD).split(lengths, 16384):
            chosen = [lengths[i] for i in group]
            places, slots, longest = shape(sum(chosen), len(chosen), max(chosen))
            shapes.add((places, slots, longest))
            whole = [whole[0] + sum(chosen), whole[1] + places]
    assert len(shapes) <= most
    assert whole[1] <= 1.08 * whole[0]
