"""Tables with one row a word."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.config import load
from afina.data.long_tables import for_task
from afina.data.parts import read_data
from afina.data.sources import Files, read
from afina.errors import DataError, Problem
from afina.records import Row
from afina.tasks import base
from tests.data.reading import Write

TASK = base.find("tokens")(base.find("tokens").Options())
SENTENCES = [[("Ana", "B-PER"), ("lives", "O"), ("here", "O")], [("Rain", "O")], [("Oslo", "B-LOC"), ("sleeps", "O")]]


def gathered(source: Any, task: base.Task = TASK, **reading: Any) -> list[Row | Problem]:
    return list(for_task(task, read(source, **reading), reading.get("note", lambda _: None)))


def pairs_in(found: Sequence[Row | Problem], word: str = "word", tag: str = "tag") -> list[list[tuple[str, str]]]:
    return [[*zip(item.values[word], item.values[tag], strict=True)] for item in found if isinstance(item, Row)]


def each(sentences: Sequence[Sequence[tuple[str, str]]] = SENTENCES, key: str = "sentence_id") -> list[dict[str, Any]]:
    return [{key: str(i), "word": a, "tag": b} for i, words in enumerate(sentences) for a, b in words]


def first_only(sentences: Sequence[Sequence[tuple[str, str]]] = SENTENCES) -> list[dict[str, Any]]:
    return [
        {"Sentence #": "" if j else f"Sentence: {i}", "word": a, "tag": b}
        for i, words in enumerate(sentences, 1)
        for j, (a, b) in enumerate(words)
    ]


def between(sentences: Sequence[Sequence[tuple[str, str]]] = SENTENCES) -> list[dict[str, Any]]:
    return [
        {"word": a, "tag": b}
        for words in sentences
        for a, b in ([("", ""), *words] if words != sentences[0] else words)
    ]


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


@pytest.mark.parametrize("rows", [each(), first_only(), between(), each(key="Frase ID"), each(key="id")])
def test_rows_of_a_sentence_become_one(write: Write, rows: list[dict[str, Any]]) -> None:
    assert pairs_in(gathered(rows)) == SENTENCES
    path = write("a.csv", table(rows))
    found = gathered(path)
    assert pairs_in(found) == SENTENCES
    assert found[0].place == f"{path}:2"
    assert all(isinstance(item, Row) and item.raw.count(b"\n") == len(item.values["word"]) for item in found)


def test_what_was_decided_is_said(write: Write) -> None:
    path = write("a.csv", table(first_only()))
    notes: list[str] = []
    (first, *_) = gathered(path, note=notes.append)
    assert isinstance(first, Row)
    assert first.values == {"Sentence #": "Sentence: 1", "word": ["Ana", "lives", "here"], "tag": ["B-PER", "O", "O"]}
    assert notes[-1] == f"{path}:2: one row a word ('word'); a sentence begins where 'Sentence #' is filled"
    gathered(each(), note=notes.append)
    assert notes[-1] == "row 1: one row a word ('word'); a sentence is the rows with the same 'sentence_id'"


def test_sentences_are_counted_anew_in_each_document_and_file(write: Write) -> None:
    rows = [{"doc_id": doc, **row} for doc in ("a", "b") for row in each()]
    assert pairs_in(gathered(rows)) == SENTENCES * 2
    paths = Files([write("a.csv", table(each())), write("b.csv", table(each()))])
    assert pairs_in(gathered(paths)) == SENTENCES * 2


def test_an_id_that_comes_back_is_a_problem() -> None:
    rows = each()
    found = gathered([*rows[:2], *rows[3:], rows[2]])
    assert [item.code for item in found if isinstance(item, Problem)] == ["scattered-sentence"]
    assert str(found[-1]) == (
        "row 6: sentence_id '0' comes back after other sentences; put the words of a sentence one after the other, and "
        "give each sentence an id of its own"
    )


def test_a_row_that_cannot_be_used_spoils_its_sentence(write: Write) -> None:
    rows = each()
    rows[1]["word"] = None
    found = gathered(rows)
    assert pairs_in(found) == SENTENCES[1:]
    assert isinstance(found[0], Problem)
    assert (found[0].place, found[0].code) == ("row 2", "no-word")
    path = write("a.csv", table(each()).replace("0,lives,O", "0,lives"))
    found = gathered(path)
    assert pairs_in(found) == SENTENCES[1:]
    assert isinstance(found[0], Problem)
    assert found[0].place == f"{path}:3"
    assert found[0].raw.count(b"\n") == 3


def test_a_row_between_two_sentences_spoils_both(write: Write) -> None:
    path = write("a.csv", table(each()).replace("1,Rain,O", "1,Rain"))
    assert [getattr(item, "code", "") for item in gathered(path)] == ["ragged-row", "no-sentence"]
    path = write("b.csv", table(first_only()).replace("Sentence: 2,Rain,O", "Sentence: 2,Rain"))
    assert pairs_in(gathered(path)) == SENTENCES[2:]
    rows = each()
    rows[2]["sentence_id"] = ""
    assert [getattr(item, "code", "") for item in gathered(rows)] == ["no-sentence", "no-sentence", ""]


def test_without_anything_between_sentences_the_table_is_refused() -> None:
    rows = [{"word": a, "tag": b} for words in SENTENCES * 4 for a, b in words]
    with pytest.raises(DataError, match=r"row 1: one row a word \(column 'word'\), and no column tells the sentences"):
        gathered(rows)


@pytest.mark.parametrize(
    "rows",
    [
        [{"sentence_id": "1", "words": ["a", "b"], "tags": ["O", "O"]}] * 3,
        [{"sentence_id": "1", "words": "['a']", "tags": "['O']"}] * 3,
        [{"sentence_id": "1", "words": "a b c", "tags": "O O O"}] * 3,
        [{"text": "a", "label": "b"}] * 20,
        [{"sentence": "1", "text": "a"}] * 20,
        [{"word": "a", "tag": "b"}] * 3,
    ],
)
def test_other_tables_pass_as_they_are(rows: list[dict[str, Any]]) -> None:
    assert [dict(item.values) for item in gathered(rows) if isinstance(item, Row)] == rows


def test_other_tasks_read_rows() -> None:
    task = base.find("classification")
    assert len(gathered(each(), task(task.Options()))) == 6


def test_a_named_column_holds_the_words() -> None:
    task = TASK.with_options(tokens="w")
    rows = [{"sentence": row["sentence_id"], "w": row["word"], "word": "x y", "tag": row["tag"]} for row in each()]
    assert pairs_in(gathered(rows, task), "w") == SENTENCES


def test_problems_alone_stay_problems(write: Write) -> None:
    path = write("a.csv", "sentence_id,word,tag\n1,a\n1,b\n")
    assert all(isinstance(item, Problem) for item in gathered(path))
    with pytest.raises(DataError, match="found 2 fields, expected 3"):
        read_data(load(None, {"task": "tokens", "data.train": path}))


words = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="["), min_size=1, max_size=5)
written = st.lists(
    st.lists(st.tuples(words, st.sampled_from(["O", "B-A"])), min_size=1, max_size=5), min_size=2, max_size=6
).filter(lambda sentences: any(len(words) > 1 for words in sentences))


@given(sentences=written, form=st.sampled_from([each, first_only]))
def test_any_sentences_come_back(folder: Path, sentences: list[list[tuple[str, str]]], form: Any) -> None:
    path = folder / "any.csv"
    path.write_text(table(form(sentences)), encoding="utf-8", newline="")
    assert pairs_in(gathered(str(path), delimiter=",", quote='"')) == sentences
