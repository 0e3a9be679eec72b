"""Every language says the same things, with the same places for values."""

from __future__ import annotations

import string

import pytest

from afina.cards.card import LANGUAGES

ENGLISH = LANGUAGES["en"]


def places(text: str) -> set[str]:
    """The names of a sentence's values."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_there(language: str) -> None:
    words = LANGUAGES[language]
    assert words.nouns.keys() == ENGLISH.nouns.keys()
    assert words.texts.keys() == ENGLISH.texts.keys()
    assert {name for name in words.texts if places(words.texts[name]) - places(ENGLISH.texts[name])} == set()
    assert len(words.texts) > 100


def test_numbers_are_those_of_the_language() -> None:
    portuguese = LANGUAGES["pt"]
    assert (ENGLISH.number(0.5), portuguese.number(0.5)) == ("0.5000", "0,5000")
    assert (ENGLISH.count(1234), portuguese.count(1234)) == ("1,234", "1\u00a0234")
    assert (ENGLISH.many(1, "example"), portuguese.many(2, "example")) == ("1 example", "2 exemplos")
    assert ENGLISH.number(None) == ENGLISH.number(float("nan")) == "–"
    assert [ENGLISH.duration(one) for one in (5, 300, 9000)] == ["5 s", "5 min", "2.5 h"]


def test_values_are_not_looked_at_again() -> None:
    assert ENGLISH("source.held", source="{examples}") == "held out of {examples}"
