"""jsonl of predictions: everything, in full."""

from __future__ import annotations

import json
from pathlib import Path

from tests.outputs.answered import answer, one_question, one_text, task_of, written


def test_an_object_holds_the_row_the_prediction_and_the_confidence(tmp_path: Path) -> None:
    prediction = {"label": "é", "probabilities": {"é": 2 / 3, "b": 1 / 3}}
    answers = [one_text("uma frase", prediction, tags=["x", 1]), one_text("outra", prediction, id=3)]
    text = written(tmp_path, answers, task_of("classification", {"labels": ["é", "b"]}), name="jsonl")
    first, second = map(json.loads, text.splitlines())
    assert first == {"text": "uma frase", "tags": ["x", 1], **prediction, "confidence": 2 / 3}
    assert "tags" not in second
    assert '"é"' in text


def test_an_answer_has_its_start_as_data_have_it(tmp_path: Path) -> None:
    said = [one_question("onde?", "no Porto", answer("no Porto", *span)) for span in ((3, 8), (0, 0))]
    lines = written(tmp_path, said, task_of("answers", {}), name="jsonl").splitlines()
    found = [json.loads(line) for line in lines]
    assert [(one["answer"], one["answer_start"], one["confidence"]) for one in found] == [
        ("Porto", 3, 0.75),
        ("", None, 0.75),
    ]
