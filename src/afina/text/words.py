"""Words of texts in any script, to count and to show them: runs of letters with their marks and digits."""

from __future__ import annotations

import re
import unicodedata

import numpy as np

from .characters import whole
from .spans import blank

LAST = 0x1FFFF
"""Behind it there are ideographs and variation selectors only."""


UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Scripts without blanks between words: Thai, Lao, Burmese, Khmer, kana, Chinese. The inside of a character class."""


def marks() -> str:
    """All combining marks and the two joiners, as the inside of a character class."""
    spans: list[list[int]] = []
    for code in range(0x300, LAST + 1):
        if unicodedata.category(chr(code))[0] == "M":
            if spans and spans[-1][1] == code - 1:
                spans[-1][1] = code
            else:
                spans.append([code, code])
    return "".join(f"{chr(start)}-{chr(end)}" for start, end in spans) + "\u200c\u200d"


MARKS = marks()
LETTERS = rf"[^\W\d_](?:[^\W_]|[{MARKS}])*"
WORD = re.compile(LETTERS)
"""A word: it begins with a letter, and has letters, marks, joiners and digits."""
INITIAL = re.compile(rf"(?:^|[.!?…:;\n\"“”«»¿¡(\[—])(?:\d|[^\w.!?…:;\n\"“”«»¿¡(\[—])*({LETTERS})")
"""A word that may have its capital from beginning a sentence, a quotation or a line."""
UNIT = re.compile(rf"[{UNSPACED}][{MARKS}]*|(?:[^\W{UNSPACED}][{MARKS}]*)+|[^\w\s]")
"""Letters and digits with their marks, one letter of a script without blanks, or another sign."""
SPACED = rf"(?:[^\W{UNSPACED}][{MARKS}]*)+"
SHOWN = re.compile(rf"[{UNSPACED}][{MARKS}]*|{SPACED}(?:(?:['’‐‑-]|(?<=\d)[.,](?=\d)){SPACED})*|([^\w\s])\1*")
"""A word as a person would underline it: with what an apostrophe or a hyphen joins to it, and numbers with their
decimals; one letter of a script without blanks; or a run of the same sign."""


def shown_words(text: str) -> list[tuple[int, int]]:
    """Character spans of the words of a text, in order and without overlaps; together they hold all that is visible.

    No character is cut: a letter goes with its accents, an emoji with what is joined to it.

    >>> [text[start:end] for text in ["Don't re-read 12.50!!"] for start, end in shown_words(text)]
    ["Don't", 're-read', '12.50', '!!']
    """
    raw = np.array([match.span() for match in SHOWN.finditer(text)], np.int64).reshape(-1, 2)
    found: list[tuple[int, int]] = []
    for start, end in whole(text, raw).tolist():
        if found and start < found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        elif not blank(text[start:end]):
            found.append((start, end))
    return found
