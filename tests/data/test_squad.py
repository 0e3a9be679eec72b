"""Each question of a SQuAD file is a row at its path in the tree, and what is no question is named there."""

from __future__ import annotations

import json
from typing import Any

from afina.data.sources import rows
from afina.data.squad import articles_of, read_squad
from afina.errors import Problem
from afina.records import Row
from tests.data.files import Write

CONTEXT = "a gata dorme"


def article(*questions: Any, context: Any = CONTEXT) -> dict[str, Any]:
    return {"title": "Gatos", "paragraphs": [{"context": context, "qas": [*questions]}]}


ASKED = {"id": 7, "question": "quem?", "answers": [{"text": "gata", "answer_start": 2}]}
UNANSWERED = {"id": "b", "question": "onde?", "answers": [], "is_impossible": True}


def test_questions_have_their_paragraph_and_their_path(write: Write) -> None:
    tree = {"version": "v2.0", "data": [article(ASKED), article(ASKED, UNANSWERED)]}
    path = write("train.json", json.dumps(tree))
    first, second, third = rows(path)
    assert first.values == {"id": "7", "question": "quem?", "context": CONTEXT, "answers": ASKED["answers"]}
    assert second.values == first.values
    assert third.values["is_impossible"] is True
    assert [row.place for row in (first, second, third)] == [
        f"{path}:data[0].paragraphs[0].qas[0]",
        f"{path}:data[1].paragraphs[0].qas[0]",
        f"{path}:data[1].paragraphs[0].qas[1]",
    ]


def test_the_outer_object_may_be_missing() -> None:
    articles = [article(ASKED)]
    assert articles_of(articles) == articles_of({"data": articles}) == articles
    others: list[Any] = [[], {"data": []}, [{"text": "a"}], {"paragraphs": []}, "data", None]
    for other in others:
        assert articles_of(other) is None


def test_what_is_no_question_is_named_beside_those_that_are() -> None:
    articles = [3, {"paragraphs": "none"}, article(), article(ASKED, context=None), article(ASKED, "quem?", {"id": 1})]
    items = list(read_squad("a.json", articles))
    assert [item.place for item in items] == [
        "a.json:data[0]",
        "a.json:data[1]",
        "a.json:data[2].paragraphs[0]",
        "a.json:data[3].paragraphs[0]",
        "a.json:data[4].paragraphs[0].qas[0]",
        "a.json:data[4].paragraphs[0].qas[1]",
        "a.json:data[4].paragraphs[0].qas[2]",
    ]
    assert [isinstance(item, Row) for item in items] == [False] * 4 + [True, False, False]
    assert {item.code for item in items if isinstance(item, Problem)} == {"not-squad"}
    assert "expected a question, found 'quem?'" in str(items[5])
