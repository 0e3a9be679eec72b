"""Artifacts of every format that there was still load and say the same (see `make.py`)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import afina
from afina.about import FORMAT, task_in

FOLDERS = sorted(path for path in Path(__file__).parent.glob("format-*") if path.is_dir())
TASKS = {"classification", "multilabel", "regression", "tokens", "answers"}


def about(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "model" / "afina.json").read_text(encoding="utf-8"))
    return found


def rounded(value: Any) -> Any:
    """A prediction whose numbers may differ by a rounding."""
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return pytest.approx(value, abs=1e-4) if isinstance(value, float) else value


def test_every_format_and_task_has_an_artifact() -> None:
    """A format that counts up needs new folders; the old ones stay."""
    assert {path.name for path in FOLDERS} >= {f"format-{n}-{task}" for n in range(1, FORMAT + 1) for task in TASKS}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_an_old_artifact_says_what_it_said(folder: Path) -> None:
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    assert list(afina.load(folder).stream(expected["rows"])) == rounded(expected["predictions"])


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_an_old_artifact_is_small_and_what_its_name_says(folder: Path) -> None:
    number, task = re.fullmatch(r"format-(\d+)-(\w+)", folder.name).groups()  # type: ignore[union-attr]
    assert (about(folder)["format"], about(folder)["task"]) == (int(number), task)
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) < 60_000


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_older_artifacts_have_no_temperature(folder: Path) -> None:
    task = task_in(str(folder))
    assert task.calibration.temperature == (1.5 if about(folder)["format"] >= 4 else 1.0)
    assert bool(task.calibration.scores) == (about(folder)["format"] >= 4 and bool(task.set_name))
