"""Entity tags in the spellings of the world become those of BIO and BIOES."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.text.schemes import entities_of
from afina.text.spans import Span
from afina.text.spellings import EDGES, Spelling, spelling_of

SENTENCE = ["B-PER", "E-PER", "O", "B-LOC", "I-LOC", "E-LOC", "S-PER"]


@pytest.mark.parametrize(
    "written",
    [
        "PER-B PER-E O LOC-B LOC-I LOC-E PER-S",
        "PER_B PER_E O LOC_B LOC_I LOC_E PER_S",
        "B_PER E_PER O B_LOC I_LOC E_LOC S_PER",
        "B:PER E:PER O B:LOC I:LOC E:LOC S:PER",
        "B-PER E-PER O B-LOC M-LOC E-LOC S-PER",
        "B-PER E-PER O B-LOC M-LOC E-LOC W-PER",
        "b-PER e-PER o b-LOC i-LOC e-LOC s-PER",
        "B-PER E-PER - B-LOC I-LOC E-LOC S-PER",
        "B-PER E-PER _ B-LOC I-LOC E-LOC S-PER",
        "B-PER E-PER 0 B-LOC I-LOC E-LOC S-PER",
        "B-PER E-PER OTHER B-LOC I-LOC E-LOC S-PER",
        "PER-b PER-e none LOC-b LOC-m LOC-e PER-w",
    ],
)
def test_other_spellings(written: str) -> None:
    tags = written.split()
    spelling = spelling_of(set(tags))
    assert spelling is not None
    assert [spelling.normal(tag) for tag in tags] == SENTENCE
    assert all(spelling.normal(tag) == tag for tag in ("O", "B-PER")) or spelling.last


@pytest.mark.parametrize(
    "tags",
    [
        "O B-PER I-PER", "B-PER I-PER", "O I-PER", "O B-PER S-LOC",  # as usual
        "O B-PER b-per", "O 0 B-PER", "O - B-PER", "O B-PER B_PER", "O B- B-PER", "O B",  # mistakes, not spellings
        "DET NOUN VERB", "NN-S VB-S", "N_S N_P V_S", "O", "", "O PER LOC", "B M E S", "E-mail O-ring",
        "VERB-I NOUN-I", "0 1 2", "- _",
    ],
)  # fmt: skip
def test_what_is_no_other_spelling(tags: str) -> None:
    assert spelling_of(set(tags.split())) is None


def test_types_without_letters_are_read_where_the_user_says_so() -> None:
    spelling = spelling_of({"O", "PER", "LOC"}, untyped=True)
    assert spelling == Spelling(untyped=True)
    assert [spelling.normal(tag) for tag in ("O", "PER", "PER", "LOC")] == ["O", "I-PER", "I-PER", "I-LOC"]
    assert spelling.normal("B-PER") == "B-PER"
    assert spelling_of({"-", "PER"}, untyped=True) == Spelling("-", untyped=True)
    for tags in ({"PER", "LOC"}, {"O", "PER", "B-LOC"}, {"O", "-", "PER"}):
        assert spelling_of(tags, untyped=True) is None


def test_a_spelling_is_told_in_words() -> None:
    assert Spelling("-", "_", last=True).shown({"LOC_B", "-"}) == "LOC_B read as B-LOC, - read as O"
    assert Spelling("0").shown({"B-LOC", "0"}) == "0 read as O"
    assert Spelling().shown({"B-LOC", "O", "M-LOC"}) == "M-LOC read as I-LOC"


kinds = st.sampled_from(["PER", "date-time", "a_b", "Ação"])
entities = st.lists(st.tuples(st.integers(1, 3), kinds, st.integers(0, 2)), min_size=1, max_size=6)


@given(entities, st.sampled_from("-_:"), st.booleans(), st.booleans(), st.sampled_from(["O", "-", "_", "0", "other"]))
def test_any_spelling_of_entities_gives_the_entities(
    given_: list[tuple[int, str, int]], sign: str, last: bool, lower: bool, outside: str
) -> None:
    tags, spans, at = [outside], [], 1
    for length, kind, gap in given_:
        letters = "S" if length == 1 else "B" + "M" * (length - 2) + "E"
        letters = letters.lower() if lower else letters
        tags += [f"{kind}{sign}{letter}" if last else f"{letter}{sign}{kind}" for letter in letters]
        tags += [outside] * gap
        spans.append(Span(at, at + length, kind))
        at += length + gap
    spelling = spelling_of(set(tags)) or Spelling()
    normal = [spelling.normal(tag) for tag in tags]
    assert all(tag == "O" or tag[0] in EDGES.values() for tag in normal)
    assert entities_of(normal) == spans
