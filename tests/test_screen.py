"""How far a long part of the work is, on a terminal and in a file."""

from __future__ import annotations

import re
from typing import Any

import pytest

from afina import screen
from afina.training.events import Begin, Note, Progress, Scored

EVENTS: list[Any] = [
    Progress("tokens of train", 0.25),
    Progress("tokens of train", 0.5),
    Progress("tokens of test", 0.125),
    Note("strategy full"),
    Begin(4, 2, "accuracy"),
    Progress("validation", 0.75),
    Scored(1, 2, {"accuracy": 0.5}, True),
]


def test_lines_tell_it_seldom(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 10.0, 30.0, 30.0, 40.0, 60.0, 60.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    assert list(screen.lines(iter(EVENTS))) == EVENTS
    assert capsys.readouterr().out == (
        "tokens of train: 50%\nstrategy full\nvalidation: 75%\nepoch 1  accuracy 0.5000  (best)\n"
    )


def test_a_bar_shows_it_while_it_lasts(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    assert list(screen.bar(iter(EVENTS))) == EVENTS
    drawn = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", capsys.readouterr().out).replace("\r", "\n")
    shown = [line for line in drawn.splitlines() if line.strip() and "━" not in line]
    assert shown == ["strategy full", "epoch 1  accuracy 0.5000  (best)"]
