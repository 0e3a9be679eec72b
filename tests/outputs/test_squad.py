"""Predictions as SQuAD's official script takes them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from afina.errors import ConfigError, DataError
from tests.outputs.answered import answer, one_question, task_of, written

TASK = task_of("answers", {})
PASSAGE = 'no "Porto", em 1976'


def test_the_answer_to_each_question_by_its_id(tmp_path: Path) -> None:
    spans = {"q1": (3, 10), "2": (0, 0), "é": (15, 19)}
    said = [one_question("?", PASSAGE, answer(PASSAGE, *span), id=key) for key, span in spans.items()]
    found = json.loads(written(tmp_path, said, TASK, name="squad", keep=False))
    assert found == {"q1": '"Porto"', "2": "", "é": "1976"}
    assert json.loads(written(tmp_path, [one_question("?", "a", answer("a", 0, 1), id=5)], TASK, name="squad")) == {
        "5": "a"
    }


def test_questions_need_ids_of_their_own(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no column 'id'"):
        written(tmp_path, [one_question("?", "a", answer("a", 0, 1))], TASK, name="squad")
    twice = [one_question("?", "a", answer("a", 0, 1), id=key) for key in ("x", "x")]
    with pytest.raises(DataError, match="in:1: the id 'x' stands twice"):
        written(tmp_path, twice, TASK, name="squad")
    with pytest.raises(DataError, match="has no id"):
        written(tmp_path, [one_question("?", "a", answer("a", 0, 1), id=None)], TASK, name="squad")
