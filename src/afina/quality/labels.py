"""Labels that are rare, out of balance, or look like one another."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence

from ..data.identity import normalized
from ..errors import listed, printable
from ..printing import many
from ..records import Example
from ..tasks.contents import is_number
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
    groups = [sorted(same) for same in lookalikes.values() if len(same) > 1]
    if groups:
        some = "; ".join(counted(names, counts) for names in groups[:SHOWN])
        more = " ..." if groups[SHOWN:] else ""
        which = "train: are these one label?" if len(groups) == 1 else "train: are these one label each?"
        found.append(Finding("warning", "lookalike-labels", f"{which} {some}{more}", sum(map(len, groups))))
    return found


def numbers_as_labels(examples: Sequence[Example]) -> list[Finding]:
    """Labels that are all numbers, some with a fraction: most often an amount or a degree, not classes.

    Whole numbers are left alone: stars and codes are classes to many.
    """
    labels = {example.target for example in examples}
    if not all(isinstance(label, str) and is_number(label) for label in labels):
        return []
    if all(label.strip().lstrip("+-").isdecimal() for label in labels):
        return []
    message = (
        f"train: all labels are numbers ({listed(sorted(labels), most=SHOWN)}); is it an amount or a degree? "
        "--task regression predicts numbers"
    )
    return [Finding("warning", "numbers-as-labels", message, len(labels))]


def counted(names: Sequence[str], counts: Counter[str]) -> str:
    """Labels that look alike, told apart, with their numbers of examples."""
    quoted = told_apart([repr(label) for label in names])
    return ", ".join(f"{one} ({counts[label]})" for one, label in zip(quoted, names, strict=True))


def bare(label: str) -> str:
    """A label without differences of case, blanks, Unicode form and characters that show nothing."""
    return normalized("".join(one for one in label if unicodedata.category(one) != "Cf"))
