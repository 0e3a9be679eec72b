"""Texts behind a label and a colon."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.data.prefixed import looks_prefixed
from tests.data.reading import Write, items, only_problem, values

QUESTIONS = [
    ("WHO", "Who wrote this : the king ?"),
    ("WHERE", "Where do ships land ?"),
    ("WHEN", "When is noon : at twelve ?"),
    ("WHO", "Whose hat is it ?"),
]


def text_of(rows: list[tuple[str, str]], sign: str = ":") -> str:
    return "".join(f"{label}{sign}{text}\n" for label, text in rows)


@pytest.mark.parametrize("ending", [".label", ".txt", ".train", "", ".csv"])
@pytest.mark.parametrize("sign", [":", ": "])
def test_lines_are_cut_at_the_first_sign(write: Write, sign: str, ending: str) -> None:
    notes: list[str] = []
    path = write(f"a{ending}", text_of(QUESTIONS * 3, sign))
    found = values(path, note=notes.append)
    assert found == [{"label": label, "text": text} for label, text in QUESTIONS * 3]
    assert f"{path}: label and text are cut at the first {sign!r} of a line" in notes


def test_a_second_label_is_said(write: Write) -> None:
    kinds = ["ind", "city", "time", "own"]
    fine = [(label, f"{kind}:{text}") for (label, text), kind in zip(QUESTIONS, kinds, strict=True)] * 3
    notes: list[str] = []
    assert values(write("a.label", text_of(fine)), note=notes.append)[0] == {
        "label": "WHO",
        "text": "ind:Who wrote this : the king ?",
    }
    assert notes[0].endswith("; the texts begin with a second label (ind, city, time), which tells the first")
    trec = [(label, text.replace(":", " ", 1)) for label, text in fine]
    path = write("b.label", text_of(trec))
    values(path, note=notes.append)
    assert notes[-1].endswith("which tells the first; --format prefixed --delimiter ' ' cuts at the first blank")
    assert values(path, format="prefixed", delimiter=" ")[0] == {
        "label": "WHO:ind",
        "text": "Who wrote this : the king ?",
    }


def test_lines_without_a_label_are_problems(write: Write) -> None:
    for odd in ("no sign", ":nothing"):
        problem = only_problem(write("a.label", f"WHO:Who ?\n\n{odd}\nWHO:Who ?\n"))
        assert problem.message == f"expected a label, ':' and a text, found {odd!r}"
        assert problem.place.endswith(":3")
    assert only_problem(write("a.label", b"WHO:Who ?\nWHO:\xff\n")).code == "not-utf8"
    assert len(items(write("a.label", "WHO:\nWHO: \n"))) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a note: with a sign\n" * 6,
        "http://a.org a b\nftp://b.org c d\n" * 6,
        "text:a fine film\nlabel:pos or so\n" * 6,
        "A:one two\nB:one two\nC:one two\nD:one two\n",
        "A:one two\nB:one two\n" * 3 + "no sign\n",
        "1:one two\n2:one two\n" * 6,
        '"a": "b c",\n"b": "c d",\n' * 6,
        "A:1\nB:2\n" * 6,
        "A:one two\n" * 6,
        "12:30 the train\n12:45 the bus\n" * 6,
    ],
)
def test_what_is_not_sure_to_have_labels_is_none(text: str) -> None:
    assert not looks_prefixed(text.splitlines(keepends=True))


labels = st.sampled_from(["A", "B/b", "C-c"])
texts = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), min_size=1, max_size=20)


@given(rows=st.lists(st.tuples(labels, texts.filter(lambda text: text[0] != " ")), min_size=1, max_size=9))
def test_any_texts_come_back(folder: Path, rows: list[tuple[str, str]]) -> None:
    path = folder / "any.label"
    path.write_text(text_of(rows), encoding="utf-8", newline="")
    assert values(path, format="prefixed") == [{"label": label, "text": text} for label, text in rows]
