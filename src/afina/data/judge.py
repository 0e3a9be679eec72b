"""What to know about labelled data before training on them: findings, each with a severity, a count and places."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ..errors import Problem, printable
from ..records import Example
from ..tasks.base import Task, told_apart

FEW = 10
"""Training examples under which a label is called rare: cross-validation can't judge it."""
LOPSIDED = 20
"""Ratio of the commonest to the rarest label from which accuracy says little."""
SHOWN = 5
"""Places that a finding lists."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to know about the data.

    Attributes:
        severity: error (training would refuse it), warning (scores or training suffer) or note.
        code: A short stable name.
        message: What was found.
        count: How many examples or labels it concerns.
        places: The first of them.
    """

    severity: Literal["error", "warning", "note"]
    code: str
    message: str
    count: int = 0
    places: tuple[str, ...] = ()


def judge(task: Task, parts: Mapping[str, Sequence[Example]], problems: Sequence[Problem] = ()) -> list[Finding]:
    """Everything that needs no model: problems first, then warnings, then notes.

    Args:
        task: With its columns, and its facts where there are no problems.
        parts: Examples by part.
        problems: Rows that can't be used.
    """
    found = [*errors(problems)]
    found += repeated(parts)
    found += seen_in_validation(parts)
    found += mirrored(parts)
    found += contradictions(parts)
    found += remnants(task, parts)
    labels = Counter(label for example in parts["train"] for label in task.labels_in(example))
    if labels:
        found += label_findings(labels)
    for name, examples in parts.items():
        for doubts in by_kind(task.doubts(examples)):
            message = f"{name}: {doubts[0].message}; {doubts[0].fix}"
            found.append(Finding("warning", doubts[0].code, message, len(doubts), places(doubts)))
    order = {"error": 0, "warning": 1, "note": 2}
    return sorted(found, key=lambda one: order[one.severity])


