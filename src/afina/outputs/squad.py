"""SQuAD's predictions: one JSON object with the answer to each question, as the official script takes it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TextIO

from ..errors import DataError, Problem, printable
from ..records import Row
from .writers import Answered, Fault, Form, Writer

ID = "id"
"""Column by which the official script knows a question."""


def write_squad(file: TextIO, answers: Iterable[Answered], form: Form) -> None:
    """The text of each answer by the id of its question; the empty text where there is no answer.

    Raises:
        DataError: two questions have the same id, or one has none.
    """
    fault, sign = ids(), "{"
    for answered in answers:
        problem = fault(answered.row)
        if problem is not None:
            raise DataError(problem)
        key = str(answered.row.values.get(ID))
        text = next(iter(answered.prediction.values())) or ""
        pair = ": ".join(json.dumps(part, ensure_ascii=False) for part in (key, text))
        file.write(f"{sign}\n{pair}")
        sign = ","
    file.write("\n}\n" if sign == "," else "{}\n")


def ids() -> Fault:
    """A function that says what is wrong with the id of a question: each has one of its own."""
    seen: set[str] = set()

    def fault(row: Row) -> Problem | None:
        if ID not in row.values:
            return None
        value = row.values[ID]
        key = "" if value is None else str(value)
        found = f"the id {printable(key)} stands twice" if key else "the question has no id"
        if not key or key in seen:
            return Problem(row.place, found, "give each question its own id", "bad-id", row.raw)
        seen.add(key)
        return None

    return fault


def obstacle(form: Form) -> str:
    """Questions without ids can't be told apart."""
    return "" if ID in form.columns else f"the data have no column {ID!r} of the questions"


WRITER = Writer(
    "squad", (".json",), "the answer to each question by its id, for SQuAD's official script", write_squad,
    takes="answer", obstacle=obstacle, faults=ids,
)  # fmt: skip
