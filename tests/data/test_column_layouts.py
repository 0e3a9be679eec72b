"""How sentences in columns are written."""

from __future__ import annotations

import pytest

from afina.data.column_layouts import COMMENTS, HEADERS, MARKS, fields, layout_of

WORDS = ["the DET O\n", "cat NOUN B-WHO\n", "\n", "# DET O\n", "a DET O\n", "#tag NOUN O\n"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a\tb c", ["a", "b c"]),
        ("a\t", ["a", ""]),
        (" a  b ", ["a", "b"]),
        ("a|||b", ["a", "b"]),
        ("a ||| b ||| c", ["a", "b", "c"]),
        ("||| PUNCT", ["|||", "PUNCT"]),
        ("a\xa0b O", ["a\xa0b", "O"]),
    ],
)
def test_tabs_bars_or_blanks_stand_between_columns(text: str, found: list[str]) -> None:
    assert fields(text) == found
    assert fields("a;b", ";") == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "first", "kind"),
    [
        ("# text = the cat", True, COMMENTS),
        ("#", True, COMMENTS),
        ("#begin document (bc/cctv); part 000", True, COMMENTS),
        ("###MEDLINE:95369245", True, COMMENTS),
        ("%% page 3", True, COMMENTS),
        ("# newdoc id", True, COMMENTS),
        ("# id 5b8c\tdomain=en", True, COMMENTS),
        ("#\thttp://example.org\t[2011-03-01]", True, COMMENTS),
        ("-DOCSTART- -X- O", True, MARKS),
        ("-DOCSTART- -X- O", False, MARKS),
        ("<s>", True, MARKS),
        ('<doc id="a b">', True, MARKS),
        ("</s>", False, MARKS),
        ("# DET O", True, ""),
        ("# DET O", False, ""),
        ("#tag NOUN O", True, ""),
        ("#tag", True, ""),
        ("#", False, ""),
        ("<b> NOUN O", True, ""),
        ("", True, ""),
        (" \t", True, ""),
    ],
)
def test_which_lines_are_no_words(text: str, first: bool, kind: str) -> None:
    assert layout_of(WORDS).kind(text, 7, first=first) == kind


def test_the_majority_of_the_words_decides_how_many_columns_there_are() -> None:
    assert layout_of(["# one two three four\n", "odd\n", *WORDS]).width == 3
    assert layout_of([]).width == 0
    assert layout_of(["# a\n"]).width == 2


@pytest.mark.parametrize(
    ("first", "names"),
    [
        ("Word POS Tag", ("Word", "POS", "Tag")),
        ("#word lemma ner", ("word", "lemma", "ner")),
        ("word NOUN O", ()),
        ("form upos x", ("form", "upos", "x")),
        ("word word tag", ()),
    ],
)
def test_a_first_line_may_name_the_columns(first: str, names: tuple[str, ...]) -> None:
    layout = layout_of([f"{first}\n", *WORDS])
    assert layout.names == names
    assert layout.header == (1 if names else 0)
    assert not names or layout.kind(first, 1, first=True) == HEADERS


def test_conllu_plus_names_its_columns() -> None:
    layout = layout_of(["# global.columns = ID FORM UPOS\n", "1\tthe\tDET\n"])
    assert layout.names == ("id", "form", "upos")
    assert layout.kind("# global.columns = ID FORM UPOS", 1, first=True) == COMMENTS


def test_a_header_that_names_texts_is_that_of_a_table() -> None:
    assert layout_of(["text\tlabel\n", "fine\tpos\n"]).is_table
    assert not layout_of(["word\tlabel\n", "fine\tpos\n"]).is_table
