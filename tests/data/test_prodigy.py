"""Answers of Prodigy: what was rejected is a negative, what was ignored is left out and counted."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from afina.data import sources
from afina.errors import Problem
from afina.records import Row
from tests.data.annotated import TEXT, lines, save, targets

SPAN = {"start": 0, "end": 3, "label": "PER"}


def asked(text: str, label: str, answer: str, **more: Any) -> dict[str, Any]:
    return {"text": text, "label": label, "answer": answer, "_task_hash": 1, **more}


def read(path: Path) -> tuple[list[Row | Problem], list[str]]:
    notes: list[str] = []
    return list(sources.read(path, note=notes.append)), notes


@pytest.fixture(params=["a.jsonl", "a.json", "a.txt"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_one_label(tmp_path: Path, name: str) -> None:
    tasks = [asked("a", "BAD", "accept"), asked("b", "BAD", "reject"), asked("c", "BAD", "ignore"),
             asked("a", "BAD", "accept", spans=[{"start": 0, "end": 1, "pattern": 3}])]  # fmt: skip
    path = save(tmp_path, lines(*tasks), name)
    assert targets(path, "classification") == ["BAD", "not BAD", "BAD"]
    found, notes = read(path)
    assert [item.place for item in found] == [f"{path}:1", f"{path}:2", f"{path}:4"]
    assert f"{path}: of Prodigy's questions about 'BAD', 2 were accepted, 1 rejected, which are 'not BAD'" in notes
    assert f"{path}: left out 1 task that Prodigy's user ignored" in notes


def test_several_labels_are_put_together(tmp_path: Path, name: str) -> None:
    tasks = [asked("a", "X", "accept"), asked("a", "Y", "accept"), asked("b", "X", "reject"), asked("c", "Y", "accept"),
             asked("b", "X", "reject")]  # fmt: skip
    path = save(tmp_path, lines(*tasks), name)
    assert targets(path, "multilabel") == [("X", "Y"), (), ("Y",)]
    said = "5 answers of Prodigy about 2 labels make 3 texts"
    assert any(said in note and "; 2 pairs" in note for note in read(path)[1])
    path = save(tmp_path, lines(*tasks, asked("c", "Y", "reject")), name)
    (wrong,) = [item for item in read(path)[0] if isinstance(item, Problem)]
    assert (wrong.place, wrong.code) == (f"{path}:6", "annotations-differ")
    assert wrong.raw


def test_accepted_labels_stay_as_they_are(tmp_path: Path) -> None:
    tasks = [asked("a", "X", "accept"), asked("b", "Y", "accept")]
    found, notes = read(save(tmp_path, tasks))
    assert [item.values for item in found if isinstance(item, Row)] == tasks
    assert not notes


def test_rejected_spans_are_refused_and_the_cure_works(tmp_path: Path) -> None:
    tasks = [{"text": TEXT, "spans": [SPAN], "answer": answer} for answer in ("accept", "reject", "ignore")]
    path = save(tmp_path, lines(*tasks), "a.jsonl")
    found, notes = read(path)
    assert [getattr(item, "code", "") for item in found] == ["", "not-accepted"]
    assert notes == [f"{path}: left out 1 task that Prodigy's user ignored"]
    assert isinstance(found[1], Problem)
    command = found[1].fix.partition(": ")[2]
    kept = subprocess.run(f"{command} a.jsonl", shell=True, check=True, cwd=tmp_path, capture_output=True, text=True)
    assert targets(save(tmp_path, kept.stdout, "b.jsonl")) == [[(0, 3, "PER")]]


def test_choices_that_were_rejected_are_refused(tmp_path: Path) -> None:
    task = {"text": "a", "options": [{"id": "X"}], "accept": ["X"], "answer": "reject"}
    assert [getattr(item, "code", "") for item in read(save(tmp_path, json.dumps([task])))[0]] == ["not-accepted"]
