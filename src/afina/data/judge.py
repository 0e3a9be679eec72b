"""What to know about labelled data before training on them: findings, each with a severity, a count and places."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Literal

from ..errors import Problem, printable
from ..records import Example
from ..tasks.base import Task
from ..tasks.inputs import told_apart

FEW = 10
"""Training examples under which a label is called rare: cross-validation can't judge it."""
LOPSIDED = 20
"""Ratio of the commonest to the rarest label from which accuracy says little."""
SHOWN = 5
"""Places that a finding lists."""


Bad = tuple[Problem, ...]
"""Everything that is wrong with one record."""
Keys = Mapping[str, Sequence[int]]
"""The fingerprints of the examples of each part."""


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


def judge(
    task: Task,
    parts: Mapping[str, Sequence[Example]],
    problems: Sequence[Problem] = (),
    left_out: Mapping[str, Sequence[Bad]] | None = None,
) -> list[Finding]:
    """Everything that needs no model: problems first, then warnings, then notes.

    Args:
        task: With its columns, and its facts where there are no problems.
        parts: Examples by part.
        problems: What training would refuse.
        left_out: By part, records that are left out; problems among `problems` are not told twice.
    """
    refused = set(map(id, problems))
    spared = [one for bad in (left_out or {}).values() for some in bad for one in some if id(one) not in refused]
    found = [*by_kind(problems, "error"), *by_kind(spared, "warning")]
    keys = {name: [fingerprint(example) for example in examples] for name, examples in parts.items()}
    found += repeated(parts, keys)
    found += seen_in_validation(parts, keys)
    found += mirrored(parts, keys)
    found += contradictions(parts, keys)
    found += remnants(task, parts)
    labels = Counter(label for example in parts["train"] for label in task.labels_in(example))
    if labels:
        found += label_findings(labels)
    for name, examples in parts.items():
        found += by_kind(task.warnings(examples), "warning", f"{name}: ")
    order = {"error": 0, "warning": 1, "note": 2}
    return sorted(found, key=lambda one: order[one.severity])


