"""Texts that are nearly the same: MinHash finds the candidates, and each is looked at before it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..data.alikes import nearly_same
from ..data.identity import fingerprint, normalized
from ..errors import printable
from ..printing import many
from ..records import Example
from .findings import Finding, places

PIECE = 5
"""Characters of the pieces that two texts share or don't."""
ALIKE = 0.8
"""Jaccard similarity of two texts' pieces from which they are nearly the same."""
COMPARED = 50
"""An example is compared with at most so many of the earlier ones that may be like it, the last ones."""
MOST = 50_000
"""Examples of a part that are looked at; of a larger part a random draw."""

Pieces = tuple[frozenset[str], frozenset[str]]
Stratum = Callable[[Example], str]


@dataclass
class Alikes:
    """What is found in one split.

    Attributes:
        repeated: Examples that are nearly an earlier one of the same split.
        leaked: Examples that are nearly one of the training data.
        contradicting: Two examples that are nearly the same and have different labels.
    """

    repeated: list[Example] = field(default_factory=list)
    leaked: list[Example] = field(default_factory=list)
    contradicting: list[tuple[Example, Example]] = field(default_factory=list)

    def add(self, example: Example, others: Sequence[tuple[str, Example]], *, name: str, stratum: Stratum) -> None:
        """Note that an example of a split is nearly the same as others."""
        inside = [other for split, other in others if split == name]
        if inside:
            self.repeated.append(example)
        if name != "train" and any(split == "train" for split, _ in others):
            self.leaked.append(example)
        if stratum(example):  # other targets, such as spans, differ with any character
            self.contradicting += [(other, example) for other in inside if stratum(other) != stratum(example)][:1]

    def findings(self, name: str, looked: int) -> list[Finding]:
        """What to say about them.

        Args:
            name: Name of the split.
            looked: Number of its examples that were looked at.
        """
        found = []
        if self.repeated:
            count, first = len(self.repeated), shown(self.repeated[0])
            message = f"{name}: {many(count, 'example')} nearly like an earlier one, for example {first}"
            found.append(Finding("note", "near-duplicates", message, count, places(self.repeated)))
        if self.leaked:
            count = len(self.leaked)
            message = (
                f"{name}: {many(count, 'example')} ({count / looked:.1%}) nearly like one of train; "
                "scores on them tell in part what was learned by heart"
            )
            found.append(Finding("warning", "near-leak", message, count, places(self.leaked)))
        if self.contradicting:
            count, (one, other) = len(self.contradicting), self.contradicting[0]
            message = (
                f"{name}: {many(count, 'pair')} of nearly the same text with different answers, for example "
                f"{shown(one)} ({one.place}) and {shown(other)} ({other.place})"
            )
            second = [later for _, later in self.contradicting]
            found.append(Finding("note", "near-contradictions", message, count, places(second)))
        return found


def find_near_duplicates(
    splits: Mapping[str, Sequence[Example]], *, stratum: Stratum, most: int = MOST
) -> list[Finding]:
    """Examples that are nearly an earlier one: of the same split, of training, and with another answer.

    What differs by case and blanks only is a repeat, and not counted here. Two pairs of texts are alike when both
    texts are.

    Args:
        splits: Examples by split, `train` first.
        stratum: Gives the label of an example, or nothing where targets are no labels.
        most: Number of examples of a split that are looked at.
    """
    looked = {name: drawn(examples, most) for name, examples in splits.items()}
    noun = "random example"
    found = [
        Finding("note", "near-sample", f"{name}: near duplicates were looked for among {many(len(some), noun)}")
        for name, some in looked.items()
        if len(some) < len(splits[name])
    ]
    first: dict[int, tuple[str, Example]] = {}
    for name, some in looked.items():
        for example in some:
            first.setdefault(fingerprint(example), (name, example))
    known = list(first.values())
    roots = nearly_same([(example.text, example.pair or "") for _, example in known])
    if roots is None:
        return [*found, Finding("note", "near-skipped", "near duplicates were not looked for in texts of this length")]
    alikes = {name: Alikes() for name in looked}
    tied: dict[int, list[tuple[str, Example, Pieces]]] = {root: [] for root, n in Counter(roots).items() if n > 1}
    for root, (name, example) in zip(roots, known, strict=True):
        if root not in tied:
            continue
        own = pieces(example)
        others = [(split, other) for split, other, theirs in tied[root][-COMPARED:] if alike(own, theirs) >= ALIKE]
        tied[root].append((name, example, own))
        alikes[name].add(example, others, name=name, stratum=stratum)
    return [*found, *(one for name, some in looked.items() for one in alikes[name].findings(name, len(some)))]


def drawn(examples: Sequence[Example], most: int) -> Sequence[Example]:
    """At most so many examples, in their order."""
    if len(examples) <= most:
        return examples
    chosen = np.random.default_rng(0).choice(len(examples), most, replace=False)
    return [examples[i] for i in sorted(chosen.tolist())]


def pieces(example: Example) -> Pieces:
    """The runs of `PIECE` characters in the text and in the second text."""
    return shingles(normalized(example.text)), shingles(normalized(example.pair or ""))


def shingles(text: str) -> frozenset[str]:
    """All runs of `PIECE` characters; a shorter text is one by itself."""
    return frozenset(text[i : i + PIECE] for i in range(max(1, len(text) - PIECE + 1)))


def alike(one: Pieces, other: Pieces) -> float:
    """Jaccard similarity |A ∩ B| / |A ∪ B| of the less similar of the two texts."""
    return min(len(a & b) / len(a | b) for a, b in zip(one, other, strict=True))


def shown(example: Example) -> str:
    """A text in a few characters."""
    return printable(example.text, 60)
