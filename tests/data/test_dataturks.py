"""Ends are moved where the texts of the points show that they are the last characters, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from afina.data import sources
from afina.errors import Problem
from tests.data.annotated import SPANS, TEXT, lines, problems, save, targets


def record(*spans: tuple[int, int, str], text: str = TEXT, step: int = 1, said: bool = True) -> dict[str, Any]:
    parts = []
    for start, end, label in spans:
        point: dict[str, Any] = {"start": start, "end": end - step}
        parts.append({"label": [label], "points": [point | ({"text": text[start:end]} if said else {})]})
    return {"content": text, "annotation": parts, "extras": None, "metadata": {"status": "done"}}


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a"])
@pytest.mark.parametrize("step", [0, 1])
def test_the_texts_decide(tmp_path: Path, name: str, step: int) -> None:
    path = save(tmp_path, lines(record(*SPANS, step=step), record(text="Nobody"), record(*SPANS, step=step)), name)
    assert targets(path) == [SPANS, [], SPANS]
    notes: list[str] = []
    (first, *_) = sources.read(path, note=notes.append)
    assert not isinstance(first, Problem)
    assert list(first.values) == ["text", "spans", "extras", "metadata"]
    assert any("1 is added to each" in note for note in notes) == bool(step)


def test_an_array_of_them(tmp_path: Path) -> None:
    assert targets(save(tmp_path, [record(*SPANS)])) == [SPANS]
    assert targets(save(tmp_path, record(*SPANS))) == [SPANS]


def test_records_without_texts_follow_those_with(tmp_path: Path) -> None:
    silent = record(*SPANS, said=False)
    path = save(tmp_path, lines(record(*SPANS), silent), "a.jsonl")
    assert targets(path) == [SPANS, SPANS]
    (wrong,) = problems(save(tmp_path, lines(silent, record(*SPANS)), "a.jsonl"))
    assert (wrong.code, wrong.place) == ("ends-unknown", f"{path}:1")


@pytest.mark.parametrize(
    ("spoiled", "code"),
    [
        (record(*SPANS, step=0), "ends-differ"),
        (record((0, 3, "PER")) | {"content": "Rui lives"}, "span-text"),
        (record((0, 3, "PER"), step=-9), "span-text"),
        (record() | {"annotation": None}, "unlabelled"),
        (record() | {"annotation": [{"label": [], "points": [{"start": 0, "end": 1}]}]}, "not-one-label"),
        (record() | {"annotation": [{"label": ["A", "B"], "points": [{"start": 0, "end": 1}]}]}, "not-one-label"),
        (record() | {"annotation": [{"label": ["A"], "points": [{"x": 0.1, "y": 0.5}]}]}, "not-plain-text"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, spoiled: dict[str, Any], code: str) -> None:
    path = save(tmp_path, lines(record(*SPANS), spoiled, record(*SPANS)), "a.jsonl")
    (wrong,) = problems(path)
    assert (wrong.code, wrong.place) == (code, f"{path}:2")
    assert wrong.raw
    assert wrong.fix


def test_classes(tmp_path: Path) -> None:
    rows = [{"content": "a", "annotation": {"notes": "", "labels": [label]}, "extras": None} for label in "xy"]
    assert targets(save(tmp_path, lines(*rows), "a.json"), "classification") == ["x", "y"]
    assert targets(save(tmp_path, lines(*rows), "a.json"), "multilabel") == [("x",), ("y",)]


def test_other_data_with_such_columns_are_left_alone(tmp_path: Path) -> None:
    rows = [{"content": "a", "annotation": "x"}, {"content": "b", "annotation": [{"start": 1}]}, {"content": "c"}]
    assert [row.values for row in sources.rows(save(tmp_path, rows))] == rows
