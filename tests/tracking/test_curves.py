"""What trackers are told of events and of settings."""

from __future__ import annotations

import math
from pathlib import Path

from afina.tracking.curves import outcome_of, settings_of, short, values_of
from afina.training.events import Done, Note, Scored, Step
from tests.tracking.conftest import made


def test_events_are_points() -> None:
    assert values_of(Note("a note")) is None
    step = Step(3, 0, False, 0.5, 1e-3, 2.0, 10, 12, 100)
    assert values_of(step) == (
        3,
        {"train/loss": 0.5, "train/learning_rate": 1e-3, "train/grad_norm": 2.0, "train/tokens": 10.0},
    )
    scored = Scored(1.5, 4, {"accuracy": 0.5, "matthews": math.nan, "a|b(c)": 1.0}, True)
    assert values_of(scored) == (4, {"validation/accuracy": 0.5, "validation/a_b_c_": 1.0, "epoch": 1.5})


def test_a_run_leaves_scores_with_bounds_and_baselines(tmp_path: Path) -> None:
    (*_, last) = made(tmp_path / "run")
    assert isinstance(last, Done)
    outcome = outcome_of(last)
    assert outcome.scores["test/accuracy"] == 0.5
    assert outcome.scores["test/accuracy_low"] == 0.4
    assert outcome.scores["test/accuracy_of_constant"] == 0.5
    assert outcome.scores["best_validation/accuracy"] == 0.75
    assert not any("<" in name for name in outcome.scores)
    assert (outcome.step, outcome.model, outcome.page) == (6, tmp_path / "run" / "model", None)
    (tmp_path / "run" / "report.html").write_text("a page")
    assert outcome_of(last).page == tmp_path / "run" / "report.html"


def test_settings_have_no_paths_and_no_open_values(tmp_path: Path) -> None:
    list(made(tmp_path / "run"))
    settings = settings_of(tmp_path / "run")
    assert settings["data.train"] == "letters.csv"
    assert settings["model.name"] == "tiny"
    assert settings["out"] == "run"
    assert settings["training.epochs"] == 4
    assert "data.test" not in settings
    assert not any("/" in str(value) for value in settings.values())
    assert short("a" * 300) == "a" * 249 + "…"
    assert short(["a", 1]) == "a, 1"
