"""Texts are equal but for case, blanks and Unicode form, and for nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from afina.data.identity import fingerprint, identity, normalized
from afina.records import Example
from afina.tasks.answers import Answer, Mended
from afina.text.spans import Span


def test_case_blanks_and_unicode_form_make_no_difference() -> None:
    assert normalized("  Na\u0303o\t  SEI\n") == normalized("n\u00e3o sei") == "n\u00e3o sei"
    assert normalized("\uff21\u00a0stra\u00dfe") == "a strasse"
    assert normalized("n\u00e3o") != normalized("nao")
    assert normalized("sei.") != normalized("sei")


def test_a_fingerprint_is_of_both_texts_in_their_order() -> None:
    whole = fingerprint(Example("It rains", "chove"))
    assert whole == fingerprint(Example(" it  RAINS ", "Chove", target="a", place="train row 7"))
    others = [("chove", "It rains"), ("It rains chove", None), ("It rains", None), ("It", "rains chove")]
    assert len({whole, *(fingerprint(Example(text, pair)) for text, pair in others)}) == 5
    assert fingerprint(Example("It rains")) == fingerprint(Example("It rains", ""))


@given(text=st.text(), pair=st.none() | st.text())
def test_every_text_has_a_fingerprint_of_64_bits(text: str, pair: str | None) -> None:
    key = fingerprint(Example(text, pair, "a", "train row 1"))
    assert 0 <= key < 1 << 64
    assert key == fingerprint(Example(f" {text}\n", pair))


def test_half_a_surrogate_pair_has_one_too() -> None:
    assert fingerprint(Example("\ud83d")) != fingerprint(Example(""))


def test_an_example_is_known_by_its_texts_words_and_gold_answer() -> None:
    whole = Example("a b", "c", ("x", "y"), "train.csv:7", ((0, 1), (2, 3)))
    assert identity(whole) == identity(Example("a b", "c", ["x", "y"], "other.csv:1", ((0, 1), (2, 3))))
    others = [
        Example("a B", "c", ("x", "y"), words=((0, 1), (2, 3))),
        Example("a b", None, ("x", "y"), words=((0, 1), (2, 3))),
        Example("a b", "c", ("y", "x"), words=((0, 1), (2, 3))),
        Example("a b", "c", ("x", "y"), words=((0, 1),)),
        Example("a b", "c", ("x", "y")),
        Example("a b", "c", "x"),
        Example("a b", "c", 1.5),
        Example("\ud83d", "c"),
    ]
    assert len({identity(one) for one in (whole, *others)}) == 1 + len(others)


def test_how_a_target_was_read_makes_no_difference() -> None:
    kinds = ((Answer(0, 1, "a"),), (Mended(0, 1, "a"),), [(0, 1, "a")])
    assert len({identity(Example("who?", "a", target)) for target in kinds}) == 1
    assert identity(Example("a", target=(Span(0, 1, "x"),))) != identity(Example("a", target=(Span(0, 1, "y"),)))
