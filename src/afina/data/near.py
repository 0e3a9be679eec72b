"""Texts that are nearly the same: MinHash finds the candidates, and each is looked at before it is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..errors import MissingExtra, printable
from ..records import Example
from .judge import Finding, fingerprint, many, normal, places

PIECE = 5
"""Characters of the pieces that two texts share or don't."""
ALIKE = 0.8
"""Jaccard similarity of two texts' pieces from which they are nearly the same."""
HASHES = 64
"""Of a text's MinHash: the estimate that chooses the candidates is within 0.05 (one standard deviation)."""
MOST = 50_000
"""Examples of a part that are looked at; of a larger part a random draw."""

Pieces = tuple[frozenset[str], frozenset[str]]


def near(parts: Mapping[str, Sequence[Example]], *, most: int = MOST) -> list[Finding]:
    """Examples that are nearly an earlier one: of the same part, of training, and with another answer.

    What differs by case and blanks only is `judge`'s matter and not counted here. Two pairs of texts are alike when
    both texts are.

    Args:
        parts: Examples by part, `train` first.
        most: Examples of a part that are looked at.

    Raises:
        MissingExtra: datasketch is not installed.
    """
    try:
        from datasketch import MinHash, MinHashLSH
    except ImportError:
        raise MissingExtra("datasketch", "quality", "looking for near duplicates") from None
    index = MinHashLSH(threshold=ALIKE, num_perm=HASHES)
    known: dict[int, tuple[str, Example]] = {}
    found = []
    for name, examples in parts.items():
        looked = drawn(examples, most)
        if len(looked) < len(examples):
            message = f"{name}: near duplicates were looked for among {len(looked):,} random examples"
            found.append(Finding("note", "near-sample", message))
        same, leaked, split = [], [], []
        for example in looked:
            key = fingerprint(example)
            if key in known:
                continue
            own = pieces(example)
            sketch = MinHash(num_perm=HASHES, seed=1)
            sketch.update_batch([piece.encode("utf-8", "surrogatepass") for piece in own[0] | own[1]])
            others = [known[other] for other in sorted(index.query(sketch))]
            others = [(part, other) for part, other in others if alike(own, pieces(other)) >= ALIKE]
            index.insert(key, sketch)
            known[key] = (name, example)
            inside = [other for part, other in others if part == name]
            if inside:
                same.append(example)
            if name != "train" and any(part == "train" for part, _ in others):
                leaked.append(example)
            if isinstance(example.target, str):  # spans differ with any character
                split += [(other, example) for other in inside if other.target != example.target][:1]
        if same:
            message = f"{name}: {many(len(same), 'example')} nearly like an earlier one, for example {shown(same[0])}"
            found.append(Finding("note", "near-duplicates", message, len(same), places(same)))
        if leaked:
            message = (
                f"{name}: {many(len(leaked), 'example')} ({len(leaked) / len(looked):.1%}) nearly like one of train; "
                "scores on them tell in part what was learned by heart"
            )
            found.append(Finding("warning", "near-leak", message, len(leaked), places(leaked)))
        if split:
            one, other = split[0]
            message = (
                f"{name}: {many(len(split), 'pair')} of nearly the same text with different answers, for example "
                f"{shown(one)} ({one.place}) and {shown(other)} ({other.place})"
            )
            found.append(Finding("note", "near-contradictions", message, len(split), places([one for _, one in split])))
    return found


def look_for_near(parts: Mapping[str, Sequence[Example]]) -> list[Finding]:
    """The findings of `near`, or a note that says why there are none."""
    try:
        return near(parts)
    except MissingExtra as error:
        return [Finding("note", "near-skipped", str(error))]


def drawn(examples: Sequence[Example], most: int) -> Sequence[Example]:
    """At most so many examples, in their order."""
    if len(examples) <= most:
        return examples
    chosen = np.random.default_rng(0).choice(len(examples), most, replace=False)
    return [examples[i] for i in sorted(chosen.tolist())]


def pieces(example: Example) -> Pieces:
    """The runs of `PIECE` characters in the text and in the second text."""
    return shingles(normal(example.text)), shingles(normal(example.pair or ""))


def shingles(text: str) -> frozenset[str]:
    """All runs of `PIECE` characters; a shorter text is one by itself."""
    return frozenset(text[i : i + PIECE] for i in range(max(1, len(text) - PIECE + 1)))


def alike(one: Pieces, other: Pieces) -> float:
    """Jaccard similarity |A ∩ B| / |A ∪ B| of the less similar of the two texts."""
    return min(len(a & b) / len(a | b) for a, b in zip(one, other, strict=True))


def shown(example: Example) -> str:
    """A text in a few characters."""
    return printable(example.text, 60)
