"""Words of texts in any script, to count them: runs of letters with their marks and digits."""

from __future__ import annotations

import re
import unicodedata

LAST = 0x1FFFF
"""Behind it there are ideographs and variation selectors only."""


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


LETTERS = rf"[^\W\d_](?:[^\W_]|[{marks()}])*"
WORD = re.compile(LETTERS)
"""A word: it begins with a letter, and has letters, marks, joiners and digits."""
INITIAL = re.compile(rf"(?:^|[.!?…:;\n\"“”«»¿¡(\[—])(?:\d|[^\w.!?…:;\n\"“”«»¿¡(\[—])*({LETTERS})")
"""A word that may have its capital from beginning a sentence, a quotation or a line."""
