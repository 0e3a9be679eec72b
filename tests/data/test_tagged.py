"""Words with their tags behind a sign."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.data.tagged import looks_tagged
from tests.data.reading import Write, only_problem, values

SENTENCES: list[list[tuple[str, ...]]] = [
    [("Ana", "NPROP"), ("vive", "V"), ("em", "PREP|+"), ("o", "ART"), ("Porto", "NPROP"), (".", ".")],
    [("Rui", "NPROP"), ("corre", "V"), ("e/ou", "KC"), ("dorme", "V"), ("_", "PU"), (".", ".")],
] * 3


def text_of(sentences: list[list[tuple[str, ...]]], sign: str) -> str:
    return "".join(" ".join(sign.join(word) for word in words) + "\n" for words in sentences)


@pytest.mark.parametrize("name", ["a.txt", "a.train", "a", "a.tsv", "a.csv"])
@pytest.mark.parametrize("sign", ["_", "/"])
def test_words_are_cut_at_their_last_sign(write: Write, name: str, sign: str) -> None:
    notes: list[str] = []
    path = write(name, text_of(SENTENCES, sign))
    found = values(path, note=notes.append)
    assert [[*zip(row["1"], row["2"], strict=True)] for row in found] == SENTENCES
    assert f"{path}: words and tags are cut at the last {sign!r} of a word" in notes


def test_between_bars_there_may_be_several_tags(write: Write) -> None:
    sentence: list[tuple[str, ...]] = [("Il", "PRO", "O"), ("vit", "V", "O"), ("à", "P", "O"), ("Rome", "N", "LOC")]
    found = values(write("a.txt", text_of([sentence, sentence], "|")))
    assert found == [{"1": ["Il", "vit", "à", "Rome"], "2": ["PRO", "V", "P", "N"], "3": ["O", "O", "O", "LOC"]}] * 2


def test_a_word_without_its_tag_is_a_problem(write: Write) -> None:
    path = write("a.txt", "a_X b_Y\n\nc d_Y\n" + "a_X b_Y\n" * 40)
    problem = only_problem(path, format="tagged")
    assert problem.place == f"{path}:3"
    assert problem.message == "expected a word with 1 tag behind '_', found 'c'"
    assert only_problem(write("a.txt", "a#X _#Y\nc#\n"), format="tagged", delimiter="#").code == "no-tag"
    assert only_problem(write("a.txt", b"a_X b_Y\n" * 9 + b"a_\xff\n"), format="tagged").code == "not-utf8"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a_X b_Y\n",
        "snake_case names_of my_code have_signs as_these do_too and_more all_other\n",
        "12/03/2024 13/03/2024\n14/03/2024 15/03/2024\n" * 4,
        "usr/bin usr/lib\nusr/share usr/local\n" * 4,
        "a plain text with words_X in_Y it\n" * 9,
        "the_O\ncat_B\n" * 9,
        "1_X 2_X 3_X 4_X\n" * 3,
        "_X _Y _X _Y _X _Y _X _Y\n",
    ],
)
def test_what_is_not_sure_to_have_tags_is_none(text: str) -> None:
    assert not looks_tagged(text.splitlines(keepends=True))


words = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=6)
tags = st.sampled_from(["N", "V", "ADJ"])


@given(sentences=st.lists(st.lists(st.tuples(words, tags), min_size=2, max_size=9), min_size=1, max_size=9))
def test_any_sentences_come_back(folder: Path, sentences: list[list[tuple[str, ...]]]) -> None:
    path = folder / "any.txt"
    path.write_text(text_of(sentences, "_"), encoding="utf-8", newline="")
    found = values(path, format="tagged", delimiter="_")
    assert [[*zip(row["1"], row["2"], strict=True)] for row in found] == sentences
