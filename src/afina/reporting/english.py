"""What other rooms say in English sentences, in the language of a page where the catalogue knows them.

The catalogue's group `said` holds English forms with places for values. A text that is one of them is written in the
other language; any other stays English, and is marked as English for those who hear it read.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from functools import cache

from markupsafe import Markup

from .phrases import Words, catalogue, clean, foreign

GROUP = "said."
NUMBER = re.compile(r"-?[0-9][0-9,]*(?:\.[0-9]+)?")


@cache
def forms() -> Sequence[tuple[re.Pattern[str], str]]:
    """The forms, those with the most letters of their own first, each with its key."""
    found = []
    for key, words in catalogue().items():
        if key.startswith(GROUP):
            parts = [*string.Formatter().parse(words["en"])]
            pattern = "".join(re.escape(text) + (f"(?P<{name}>.+?)" if name else "") for text, name, _, _ in parts)
            found.append((sum(len(text) for text, *_ in parts), key, re.compile(pattern, re.DOTALL)))
    return [(pattern, key) for _, key, pattern in sorted(found, key=lambda one: (-one[0], one[1]))]


def translated(text: str, words: Words) -> str | None:
    """A text in the language of the page; None where the catalogue does not know it."""
    if words.language == "en":
        return text
    if NUMBER.fullmatch(text):
        return words.numbers.local(text)
    if words.known(f"metric.{text}"):
        return words(f"metric.{text}")
    for pattern, key in forms():
        if match := pattern.fullmatch(text):
            values = {name: valued(value, words) for name, value in match.groupdict().items()}
            if None not in values.values():
                return words(key, **values)
    return None


def valued(text: str, words: Words) -> str | None:
    """A value in a form: known to the catalogue, or one word; None where it is a sentence that only begins like it."""
    known = translated(text, words)
    return text if known is None and " " not in text.strip() else known


def said(text: str, words: Words) -> Markup:
    """A text on a page, marked as English where it stays so."""
    known = translated(text, words)
    return Markup('<bdi lang="en">{}</bdi>').format(clean(text)) if known is None else foreign(known)


def said_plainly(text: str, words: Words) -> str:
    """A text in a figure or the head of a table, where a language can't be marked."""
    known = translated(text, words)
    return text if known is None else known
