"""Words are found in every script, and those that begin a sentence are told apart."""

from __future__ import annotations

import pytest

from afina.text.words import INITIAL, UNIT, WORD


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
