"""Tagging schemes for words: reading entities from tags (IO, IOB1, IOB2, BIOES, BILOU), and legal decoding."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache

import numpy as np

from .spans import Array, Span

TAG = re.compile(r"([BIESLU])-(.+)", re.DOTALL)
MEANT_AS_TAG = re.compile(r"[BIESLU]([-_].*)?", re.DOTALL | re.IGNORECASE)
"""A tag that was meant as an entity tag: `B-PER`, but also `b-per`, `B_PER`, `B-` and `B`."""


def entities_of(tags: Sequence[str], *, strict: bool = False) -> list[Span]:
    """Entities of tags, as conlleval reads IOB1, IOB2 and BIOES (BILOU): an I after another type begins an entity.

    Args:
        tags: One tag per word.
        strict: Whether only B (or S, U) begins an entity; a tag that continues none is O, as in seqeval's strict IOB2.
    """
    if strict:
        tags = well_formed(tags)
    spans: list[Span] = []
    start, kind = 0, ""
    for i, tag in enumerate([*tags, "O"]):
        match = TAG.fullmatch(tag)
        edge, label = match.groups() if match else ("O", "")
        if kind and (edge in "OBSU" or label != kind):
            spans.append(Span(start, i, kind))
            kind = ""
        if edge != "O" and not kind:
            start, kind = i, label
        if kind and edge in "ESLU":
            spans.append(Span(start, i + 1, kind))
            kind = ""
    return spans


def kind_of(tags: Collection[str]) -> str:
    """The kind of the distinct tags of the data, `entities` or `plain`. A few malformed entity tags are tolerated."""
    outside = {"O", "o", "0"} & set(tags)
    meant = [tag for tag in tags if MEANT_AS_TAG.fullmatch(tag)]
    sound = [tag for tag in meant if TAG.fullmatch(tag)]
    if set(tags) <= {"O", *sound} or (outside and 2 * len(meant) >= len(set(tags) - outside) > 0):
        return "entities"
    return "plain"


def well_formed(tags: Sequence[str]) -> list[str]:
    """Tags with O in place of each tag that continues no entity."""
    repaired: list[str] = []
    for tag in tags:
        before = repaired[-1] if repaired else "O"
        orphan = tag[0] in "IEL" and (before[0] not in "BI" or before[1:] != tag[1:])
        repaired.append("O" if orphan else tag)
    return repaired


def to_bio(entities: Iterable[Span], n: int) -> list[str]:
    """IOB2 tags of n words with the given entities."""
    tags = ["O"] * n
    for start, end, label in entities:
        tags[start:end] = [f"B-{label}", *[f"I-{label}"] * (end - start - 1)]
    return tags


def find_scheme(sequences: Iterable[Sequence[str]]) -> str:
    """The name of the scheme of tag sequences, for the log."""
    edges: Counter[str] = Counter()
    opening = 0
    for tags in sequences:
        for before, tag in zip(["O", *tags], tags, strict=False):
            edges[tag[0]] += 1
            opening += tag[0] == "I" and (before == "O" or before[1:] != tag[1:])
    if any(edges[edge] for edge in "ESLU"):
        return "BIOES"
    if not edges["B"]:
        return "IO"
    return "IOB1" if opening else "IOB2"


def viterbi(emissions: Array, tags: Sequence[str]) -> list[str]:
    """The most probable legal BIO sequence: I-X may follow only B-X or I-X (Forney 1973).

    Any other tag may follow every tag, so a step only needs the best tag overall and, for I-X, the better of two.

    Args:
        emissions: Log-probabilities. [n, k]
        tags: Names of the k tags.
    """
    if not len(emissions):
        return []
    inner, outer = continuations(tuple(tags))
    best = emissions[0].copy()
    best[inner] = -np.inf
    back = np.empty(emissions.shape, np.int64)
    for i in range(1, len(emissions)):
        back[i] = top = best.argmax()
        back[i, inner] = np.where(best[inner] > best[outer], inner, outer)
        scores = np.full(len(tags), best[top])
        scores[inner] = np.maximum(best[inner], best[outer])
        best = scores + emissions[i]
    path = [int(best.argmax())]
    for i in range(len(emissions) - 1, 0, -1):
        path.append(int(back[i, path[-1]]))
    return [tags[i] for i in reversed(path)]


@lru_cache(maxsize=64)
def continuations(tags: tuple[str, ...]) -> tuple[Array, Array]:
    """Ids of the tags I-X, and ids of the matching tags B-X. Both [m]"""
    inner = [i for i, tag in enumerate(tags) if tag.startswith("I-")]
    return np.array(inner, np.int64), np.array([tags.index(f"B-{tags[i][2:]}") for i in inner], np.int64)
