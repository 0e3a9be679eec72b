"""SQuAD's predictions: one JSON object with the answer to each question, as the official script takes it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TextIO

from ..errors import DataError, Problem, printable
from .writers import Answered, Form, Writer

ID = "id"
"""Column by which the official script knows a question."""


def write_squad(file: TextIO, answers: Iterable[Answered], form: Form) -> None:
    """The text of each answer by the id of its question; the empty text where there is no answer.

    Raises:
        DataError: two questions have the same id, or one has none.
    """
    seen: set[str] = set()
    for answered in answers:
        value = answered.row.values.get(ID)
        key = "" if value is None else str(value)
        if not key or key in seen:
            found = f"the id {printable(key)} stands twice" if key else "the question has no id"
            raise DataError(Problem(answered.row.place, found, "give each question its own id", "bad-id"))
        text = next(iter(answered.prediction.values())) or ""
        pair = ": ".join(json.dumps(part, ensure_ascii=False) for part in (key, text))
        file.write(("," if seen else "{") + f"\n{pair}")
        seen.add(key)
    file.write("\n}\n" if seen else "{}\n")


def obstacle(form: Form) -> str:
    """Questions without ids can't be told apart."""
    return "" if ID in form.columns else f"the data have no column {ID!r} of the questions"


WRITER = Writer(
    "squad", (".json",), "the answer to each question by its id, for SQuAD's official script", write_squad,
    takes="answer", obstacle=obstacle,
)  # fmt: skip
