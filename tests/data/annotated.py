"""Annotations as the tools export them, and what is read from such files."""

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
    path = folder / name
    path.write_text(tree if isinstance(tree, str) else json.dumps(tree, ensure_ascii=False), encoding="utf-8")
    return path


def lines(*values: Any) -> str:
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
    found = [one.target for one in examples(path, task, **options)]
    return [[tuple(span) for span in target] for target in found] if task == "tokens" else found


def problems(path: Path) -> list[Problem]:
    return [item for item in sources.read(path) if isinstance(item, Problem)]


def region(start: int, end: int, *labels: str, text: str | None = None, name: str = "ner") -> dict[str, Any]:
    value = {"start": start, "end": end, "labels": [*labels]} | ({} if text is None else {"text": text})
    return {"id": "x1", "from_name": name, "to_name": "text", "type": "labels", "origin": "manual", "value": value}


def choice(*labels: str, name: str = "sentiment") -> dict[str, Any]:
    return {"id": "x2", "from_name": name, "to_name": "text", "type": "choices", "value": {"choices": [*labels]}}


def annotation(*result: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": 7, "completed_by": 1, "was_cancelled": False, "ground_truth": False, "result": [*result], **more}


def task(*annotations: Any, text: str = TEXT, **data: Any) -> dict[str, Any]:
    found = {"text": text, **data}
    return {"id": 31, "data": found, "annotations": [*annotations], "predictions": [], "file_upload": "a.txt"}


PERSON, PLACE = region(0, 3, "PER", text="Ana"), region(13, 18, "LOC", text="Porto")


def refused_rows(path: Path) -> list[str]:
    """All problems; that every record is a row or a problem is checked on the way."""
    found = list(sources.read(path))
    assert len(found) == len(json.loads(path.read_text(encoding="utf-8")))
    return [str(one) for one in found if isinstance(one, Problem)]


def minimal(**more: Any) -> dict[str, Any]:
    authorship = {"annotator": 1, "annotation_id": 7, "created_at": "2024", "updated_at": "2024", "lead_time": 1.5}
    return {"id": 31, "text": TEXT, **authorship, **more}
