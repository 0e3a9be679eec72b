"""What a worker says while it is at a trial."""

from __future__ import annotations

import json

import pytest

from afina.studies.worker import told
from afina.studies.workers import share_in
from afina.training.events import Begin, Scored


def test_a_worker_says_what_share_of_a_trial_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    steps = told(Begin(steps=40, epochs=4, metric="accuracy"), 0)
    scored = Scored(epoch=1.0, step=10, metrics={"accuracy": 0.5}, best=True, loss=0.7, training_loss=0.7)
    assert told(scored, steps) == 40
    line = capsys.readouterr().out
    assert json.loads(line) == {"share": 0.25}
    assert share_in(line) == 0.25


def test_nothing_is_said_before_a_trial_has_begun(capsys: pytest.CaptureFixture[str]) -> None:
    scored = Scored(epoch=1.0, step=10, metrics={}, best=True, loss=0.7, training_loss=0.7)
    assert told(scored, 0) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("line", ["", '{"ended": "a-seed0", "seconds": 1.0}', '{"failed": "no", "input": true}'])
def test_other_lines_have_no_share(line: str) -> None:
    assert share_in(line) == 0
