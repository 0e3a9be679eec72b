"""Inputs without columns are held against what the model was trained on; the messages name the item."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from afina.errors import ConfigError, DataError
from afina.serving.inputs import look_through, read_inputs, sound
from afina.tasks.answers import Answers, AnswersOptions
from afina.tasks.base import Task
from afina.tasks.classification import Classification, ClassificationOptions
from afina.tasks.tokens import Tokens, TokensOptions

SINGLE = Classification(ClassificationOptions(text="text", label="label"))
PAIRS = Classification(ClassificationOptions(text="a", pair="b", label="label"))
STOCK = Classification(ClassificationOptions())
QUESTIONS = Answers(AnswersOptions(question="question", context="context"))
STOCK_QUESTIONS = Answers(AnswersOptions())
WORDS = Tokens(TokensOptions(tokens="words", tags="tags"))
SPANS = Tokens(TokensOptions(text="text", label="spans"))
HALF = "half \ud83d"


def texts(task: Task, data: Any) -> list[tuple[str, str | None]]:
    return [(one.example.text, one.example.pair) for one in sound(read_inputs(task, data))]


def refused(task: Task, data: Any) -> str:
    with pytest.raises(DataError) as caught:
        look_through(read_inputs(task, data))
    return str(caught.value)


@pytest.mark.parametrize("task", [SINGLE, SPANS, STOCK], ids=["single", "spans", "stock"])
def test_every_kind_of_sequence_of_texts(task: Task) -> None:
    pandas = pytest.importorskip("pandas")
    pyarrow = pytest.importorskip("pyarrow")
    wanted = [("one", None), ("two", None)]
    given = ["one", "two"]
    for make in (list, tuple, np.array, pandas.Series, pyarrow.array, iter):
        assert texts(task, make(given)) == wanted
    assert texts(task, [np.str_("one"), ("two",)]) == wanted
    assert texts(task, []) == []


@pytest.mark.parametrize("task", [PAIRS, QUESTIONS, STOCK, STOCK_QUESTIONS], ids=["pairs", "qa", "stock", "stock qa"])
def test_pairs(task: Task) -> None:
    for data in ([("one", "two")], [["one", "two"]], np.array([["one", "two"]])):
        assert texts(task, data) == [("one", "two")]


def test_words_and_texts_for_a_model_of_words() -> None:
    first, second = (one.example for one in sound(read_inputs(WORDS, [["the", "cat"], "the cat"])))
    assert (first.text, first.words) == ("the cat", ((0, 3), (4, 7)))
    assert (second.text, second.words) == ("the cat", None)


def test_items_have_their_number() -> None:
    assert [one.example.place for one in sound(read_inputs(SINGLE, ["a", "b"]))] == [
        "item 1", "item 2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("task", "item", "says"),
    [
        (SINGLE, ("a", "b"), "item 2: expected one text, found 2; the model was trained on single texts"),
        (PAIRS, "a", r"item 2: expected two texts \(a, b\), found one, 'a'; the model was trained on pairs"),
        (PAIRS, ("a", "b", "c"), r"item 2: expected two texts \(a, b\), found 3"),
        (QUESTIONS, "who?", r"item 2: expected two texts \(question, context\), found one, 'who\?'"),
        (STOCK, ("a", "b", "c"), "item 2: expected one text or two, found 3"),
        (SINGLE, (), "item 2: expected one text, found 0"),
        (SINGLE, HALF, r"item 2: found \\ud83d, half of a surrogate pair"),
        (PAIRS, ("a", HALF), r"item 2: found \\ud83d, half of a surrogate pair"),
        (WORDS, ["a", HALF], r"item 2: found \\ud83d, half of a surrogate pair"),
        (WORDS, ["a", None], "item 2: expected a word, found nothing; leave it out"),
        (SINGLE, 3, "item 2: expected a text, found int 3; write numbers as texts"),
        (SINGLE, 2.5, "item 2: expected a text, found float 2.5"),
        (SINGLE, b"a", "item 2: expected a text, found bytes b'a'"),
        (SINGLE, {"text": "a"}, "item 2: expected a text, found dict"),
        (WORDS, [["a"]], "item 2: expected a text, found list"),
        (WORDS, 3, "item 2: expected a text, found int 3"),
    ],
)
def test_what_the_task_does_not_take(task: Task, item: Any, says: str) -> None:
    good = ("a", "b") if len(task.inputs) == 2 else "a"
    message = refused(task, [good, item])
    assert re.match(says, message), message


def test_all_items_are_looked_at_and_equal_faults_counted() -> None:
    message = refused(SINGLE, [3, "a", 3, b"b"])
    assert "expected a text, found int 3" in message
    assert "2 of the kind: item 1, item 3" in message
    assert "item 4: expected a text, found bytes" in message


def test_a_generator_is_refused_at_its_first_fault() -> None:
    def stream() -> Iterator[Any]:
        yield "a"
        yield 3
        yield 3

    examples = sound(read_inputs(SINGLE, stream()))
    assert next(examples).example.text == "a"
    with pytest.raises(DataError, match="item 2"):
        next(examples)


@pytest.mark.parametrize("data", [b"text", 3, None, object()], ids=["bytes", "number", "none", "object"])
def test_what_holds_no_inputs(data: Any) -> None:
    assert "expected a text, a list of texts, rows" in refused(SINGLE, data)


def test_rows_of_another_kind_are_refused_as_from_the_command_line() -> None:
    with pytest.raises(ConfigError, match="row 1: pair: the data have no column 'b'"):
        look_through(read_inputs(PAIRS, [{"a": "one"}]))
    assert "row 2" in refused(SINGLE, [{"text": "a"}, {"text": HALF}])
    assert "row 1: column 'text': expected a text, found bool True" in refused(SINGLE, [{"text": True}])
    assert "row 2" in refused(SINGLE, [{"text": "a"}, "a"])


def test_rows_come_from_generators_too() -> None:
    assert texts(SINGLE, ({"text": text} for text in ("a", "b"))) == [("a", None), ("b", None)]
