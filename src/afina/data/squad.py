"""SQuAD 1.1 and 2.0 as rows, one a question. A JSON file has no lines to name, so places are paths in its tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..errors import Problem, printable
from ..records import Row

FIX = "see the SQuAD format"


def articles_of(tree: Any) -> list[Any] | None:
    """The articles of a SQuAD file, with or without the outer `data`; None if the tree is something else."""
    articles = tree.get("data") if isinstance(tree, dict) else tree
    if isinstance(articles, list) and any(
        isinstance(article, dict) and "paragraphs" in article for article in articles
    ):
        return articles
    return None


def read_squad(name: str, articles: list[Any]) -> Iterator[Row | Problem]:
    """The questions of a SQuAD file."""
    for a, article in enumerate(articles):
        if not isinstance(article, dict) or not isinstance(article.get("paragraphs"), list):
            yield Problem(f"{name}:data[{a}]", "expected `paragraphs`", FIX, "not-squad")
        for p, paragraph in enumerate(list_under(article, "paragraphs")):
            place = f"{name}:data[{a}].paragraphs[{p}]"
            questions = list_under(paragraph, "qas")
            context = paragraph.get("context") if isinstance(paragraph, dict) else None
            if not questions or not isinstance(context, str):
                yield Problem(place, "expected `context` and `qas`", FIX, "not-squad")
                continue
            for q, question in enumerate(questions):
                yield question_row(question, {**named(article), "context": context}, f"{place}.qas[{q}]")


def list_under(tree: Any, key: str) -> list[Any]:
    """The list that an object holds under a key; an empty one where it holds none, or is no object."""
    value = tree.get(key) if isinstance(tree, dict) else None
    return value if isinstance(value, list) else []


def named(article: Any) -> dict[str, str]:
    """The title of an article, by which its questions can be kept together."""
    title = article.get("title") if isinstance(article, dict) else None
    return {"title": title} if isinstance(title, str) and title else {}


def question_row(question: Any, passage: dict[str, str], place: str) -> Row | Problem:
    """One question with its passage and the title of that."""
    if not isinstance(question, dict) or not isinstance(question.get("question"), str):
        return Problem(place, f"expected a question, found {printable(question)}", FIX, "not-squad")
    values = {"question": question["question"], **passage, "answers": question.get("answers")}
    flag = {"is_impossible": question["is_impossible"]} if "is_impossible" in question else {}
    return Row({"id": str(question.get("id", "")), **values, **flag}, place)
