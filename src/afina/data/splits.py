"""Parts of a data set, drawn by a seed: hold some examples out, or rank them for samples.

A draw depends on the seed and the examples only, not on the platform, the process or the version of numpy: it is made
of the raw bits of a Philox counter, which numpy promises to keep.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import accumulate, chain
from operator import itemgetter

import numpy as np

from ..errors import ConfigError

Group = list[int]
"""Indices of the examples that stay together, such as those with the same input."""


def hold_out(
    keys: Sequence[int],
    fraction: float,
    *,
    seed: int,
    strata: Sequence[str],
    essentials: Sequence[Iterable[str]] = (),
) -> tuple[list[int], list[int]]:
    """Divide examples in two, those with the same key always on the same side.

    Every essential keeps at least one key in training. The order of the examples does not change the
    draw.

    Args:
        keys: A number for each of the n examples; those with the same one stay together.
        fraction: Share of the examples to hold out, above 0 and below 1.
        seed: The same seed gives the same draw.
        strata: The stratum of each example, such as its label; this share of each is held out, as nearly as whole
            groups allow. What rounding takes from one stratum the next one makes good, so that many small ones don't
            all get none. A group of several strata counts for its commonest.
        essentials: What training needs an example of, such as the labels of each example; by default nothing.

    Returns:
        Indices of the training examples and of the held-out examples, each ascending. None are held out where no group
        can be spared.

    Raises:
        ConfigError: `fraction` is not between 0 and 1.
    """
    if not 0 < fraction < 1:
        raise ConfigError(f"fraction to hold out: expected above 0 and below 1, found {fraction}")
    groups = _groups(keys)
    groups = [groups[position] for position in _shuffled(len(groups), seed)]
    layers = _strata(groups, strata)
    training = Training(groups, essentials or [()] * len(keys))
    held = {index for group in _held(layers, fraction, training, strata=strata) for index in group}
    return [index for index in range(len(keys)) if index not in held], sorted(held)


def hold_out_latest(times: Sequence[float], fraction: float) -> tuple[list[int], list[int]]:
    """Divide examples in two by time: those of the same moment on the same side, the share of the latest as near as so
    can be.

    Args:
        times: When each of the n examples was.
        fraction: Share of the examples to hold out, above 0 and below 1.

    Returns:
        Indices of the earlier and of the later examples, each ascending; none are later where all are of one moment.
    """
    moments = sorted(Counter(times).items(), reverse=True)[:-1]  # never all
    later = accumulate(count for _, count in moments)
    distances = [
        (abs(count - fraction * len(times)), moment) for count, (moment, _) in zip(later, moments, strict=True)
    ]
    _, first = min(distances, key=itemgetter(0), default=(0.0, float("inf")))
    earlier = [index for index, time in enumerate(times) if time < first]
    return earlier, [index for index, time in enumerate(times) if time >= first]


def ranking(strata: Sequence[str], *, seed: int, essentials: Sequence[Collection[str]] = ()) -> tuple[list[int], int]:
    """Rank examples, so that every beginning of the ranking is a stratified sample. Samples of one seed are so nested.

    Args:
        strata: The stratum of each of n examples, such as its label; a beginning has its share of each, as nearly as
            nested samples can.
        seed: The same seed gives the same ranking.
        essentials: What each example shows that a sample needs, such as its labels; by default nothing. The examples
            that show all of it, as few as a greedy cover finds (Chvatal 1979), come first.

    Returns:
        All indices in their order, and how many of the first ones show all that is essential.
    """
    shuffled = _shuffled(len(strata), seed)
    cover = _cover(shuffled, essentials or [()] * len(strata))
    chosen = set(cover)
    order = [*cover, *(index for index in shuffled if index not in chosen)]
    # Spread each stratum evenly over (0, 1): every beginning of the ranking then holds its share of every stratum.
    # Equal places go by the shuffled order, which the stable sort keeps.
    layers = _strata([[index] for index in order], strata)
    place = {group[0]: (rank + 0.5) / len(groups) for groups in layers.values() for rank, group in enumerate(groups)}
    return [*cover, *sorted(order[len(cover) :], key=place.__getitem__)], len(cover)


class Training:
    """What is left for training while groups are taken out.

    Args:
        groups: All groups.
        essentials: What each example shows that training needs a group of.
    """

    def __init__(self, groups: Sequence[Group], essentials: Sequence[Iterable[str]]) -> None:
        self.shown = {group[0]: {one for index in group for one in essentials[index]} for group in groups}
        self.left = Counter(one for shown in self.shown.values() for one in shown)

    def spares(self, group: Group) -> bool:
        """Whether another group shows each thing that this one does."""
        return all(self.left[one] > 1 for one in self.shown[group[0]])

    def give(self, group: Group) -> Group:
        """Take a group out."""
        self.left.subtract(self.shown[group[0]])
        return group


def _groups(keys: Sequence[int]) -> list[Group]:
    """Examples by key; the order of the rows means nothing."""
    groups: dict[int, Group] = {}
    for index, key in enumerate(keys):
        groups.setdefault(key, []).append(index)
    return [groups[key] for key in sorted(groups)]


def _shuffled(size: int, seed: int) -> list[int]:
    """The numbers 0 to size - 1 in a random order."""
    bits = np.random.Philox(seed).random_raw(size)  # [size], 64 random bits each
    order: list[int] = np.argsort(bits, kind="stable").tolist()
    return order


def _cover(order: Sequence[int], essentials: Sequence[Collection[str]]) -> list[int]:
    """Examples that together show all that is essential: always one that shows most of what is missing, of several the
    first in the order."""
    missing = set(chain.from_iterable(essentials))
    shows = [frozenset(shown) for shown in essentials]
    # What an example brings only ever falls, so one whose count is up to date and on top brings the most.
    heap = [(-len(shows[index]), rank, index) for rank, index in enumerate(order)]
    heapq.heapify(heap)
    cover = []
    while missing:
        believed, rank, index = heap[0]
        brings = len(shows[index] & missing)
        if -believed > brings:
            heapq.heapreplace(heap, (-brings, rank, index))
            continue
        heapq.heappop(heap)
        cover.append(index)
        missing -= shows[index]
    return cover


def _strata(groups: Sequence[Group], strata: Sequence[str]) -> dict[str, list[Group]]:
    """Groups by their commonest stratum, of several the first by name; strata sorted, the order of the groups kept."""
    layers: dict[str, list[Group]] = {}
    for group in groups:
        counts = Counter(strata[index] for index in group)
        layers.setdefault(min(counts, key=lambda stratum: (-counts[stratum], stratum)), []).append(group)
    return {stratum: layers[stratum] for stratum in sorted(layers)}


def _held(
    layers: Mapping[str, list[Group]], fraction: float, training: Training, *, strata: Sequence[str]
) -> list[Group]:
    """The groups to hold out: from each stratum its share, the last group of each stratum never."""
    chosen: list[Group] = []
    scored: set[str] = set()
    owed = 0.0
    for stratum, groups in layers.items():
        if len(groups) > 1:
            whole = sum(map(len, groups))
            wanted = fraction * whole + owed
            part = _choose(groups[:-1], wanted, training)
            if not part and fraction * whole >= 1 and stratum not in scored:  # scores need some, if groups are large
                part = _smallest(groups[:-1], (whole + 1) / 2, training)  # half of it at most
            owed = min(max(wanted - sum(map(len, part)), -0.5), 0.5)
            chosen += part
            scored |= {strata[index] for group in part for index in group}
    candidates = [group for groups in layers.values() for group in groups[:-1]]
    return chosen or _smallest(candidates, float("inf"), training)


def _choose(groups: Sequence[Group], wanted: float, training: Training) -> list[Group]:
    """Groups with `wanted` examples together, as nearly as can be: all that fit, then one more if that is nearer."""
    chosen: list[Group] = []
    left: list[Group] = []
    for group in groups:
        fits = len(group) <= wanted + 0.5 and training.spares(group)
        (chosen if fits else left).append(group)
        wanted -= len(training.give(group)) if fits else 0
    return chosen + _smallest(left, 2 * wanted, training)


def _smallest(groups: Sequence[Group], limit: float, training: Training) -> list[Group]:
    """The smallest group that training can spare, where it has fewer examples than the limit."""
    fitting = [group for group in groups if len(group) < limit and training.spares(group)]
    return [training.give(min(fitting, key=len))] if fitting else []
