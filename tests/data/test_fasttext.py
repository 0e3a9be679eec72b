"""Texts with their labels as fastText writes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.data.fasttext import looks_like_fasttext
from afina.errors import Problem
from tests.data.reading import Write, items, only_problem, values


@pytest.mark.parametrize("name", ["a.txt", "a.train", "a", "a.csv", "a.ft.txt", "a.tsv"])
def test_one_label_is_a_text_and_several_are_a_list(write: Write, name: str) -> None:
    assert values(write(name, "__label__pos a fine film\n__label__neg __dull__, a\tbad one\n\n")) == [
        {"label": "pos", "text": "a fine film"},
        {"label": "neg", "text": "__dull__, a\tbad one"},
    ]
    assert values(write(name, "__label__a __label__b/c one\n__label__a  two \n")) == [
        {"label": ["a", "b/c"], "text": "one"},
        {"label": ["a"], "text": "two "},
    ]


def test_labels_may_stand_behind(write: Write) -> None:
    assert values(write("a.txt", "a fine film __label__pos\nbad __label__neg\r\n")) == [
        {"label": "pos", "text": "a fine film"},
        {"label": "neg", "text": "bad"},
    ]


def test_lines_without_a_label_or_with_one_inside_are_problems(write: Write) -> None:
    path = write("a.txt", "__label__pos fine\nno label\n")
    assert (
        only_problem(path, format="fasttext").message == "expected __label__NAME in front of the text, found 'no label'"
    )
    path = write("a.txt", "__label__pos fine\n__label__pos one __label__b two\n__label__neg \xff\n")
    assert [item.code for item in items(path) if isinstance(item, Problem)] == ["label-inside"]
    assert only_problem(write("a.txt", b"__label__pos fine\n__label__neg \xff\n")).code == "not-utf8"


@pytest.mark.parametrize("text", ["", "\n", "__label__a fine\nno label\n", "__label__ fine\n", "x__label__a\n"])
def test_what_lacks_a_label_is_none(text: str) -> None:
    assert not looks_like_fasttext(text.splitlines(keepends=True))


labels = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=5)
texts = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), max_size=20).map(str.strip)


@given(rows=st.lists(st.tuples(st.lists(labels, min_size=1, max_size=3), texts), min_size=1, max_size=5))
def test_any_texts_come_back(folder: Path, rows: list[tuple[list[str], str]]) -> None:
    path = folder / "any.txt"
    lines = [f"{' '.join(f'__label__{label}' for label in some)} {text}\n" for some, text in rows]
    path.write_text("".join(lines), encoding="utf-8", newline="")
    several = any(len(some) > 1 for some, _ in rows)
    assert values(path) == [{"label": some if several else some[0], "text": text} for some, text in rows]
