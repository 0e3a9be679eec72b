"""Spellings of entity tags other than `B-PER` and `O`, and the way back to these.

LOC-B  LOC_B  B_LOC  b-loc     the letter behind the type, another sign between, lower case
B-PER M-PER E-PER  S-PER       M for the middle and W for a whole entity (BMES, BMEWO)
-  0  _  OTHER                 another word for what is no entity
PER  O                         types without a letter, as the user says: an entity is a run of one type
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import product

from .schemes import MEANT_AS_TAG, TAG

OUTSIDE = frozenset({"o", "0", "-", "_", "other", "out", "outside", "none", "nil", "null"})
"""Words for what is no entity, in lower case."""
EDGES = {letter: letter for letter in "BIESLU"} | {"M": "I", "W": "S"}
OPENING = frozenset("BSUW")
SIGNS = ("-", "_", ":", "/", ".")


@dataclass(frozen=True, slots=True)
class Spelling:
    """How entity tags are spelled.

    Attributes:
        outside: The tag of what is no entity.
        sign: What stands between letter and type.
        last: Whether the letter stands behind the type.
        lower: Whether letters are in lower case.
        untyped: Whether tags are types without a letter.
    """

    outside: str = "O"
    sign: str = "-"
    last: bool = False
    lower: bool = False
    untyped: bool = False

    def parts(self, tag: str) -> tuple[str, str] | None:
        """Letter and type of a tag, or None where it is spelled otherwise."""
        first, sign, second = tag.rpartition(self.sign) if self.last else tag.partition(self.sign)
        letter, kind = (second, first) if self.last else (first, second)
        letters = EDGES if not self.lower else {letter.lower() for letter in EDGES}
        return (letter.upper(), kind) if sign and kind.strip() and letter in letters else None

    def normal(self, tag: str) -> str:
        """A tag as `O`, or a letter of BIOES or BILOU, a dash and the type; any other tag as it is."""
        if tag == self.outside:
            return "O"
        if self.untyped:
            return tag if tag == "O" or TAG.fullmatch(tag) else f"I-{tag}"
        parts = self.parts(tag)
        return tag if parts is None else f"{EDGES[parts[0]]}-{parts[1]}"

    def shown(self, tags: Collection[str]) -> str:
        """The spelling in words, with a tag of the data as an example."""
        example = max((tag for tag in tags if tag != self.outside), key=lambda tag: (tag != self.normal(tag), tag))
        changed = f"{example} read as {self.normal(example)}" if example != self.normal(example) else ""
        return ", ".join(filter(None, [changed, f"{self.outside} read as O" if self.outside != "O" else ""]))


def spelling_of(tags: Collection[str], *, untyped: bool = False) -> Spelling | None:
    """The spelling of the distinct tags of the data; None where it is the usual one, or the data do not prove another.

    All of them must be spelled alike, every type must have a letter that begins it, or there must be a tag for what is
    no entity.

    Args:
        tags: The distinct tags.
        untyped: Whether tags without letters may be types.
    """
    outside = [tag for tag in tags if tag.lower() in OUTSIDE]
    own = sorted(set(tags) - set(outside))
    if len(outside) > 1 or not own or (outside in ([], ["O"]) and all(map(TAG.fullmatch, own))):
        return None
    none = outside[0] if outside else "O"
    for lower, last, sign in product((False, True), (False, True), SIGNS):
        spelling = Spelling(none, sign, last, lower)
        parts = [found for tag in own if (found := spelling.parts(tag))]
        if len(parts) == len(own) and proven(parts, bool(outside)):
            return spelling
    if untyped and outside and not any(map(MEANT_AS_TAG.fullmatch, own)):
        return Spelling(none, untyped=True)
    return None


def proven(parts: Sequence[tuple[str, str]], outside: bool) -> bool:
    """Whether letters and types are those of entities: most types begin somewhere, or none does (IO)."""
    kinds = {kind for _, kind in parts}
    begun = {kind for letter, kind in parts if letter in OPENING}
    letters = {letter for letter, _ in parts}
    if not outside:
        return kinds == begun and "B" in letters and len(letters) > 1
    return letters == {"I"} or ("B" in letters and 2 * len(begun) > len(kinds)) or letters <= OPENING


NESTED = re.compile(r".+[|/,+;][BIESLU]-.+", re.DOTALL)
"""Several tags in one: `B-ORG|B-LOC`."""
