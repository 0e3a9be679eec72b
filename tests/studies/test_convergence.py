"""The study of convergence, on tiny models; what its courses say is in test_courses.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from afina.studies.arms import constant_score
from afina.studies.convergence import budget
from afina.studies.events import Concluded, Ended
from tests.studies.designs import stream_study, tiny_study


def test_a_study_of_convergence(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    out = tmp_path / "study"
    options: dict[str, Any] = {"seeds": 2, "scratch_rates": [1e-3, 5e-3], "rates": [5e-3], "evaluations": 6}
    study, _ = tiny_study(tiny("bert"), out, training__epochs=3, training__patience=1)
    (*_, last) = stream_study("convergence", options, study)
    assert isinstance(last, Concluded)
    (verdict,) = last.summary.verdicts
    assert verdict.claim == "A pre-trained model converges faster"
    steps, finals = last.summary.boards
    assert len(steps.rows) == 3
    assert [row[4] for row in finals.rows] == [15, 15]  # patience stops neither
    assert all(len(line.x) == 6 for figure in last.summary.figures for line in figure.series)
    assert any(note.startswith("random weights: learning rate") for note in last.summary.notes)
    assert len(list((out / "results").iterdir())) == 5
    before = (out / "summary.json").read_bytes()
    again, _ = tiny_study(tiny("bert"), out, training__epochs=3, training__patience=1)
    assert not any(isinstance(event, Ended) for event in stream_study("convergence", options, again))
    assert (out / "summary.json").read_bytes() == before


@pytest.mark.parametrize(
    ("settings", "epochs", "every"),
    [
        ({"training__epochs": 3}, 3, 1 / 7),
        ({"training__epochs": 20}, 20, 1),
        ({"training__epochs": 45}, 45, 2),
        ({"training__epochs": 3, "training__evaluate_every": 1}, 3, 1),
        ({"training__epochs": None}, 20, 1),
    ],
)
def test_both_have_the_same_budget(
    settings: dict[str, Any], epochs: int, every: float, tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    study, _ = tiny_study(tiny("bert"), tmp_path / "study", **settings)
    found = budget(study, 20)
    assert found == {
        "training.epochs": epochs, "training.batch_size": 3, "training.patience": epochs,
        "training.evaluate_every": every,
    }  # fmt: skip
    assert study.configured(found).training.evaluate_every == every


def test_the_constant_answer_is_the_commonest_label(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    study, _ = tiny_study(tiny("bert"), tmp_path / "study")
    assert constant_score(study, "validation") == pytest.approx(3 / 5)


@pytest.mark.parametrize("task", ["regression", "tokens"])
def test_other_tasks(task: str, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    study, _ = tiny_study(tiny("bert"), tmp_path / "study", task, training__epochs=2)
    options = {"seeds": 1, "scratch_rates": [5e-3], "rates": [5e-3], "evaluations": 2}
    (*_, last) = stream_study("convergence", options, study)
    assert isinstance(last, Concluded)
    assert str(last.summary)
