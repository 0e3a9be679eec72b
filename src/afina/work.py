"""Long work that is done piece by piece, so that it can be watched, stopped, and shrunk when memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")
Work: TypeAlias = Generator[float, None, T]
"""Yields the share that is done after each piece, and returns its result."""


def drain(work: Generator[Any, None, T]) -> T:
    """Do all of some work, and return its result."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: T = end.value
            return result


def run_with_backoff(
    lengths: Sequence[int],
    budget: int,
    *,
    split: Callable[[Sequence[int], int], list[list[int]]],
    compute: Callable[[list[int]], None],
) -> Work[None]:
    """Compute windows, one micro-batch after the other; when memory runs out, in smaller ones from there on.

    Args:
        lengths: Number of tokens of each window.
        budget: Number of tokens that a micro-batch may have.
        split: Divides windows of these lengths into micro-batches within a budget.
        compute: Is given the indices of each micro-batch.
    """
    batches = split(lengths, budget)[::-1]
    done, total = 0, sum(lengths)
    while batches:
        batch = batches.pop()
        try:
            compute(batch)
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error) or len(batch) == 1:
                raise
            budget = max(1, min(budget, sum(lengths[i] for i in batch)) // 2)
            rest = [i for indices in (batch, *batches[::-1]) for i in indices]
            smaller = split([lengths[i] for i in rest], budget)
            batches = [[rest[i] for i in indices] for indices in smaller][::-1]
            continue
        done += sum(lengths[i] for i in batch)
        yield done / total


def out_of_memory(error: Exception) -> bool:
    """Whether an error says that memory ran out, on a GPU or in torch's allocator."""
    import torch

    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    # torch's allocator for the CPU raises a plain RuntimeError; its words are all that tells.
    words = ("out of memory", "can't allocate memory", "not enough memory", "CUBLAS_STATUS_ALLOC_FAILED")
    return any(word in str(error) for word in words)
