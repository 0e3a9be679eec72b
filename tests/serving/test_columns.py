"""Where the columns of the training data are missing, others are taken only if they can be nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from afina.errors import ConfigError
from afina.records import Row
from afina.serving.columns import by_name, fitting, inputs_of
from afina.tasks.answers import Answers, AnswersOptions
from afina.tasks.base import Task
from afina.tasks.classification import Classification, ClassificationOptions
from afina.tasks.tokens import Tokens, TokensOptions

SINGLE = Classification(ClassificationOptions(text="title", label="label"))
PAIRS = Classification(ClassificationOptions(text="a", pair="b", label="label"))
STOCK = Classification(ClassificationOptions())
QUESTIONS = Answers(AnswersOptions(question="q", context="c", answer="a"))
WORDS = Tokens(TokensOptions(tokens="tokens", tags="tags"))
SPANS = Tokens(TokensOptions(text="title", label="spans"))
LISTS = {"x": ["a", "b"]}


@pytest.mark.parametrize(
    ("task", "values", "columns"),
    [
        (SINGLE, {"title": "a", "text": "b"}, ("title",)),
        (SINGLE, {"id": "1", "Frase": "a"}, ("Frase",)),
        (SINGLE, {"any": "a"}, ("any",)),
        (SPANS, {"any": "a"}, ("any",)),
        (SPANS, {"id": "1", "texto": "a"}, ("texto",)),
        (STOCK, {"text": "a"}, ("text",)),
        (PAIRS, {"premise": "a", "hypothesis": "b"}, ("premise", "hypothesis")),
        (QUESTIONS, {"pergunta": "a", "contexto": "b", "id": 1}, ("pergunta", "contexto")),
        (WORDS, {"sentence": "a b", "id": 1}, ("sentence",)),
        (WORDS, {"any": "a b"}, ("any",)),
        (WORDS, LISTS, ("x",)),
        (WORDS, {"words": ["a"], "id": 1}, ("words",)),
        (WORDS, {"tokens": "a b"}, ("tokens",)),
    ],
)
def test_what_is_read_in_place_of_the_trained_columns(task: Task, values: dict[str, Any], columns: Any) -> None:
    notes: list[str] = []
    found = fitting(task, [Row(values, "row 1")], note=notes.append)
    assert inputs_of(found) == columns
    assert bool(notes) == (inputs_of(task) not in ((), columns))
    assert found.read(Row(values, "row 1"), labelled=False).text.startswith("a")


@pytest.mark.parametrize(
    ("task", "values"),
    [
        (SINGLE, {"foo": "a text of words", "id": "1"}),
        (SINGLE, {"premise": "a", "hypothesis": "b"}),
        (SINGLE, {"review": "a", "tweet": "b"}),
        (PAIRS, {"text": "a"}),
        (PAIRS, {"x": "a", "y": "b"}),
        (QUESTIONS, {"question": "a"}),
        (WORDS, {"review": "a b", "tweet": "c d"}),
        (STOCK, {"foo": "a", "bar": "b"}),
    ],
)
def test_what_can_be_several_things_is_refused(task: Task, values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="The columns are"):
        fitting(task, [Row(values, "row 1")])


def test_columns_that_were_asked_for_are_taken_or_refused() -> None:
    with pytest.raises(ConfigError, match="no column 'title'"):
        fitting(SINGLE, [Row({"text": "a"}, "row 1")], strict=True)


def test_labelled_data_keep_their_label() -> None:
    found = fitting(SINGLE, [Row({"review": "a", "label": "b"}, "row 1")], labelled=True)
    assert (found.options.text, found.options.label) == ("review", "label")
    for task, values in ((SINGLE, {"review": "a", "mood": "b"}), (WORDS, {"text": "a", "spans": []})):
        with pytest.raises(ConfigError, match="The columns are"):
            fitting(task, [Row(values, "row 1")], labelled=True)


def test_names_alone() -> None:
    assert by_name(SINGLE, ["title"])
    assert by_name(SINGLE, ["texto"])
    assert by_name(WORDS, ["tokens"])
    assert by_name(STOCK, ["text", "id"])
    assert not by_name(SINGLE, ["any"])
    assert not by_name(SINGLE, [])
