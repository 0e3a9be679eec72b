"""Texts that are nearly the same, found by MinHash in time and memory linear in their characters.

A draw that keeps such texts together needs no proof of each pair: a few that are not quite alike enough do no harm.
The sketches are plain arithmetic on 32 bits, the same on every platform.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .identity import normalized

Array = np.ndarray[Any, Any]
PIECE = 5
"""Characters of the pieces that two texts share or don't."""
HASHES = 128
"""Minima of a sketch. The share that two sketches have in common estimates the Jaccard similarity of their pieces, with
a standard deviation of 0.035 at 0.8."""
BANDS = 32
"""Parts of a sketch, one of which must be equal for two texts to be compared at all: of pairs with a similarity of 0.8
one in ten million is never compared."""
NEIGHBOURS = 4
"""Texts that share a part of their sketch are compared with so many of those next to them."""
ALIKE = 0.7
"""Estimated similarity from which texts are tied: all but one in 400 of those with 0.8 are, and fewer are missed the
more alike they are."""
CHARACTERS = 100_000_000
"""More than these are not looked at."""
CHUNK = 1 << 18
"""Characters that are hashed at once, so that they stay in the processor's cache."""


def nearly_same(texts: Sequence[tuple[str, str]]) -> list[int] | None:
    """For each text (or pair) the position of the first one that it is tied to, by others in between perhaps.

    Two pairs are alike when both of their texts are. The order of the texts decides which of many are compared.

    Args:
        texts: n first and second texts; the second is empty for single texts.

    Returns:
        n positions, a text's own where no earlier one is tied to it; None where there are too many characters.
    """
    if sum(len(one) + len(other) for one, other in texts) > CHARACTERS:
        return None
    sketches = [sketched([one for one, _ in texts])]
    if any(other for _, other in texts):
        sketches.append(sketched([other for _, other in texts]))
    roots = np.arange(len(texts))
    for pairs in candidates(np.minimum.reduce(sketches)):
        one, other = pairs[:, roots[pairs[0]] != roots[pairs[1]]]
        alike = np.logical_and.reduce([(sketch[one] == sketch[other]).mean(axis=1) >= ALIKE for sketch in sketches])
        roots = tied(roots, one[alike], other[alike])
    found: list[int] = roots.tolist()
    return found


def tied(roots: Array, one: Array, other: Array) -> Array:
    """For each position the first that it is tied to, when more pairs are tied. [n], [m], [m] -> [n]"""
    while (roots[one] != roots[other]).any():
        first = np.minimum(roots[one], roots[other])
        for end in (one, other):
            np.minimum.at(roots, roots[end], first)
        while (roots[roots] != roots).any():
            roots = roots[roots]
    return roots


def candidates(sketches: Array) -> Iterator[Array]:
    """Pairs of positions whose sketches have a part in common, part by part. [n, HASHES] -> [2, m]"""
    near = np.lexsort(sketches.T[:BANDS])  # so that in what follows those most alike stand next to one another
    for band in np.split(sketches[near], BANDS, axis=1):
        key = np.zeros(len(band), np.uint64)
        for minimum in band.T:
            key = (key ^ minimum) * np.uint64(0x9E3779B97F4A7C15)
        order = np.argsort(key, kind="stable")
        run = np.cumsum(np.diff(key[order], prepend=key[order[:1]]) != 0)
        for distance in range(1, NEIGHBOURS + 1):
            inside = np.flatnonzero(run[distance:] == run[:-distance])
            yield near[order[np.stack([inside, inside + distance])]]


def sketched(texts: Sequence[str]) -> Array:
    """The MinHash sketches of texts, but for case, blanks and Unicode form. [n, HASHES]"""
    found = np.empty((len(texts), HASHES), np.uint32)
    factors, summands = np.random.Philox(1).random_raw(2 * HASHES).astype(np.uint32).reshape(2, HASHES)
    for start, chunk in chunks(texts):
        pieces, counts = hashed(chunk)
        starts = np.cumsum(counts) - counts
        for number, (factor, summand) in enumerate(zip(factors | 1, summands, strict=True)):
            found[start : start + len(chunk), number] = np.minimum.reduceat(pieces * factor + summand, starts)
    return found


def chunks(texts: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Normalized texts of about `CHUNK` characters together, and the position of the first of them."""
    chunk: list[str] = []
    size = 0
    for position, text in enumerate(texts):
        chunk.append(normalized(text).ljust(PIECE, "\0"))
        size += len(chunk[-1])
        if size >= CHUNK or position == len(texts) - 1:
            yield position + 1 - len(chunk), chunk
            chunk, size = [], 0


def hashed(texts: Sequence[str]) -> tuple[Array, Array]:
    """32 bits for each run of `PIECE` characters of texts one after the other, and the number of runs in each text."""
    points = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    ends = np.cumsum([len(text) for text in texts])
    mixed = np.zeros(len(points) - PIECE + 1, np.uint32)
    for offset in range(PIECE):
        mixed = mixed * np.uint32(0x01000193) + points[offset : offset + len(mixed)] * np.uint32(0x9E3779B1)
    inside = np.ones(len(points), bool)
    for back in range(1, PIECE):  # runs that would go on into the next text
        inside[ends - back] = False
    mixed = mixed[inside[: len(mixed)]]
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):  # the end of MurmurHash3: each bit counts
        mixed = (mixed ^ (mixed >> np.uint32(shift))) * np.uint32(factor)
    return mixed, np.diff(ends, prepend=0) - (PIECE - 1)
