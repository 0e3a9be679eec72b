"""Words are found in every script, and those that begin a sentence are told apart."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.text.characters import starts
from afina.text.spans import blank
from afina.text.words import INITIAL, UNIT, WORD, shown_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Não, é a avó! 12 euros (B2B).", ["Não", "é", "a", "avó", "euros", "B2B"]),
        ("avo\u0301 e\u0301", ["avo\u0301", "e\u0301"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("l'eau snake_case", ["l", "eau", "snake", "case"]),
        ("😀 -- 3.14", []),
    ],
)
def test_words_are_letters_with_their_marks(text: str, words: list[str]) -> None:
    assert WORD.findall(text) == words


def test_the_first_words_of_sentences_and_quotations() -> None:
    text = "Hoje o João veio. A Ana disse: «Vamos ao Porto!»\nDepois saiu. 3 Dias"
    assert [match[1] for match in INITIAL.finditer(text)] == ["Hoje", "A", "Vamos", "Depois", "Dias"]


def test_units_of_scripts_without_blanks_are_letters() -> None:
    assert UNIT.findall("Olá, 3 avo\u0301s!") == ["Olá", ",", "3", "avo\u0301s", "!"]
    assert UNIT.findall("我爱 ไทย") == ["我", "爱", "ไ", "ท", "ย"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't re-read 12.50, d'água!!", ["Don't", "re-read", "12.50", ",", "d'água", "!!"]),
        ("end.Next - 'so'", ["end", ".", "Next", "-", "'", "so", "'"]),
        ("avo\u0301 👩\u200d💻 🇵🇹 我爱", ["avo\u0301", "👩\u200d💻", "🇵🇹", "我", "爱"]),
        ("a\u200b b\x00", ["a", "b"]),
        ("", []),
    ],
)
def test_words_as_a_person_would_underline_them(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in shown_words(text)] == words


@given(st.text(st.one_of(st.characters(), st.sampled_from("aé1 .-'’\u0301\u200d👩💻🇵🇹\u200b\n")), max_size=30))
def test_shown_words_hold_all_that_is_visible_and_cut_no_character(text: str) -> None:
    found = shown_words(text)
    assert all(0 <= start < end <= len(text) for start, end in found)
    assert found == sorted(found)
    assert all(before[1] <= after[0] for before, after in pairwise(found))
    inside = {i for start, end in found for i in range(start, end)}
    assert all(blank(text[i]) or text[i].isspace() for i in range(len(text)) if i not in inside)
    assert {edge for span in found for edge in span} <= {*starts(text), len(text)}
