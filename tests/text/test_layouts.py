"""Draws, plans and rectangles."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from afina.records import Window
from afina.text.layouts import OVERHEAD, collate, drain, epoch_batches, pack_greedily, plan, run_with_backoff

lengths = st.lists(st.integers(1, 120), max_size=40)


@given(n=st.integers(0, 200), size=st.integers(1, 50), seed=st.integers(0, 2**32 - 1), epoch=st.integers(0, 100))
def test_an_epoch_draws_every_example_once(n: int, size: int, seed: int, epoch: int) -> None:
    batches = epoch_batches(n, size, seed=seed, epoch=epoch)
    assert sorted(i for batch in batches for i in batch) == list(range(n))
    assert all(len(batch) == size for batch in batches[:-1])
    assert batches == epoch_batches(n, size, seed=seed, epoch=epoch)


def test_epochs_and_seeds_differ() -> None:
    orders = [epoch_batches(50, 50, seed=seed, epoch=epoch)[0] for seed in (0, 1) for epoch in (0, 1)]
    assert all(one != other for one, other in combinations(orders, 2))


def test_draws_do_not_follow_the_order_of_the_file() -> None:
    """First places of many epochs are spread evenly: mean within four standard errors."""
    firsts = [epoch_batches(1000, 1000, seed=0, epoch=epoch)[0][0] for epoch in range(400)]
    assert abs(np.mean(firsts) - 499.5) < 4 * 1000 / np.sqrt(12 * 400)


@given(lengths=lengths, budget=st.integers(1, 2000))
def test_plans_and_shelves_hold_every_window_once_within_the_budget(lengths: list[int], budget: int) -> None:
    for cut in (plan(lengths, budget), pack_greedily(lengths, budget)):
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
    assert cost(lengths, plan(lengths, budget)) == min(costs)


def window(n: int, start: int) -> Window:
    ids = np.arange(start, start + n, dtype=np.int32)
    return Window(ids, ids % 2, np.zeros(n, np.int32), np.zeros((n, 2), np.int32), (0, n))


@given(lengths=st.lists(st.integers(1, 12), min_size=1, max_size=8))
def test_a_batch_gives_back_its_tokens(lengths: list[int]) -> None:
    windows = [window(n, 100 * (i + 1)) for i, n in enumerate(lengths)]
    batch = collate(windows, pad=7)
    assert batch.ids.shape == batch.types.shape == batch.mask.shape == (len(lengths), max(lengths))
    assert batch.tokens == sum(lengths) == int(batch.mask.sum())
    flat = batch.ids.reshape(-1)
    assert flat[batch.index].tolist() == np.concatenate([w.ids for w in windows]).tolist()
    assert (flat[batch.mask.reshape(-1) == 0] == 7).all()
    assert batch.types.reshape(-1)[batch.index].tolist() == np.concatenate([w.types for w in windows]).tolist()
    assert batch.ids.dtype == torch.long


@given(lengths=lengths, budget=st.integers(1, 500), room=st.integers(60, 500), packed=st.booleans())
def test_everything_is_computed_once_whatever_memory_there_is(
    lengths: list[int], budget: int, room: int, packed: bool
) -> None:
    seen: list[int] = []

    def compute(shelf: list[int]) -> None:
        if sum(lengths[i] for i in shelf) > room and len(shelf) > 1:
            raise RuntimeError("CUDA out of memory. Tried to allocate")
        seen.extend(shelf)

    shares = list(run_with_backoff(lengths, budget, compute, packed=packed))
    assert sorted(seen) == list(range(len(lengths)))
    assert shares == sorted(shares)
    assert shares[-1:] in ([], [1.0])


def test_other_errors_and_windows_that_are_too_long_alone_come_through() -> None:
    def compute(shelf: list[int]) -> None:
        raise error

    for error in (RuntimeError("shapes do not match"), MemoryError()):
        with pytest.raises(type(error)):
            drain(run_with_backoff([5, 5], 5, compute))
