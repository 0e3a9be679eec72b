"""What a person sees of the results of the commands."""

from __future__ import annotations

import json

import pytest

from afina.cli import screen
from afina.inference import Evaluation
from afina.printing import as_text
from afina.training.rundir import finite


def test_an_object_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    screen.say_json({"score": float("nan"), "label": "ação"})
    assert json.loads(capsys.readouterr().out) == {"score": None, "label": "ação"}


def test_a_score_without_an_interval_stands_alone_and_the_reasons_are_one_line() -> None:
    nan = float("nan")
    few = "6 examples are too few for an interval"
    evaluation = Evaluation(
        {"accuracy": 1.0, "macro_f1": 1.0, "matthews": nan, "log_loss": 0.1},
        {"accuracy": (0.6097, 1.0), "macro_f1": (nan, nan), "matthews": (nan, nan), "log_loss": (nan, nan)},
        [],
        6,
        reasons={"macro_f1": few, "matthews": "not defined: all gold labels are the same", "log_loss": few},
    )
    said = "\n".join(as_text(evaluation.blocks()))
    assert "accuracy  1.0000 [0.6097, 1.0000]\nmacro_f1  1.0000\n" in said
    assert f"no interval: macro_f1, log_loss ({few}); matthews (not defined: all gold labels are the same)\n" in said
    assert "matthews  -\n" in said
    assert "nan" not in said
    record = finite(screen.scores_record(evaluation))
    assert record["macro_f1"] == {"value": 1.0, "low": None, "high": None, "reason": few}
    assert record["accuracy"] == {"value": 1.0, "low": 0.6097, "high": 1.0}
