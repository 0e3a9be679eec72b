"""Names and values of columns."""

from __future__ import annotations

from afina.outputs.columns import cell, free_names, probabilities
from afina.records import Output
from tests.outputs.answered import task_of

TASK = task_of("classification", {"labels": ["a", "b"]}, text="text", label="Gold")


def test_names_that_are_taken() -> None:
    assert free_names(["a", "label"], ["label"], TASK) == {"a": "a", "label": "input_label"}
    assert free_names(["label", "input_label"], ["label"], TASK) == {
        "label": "input_input_label",
        "input_label": "input_label",
    }
    assert free_names(["LABEL", "text"], ["label"], TASK) == {"LABEL": "input_LABEL", "text": "text"}


def test_the_right_answers_are_not_taken_for_predictions() -> None:
    assert free_names(["text", "gold "], ["label"], TASK) == {"text": "text", "gold ": "input_gold "}
    questions = task_of("answers", {}, question="question", context="context", answer="answers")
    names = free_names(["question", "context", "answers", "is_impossible"], ["answer"], questions)
    assert list(names.values()) == ["question", "context", "input_answers", "input_is_impossible"]


def test_columns_of_probabilities_have_names_of_their_own() -> None:
    chances = {"good": 0.5, "Good": 0.25, "good_2": 0.25}
    assert probabilities(Output({}, probabilities=chances)) == {
        "probability_good": 0.5,
        "probability_Good_2": 0.25,
        "probability_good_2_2": 0.25,
    }


def test_values_as_cells() -> None:
    assert [cell(value) for value in (None, "a", 1e-07, False, ["é"], {"a": None})] == [
        "", "a", "1e-07", "false", '["é"]', '{"a": null}',
    ]  # fmt: skip
