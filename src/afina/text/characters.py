"""Characters as a person sees them: a letter with its accents, an emoji with what is joined to it."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
JOINER = "\u200d"
"""Zero-width joiner: makes one emoji of the two around it, and follows the letter that it changes."""
BLANKS = frozenset({"Cc", "Zs", "Zl", "Zp"})
PLAIN = re.compile("[\u0000-\u02ff]*")
"""A text in which each character stands for itself: nothing before U+0300 combines."""
EXTENDING = re.compile("[\u200d\u1160-\u11ff\uff9e\uff9f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
"""Characters that go on with the one before them and are no marks: the joiner, vowels and final consonants of a Korean
syllable, half-width voicing marks, skin tones of emoji, and tags (the flag of Wales)."""
FLAG = re.compile("[\U0001f1e6-\U0001f1ff]")
"""A regional indicator: two of them are a flag."""


@lru_cache(maxsize=1 << 16)
def extends(character: str) -> bool:
    """Whether a character goes on with the one before it: a mark (category M), or what else `EXTENDING` names."""
    return unicodedata.category(character)[0] == "M" or EXTENDING.match(character) is not None


def blank(character: str) -> bool:
    """Whether nothing can combine with a character: it is a blank, a control character, or a zero-width space."""
    return character == "\u200b" or unicodedata.category(character) in BLANKS


def starts(text: str) -> list[int]:
    """Where the characters that a person sees begin.

    >>> starts("Zoe\u0301!"), starts("👩\u200d💻 🇵🇹")
    ([0, 1, 2, 4], [0, 3, 4])
    """
    if PLAIN.fullmatch(text):
        return list(range(len(text)))
    found, flags, before = [], 0, " "
    for i, character in enumerate(text):
        flags = flags + 1 if FLAG.match(character) else 0
        joined = before == JOINER and unicodedata.category(character) == "So"
        if blank(before) or not (extends(character) or joined or (flags and flags % 2 == 0)):
            found.append(i)
        before = character
    return found


def whole(text: str, spans: Array) -> Array:
    """Spans that cut no character: their ends run on over marks that follow, their starts go back to the letter.

    Args:
        text: Any.
        spans: Character spans [start, end). [n, 2]
    """
    if PLAIN.fullmatch(text):
        return spans
    first = np.array(starts(text), np.int64)
    if len(first) == len(text):
        return spans
    ends = np.append(first[1:], len(text))
    seen = spans[:, 1] > spans[:, 0]  # a lone blank and a special token have no characters
    widened = spans.copy()
    widened[seen, 0] = first[np.searchsorted(first, spans[seen, 0], side="right") - 1]
    widened[seen, 1] = ends[np.searchsorted(first, spans[seen, 1] - 1, side="right") - 1]
    return widened
