"""Long work is done once and to the end, in smaller pieces when memory runs out."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from afina.text.layouts import Layout, Packed, Padded
from afina.work import Work, drain, out_of_memory, run_with_backoff

LAYOUTS: list[Layout] = [Packed(0), Padded(0)]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
@given(
    lengths=st.lists(st.integers(1, 120), max_size=40), budget=st.integers(1, 500), room=st.integers(60, 500)
)  # fmt: skip
def test_everything_is_computed_once_whatever_memory_there_is(
    layout: Layout, lengths: list[int], budget: int, room: int
) -> None:
    seen: list[int] = []

    def compute(batch: list[int]) -> None:
        if sum(lengths[i] for i in batch) > room and len(batch) > 1:
            raise RuntimeError("CUDA out of memory. Tried to allocate")
        seen.extend(batch)

    shares = list(run_with_backoff(lengths, budget, split=layout.fill, compute=compute))
    assert sorted(seen) == list(range(len(lengths)))
    assert shares == sorted(shares)
    assert shares[-1:] in ([], [1.0])


def test_a_smaller_piece_stays_small() -> None:
    """Memory that ran out once is not asked for again."""
    asked: list[int] = []

    def compute(batch: list[int]) -> None:
        asked.append(len(batch))
        if len(batch) > 2:
            raise MemoryError

    drain(run_with_backoff([10] * 16, 80, split=Packed(0).fill, compute=compute))
    assert asked == [8, 4, *[2] * 8]


def test_other_errors_and_windows_that_are_too_long_alone_come_through() -> None:
    def compute(batch: list[int]) -> None:
        raise error

    for error in (RuntimeError("shapes do not match"), MemoryError()):
        with pytest.raises(type(error)):
            drain(run_with_backoff([5, 5], 5, split=Packed(0).fill, compute=compute))


def test_work_that_is_drained_gives_its_result() -> None:
    def counted() -> Work[str]:
        for share in (0.25, 1.0):
            said.append(share)
            yield share
        return "result"

    said: list[float] = []
    assert drain(counted()) == "result"
    assert said == [0.25, 1.0]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("any words"), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate"), True),
        (RuntimeError("DefaultCPUAllocator: not enough memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), True),
        (RuntimeError("shapes do not match"), False),
        (ValueError("something else"), False),
    ],
)
def test_a_lack_of_memory_is_told_from_other_errors(error: Exception, expected: bool) -> None:
    assert out_of_memory(error) is expected
