"""Exports of annotation tools as they are written, and what is read from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from afina.data import sources
from afina.data.parts import read_examples
from afina.errors import DataError, Problem
from afina.records import Example
from afina.tasks.base import find

TEXT = "Ana lives in Porto"
SPANS = [(0, 3, "PER"), (13, 18, "LOC")]


def save(folder: Path, tree: Any, name: str = "export.json") -> Path:
    """Write a JSON value, or a text as it is."""
    path = folder / name
    path.write_text(tree if isinstance(tree, str) else json.dumps(tree, ensure_ascii=False), encoding="utf-8")
    return path


def lines(*values: Any) -> str:
    """The text of a jsonl file."""
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)


def examples(path: Path, task: str, **options: Any) -> list[Example]:
    """The labelled examples of a file, as training reads them."""
    rows = sources.rows(path)
    kind = find(task)
    found, problems = read_examples(kind(kind.Options(**options)).columns(sources.columns_of(rows)), rows)
    if problems:
        raise DataError(problems)
    return found


def targets(path: Path, task: str = "tokens", **options: Any) -> list[Any]:
    """What the examples of a file should answer; spans as tuples."""
    found = [one.target for one in examples(path, task, **options)]
    return [[tuple(span) for span in target] for target in found] if task == "tokens" else found


def problems(path: Path) -> list[Problem]:
    """All problems of a file."""
    return [item for item in sources.read(path) if isinstance(item, Problem)]


def refused_rows(path: Path) -> list[str]:
    """All problems; that every record is a row or a problem is checked on the way."""
    found = list(sources.read(path))
    assert len(found) == len(json.loads(path.read_text(encoding="utf-8")))
    return [str(one) for one in found if isinstance(one, Problem)]


def region(start: int, end: int, *labels: str, text: str | None = None, name: str = "ner") -> dict[str, Any]:
    """A labelled stretch of a text, as Label Studio writes it."""
    value = {"start": start, "end": end, "labels": [*labels]} | ({} if text is None else {"text": text})
    return {"id": "x1", "from_name": name, "to_name": "text", "type": "labels", "origin": "manual", "value": value}


def choice(*labels: str, name: str = "sentiment") -> dict[str, Any]:
    """Labels of a whole text, as Label Studio writes them."""
    return {"id": "x2", "from_name": name, "to_name": "text", "type": "choices", "value": {"choices": [*labels]}}


def annotation(*result: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What one annotator said of a text."""
    return {"id": 7, "completed_by": 1, "was_cancelled": False, "ground_truth": False, "result": [*result], **more}


def task(*annotations: Any, text: str = TEXT, **data: Any) -> dict[str, Any]:
    """A text with its annotations."""
    found = {"text": text, **data}
    return {"id": 31, "data": found, "annotations": [*annotations], "predictions": [], "file_upload": "a.txt"}


PERSON, PLACE = region(0, 3, "PER", text="Ana"), region(13, 18, "LOC", text="Porto")
