"""SQuAD 1.1 and 2.0 JSON as rows, one a question. A JSON file has no lines to name, so places are paths in its tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..errors import Problem, printable
from ..records import Row


def articles_of(tree: Any) -> list[Any] | None:
    """The articles of a SQuAD file, with or without the outer `data`; None if the tree is something else."""
    articles = tree.get("data") if isinstance(tree, dict) else tree
    if isinstance(articles, list) and any(isinstance(one, dict) and "paragraphs" in one for one in articles):
        return articles
    return None


def read_squad(name: str, articles: list[Any]) -> Iterator[Row | Problem]:
    """The questions of a SQuAD file."""
    for a, article in enumerate(articles):
        if not isinstance(article, dict) or not isinstance(article.get("paragraphs"), list):
            yield Problem(f"{name}:data[{a}]", "expected `paragraphs`", "see the SQuAD format", "not-squad")
        for p, paragraph in enumerate(part(article, "paragraphs")):
            place = f"{name}:data[{a}].paragraphs[{p}]"
            questions = part(paragraph, "qas")
            context = paragraph.get("context") if isinstance(paragraph, dict) else None
            if not questions or not isinstance(context, str):
                yield Problem(place, "expected `context` and `qas`", "see the SQuAD format", "not-squad")
                continue
            for q, question in enumerate(questions):
                yield row_of(question, context, f"{place}.qas[{q}]")


def part(tree: Any, name: str) -> list[Any]:
    """A list inside an object, or an empty one."""
    value = tree.get(name) if isinstance(tree, dict) else None
    return value if isinstance(value, list) else []


def row_of(question: Any, context: str, place: str) -> Row | Problem:
    """One question with its paragraph."""
    if not isinstance(question, dict) or not isinstance(question.get("question"), str):
        return Problem(place, f"expected a question, found {printable(question)}", "see the SQuAD format", "not-squad")
    values = {"question": question["question"], "context": context, "answers": question.get("answers")}
    flag = {"is_impossible": question["is_impossible"]} if "is_impossible" in question else {}
    return Row({"id": str(question.get("id", "")), **values, **flag}, place)
