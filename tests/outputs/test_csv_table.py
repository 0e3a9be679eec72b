"""csv of predictions, and csv that is read back whatever its cells hold."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from afina.data import sources
from afina.outputs.csv_table import csv_writer
from tests.outputs.answered import entity, one_text, task_of, written

CELLS = st.text(st.sampled_from('ab,;"\r\n\t é\u2028=') | st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)


@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=6))
def test_csv_comes_back_whatever_the_values_hold(rows: list[tuple[str, str]]) -> None:
    file = io.StringIO(newline="")
    csv_writer(file).writerows([("one", "two"), *rows])
    file.seek(0)
    assert [tuple(row) for row in csv.reader(file, strict=True)] == [("one", "two"), *rows]


def test_a_lone_carriage_return_is_read_back_by_our_own_reader(tmp_path: Path) -> None:
    with (tmp_path / "out.csv").open("w", encoding="utf-8", newline="") as file:
        csv_writer(file).writerows([("text", "label"), ("old\rmac", "a"), ("two\r\nlines", "b")])
    assert (tmp_path / "out.csv").read_bytes().startswith(b'text,label\n"old\rmac",a\n')
    assert [row.values["text"] for row in sources.rows(tmp_path / "out.csv")] == ["old\rmac", "two\r\nlines"]


def test_the_answer_its_confidence_and_probabilities_with_4_digits(tmp_path: Path) -> None:
    chances = {"good": 0.912345678, "bad": 0.087654322}
    answers = [one_text("a, b", {"label": "good", "probabilities": chances}, id=7)]
    task = task_of("classification", {"labels": ["good", "bad"]})
    assert written(tmp_path, answers, task, name="csv") == (
        'text,id,label,confidence,probability_good,probability_bad\n"a, b",7,good,0.9123,0.9123,0.0877\n'
    )
    assert written(tmp_path, answers, task, name="csv", keep=False).splitlines()[1] == "good,0.9123,0.9123,0.0877"


def test_labels_and_entities_are_plain_text(tmp_path: Path) -> None:
    chances = {"food": 0.75, "a;b": 0.5, "old": 0.125}
    task = task_of("multilabel", {"labels": list(chances)})
    some = [one_text("x", {"labels": labels, "probabilities": chances}) for labels in (["food", "old"], [], ["a;b"])]
    lines = written(tmp_path, some, task, name="csv").splitlines()
    assert [line.partition(",0.")[0] for line in lines[1:]] == ["x,food;old", "x,", 'x,"[""a;b""]"']
    task = task_of("tokens", {"kind": "entities", "types": ["PER"], "scheme": "spans"}, text="text")
    text = "Ana e Rui"
    found = {"entities": [entity(text, 0, 3, "PER", 0.75), entity(text, 6, 9, "PER", 0.5)]}
    answers = [one_text(text, found), one_text("nada", {"entities": []})]
    assert written(tmp_path, answers, task, name="csv") == (
        "text,entities,confidence\nAna e Rui,Ana (PER); Rui (PER),0.5000\nnada,,\n"
    )