def many(count: int, noun: str) -> str:
    """A number and its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def shown(example: Example) -> str:
    """A target in a few characters: labels, answers, or the tags that say something."""
    target = example.target
    if not isinstance(target, tuple):
        return printable(target, 40)
    names = [str(getattr(one, "label", getattr(one, "text", one))) for one in target]
    if example.words is not None:
        names = [name for name in names if name != "O"]
    return printable(" + ".join(names), 40) if names else "nothing"


def by_kind(problems: Sequence[Problem], severity: Literal["error", "warning"], where: str = "") -> list[Finding]:
    """Problems by kind, so that ten thousand of one kind are one line."""
    kinds: dict[str, list[Problem]] = defaultdict(list)
    for problem in problems:
        kinds[problem.code].append(problem)
    return [
        Finding(
            severity, code, where + "; ".join(filter(None, (same[0].message, same[0].fix))), len(same), places(same)
        )
        for code, same in kinds.items()
    ]


def places(some: Iterable[Problem | Example]) -> tuple[str, ...]:
    """The first places of some examples or problems."""
    return tuple(one.place for one, _ in zip(some, range(SHOWN), strict=False))


def normal(text: str) -> str:
    """A text without differences of case, blanks and Unicode form."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def fingerprint(example: Example) -> int:
    """64 bits that are the same for inputs that differ by case, blanks or Unicode form only.

    Among a million inputs two others share theirs with a probability of 3e-8, and a number is a tenth of a text.
    """
    inputs = f"{normal(example.text)}\0{normal(example.pair or '')}"
    return int.from_bytes(blake2b(inputs.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def repeated(parts: Mapping[str, Sequence[Example]], keys: Keys) -> list[Finding]:
    """The same text more than once: inside a part, and in a part that should be new to the model."""
    found = []
    known: set[int] = set()
    for name, examples in parts.items():
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
                f"{name}: {many(len(leaked), 'example')} ({len(leaked) / len(examples):.1%}) stand in train too; "
                "scores on them tell what was learned by heart"
            )
            found.append(Finding("warning", "leak", message, len(leaked), places(leaked)))
    return found


def seen_in_validation(parts: Mapping[str, Sequence[Example]], keys: Keys) -> list[Finding]:
    """Test texts that stand in the validation data, by which the best epoch and the thresholds are chosen."""
    chosen_by = set(keys.get("validation", ()))
    tested = parts.get("test", ())
    same = [example for example, key in zip(tested, keys.get("test", ()), strict=True) if key in chosen_by]
    if not same:
        return []
    share = len(same) / len(tested)
    message = f"test: {many(len(same), 'example')} ({share:.1%}) stand in validation too, which chooses the best epoch"
    return [Finding("warning", "test-in-validation", message, len(same), places(same))]


def mirrored(parts: Mapping[str, Sequence[Example]], keys: Keys) -> list[Finding]:
    """Pairs of validation and test that stand in train the other way round."""
    known = {fingerprint(swapped(example)) for example in parts["train"] if example.pair is not None}
    found = []
    for name in [name for name in parts if known and name != "train"]:
        pairs = zip(parts[name], keys[name], strict=True)
        same = [one for one, key in pairs if key in known and key != fingerprint(swapped(one))]
        if same:
            share = len(same) / len(parts[name])
            message = f"{name}: {many(len(same), 'pair')} ({share:.1%}) stand in train with their texts swapped"
            found.append(Finding("warning", "mirrored-leak", message, len(same), places(same)))
    return found


def swapped(example: Example) -> Example:
    """A pair the other way round."""
    return replace(example, text=example.pair or "", pair=example.text)


SPREADSHEET = re.compile(
    r"\s*#(REF!|N/A|NAME\?|VALUE!|DIV/0!|NUM!|NULL!|N/D|NOME\?|VALOR!|NÚM!|NULO!)\s*", re.IGNORECASE
)
"""A failed formula of a spreadsheet as a whole cell, in English and in Portuguese."""
REMNANTS = {
    "html": (
        "HTML",
        re.compile(
            r"&?(?:amp|lt|gt|quot|apos|nbsp);|&?#x?[0-9a-f]{2,5};|</?(?:[abipu]|br|hr|h[1-6]|em|strong|sub|sup|div|span"
            r"|ul|ol|li|font|img|table|tr|td|th|code|pre)(?: [^<>]*)?/?>"
        ),
    ),
    "mojibake": ("signs of a wrong encoding", re.compile(r"[ÃÂ][\x80-\xbf]|â€|\ufffd")),
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
            message = (
                f"{name}: errors of a spreadsheet (#REF!, #N/A ...) as text or label of {of_all(failed, examples)}"
            )
            found.append(Finding("warning", "spreadsheet-error", message, len(failed), places(failed)))
        for code, (what, pattern) in REMNANTS.items():
            hits = [
                (one, hit) for one in examples if (hit := pattern.search(one.text) or pattern.search(one.pair or ""))
            ]
            if hits:
                sign = printable(hits[0][1].group(), 30)
                message = f"{name}: {what} in {of_all(hits, examples)}, for example {sign}"
                found.append(Finding("note", code, message, len(hits), places(one for one, _ in hits)))
    return found


def of_all(some: Sequence[Any], examples: Sequence[Example]) -> str:
    """How many examples, and their share."""
    return f"{many(len(some), 'example')} ({len(some) / len(examples):.1%})"


def contradictions(parts: Mapping[str, Sequence[Example]], keys: Keys) -> list[Finding]:
    """The same text with different answers."""
    found = []
    for name, examples in parts.items():
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
                f"{', '.join(told_apart(sorted({shown(one) for one in wrong[0]})[:SHOWN]))}"
            )
            several = [one for same in wrong for one in same]
            found.append(Finding("warning", "contradictions", message, len(wrong), places(several)))
    return found


def alike(label: str) -> str:
    """A label without differences of case, blanks, Unicode form and characters that show nothing."""
    return normal("".join(one for one in label if unicodedata.category(one) != "Cf"))


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
