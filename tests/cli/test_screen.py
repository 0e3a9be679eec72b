"""What a person sees of the results of the commands."""

from __future__ import annotations

import json
from typing import Any

import pytest

from afina.cli import screen
from afina.inference import Evaluation


def test_an_object_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    screen.say_json({"score": float("nan"), "label": "ação"})
    assert json.loads(capsys.readouterr().out) == {"score": None, "label": "ação"}


def scores(n: int, **more: Any) -> Evaluation:
    """An evaluation with n labels; label i has i gold examples, and those that are divisible by 3 have F1 0."""
    lines = [{"label": f"l{i}", "f1": float(i % 3 > 0), "support": i, "predicted": 1} for i in range(n)]
    return Evaluation({"accuracy": 0.5}, {"accuracy": (0.25, 0.75)}, lines, 4, **more)


def test_few_labels_are_all_shown(capsys: pytest.CaptureFixture[str]) -> None:
    screen.say_breakdown(scores(3), "test")
    assert capsys.readouterr().out.splitlines()[0] == "labels of test"


def test_of_many_labels_the_commonest_and_the_worst_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    screen.say_breakdown(scores(30), "test")
    heading, _, *lines = capsys.readouterr().out.splitlines()
    assert heading == "labels of test, the worst and the commonest (18 others in run.json)"
    assert [line.split()[0] for line in lines] == [f"l{i}" for i in (6, 9, 12, 15, 18, 21, 24, 25, 26, 27, 28, 29)]


def test_an_undefined_score_of_a_baseline_is_a_dash(capsys: pytest.CaptureFixture[str]) -> None:
    screen.say_scores(scores(0, baselines={"mean (3)": {"accuracy": float("nan")}}))
    assert capsys.readouterr().out.splitlines()[1].split() == ["accuracy", "0.5000", "[0.2500,", "0.7500]", "-"]
