"""Micro-batches hold every window once; packed and padded batches hold the same tokens."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from afina.records import Batch, Window
from afina.text.layouts import (
    DIVIDED,
    FILLED,
    LONG,
    OVERHEAD,
    Layout,
    Packed,
    Padded,
    pack_greedily,
    plan_microbatches,
)

PAD = 7
LAYOUTS: list[Layout] = [Packed(PAD), Padded(PAD)]
layouts = pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
lengths = st.lists(st.integers(1, 120), max_size=40)
items = st.lists(st.tuples(st.integers(1, 120), st.integers(1, 4)), max_size=20)
"""Length and number of windows of each."""


# ---------------------------------------------------------------------------------------------------------------------
# Micro-batches.


def places(layout: Layout, group: list[int], lengths: list[int], counts: list[int]) -> int:
    """Number of places that a micro-batch takes."""
    if layout.name == "packed":
        return sum(lengths[i] * counts[i] for i in group)
    return max(lengths[i] for i in group) * sum(counts[i] for i in group)


@layouts
@given(items=items, budget=st.integers(1, 2000))
def test_a_split_holds_every_item_once_within_the_budget(
    layout: Layout, items: list[tuple[int, int]], budget: int
) -> None:
    lengths, counts = [length for length, _ in items], [count for _, count in items]
    groups = layout.split(lengths, budget, counts)
    assert sorted(i for group in groups for i in group) == list(range(len(items)))
    assert all(places(layout, group, lengths, counts) <= budget or len(group) == 1 for group in groups)
    order = [lengths[i] for group in groups for i in group]
    assert order == sorted(order, reverse=True)


@layouts
@given(lengths=lengths, budget=st.integers(1, 2000))
def test_filled_batches_hold_every_window_once_within_the_budget(
    layout: Layout, lengths: list[int], budget: int
) -> None:
    groups = layout.fill(lengths, budget)
    assert sorted(i for group in groups for i in group) == list(range(len(lengths)))
    assert all(places(layout, group, lengths, [1] * len(lengths)) <= budget or len(group) == 1 for group in groups)
    assert layout.split(lengths, budget) == layout.split(lengths, budget, [1] * len(lengths))


@given(lengths=lengths, budget=st.integers(1, 2000))
def test_plans_and_greedy_packs_hold_every_window_once_within_the_budget(lengths: list[int], budget: int) -> None:
    for cut in (plan_microbatches(lengths, budget), pack_greedily(lengths, budget, packed=False)):
        assert sorted(i for group in cut for i in group) == list(range(len(lengths)))
        for group in cut:
            longest = max(lengths[i] for i in group)
            assert longest * len(group) <= budget or len(group) == 1


def cost(lengths: list[int], cut: list[list[int]]) -> int:
    return sum(max(lengths[i] for i in group) * len(group) + OVERHEAD for group in cut)


@given(lengths=st.lists(st.integers(1, 400), min_size=1, max_size=7), budget=st.integers(100, 1500))
def test_a_plan_is_the_cheapest_cut_of_the_sorted_windows(lengths: list[int], budget: int) -> None:
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    costs = []
    for n in range(len(lengths)):
        for borders in combinations(range(1, len(lengths)), n):
            groups = [order[a:b] for a, b in zip((0, *borders), (*borders, len(order)), strict=True)]
            if all(lengths[group[0]] * len(group) <= budget or len(group) == 1 for group in groups):
                costs.append(cost(lengths, groups))
    assert cost(lengths, plan_microbatches(lengths, budget)) == min(costs)


# ---------------------------------------------------------------------------------------------------------------------
# Batches.


def window(n: int, start: int) -> Window:
    ids = np.arange(start, start + n, dtype=np.int32)
    return Window(ids, ids % 2, np.zeros(n, np.int32), np.zeros((n, 2), np.int32), (0, n))


def windows_of(lengths: list[int]) -> list[Window]:
    return [window(n, 100 * (i + 1)) for i, n in enumerate(lengths)]


def tokens_of(batch: Batch, table: torch.Tensor) -> list[int]:
    """The real tokens of a rectangle, as everything after the encoder sees them."""
    values: list[int] = table.reshape(-1)[batch.index].tolist()
    return values


@given(lengths=st.lists(st.integers(1, 12), min_size=1, max_size=8))
def test_a_padded_batch_gives_back_its_tokens(lengths: list[int]) -> None:
    windows = windows_of(lengths)
    batch = Padded(PAD).collate(windows)
    assert batch.ids.shape == batch.types.shape == batch.mask.shape == (len(lengths), max(lengths))
    assert batch.tokens == sum(lengths) == int(batch.mask.sum())
    flat = batch.ids.reshape(-1)
    assert flat[batch.index].tolist() == np.concatenate([w.ids for w in windows]).tolist()
    assert (flat[batch.mask.reshape(-1) == 0] == PAD).all()
    assert batch.types.reshape(-1)[batch.index].tolist() == np.concatenate([w.types for w in windows]).tolist()
    assert batch.ids.dtype == torch.long
    assert batch.positions is None


@given(lengths=st.lists(st.integers(1, 12), min_size=1, max_size=8), shared=st.booleans())
def test_a_packed_batch_gives_back_its_tokens(lengths: list[int], shared: bool) -> None:
    windows = windows_of(lengths)
    batch = Packed(PAD, shared=shared).collate(windows)
    n, (rows, width) = sum(lengths), batch.ids.shape
    assert rows == 1
    assert width == (-(-n // FILLED) * FILLED if shared else n)
    assert batch.types.shape == batch.mask.shape == (1, width)
    assert batch.tokens == n == int(batch.mask.sum())
    assert batch.ids[0, :n].tolist() == np.concatenate([w.ids for w in windows]).tolist()
    assert batch.types[0, :n].tolist() == np.concatenate([w.types for w in windows]).tolist()
    assert batch.ids[0, n:].tolist() == [PAD] * (width - n)
    assert batch.positions is not None
    assert batch.positions[0].tolist() == [place for length in batch.row for place in range(length)]
    assert sum(batch.row) == width


@given(lengths=st.lists(st.integers(1, 12), min_size=1, max_size=8), shared=st.booleans())
def test_packed_and_padded_batches_look_alike_after_the_encoder(lengths: list[int], shared: bool) -> None:
    windows = windows_of(lengths)
    one, other = Packed(PAD, shared=shared).collate(windows), Padded(PAD).collate(windows)
    assert tokens_of(one, one.ids) == tokens_of(other, other.ids)
    assert tokens_of(one, one.types) == tokens_of(other, other.types)
    assert one.lengths == other.lengths == tuple(lengths)
    assert one.sizes.tolist() == other.sizes.tolist() == lengths
    assert one.firsts.tolist() == other.firsts.tolist() == [sum(lengths[:i]) for i in range(len(lengths))]
    assert [tokens_of(one, one.ids)[i] for i in one.firsts.tolist()] == [int(w.ids[0]) for w in windows]


@pytest.mark.parametrize("threads", [1, 2, 3, 5, 6, 16])
def test_rows_of_kept_states_are_filled_up_for_any_number_of_threads(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert Packed(PAD, shared=True).multiple(100) % (8 * threads) == 0


@given(rows=st.integers(1, 2000), widest=st.sampled_from([0, 64, 1536, 3072]), threads=st.sampled_from([1, 2, 3, 8]))
def test_products_of_kept_states_have_rows_enough_that_threads_share_no_sum(
    rows: int, widest: int, threads: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "get_num_threads", lambda: threads)
        multiple = Packed(PAD, shared=True, widest=widest).multiple(rows)
    filled = -(-rows // multiple) * multiple
    assert multiple % (8 * threads) == multiple % FILLED == 0
    assert threads == 1 or filled > widest // DIVIDED
    assert filled - rows < 8 * threads * FILLED + widest // DIVIDED


def test_long_rows_are_filled_up_where_there_are_no_gradients() -> None:
    layout = Packed(PAD)
    with torch.no_grad():
        assert layout.multiple(LONG) == 1
        assert layout.multiple(LONG + 1) == FILLED
    assert layout.multiple(LONG + 1) == 1
