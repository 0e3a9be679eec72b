"""The part of the training data that is held out for validation where no validation data are given.

What the draw must never do: leave training without a label, put texts that are the same or nearly so on both sides, or
give a part that tells nothing. What it decides is said, in the notes and in `data.json`.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from ..config import DataConfig
from ..errors import ConfigError, DataError, Problem, listed
from ..printing import many
from ..records import Example, Row
from ..tasks.base import Task
from .alikes import nearly_same, tied
from .identity import digest, fingerprint, fingerprint_of
from .splits import hold_out, hold_out_latest
from .times import Moment, moment_of, ordered

LEAST = 5
"""Examples under which there is nothing to train on and to hold out."""
FEWEST = 10
"""Distinct inputs under which a part of the data is no measure of anything."""
GIVE = "give validation data (--validation FILE)"


@dataclass(frozen=True, slots=True)
class Division:
    """The training data, divided.

    Attributes:
        whole: All of them, in their order.
        train: Indices of those that are trained on, ascending.
        held: Indices of those that are held out, ascending.
        rule: How they were chosen, for `data.json`.
        notes: The same in words.
    """

    whole: Sequence[Example]
    train: Sequence[int]
    held: Sequence[int]
    rule: Mapping[str, Any]
    notes: Sequence[str]


def beside(settings: DataConfig, *, drawn: bool) -> tuple[str, str] | None:
    """The setting that names a column by which to divide, and the column; None without one, or if nothing is held out.

    Args:
        settings: How to hold out.
        drawn: Whether a part is held out at all.

    Raises:
        ConfigError: both are set, or nothing is held out of what has times.
    """
    named = [
        (name, column) for name in ("group_by", "split_by_time") if (column := getattr(settings, name)) is not None
    ]
    if len(named) > 1:
        raise ConfigError("data.group_by and data.split_by_time: a part is held out by groups or by time, not both")
    if settings.split_by_time is not None and not drawn:
        raise ConfigError(
            "data.split_by_time: there are validation data, so nothing is held out; leave out one of both"
        )
    return named[0] if named and drawn else None


def value_of(row: Row, by: tuple[str, str]) -> str | Moment | None:
    """The group of a row (None where it has none), or its time.

    Args:
        row: A row of the training data.
        by: The setting and the column, from `beside`.

    Raises:
        DataError: a time can't be read.
    """
    setting, column = by
    if setting == "group_by":
        return group_in(row, column)
    return moment_of(single(row.values.get(column)), column=column, place=row.place)


def group_in(row: Row, column: str) -> str | None:
    """The name of the group of a row; None where it has none."""
    return group_of(single(row.values.get(column)))


def single(value: Any) -> Any:
    """A value, or the one that each word of a sentence has."""
    return value[0] if isinstance(value, list) and value and value == value[:1] * len(value) else value


def group_of(value: Any) -> str | None:
    """The name of a group: 1, 1.0 and "1" are the same; None for a missing one."""
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = (
        value if isinstance(value, str | None) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    )
    return text if text and not text.isspace() else None


def divide(settings: DataConfig, task: Task, whole: Sequence[Example], values: Sequence[Any]) -> Division:
    """Hold out a part of the training data.

    Args:
        settings: How.
        task: Fitted to all of them.
        whole: The training data.
        values: The group or the time of each, where the settings name a column.

    Raises:
        DataError: there are too few to hold out any, or their times can't be put in order.
    """
    distinct = len({fingerprint(example) for example in whole})
    found = f"{many(distinct, 'distinct input')} in {many(len(whole), 'example')}"
    if len(whole) < LEAST or distinct < 2:
        refuse(whole, f"found {found}, which is no training set", f"add examples or {GIVE}")
    shown = task.essentials(whole)
    if settings.split_by_time is None:
        train, held, notes = by_draw(settings, task, whole, values=values, shown=shown)
    else:
        train, held, notes = by_time(settings, whole, values=values, shown=shown)
    labels = [set(task.labels_in(example)) for example in whole]
    unscored = set().union(*labels) - set().union(*(labels[index] for index in held))
    if unscored:
        about = "it" if len(unscored) == 1 else "them"
        notes.append(
            f"no example of {listed(sorted(unscored))} is held out, so validation scores say nothing about {about}"
        )
    if distinct < FEWEST:
        notes.append(f"found only {found}: scores on so few say next to nothing")
    rule = {name: getattr(settings, name) for name in ("hold_out", "split_seed", "group_by", "split_by_time")}
    return Division(whole, train, held, rule, notes)


Parts = tuple[list[int], list[int], list[str]]
"""Indices of the training examples and of those held out, and how they were chosen, in words."""


def by_draw(
    settings: DataConfig, task: Task, whole: Sequence[Example], *, values: Sequence[Any], shown: Sequence[set[str]]
) -> Parts:
    """Groups of examples by chance, each label its share.

    Raises:
        DataError: training can spare none.
    """
    column, seed, fraction = settings.group_by, settings.split_seed, settings.hold_out
    strata = [task.stratum(example) for example in whole]
    texts = [task.kept_together(example) for example in whole]
    inputs = [fingerprint_of(*pair) for pair in texts]
    keys = inputs
    if column is not None:
        keys = [one if group is None else digest(f"group {group}") for one, group in zip(inputs, values, strict=True)]
    groups, notes = with_alikes(keys, inputs, texts, strata=strata, fraction=fraction)
    train, held = hold_out(groups, fraction, seed=seed, strata=strata, essentials=shown)
    if not held:
        train, held = hold_out(keys, fraction, seed=seed, strata=strata, essentials=shown)
        notes = ["so many examples are nearly the same that only equal ones stay together"] if held else []
    if not held and column is None and len(set(keys)) > 1:  # equal inputs are all that could show a label to both
        train, held = hold_out(range(len(whole)), fraction, seed=seed, strata=strata, essentials=shown)
        notes = [
            "equal inputs stand on both sides, since labels have one input each: scores tell what was learned by heart"
        ]
    if not held:
        refuse_whole(settings, whole, groups=len(set(keys)))
    how = [f"groups of {column!r}"] if column is not None else []
    how += ["stratified"] if any(strata) else []
    first = said(len(held), len(whole), f"{', '.join([*how, f'split seed {seed}'])}")
    alone = sum(value is None for value in values)
    if column is not None and alone:
        notes.append(f"{many(alone, 'training example')} without {column!r}: each is a group of its own")
    return train, held, [first, *notes, *again(inputs, train, held)]


def by_time(
    settings: DataConfig, whole: Sequence[Example], *, values: Sequence[Moment], shown: Sequence[set[str]]
) -> Parts:
    """The latest examples; what only they show stays in training.

    Raises:
        DataError: the times can't be put in order, or nothing later is left to hold out.
    """
    column = settings.split_by_time or ""
    times = ordered(values, column)
    train, held = hold_out_latest(times, settings.hold_out)
    if not held:
        refuse(whole, f"all {len(whole):,} examples have the same time in column {column!r}", GIVE)
    known = set().union(*(shown[index] for index in train))
    late = [index for index in held if not shown[index] <= known]
    held = [index for index in held if shown[index] <= known]
    if not held:
        refuse(whole, f"all of the latest examples have labels that no earlier one has (column {column!r})", GIVE)
    start = min((times[index], values[index].shown) for index in held)[1]
    notes = [said(len(held), len(whole), f"the latest by {column!r}, from {start} on")]
    if late:
        new = listed(sorted(set().union(*(shown[index] for index in late)) - known))
        notes.append(f"{many(len(late), 'late example')} left in training, since no earlier one has {new}")
    if len({one.zoned for one in values if not one.counted}) > 1:
        notes.append(f"times of {column!r} without a zone are taken as UTC")
    inputs = [fingerprint(example) for example in whole]
    train = sorted([*train, *late])
    return train, held, [*notes, *again(inputs, train, held)]


def with_alikes(
    keys: Sequence[int],
    inputs: Sequence[int],
    texts: Sequence[tuple[str, str]],
    *,
    strata: Sequence[str],
    fraction: float,
) -> tuple[list[int], list[str]]:
    """Keys under which examples with equal and nearly equal texts are one group, too.

    What would so be more than half of a stratum falls apart again, lest it be never scored or hardly trained on.

    Args:
        keys: A key for each of n examples; those with the same one stay together in any case.
        inputs: Fingerprint of the texts of each.
        texts: The texts of each.
        strata: The stratum of each.
        fraction: Share to hold out; a stratum that is too small to have a share is no reason to fall apart.

    Returns:
        n keys, and what was decided, in words.
    """
    first = dict(zip(inputs, texts, strict=True))
    distinct = sorted(first)
    roots = nearly_same([first[one] for one in distinct])
    if roots is None:
        return [*keys], ["there is too much text to look for near duplicates; only equal inputs stay together"]
    root = {one: distinct[position] for one, position in zip(distinct, roots, strict=True)}
    ties = joined(keys, [root[one] for one in inputs])
    sizes, inside = Counter(strata), Counter(zip(ties, strata, strict=True))
    members: dict[int, set[int]] = {}
    for key, tie in zip(keys, ties, strict=True):
        members.setdefault(tie, set()).add(key)
    loose = {
        tie
        for (tie, stratum), count in inside.items()
        if 2 * count > sizes[stratum] and fraction * sizes[stratum] >= 1 and len(members[tie]) > 1
    }
    together = sum(len(members[tie]) > 1 and tie not in loose for tie in ties)
    apart = sum(tie in loose for tie in ties)
    notes = [f"{many(together, 'training example')} nearly like another one, kept on its side"] if together else []
    if apart:
        notes.append(f"{many(apart, 'training example')} nearly alike, too many to stay together; only equal ones do")
    return [key if tie in loose else tie for key, tie in zip(keys, ties, strict=True)], notes


def joined(keys: Sequence[int], others: Sequence[int]) -> list[int]:
    """One key for all that are tied by the same key or the same other one, by others in between perhaps: the least."""
    distinct, own = np.unique(np.array(keys, np.uint64), return_inverse=True)
    _, first, tie = np.unique(np.array(others, np.uint64), return_index=True, return_inverse=True)
    roots = tied(np.arange(len(distinct)), own, own[first[tie]])
    least: list[int] = distinct[roots[own]].tolist()
    return least


def again(inputs: Sequence[int], train: Sequence[int], held: Sequence[int]) -> list[str]:
    """A note on inputs that groups or times have on both sides."""
    known = {inputs[index] for index in train}
    both = sum(inputs[index] in known for index in held)
    return [f"{many(both, 'held out example')} with an input that training has, too"] if both else []


def said(held: int, whole: int, how: str) -> str:
    """That a part is held out, in words."""
    return (
        f"no validation data given: {held:,} of {many(whole, 'training example')} held out ({how}; listed in data.json)"
    )


def refuse_whole(settings: DataConfig, whole: Sequence[Example], *, groups: int) -> NoReturn:
    """Refuse data of which training can spare nothing.

    Raises:
        DataError: always.
    """
    column = settings.group_by
    if groups > 1:
        kind = "equal examples" if column is None else repr(column)
        found = f"each of the {groups:,} groups of {kind} alone has one of the labels, and training needs all"
        refuse(whole, found, f"add examples of the labels or {GIVE}")
    found = "are about one passage" if column is None else f"have the same {column!r}"
    refuse(whole, f"all {len(whole):,} examples {found}", GIVE)


def refuse(whole: Sequence[Example], found: str, fix: str) -> NoReturn:
    """Refuse to hold out a part.

    Raises:
        DataError: always.
    """
    place = whole[0].place if whole else "data"
    raise DataError(Problem(place, f"can't hold out a part: {found}", fix, "too-few"))
