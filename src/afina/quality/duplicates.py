"""The same text more than once: repeats, leaks between the splits, pairs the other way round, contradictions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..data.identity import fingerprint
from ..errors import printable
from ..printing import many
from ..records import Example
from ..tasks.base import Task
from ..tasks.inputs import told_apart
from .findings import SHOWN, Finding, places

Keys = Mapping[str, Sequence[int]]
"""The fingerprints of the examples of each split."""


def repeated(splits: Mapping[str, Sequence[Example]], keys: Keys) -> list[Finding]:
    """The same text more than once: inside a split, and in one that should be new to the model."""
    found = []
    known: set[int] = set()
    for name, examples in splits.items():
        first: set[int] = set()
        again = []
        for key, example in zip(keys[name], examples, strict=True):
            if key in first:
                again.append(example)
            first.add(key)
        if again:
            share = len(again) / len(examples)
            some = f"{many(len(again), 'example')} ({share:.1%})"
            message = f"{name}: {some} like an earlier one, but for case and blanks"
            found.append(Finding("note", "duplicates", message, len(again), places(again)))
        if name == "train":
            known = first
        pairs = zip(keys[name], examples, strict=True)
        leaked = [example for key, example in pairs if key in known] if name != "train" else []
        if leaked:
            message = (
                f"{name}: {standing(len(leaked), 'example', len(examples))} in train too; "
                "scores on them tell what was learned by heart"
            )
            found.append(Finding("warning", "leak", message, len(leaked), places(leaked)))
    return found


def seen_in_validation(splits: Mapping[str, Sequence[Example]], keys: Keys) -> list[Finding]:
    """Test texts that stand in the validation data, by which the best epoch and the thresholds are chosen."""
    chosen_by = set(keys.get("validation", ()))
    tested = splits.get("test", ())
    same = [example for example, key in zip(tested, keys.get("test", ()), strict=True) if key in chosen_by]
    if not same:
        return []
    some = standing(len(same), "example", len(tested))
    message = f"test: {some} in validation too, which chooses the best epoch"
    return [Finding("warning", "test-in-validation", message, len(same), places(same))]


def mirrored(splits: Mapping[str, Sequence[Example]], keys: Keys) -> list[Finding]:
    """Pairs of validation and test that stand in train the other way round."""
    known = {fingerprint(swapped(example)) for example in splits["train"] if example.pair is not None}
    found = []
    for name in [name for name in splits if known and name != "train"]:
        pairs = zip(splits[name], keys[name], strict=True)
        same = [one for one, key in pairs if key in known and key != fingerprint(swapped(one))]
        if same:
            message = f"{name}: {standing(len(same), 'pair', len(splits[name]))} in train with the texts swapped"
            found.append(Finding("warning", "mirrored-leak", message, len(same), places(same)))
    return found


def standing(count: int, noun: str, total: int) -> str:
    """How many of a split stand somewhere: 1 example (2.0%) stands, 2 examples (4.0%) stand."""
    return f"{many(count, noun)} ({count / total:.1%}) {'stands' if count == 1 else 'stand'}"


def swapped(example: Example) -> Example:
    """A pair the other way round."""
    return replace(example, text=example.pair or "", pair=example.text)


def contradictions(task: Task, splits: Mapping[str, Sequence[Example]], keys: Keys) -> list[Finding]:
    """The same text with different answers."""
    found = []
    for name, examples in splits.items():
        targets: dict[int, Any] = {}
        split = set()
        for key, example in zip(keys[name], examples, strict=True):
            if targets.setdefault(key, example.target) != example.target:
                split.add(key)
        groups: dict[int, list[Example]] = defaultdict(list)
        for key, example in zip(keys[name], examples, strict=True):
            if key in split:
                groups[key].append(example)
        wrong = list(groups.values())
        if wrong:
            message = (
                f"{name}: {many(len(wrong), 'text')} with more than one answer, for example "
                f"{printable(wrong[0][0].text, 60)}: "
                f"{', '.join(told_apart(sorted({task.show(example.target) for example in wrong[0]})[:SHOWN]))}"
            )
            several = [one for same in wrong for one in same]
            found.append(Finding("warning", "contradictions", message, len(wrong), places(several)))
    return found
