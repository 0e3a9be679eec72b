"""Texts with marks in brackets: nothing is lost, nothing moves the cursor."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.outputs.marked import line_of, marked, nested
from afina.outputs.writers import Answered, Form
from afina.printing import UNSAFE
from afina.records import Mark
from afina.tasks.base import Task
from tests.outputs.answered import answer, entity, one_question, one_text, task_of, written

SPANS = task_of("tokens", {"kind": "entities", "types": ["PESSOA"], "scheme": "spans"}, text="text")
LABELS = task_of("classification", {"labels": ["good", "bad"]})


def shown(one: Answered, task: Task, *, longest: int | None = None) -> str:
    """A prediction in a line."""
    return line_of(one, Form(task), longest=longest)


def test_entities_stand_in_their_text() -> None:
    text = "O João da Silva, [1](x), mora\nno Porto"
    found = [entity(text, 2, 15, "PESSOA", 0.9149), entity(text, 33, 38, "LUGAR", 0.5)]
    assert shown(one_text(text, {"entities": found}), SPANS) == (
        "O [João da Silva](PESSOA 0.91), [1](x), mora\\nno [Porto](LUGAR 0.50)"
    )
    assert shown(one_text("nada", {"entities": []}), SPANS) == "nada"


def test_marks_in_marks_and_marks_that_cross() -> None:
    marks = [Mark(0, 7, "X"), Mark(0, 3, "Y", 0.5), Mark(4, 9, "Z")]
    assert marked("one two three", marks) == "[[one](Y 0.50) two](X) three [two t](Z)"


@given(st.text(max_size=12), st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=4))
def test_a_text_is_whole_whatever_is_marked(text: str, places: list[tuple[int, int]]) -> None:
    marks = [Mark(start, end, "X") for start, end in places if start < end <= len(text)]
    drawn, crossing = nested(marks)
    assert sorted([mark for _, mark, opening in drawn if opening] + crossing) == sorted(marks)
    assert [place for place, _, _ in drawn] == sorted(place for place, _, _ in drawn)
    shown = marked(text, [mark for _, mark, opening in drawn if opening], paint=lambda said: f"\0{said}\0")
    assert re.sub("\0[^\0]*\0", "", shown) == marked(text, [])
    assert not UNSAFE.search(marked(text, marks))


def test_labels_with_their_probabilities() -> None:
    one = one_text("a lovely\x1b[2J film", {"label": "good", "probabilities": {"bad": 0.0684, "good": 0.9316}})
    assert shown(one, LABELS) == r"a lovely\x1b[2J film: good 0.93 (bad 0.07)"
    assert shown(one, LABELS, longest=8) == "a lovel…: good 0.93 (bad 0.07)"
    chances = {name: 0.1 * i for i, name in enumerate("abcdefgh")}
    some = task_of("multilabel", {"labels": list(chances)})
    assert shown(one_text("x", {"labels": ["g", "h"], "probabilities": chances}), some) == (
        "x: h 0.70, g 0.60 (f 0.50, e 0.40, d 0.30)"
    )
    assert shown(one_text("x", {"labels": [], "probabilities": {"a": 0.25}}), some) == "x: no label (a 0.25)"
    assert shown(one_text("x", {"score": 3.14159265}), task_of("regression", {})) == "x: score 3.1416"


def test_an_answer_stands_in_its_passage() -> None:
    passage = f"{'word ' * 40}in Porto, {'word ' * 40}"
    start = passage.index("Porto")
    one = one_question("where?", passage, answer(passage, start, start + 5))
    line = shown(one, task_of("answers", {}), longest=40)
    assert re.fullmatch(r"where\? …[word ]+in \[Porto\]\(answer 0\.75\), [word ]+…", line)
    assert len(line) < 200
    assert shown(one, task_of("answers", {})).startswith(f"where? {passage[:start]}[Porto]")
    assert shown(one_question("where?", passage, answer(passage, 0, 0)), task_of("answers", {}), longest=40) == (
        "where? (no answer 0.75)"
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028", "\x85"])
def test_a_file_has_a_line_a_text(tmp_path: Path, end: str) -> None:
    answers = [one_text(f"a{end}b", {"score": 1.0})] * 2
    assert len(written(tmp_path, answers, task_of("regression", {}), name="text").splitlines()) == 2