def many(count: int, noun: str) -> str:
    """A number and its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def shown(example: Example) -> str:
    """A target in a few characters."""
    names = named(example)
    if names:
        return printable(" + ".join(names), 40)
    return printable(example.target, 40) if example.target != () else "nothing"


def named(example: Example) -> list[str]:
    """The labels inside a target: of a set of labels, of spans."""
    if example.words is not None or not isinstance(example.target, tuple):
        return []
    names = [getattr(one, "label", one) for one in example.target]
    return [name for name in names if isinstance(name, str)]


def errors(problems: Sequence[Problem]) -> list[Finding]:
    """Problems by kind, so that ten thousand of one kind are one line."""
    return [
        Finding("error", same[0].code, "; ".join(filter(None, (same[0].message, same[0].fix))), len(same), places(same))
        for same in by_kind(problems)
    ]


def by_kind(problems: Iterable[Problem]) -> list[list[Problem]]:
    """Problems with the same code together."""
    kinds: dict[str, list[Problem]] = defaultdict(list)
    for problem in problems:
        kinds[problem.code].append(problem)
    return list(kinds.values())


def places(some: Iterable[Problem | Example]) -> tuple[str, ...]:
    """The first places of some examples or problems."""
    return tuple(one.place for one, _ in zip(some, range(SHOWN), strict=False))


def normal(example: Example) -> tuple[str, str]:
    """The inputs of an example without differences of case, blanks and Unicode form."""
    return (
        " ".join(unicodedata.normalize("NFKC", example.text).casefold().split()),
        " ".join(unicodedata.normalize("NFKC", example.pair or "").casefold().split()),
    )


def repeated(parts: Mapping[str, Sequence[Example]]) -> list[Finding]:
    """The same text more than once: inside a part, and in a part that should be new to the model."""
    found = []
    known: set[tuple[str, str]] = set()
    for name, examples in parts.items():
        first: set[tuple[str, str]] = set()
        again = []
        keys = [normal(example) for example in examples]
        for key, example in zip(keys, examples, strict=True):
            if key in first:
                again.append(example)
            first.add(key)
        if again:
            share = len(again) / len(examples)
            message = f"{name}: {many(len(again), 'example')} ({share:.1%}) as an earlier one, but for case and blanks"
            found.append(Finding("note", "duplicates", message, len(again), places(again)))
        if name == "train":
            known = first
        pairs = zip(keys, examples, strict=True)
        leaked = [example for key, example in pairs if key in known] if name != "train" else []
        if leaked:
            message = (
                f"{name}: {many(len(leaked), 'example')} ({len(leaked) / len(examples):.1%}) stand in train too; "
                "scores on them tell what was learned by heart"
            )
            found.append(Finding("warning", "leak", message, len(leaked), places(leaked)))
    return found


def seen_in_validation(parts: Mapping[str, Sequence[Example]]) -> list[Finding]:
    """Test texts that stand in the validation data, by which the best epoch and the thresholds are chosen."""
    chosen_by = {normal(example) for example in parts.get("validation", ())}
    tested = parts.get("test", ())
    same = [example for example in tested if normal(example) in chosen_by]
    if not same:
        return []
    message = (
        f"test: {many(len(same), 'example')} ({len(same) / len(tested):.1%}) stand in validation too, which chooses "
        "the best epoch"
    )
    return [Finding("warning", "test-in-validation", message, len(same), places(same))]


def mirrored(parts: Mapping[str, Sequence[Example]]) -> list[Finding]:
    """Pairs of validation and test that stand in train the other way round."""
    known = {normal(example)[::-1] for example in parts["train"] if example.pair is not None}
    found = []
    for name in sorted(set(parts) - {"train"}, reverse=True):
        same = [one for one in parts[name] if normal(one) in known and normal(one) != normal(one)[::-1]]
        if same:
            message = (
                f"{name}: {many(len(same), 'pair')} ({len(same) / len(parts[name]):.1%}) stand in train with their "
                "texts swapped"
            )
            found.append(Finding("warning", "mirrored-leak", message, len(same), places(same)))
    return found


SPREADSHEET = re.compile(
    r"\s*#(REF!|N/A|NAME\?|VALUE!|DIV/0!|NUM!|NULL!|N/D|NOME\?|VALOR!|NÚM!|NULO!)\s*", re.IGNORECASE
)
"""A failed formula of a spreadsheet as a whole cell, in English and in Portuguese."""
REMNANTS = {
    "html": (
        "HTML",
        re.compile(r"&?(?:amp|lt|gt|quot|apos|nbsp);|&?#x?[0-9a-f]{2,5};|</?[a-z][a-z0-9]*(?: [^<>]*)?/?>", re.I),
    ),
    "mojibake": ("UTF-8 that was read as another encoding", re.compile(r"Ã[\x80-\xbf]|â€|Â[\xa0-\xbf]|\ufffd")),
    "invisible": ("soft hyphens or zero-width characters", re.compile(r"[\xad\u200b\u2060\ufeff]")),
    "control": ("control characters", re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")),
}
"""What other programs leave in texts: code, words and what it looks like."""


def remnants(task: Task, parts: Mapping[str, Sequence[Example]]) -> list[Finding]:
    """What spreadsheets, web pages and wrong encodings left in texts and labels."""
    found = []
    for name, examples in parts.items():
        failed = [
            example
            for example in examples
            if any(map(SPREADSHEET.fullmatch, (example.text, example.pair or "", *task.labels_in(example))))
        ]
        if failed:
            message = f"{name}: {many(len(failed), 'text or label')} is an error of a spreadsheet (#REF!, #N/A ...)"
            found.append(Finding("warning", "spreadsheet-error", message, len(failed), places(failed)))
        for code, (what, pattern) in REMNANTS.items():
            hits = [
                (one, hit) for one in examples if (hit := pattern.search(one.text) or pattern.search(one.pair or ""))
            ]
            if hits:
                message = (
                    f"{name}: {many(len(hits), 'text')} ({len(hits) / len(examples):.1%}) hold {what}, for example "
                    f"{printable(hits[0][1].group(), 30)}"
                )
                found.append(Finding("note", code, message, len(hits), places(one for one, _ in hits)))
    return found


def contradictions(parts: Mapping[str, Sequence[Example]]) -> list[Finding]:
    """The same text with different answers."""
    found = []
    for name, examples in parts.items():
        targets: dict[tuple[str, str], list[Example]] = defaultdict(list)
        for example in examples:
            targets[normal(example)].append(example)
        wrong = [same for same in targets.values() if len({repr(one.target) for one in same}) > 1]
        if wrong:
            message = (
                f"{name}: {many(len(wrong), 'text')} with more than one answer, for example "
                f"{printable(wrong[0][0].text, 60)}: "
                f"{', '.join(told_apart(sorted({shown(one) for one in wrong[0]})[:SHOWN]))}"
            )
            several = [one for same in wrong for one in same]
            found.append(Finding("warning", "contradictions", message, len(wrong), places(several)))
    return found


def alike(label: str) -> str:
    """A label without differences of case, blanks, Unicode form and characters that show nothing."""
    seen = "".join(one for one in unicodedata.normalize("NFKC", label) if unicodedata.category(one) != "Cf")
    return " ".join(seen.casefold().split())


def label_findings(counts: Counter[str]) -> list[Finding]:
    """Labels that are rare, lopsided, or look like one another."""
    found = []
    rare = sorted(label for label, count in counts.items() if count < FEW)
    if rare:
        some = ", ".join(f"{printable(label, 30)} ({counts[label]})" for label in rare[:SHOWN])
        more = " ..." if rare[SHOWN:] else ""
        message = f"train: {many(len(rare), 'label')} with fewer than {FEW} examples: {some}{more}"
        found.append(Finding("warning", "rare-label", message, len(rare)))
    (common, most), (least, fewest) = counts.most_common()[0], counts.most_common()[-1]
    if most >= LOPSIDED * fewest and not rare:
        message = (
            f"train: {printable(common, 30)} has {most / fewest:.0f} times the examples of {printable(least, 30)}; "
            "look at macro F1, and at class_weights"
        )
        found.append(Finding("note", "imbalance", message))
    twins: dict[str, list[str]] = defaultdict(list)
    for label in counts:
        twins[alike(label)].append(label)
    for same in twins.values():
        if len(same) > 1:
            names = sorted(same)
            quoted = told_apart([repr(label) for label in names])
            some = ", ".join(f"{one} ({counts[label]})" for one, label in zip(quoted, names, strict=True))
            message = f"train: are these one label? {some}"
            found.append(Finding("warning", "twin-labels", message, len(same)))
    return found
