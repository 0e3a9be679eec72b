"""How many CPU threads suit the machine as it is now: all, or fewer where something else keeps its cores busy.

The threads of a product of matrices wait for the slowest of them. One other process on one core therefore costs far
more than its share: every product waits until that core is free again. Fewer threads are then the faster ones.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import harmonic_mean

import torch

from .compute import Compute, set_threads

ROWS, WIDTH = 128, 384
"""Shape of the products that are timed: so many rows a thread, in a layer of this width. Each takes about half a
millisecond, as those of a training step do, whatever the number of threads."""
ROUNDS = 5
"""Measurements of each number of threads, in turn. The slowest does not count, so that one interruption has no say."""
SECONDS = 0.04
"""How long they all take together where nothing interrupts them. Where fewer threads seem faster, they are repeated."""
CLEARLY = 0.8
"""All threads are taken unless their speed is below so much of the fastest number's. On an idle machine their speed is
about twice that of half of them."""
FIXED = "OMP_NUM_THREADS"
"""Who sets this variable of the environment has chosen a number, which is not measured again."""


def suited(compute: Compute, *, fix: str) -> tuple[Compute, str]:
    """The same device and arithmetic, with the number of threads that suits the machine now, where nobody chose one.

    It is to be asked once, before anything is computed: another number of threads gives other last bits.

    Args:
        compute: Device and arithmetic.
        fix: How to fix the number of threads, up to the number.

    Returns:
        With it what to say; nothing where it is as it was.
    """
    most = torch.get_num_threads()
    if most == 1 or not is_open(compute):
        return compute, ""
    try:
        found = speeds(candidates(most))
        if fastest(found) != most:
            found = speeds(candidates(most))
    finally:
        set_threads(most)
    number = fastest(found)
    return (compute, "") if number == most else (replace(compute, threads=number), said(found, fix=fix))


def is_open(compute: Compute) -> bool:
    """Whether a CPU computes, and nobody chose its number of threads."""
    return compute.device.type == "cpu" and compute.threads is None and FIXED not in os.environ


def candidates(most: int) -> list[int]:
    """All threads, half of them, a quarter ... one."""
    return [most, *candidates(most // 2)] if most > 1 else [1]


def fastest(found: Mapping[int, float]) -> int:
    """The fastest number of threads, from the speed of each. It is all of them unless they are clearly slower."""
    most, best = max(found), max(found, key=lambda number: found[number])
    return most if found[most] >= CLEARLY * found[best] else best


def speeds(numbers: Sequence[int]) -> dict[int, float]:
    """The speed of each number of threads, in FLOP/s: of the whole work in the whole time, the slowest round left out.

    The numbers take turns, so that what comes and goes meets all of them. The process keeps the last one.
    """
    each = SECONDS / (ROUNDS * len(numbers))
    rounds = [[speed(number, each) for number in numbers] for _ in range(ROUNDS)]
    return {
        number: harmonic_mean(sorted(own)[1:]) for number, own in zip(numbers, zip(*rounds, strict=True), strict=True)
    }


def speed(number: int, seconds: float) -> float:
    """Speed of products of matrices with so many threads, in FLOP/s. The process keeps this number of threads.

    Args:
        number: Number of threads.
        seconds: Time after which no further product is begun; one is computed in any case, and another one before.
    """
    set_threads(number)
    rows, weights = torch.ones(number * ROWS, WIDTH), torch.ones(WIDTH, WIDTH)
    products = torch.mm(rows, weights)  # wakes the threads
    count, start = 0, time.perf_counter()
    while True:
        torch.mm(rows, weights, out=products)
        count += 1
        passed = time.perf_counter() - start
        if passed >= seconds:
            return count * 2 * number * ROWS * WIDTH**2 / max(passed, 1e-9)


def said(found: Mapping[int, float], *, fix: str) -> str:
    """Why not all threads are taken, with the figures and the way to fix the number."""
    most, number = max(found), fastest(found)
    return (
        f"CPU threads: {number} of {most}, for something else keeps the processor busy: products of matrices run at "
        f"{found[number] / 1e9:,.0f} GFLOP/s with {number} and at {found[most] / 1e9:,.0f} with {most}. "
        f"{fix}{most} takes all the same"
    )
