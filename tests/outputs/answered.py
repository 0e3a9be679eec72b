"""Predictions of every task as the tests of writers need them, without a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from afina.data.long_tables import for_task
from afina.data.sources import read
from afina.errors import Problem
from afina.outputs.writers import Answered, Form, find
from afina.records import Example, Prediction, Row
from afina.tasks import base
from afina.tasks.base import Task
from afina.tasks.markup import joined


def task_of(name: str, fitted: dict[str, Any], **options: Any) -> Task:
    """A fitted task."""
    kind = base.find(name)
    return kind(kind.Options(**options), fitted)


def one_text(text: str, prediction: Prediction, **more: Any) -> Answered:
    """What was said of a text."""
    return Answered(Row({"text": text, **more}, "in:1"), Example(text), prediction)


def one_question(question: str, context: str, prediction: Prediction, **more: Any) -> Answered:
    """What was answered to a question."""
    row = Row({**more, "question": question, "context": context}, "in:1")
    return Answered(row, Example(question, context), prediction)


def one_sentence(words: Sequence[str], prediction: Prediction) -> Answered:
    """What was said of words."""
    text, places = joined(list(words))
    return Answered(Row({"tokens": list(words)}, "in:1"), Example(text, words=places), prediction)


def answer(context: str, start: int, end: int) -> Prediction:
    """A prediction of `answers`; none where it is empty."""
    return {"answer": context[start:end], "start": start, "end": end, "probability": 0.75, "alternatives": []}


def entity(text: str, start: int, end: int, label: str, score: float = 0.875) -> dict[str, Any]:
    """An entity of a text."""
    return {"start": start, "end": end, "label": label, "text": text[start:end], "score": score}


def write(path: Path, answers: Sequence[Answered], task: Task, *, name: str, keep: bool = True) -> None:
    """Predictions as a file or folder."""
    writer = find(name)
    form = Form(task, tuple(dict.fromkeys(column for one in answers for column in one.row.values)), keep)
    writer.check(form)
    if writer.write is not None:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer.write(file, answers, form)
    else:
        assert writer.save is not None
        writer.save(path, answers, form)


def written(folder: Path, answers: Sequence[Answered], task: Task, *, name: str, keep: bool = True) -> str:
    """The text of a file of predictions."""
    path = folder / f"written.{name}"
    write(path, answers, task, name=name, keep=keep)
    return path.read_bytes().decode()


def targets_in(path: Path, task: str) -> list[Any]:
    """The targets of a file that is read as training data, without a word about its form."""
    fresh = base.find(task)(base.find(task).Options())
    items = list(read(path))
    assert not [item for item in items if isinstance(item, Problem)]
    rows = [item for item in for_task(fresh, items) if isinstance(item, Row)]
    chosen = fresh.columns(list(dict.fromkeys(name for row in rows for name in row.values)), rows=rows)
    return [chosen.read(row).target for row in rows]
