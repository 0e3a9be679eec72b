"""Labels that are rare, out of balance, or look like one another."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict

from ..data.identity import normalized
from ..errors import printable
from ..printing import many
from ..tasks.inputs import told_apart
from .findings import SHOWN, Finding

FEW = 10
"""Training examples under which a label is called rare: cross-validation can't judge it."""
IMBALANCED = 20
"""Ratio of the commonest to the rarest label from which accuracy says little."""


def label_findings(counts: Counter[str]) -> list[Finding]:
    """Labels that are rare, out of balance, or look like one another."""
    found = []
    rare = sorted(label for label, count in counts.items() if count < FEW)
    if rare:
        some = ", ".join(f"{printable(label, 30)} ({counts[label]})" for label in rare[:SHOWN])
        more = " ..." if rare[SHOWN:] else ""
        message = f"train: {many(len(rare), 'label')} with fewer than {FEW} examples: {some}{more}"
        found.append(Finding("warning", "rare-label", message, len(rare)))
    (common, most), (least, fewest) = counts.most_common()[0], counts.most_common()[-1]
    if most >= IMBALANCED * fewest and not rare:
        message = (
            f"train: {printable(common, 30)} has {most / fewest:.0f} times the examples of {printable(least, 30)}; "
            "look at macro F1, and at class_weights"
        )
        found.append(Finding("note", "imbalance", message))
    lookalikes: dict[str, list[str]] = defaultdict(list)
    for label in counts:
        lookalikes[bare(label)].append(label)
    for same in lookalikes.values():
        if len(same) > 1:
            names = sorted(same)
            quoted = told_apart([repr(label) for label in names])
            some = ", ".join(f"{one} ({counts[label]})" for one, label in zip(quoted, names, strict=True))
            message = f"train: are these one label? {some}"
            found.append(Finding("warning", "lookalike-labels", message, len(same)))
    return found


def bare(label: str) -> str:
    """A label without differences of case, blanks, Unicode form and characters that show nothing."""
    return normalized("".join(one for one in label if unicodedata.category(one) != "Cf"))
