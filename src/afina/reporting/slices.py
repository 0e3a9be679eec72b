"""Scores of parts of the data: by length, by group, by any column; the worst first, and tested for their number.

Whether a part is worse than chance would make it is tested by permutations: parts of the same size are drawn from all
examples, and the p-value is the share of them whose score is at least as far from that of all. Holm's correction is for
all parts together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from markupsafe import Markup

from ..metrics.gates import holm_of_known
from ..metrics.intervals import interval
from ..metrics.kinds import Metric
from ..metrics.kinds import Table as ScoreTable
from ..metrics.resampling import columns_of, pick
from ..metrics.scores import higher_is_better
from .blocks import Block, Cell, Grid, Prose, Ranged
from .overview import NOT_KNOWN, Array, Overview
from .phrases import Words, foreign
from .source import Source

MOST = 200_000
"""Examples that are looked at; of more a random draw, always the same."""
VALUES = 20
"""Parts of a grouping: the largest; the others are one more."""
PARTS = 4
"""Parts of numbers: as many examples in each as possible."""
LEAST = 10
"""Fewest examples of a part that is tested."""
DRAWS, WORK = 999, 6e7
"""Permutations, fewer where they would take more additions than this."""
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the data.

    Attributes:
        grouping: What the parts are parts of.
        name: Name of the part.
        count: Number of its examples.
        score: Its score with its interval.
        p_value: That chance alone makes so much of a difference from all examples, corrected; nan where it was not
            tested.
    """

    grouping: str
    name: str
    count: int
    score: Ranged
    p_value: float = float("nan")


def slices(source: Source, overview: Overview, words: Words, groupings: Mapping[str, Sequence[str]]) -> Sequence[Block]:
    """The scores of all parts.

    Args:
        source: The run.
        overview: Lengths of its examples.
        words: The language.
        groupings: For each further grouping the part of each example.
    """
    if source.scored is None or source.task is None or source.metric not in source.task.metrics:
        return [Prose(words.html("slices.unknown"), "note")]
    total = len(overview)
    chosen = np.arange(total)
    if total > MOST:
        chosen = np.sort(np.random.default_rng(0).choice(total, MOST, replace=False))
    named = lengths(overview, words) | dict(groupings)
    codes = {name: coded([values[i] for i in chosen.tolist()], words) for name, values in named.items()}
    table = pick(source.scored.table, chosen)
    groups = None if source.scored.groups is None else source.scored.groups[chosen]
    found = scored(table, source.task.metrics[source.metric], codes, groups)
    if not found:
        return []
    better = higher_is_better(source.metric)
    found.sort(key=lambda one: order_of(one, better))
    return presented(source, words, found, sampled=total > MOST, tested=groups is None)


def order_of(one: Slice, better: bool) -> float:
    """Where a part stands: the worst first, those without a score last."""
    value = one.score.value
    return float("inf") if value is None or np.isnan(value) else value if better else -value


def presented(source: Source, words: Words, found: Sequence[Slice], *, sampled: bool, tested: bool) -> list[Block]:
    """The table, and what is to be said of it."""
    metric, numbers = words.named("metric", source.metric), words.numbers
    better, whole = higher_is_better(source.metric), source.evaluation()["metrics"].get(source.metric)
    worse = [
        one
        for one in found
        if one.p_value < LEVEL
        and whole is not None
        and one.score.value is not None
        and (one.score.value < whole) == better
    ]
    blocks: list[Block] = []
    if worse:
        names = Markup(", ").join(foreign(f"{one.grouping}: {one.name}") for one in worse[:3])
        said = words.html("slices.worse", names=names, metric=metric)
        blocks.append(Prose(said, "warning"))
    elif any(np.isfinite(one.p_value) for one in found):
        blocks.append(Prose(words.html("slices.same", metric=metric)))
    if not tested:
        blocks.append(Prose(words.html("slices.groups"), "note"))
    if sampled:
        blocks.append(Prose(words.html("figure.drawn", count=numbers.whole(MOST)), "note"))
    rows: list[list[Cell]] = [
        [one.grouping, one.name, one.count, one.score, one.p_value if np.isfinite(one.p_value) else None]
        for one in found
    ]
    columns = [words("slices.by"), words("slices.part"), words("slices.count"), metric, words("slices.p_value")]
    caption = words("slices.caption", metric=metric, value=numbers.score(whole))
    return [*blocks, Grid(columns, rows, "slices.csv", caption)]


