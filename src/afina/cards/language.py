"""Which language the training texts are in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..records import Example
from ..text.languages import guess_language
from ..text.words import WORD

TEXTS, CHARACTERS = 2000, 2000
"""Texts that are looked at, and characters of each."""


def language_of(examples: Sequence[Example]) -> str:
    """The code of the language of some examples (ISO 639-1), or the empty text where their words don't say."""
    step = max(1, len(examples) // TEXTS)
    texts = (text for one in examples[::step] for text in (one.text, one.pair) if text)
    return guess_language(Counter(word for text in texts for word in WORD.findall(text[:CHARACTERS])))
