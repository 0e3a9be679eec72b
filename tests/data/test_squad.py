"""Questions of SQuAD's files, each with its passage and its place in the tree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from afina.data import sources
from afina.data.squad import articles_of
from afina.errors import DataError


def test_squad_files(tmp_path: Path) -> None:
    answers = [{"text": "cat", "answer_start": 4}]
    qas: list[dict[str, Any]] = [
        {"id": "a", "question": "who?", "answers": answers},
        {"id": "b", "question": "where?", "answers": [], "is_impossible": True},
        {"id": "c", "question": 3},
    ]
    tree = {"data": [{"paragraphs": [{"context": "the cat", "qas": qas}, {"qas": []}]}]}
    file = tmp_path / "squad.json"
    file.write_text(json.dumps(tree), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        sources.rows(file)
    assert "squad.json:data[0].paragraphs[0].qas[2]: expected a question" in str(caught.value)
    assert "squad.json:data[0].paragraphs[1]: expected `context` and `qas`" in str(caught.value)
    qas.pop()
    tree["data"][0]["paragraphs"].pop()
    file.write_text(json.dumps(tree["data"]), encoding="utf-8")
    rows = sources.rows(file)
    assert [row.values["id"] for row in rows] == ["a", "b"]
    assert rows[1].values["answers"] == []


def test_other_trees_are_not_squad() -> None:
    articles = [{"title": "a", "paragraphs": []}, 3]
    assert articles_of(articles) == articles_of({"version": 2, "data": articles}) == articles
    others: list[Any] = [{"data": []}, [{"question": "who?"}], {"paragraphs": []}, "paragraphs", None]
    for tree in others:
        assert articles_of(tree) is None


def test_an_article_without_paragraphs_is_a_problem(tmp_path: Path) -> None:
    question = {"id": 7, "question": "who?", "answers": []}
    tree = {"data": [{"title": "a"}, {"paragraphs": [{"context": "the cat", "qas": [question]}]}]}
    file = tmp_path / "squad.json"
    file.write_text(json.dumps(tree), encoding="utf-8")
    problem, row = sources.read(file)
    assert str(problem) == f"{file}:data[0]: expected `paragraphs`; see the SQuAD format"
    assert row.place == f"{file}:data[1].paragraphs[0].qas[0]"


def test_the_title_of_an_article_is_a_column(tmp_path: Path) -> None:
    passages = [{"context": "the cat", "qas": [{"id": 7, "question": "who?", "answers": []}]}]
    file = tmp_path / "squad.json"
    file.write_text(json.dumps({"data": [{"title": "Cats", "paragraphs": passages}]}), encoding="utf-8")
    (row,) = sources.rows(file)
    assert row.values["title"] == "Cats"
