"""The end of a run: baselines on the rows of the model, whatever the task, and what does not depend on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from afina import baselines as module
from afina.records import Example
from afina.tasks.base import names
from afina.tasks.classification import Classification
from afina.training.events import Note
from tests.runs import ROWS, bytes_of, events, finished, stopped


@pytest.mark.parametrize("task", [name for name in names() if name in ROWS])
def test_every_task_is_scored_beside_its_baselines(task: str, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    result = finished(events(tiny("bert"), tmp_path / "run", task, training__epochs=1))
    assert result.test is not None
    for evaluation in (result.validation, result.test):
        assert len(evaluation.baselines) == (2 if module.LINEAR in evaluation.baselines else 1)
        for scores in evaluation.baselines.values():
            assert list(scores) == list(evaluation.metrics)
    assert result.validation.baselines.keys() == result.test.baselines.keys()
    assert result.record["validation"]["baselines"] == result.validation.baselines


@pytest.mark.usefixtures("same_bytes")
def test_a_run_can_be_taken_up_with_and_without_baselines(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    """They are no part of the training: the model has the same bytes, and so have the predictions."""
    whole = finished(events(tiny("bert"), tmp_path / "whole"))
    stopped(events(tiny("bert"), tmp_path / "run"), after=3)
    finished(events(tiny("bert"), tmp_path / "run", training__baseline="off"))
    one, other = bytes_of(whole.folder), bytes_of(tmp_path / "run")
    assert one["model/model.safetensors"] == other["model/model.safetensors"]
    assert one["predictions.jsonl"] == other["predictions.jsonl"]


def test_a_baseline_that_fails_is_a_note(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Classification, __: list[Example]) -> None:
        raise ZeroDivisionError("no examples")

    monkeypatch.setattr(Classification, "constant", broken)
    said = list(events(tiny("bert"), tmp_path / "run", training__epochs=1))
    notes = [event for event in said if isinstance(event, Note) and "baseline" in event.text]
    assert notes[0] == Note("no constant baseline: ZeroDivisionError: no examples")
