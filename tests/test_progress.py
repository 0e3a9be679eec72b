"""What a person sees while a run goes on: a bar on a terminal, lines in a file, or nothing."""

from __future__ import annotations

import re
import sys

import pytest

from afina import progress
from afina.training.events import Begin, Event, Note, Progress, Scored, Step

WORK: list[Event] = [
    Progress("tokens of train", 0.25),
    Progress("tokens of train", 0.5),
    Progress("tokens of test", 0.125),
    Note("strategy full"),
    Begin(4, 2, "accuracy"),
    Progress("validation", 0.75),
    Scored(1, 2, {"accuracy": 0.5}, True),
]


def events() -> list[Event]:
    """A training of two epochs of two steps."""

    def step(number: int, last: bool) -> Step:
        return Step(number, (number - 1) // 2, last, 2.0 / number, 1e-4, 1.0, 100, 120, 2048)

    scores = {"accuracy": 0.5, "macro_f1": 0.25, "log_loss": 0.7}
    return [
        Note("columns: text = '[bold]x[/bold]'"),
        Begin(4, 2, "macro_f1"),
        step(1, False),
        step(2, True),
        Scored(1, 2, scores, True),
        step(3, False),
        step(4, True),
        Scored(2, 4, scores, False),
        Note("stopped: no better macro_f1 in 1 epochs"),
    ]


SHOWN = [
    "columns: text = '[bold]x[/bold]'",
    "epoch 1  macro_f1 0.2500  accuracy 0.5000  (best)",
    "epoch 2  macro_f1 0.2500  accuracy 0.5000",
    "stopped: no better macro_f1 in 1 epochs",
]


def test_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress.lines(iter(events()))) == events()
    shown = [re.sub(r"  [\d,]+ tokens/s  loss \d.\d{4}$", "", line) for line in capsys.readouterr().out.splitlines()]
    assert shown == SHOWN


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress.silence(iter(events()))) == events()
    assert capsys.readouterr().out == ""


def test_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    assert list(progress.bar(iter(events()))) == events()
    drawn = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", capsys.readouterr().out)
    shown = [line for line in drawn.replace("\r", "\n").splitlines() if line.strip() and "━" not in line]
    assert shown == SHOWN
    assert "epoch 2/2" in drawn
    assert re.search(r"4/4 [\d,]+ tokens/s  loss 1\.\d{4}  macro_f1 0\.2500", drawn)


def test_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not progress.is_terminal()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert progress.is_terminal()
    monkeypatch.setenv("TERM", "dumb")
    assert not progress.is_terminal()


def test_the_running_means(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 0.5, 0.5, 10.0, 10.5, 10.5])
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    pace = progress.Pace(since=0.0)
    steps = [event for event in events() if isinstance(event, Step)]
    pace.restart()
    pace.add(steps[0])
    pace.restart()
    pace.add(steps[1])
    assert str(pace).startswith("200 tokens/s  loss ")
    assert 1.0 < pace.total / pace.weight < 2.0


def test_lines_tell_it_seldom(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 10.0, 30.0, 30.0, 40.0, 60.0, 60.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    assert list(progress.lines(iter(WORK))) == WORK
    assert capsys.readouterr().out == (
        "tokens of train: 50%\nstrategy full\nvalidation: 75%\nepoch 1  accuracy 0.5000  (best)\n"
    )


def test_a_bar_shows_it_while_it_lasts(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    assert list(progress.bar(iter(WORK))) == WORK
    drawn = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", capsys.readouterr().out).replace("\r", "\n")
    shown = [line for line in drawn.splitlines() if line.strip() and "━" not in line]
    assert shown == ["strategy full", "epoch 1  accuracy 0.5000  (best)"]