def lengths(overview: Overview, words: Words) -> dict[str, list[str]]:
    """The part of each example by its length: in tokens where these are known, else in characters."""
    tokens = np.frombuffer(overview.tokens, np.int64)
    known = len(tokens) and not (tokens == NOT_KNOWN).any()
    values = tokens if known else np.frombuffer(overview.characters, np.int64)
    if not len(values) or values.max() == values.min():
        return {}
    return {words("slices.tokens" if known else "slices.characters"): ranges(values, words)}


def ranges(values: Array, words: Words) -> list[str]:
    """The name of the range in which each number lies; the ranges hold about equally many."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, PARTS + 1), method="higher"))
    places = np.clip(np.searchsorted(edges, values, side="left"), 1, max(1, len(edges) - 1)) - 1
    names = []
    for k in range(max(1, len(edges) - 1)):
        own = values[places == k]
        low, high = (float(own.min()), float(own.max())) if len(own) else (float(edges[k]), float(edges[k]))
        whole = values.dtype.kind in "iu"
        shown = [words.numbers.whole(one) if whole else words.numbers.score(one) for one in (low, high)]
        names.append(shown[0] if low == high else f"{shown[0]} – {shown[1]}")
    return [names[place] for place in places]


def coded(values: Sequence[str], words: Words) -> tuple[Array, list[str]]:
    """The number of the part of each example, and the names of the parts: the largest, and one of all others."""
    counts = Counter(values)
    named = [name for name, _ in counts.most_common(VALUES)]
    ids = {name: i for i, name in enumerate(named)}
    if len(counts) > len(named):
        named.append(words("slices.others", count=words.numbers.whole(len(counts) - len(ids))))
    return np.array([ids.get(value, len(ids)) for value in values], np.int64), named


def scored(
    table: ScoreTable, metric: Metric, codes: Mapping[str, tuple[Array, list[str]]], groups: Array | None
) -> list[Slice]:
    """Every part with its score, and p-values corrected for the number of parts."""
    found: list[Slice] = []
    sizes: list[int] = []
    for grouping, (ids, names) in codes.items():
        if len(names) < 2:
            continue
        for k, name in enumerate(names):
            own = np.flatnonzero(ids == k)
            if not len(own):
                continue
            one = interval(pick(table, own), metric, groups=None if groups is None else groups[own], resamples=400)
            score = Ranged(one.value, one.low, one.high)
            found.append(Slice(grouping, name, len(own), score))
            sizes.append(len(own))
    if groups is not None or not found:
        return found
    values = np.array([np.nan if one.score.value is None else one.score.value for one in found])
    p_values = permuted(table, metric, values, sizes)
    adjusted = holm_of_known(p_values.tolist())
    return [replace(one, p_value=p_value) for one, p_value in zip(found, adjusted, strict=True)]


def permuted(table: ScoreTable, metric: Metric, values: Array, sizes: Sequence[int]) -> Array:
    """For each part the share of random parts of its size whose score is as far from that of all. [parts]

    It is nan for parts that are too small, and for metrics that are no functions of sums.
    """
    p_values = np.full(len(values), np.nan)
    made = columns_of([table], metric)
    n = len(next(iter(table.values())))
    if made is None or n < 2 * LEAST:
        return p_values
    sums, (columns,) = made
    tested = [i for i, size in enumerate(sizes) if LEAST <= size <= n - LEAST and np.isfinite(values[i])]
    if not tested:
        return p_values
    ends = np.array([sizes[i] for i in tested]) - 1
    whole = float(sums.score(columns.sum(axis=0)))
    draws = int(np.clip(WORK / max(1, columns.size), 99, DRAWS))
    generator = np.random.default_rng(0)
    further = np.ones(len(tested))
    distances = np.abs(values[tested] - whole) * (1 - 1e-12)
    for _ in range(draws):
        drawn = np.cumsum(columns[generator.permutation(n)], axis=0)[ends]
        with np.errstate(all="ignore"):
            further += ~(np.abs(sums.score(drawn) - whole) < distances)
    p_values[tested] = further / (draws + 1)
    return p_values
