"""Parts of a data set, drawn by a seed: hold some examples out, or take a few.

A draw depends on the seed and the examples only, not on the platform, the process or the version of numpy: it is made
of the raw bits of a Philox counter, which numpy promises to keep.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import ConfigError, DataError, Problem
from ..records import Example
from .identity import fingerprint

Group = list[int]
"""Indices of the examples that have the same input; they always stay together."""


def hold_out(
    examples: Sequence[Example], fraction: float, *, seed: int, strata: Sequence[str]
) -> tuple[list[int], list[int]]:
    """Divide examples in two, equal inputs (but for case, blanks and Unicode form) always on the same side.

    Every label keeps at least one input in training, so a label with one input is not held out; at least one example
    is held out, even if all labels are of that kind. The order of the examples does not change the draw.

    Args:
        examples: n examples.
        fraction: Share of the examples to hold out, above 0 and below 1.
        seed: The same seed gives the same draw.
        strata: The stratum of each example, such as its label; this share of each is held out, as nearly as whole
            groups of equal inputs allow. What rounding takes from one stratum the next one makes good, so that many
            small ones don't all get none. Equal inputs of several strata count for that of the first.

    Returns:
        Indices of the training examples and of the held-out examples, each ascending.

    Raises:
        DataError: there are fewer than two distinct inputs.
        ConfigError: `fraction` is not between 0 and 1.
    """
    if not 0 < fraction < 1:
        raise ConfigError(f"fraction to hold out: expected above 0 and below 1, found {fraction}")
    groups = _groups(examples)
    if len(groups) < 2:
        _refuse(examples, len(groups))
    groups = [groups[position] for position in _shuffled(len(groups), seed)]
    layers = _strata(groups, strata)
    held = {index for group in _held(layers, fraction) or groups[:1] for index in group}
    return [index for index in range(len(examples)) if index not in held], sorted(held)


def take(examples: Sequence[Example], amount: float, *, seed: int, strata: Sequence[str]) -> list[int]:
    """Choose some of the examples. With the same seed a smaller choice is a part of every larger one.

    Args:
        examples: n examples.
        amount: How many as an int, or a share above 0 and up to 1 as a float (at least one example).
        seed: The same seed gives the same draw.
        strata: The stratum of each example, such as its label; each gets its share, as nearly as nested choices can.

    Returns:
        Indices of the chosen examples, ascending.

    Raises:
        ConfigError: `amount` is not a share or count of these examples.
    """
    total = len(examples)
    number = amount if isinstance(amount, int) else max(1, round(amount * total)) if 0 < amount <= 1 else 0
    if not 0 < number <= total:
        raise ConfigError(f"take: expected a count from 1 to {total} or a share above 0 and up to 1, found {amount}")
    order = _shuffled(total, seed)
    layers = _strata([[index] for index in order], strata)
    # Spread each label evenly over (0, 1): every beginning of the ranking then holds its share of every label.
    # Equal places go by the shuffled order, which the stable sort keeps.
    place = {group[0]: (rank + 0.5) / len(groups) for groups in layers for rank, group in enumerate(groups)}
    return sorted(sorted(order, key=place.__getitem__)[:number])


def _refuse(examples: Sequence[Example], distinct: int) -> None:
    place = examples[0].place if examples else "data"
    found = f"{distinct} distinct {'input' if distinct == 1 else 'inputs'} in {len(examples)} examples"
    message = f"can't hold out a part: found {found}, at least 2 are needed"
    raise DataError(Problem(place, message, "add examples or give a validation file", "too-few"))


def _groups(examples: Sequence[Example]) -> list[Group]:
    """Examples by equal input, but for case, blanks and Unicode form; the order of the rows means nothing."""
    groups: dict[int, Group] = {}
    for index, example in enumerate(examples):
        groups.setdefault(fingerprint(example), []).append(index)
    return [groups[key] for key in sorted(groups)]


def _shuffled(size: int, seed: int) -> list[int]:
    """The numbers 0 to size - 1 in a random order."""
    bits = np.random.Philox(seed).random_raw(size)  # [size], 64 random bits each
    order: list[int] = np.argsort(bits, kind="stable").tolist()
    return order


def _strata(groups: Sequence[Group], strata: Sequence[str]) -> list[list[Group]]:
    """Groups by the stratum of their first example, strata sorted, the order of the groups kept."""
    layers: dict[str, list[Group]] = {}
    for group in groups:
        layers.setdefault(strata[group[0]], []).append(group)
    return [layers[stratum] for stratum in sorted(layers)]


def _held(strata: Sequence[list[Group]], fraction: float) -> list[Group]:
    """The groups to hold out: from each label its share, the last group of each label never."""
    chosen: list[Group] = []
    owed = 0.0
    for groups in strata:
        if len(groups) > 1:
            wanted = fraction * sum(map(len, groups)) + owed
            part = _choose(groups[:-1], wanted)
            owed = min(max(wanted - sum(map(len, part)), -0.5), 0.5)
            chosen += part
    candidates = [group for groups in strata for group in groups[:-1]]
    return chosen or sorted(candidates, key=len)[:1]


def _choose(groups: Sequence[Group], wanted: float) -> list[Group]:
    """Groups with `wanted` examples together, as nearly as can be: all that fit, then one more if that is nearer."""
    chosen: list[Group] = []
    left: list[Group] = []
    for group in groups:
        fits = len(group) <= wanted + 0.5
        (chosen if fits else left).append(group)
        wanted -= len(group) if fits else 0
    smallest = min(left, key=len, default=None)
    if smallest is not None and len(smallest) < 2 * wanted:
        chosen.append(smallest)
    return chosen
