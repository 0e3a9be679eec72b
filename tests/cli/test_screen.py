"""What a person sees of the results of the commands."""

from __future__ import annotations

import json

import pytest

from afina.cli import screen


def test_an_object_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    screen.say_json({"score": float("nan"), "label": "ação"})
    assert json.loads(capsys.readouterr().out) == {"score": None, "label": "ação"}
