"""What a person sees while a run goes on: a bar on a terminal, lines in a file, or nothing."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina import progress
from afina.printing import width
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
        Begin(4, 2, "macro_f1", 120.0),
        step(1, False),
        step(2, True),
        Scored(1, 2, scores, True),
        step(3, False),
        step(4, True),
        Scored(2, 4, scores, False, loss=0.25, training_loss=0.5),
        Note("stopped: no better macro_f1 in 1 epochs"),
    ]


SHOWN = [
    "columns: text = '[bold]x[/bold]'",
    "expected end: HH:MM, in about 2 min",
    "epoch 1  macro_f1 0.2500  accuracy 0.5000  (best)",
    "epoch 2  macro_f1 0.2500  accuracy 0.5000  training loss 0.5000  validation loss 0.2500",
    "stopped: no better macro_f1 in 1 epochs",
]


def clocked(monkeypatch: pytest.MonkeyPatch, seconds: Iterable[float]) -> Iterator[float]:
    """A clock that a test moves: each `next` sets the time."""
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    for now[0] in seconds:
        yield now[0]


def without_clock(line: str) -> str:
    """A line without what differs from run to run."""
    return re.sub(r"\d\d:\d\d", "HH:MM", re.sub(r"  [\d,]+ tokens/s$", "", line))


def test_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress.lines(iter(events()))) == events()
    assert [without_clock(line) for line in capsys.readouterr().out.splitlines()] == SHOWN


def test_lines_on_another_stream_and_without_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    said: list[Event] = [Note("one"), Note("two", "warning")]
    assert list(progress.lines(said, stream, warned=False)) == said
    assert stream.getvalue() == "one\n"
    assert list(progress.view_on(stream)(said)) == said
    assert stream.getvalue() == "one\none\nwarning: two\n"
    assert capsys.readouterr().out == ""


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress.silence(iter(events()))) == events()
    assert capsys.readouterr().out == ""


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, said: list[Event], places: int = 110) -> tuple[list[str], list[str]]:
    """The lines that stay on a terminal and those that were overwritten, with colours and cursor moves taken out."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(places))
    terminal = Terminal()
    view = progress.view_on(terminal)
    assert list(view(iter(said))) == said
    drawn = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", terminal.getvalue()).replace("\r", "\n")
    all_lines = [line for line in drawn.splitlines() if line.strip()]
    return [line for line in all_lines if "━" not in line], [line for line in all_lines if "━" in line]


def test_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    stays, bars = on_a_terminal(monkeypatch, events())
    assert [without_clock(line) for line in stays] == SHOWN
    assert re.search(r"^epoch 2/2 ━+ +4/4  0 s left  loss 1\.\d{4}  macro_f1 0\.2500  [\d,]+ tokens/s *$", bars[-1])


@pytest.mark.parametrize("places", [20, 40, 60, 80, 120])
def test_a_bar_is_never_wider_than_its_terminal(monkeypatch: pytest.MonkeyPatch, places: int) -> None:
    _, bars = on_a_terminal(monkeypatch, [*WORK, *events()[1:]], places)
    assert bars
    assert max(map(width, bars)) <= places
    assert "epoch 2/2" in bars[-1]
    assert places < 40 or "4/4" in bars[-1]


@given(st.lists(st.text(max_size=12), max_size=6), st.integers(-5, 60))
def test_the_most_important_details_are_those_that_fit(details: list[str], places: int) -> None:
    shown = progress.that_fit(details, places)
    assert not shown or width("  ".join(shown)) <= places
    rest = iter(details)
    assert all(text in rest for text in shown)  # in their order
    assert not details or width(details[0]) > places or shown[:1] == details[:1]


def test_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not progress.is_terminal()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert progress.is_terminal()
    assert not progress.is_terminal(io.StringIO())
    monkeypatch.setenv("TERM", "dumb")
    assert not progress.is_terminal()


def paced(monkeypatch: pytest.MonkeyPatch, said: Iterable[tuple[float, Event]]) -> progress.Pace:
    """The pace of a training whose events came at these seconds."""
    pairs = list(said)
    clock = clocked(monkeypatch, [seconds for seconds, _ in pairs])
    next_time = iter(clock)
    first = next(next_time)
    standing = progress.Standing(progress.Pace(since=first))
    standing.hear(pairs[0][1])
    for (_, event), _ in zip(pairs[1:], next_time, strict=True):
        standing.hear(event)
    return standing.pace


def training(*, steps: int, each: float, evaluation: float, before: int = 0, **more: Any) -> list[tuple[float, Event]]:
    """Events of two epochs, with their seconds: equal steps, and an evaluation after each epoch."""
    now = 0.0
    said: list[tuple[float, Event]] = [(now, Begin(steps, 2, "accuracy", **more))]
    for number in range(before + 1, steps + 1):
        now += each
        epoch, last = (number - 1) * 2 // steps, not number % (steps // 2)
        said.append((now, Step(number, epoch, last, 1.0, 1e-4, 1.0, 100, 120, 2048)))
        if last:
            now += evaluation
            said.append((now, Scored(epoch + 1, number, {"accuracy": 0.5}, True)))
    return said


@pytest.mark.parametrize("before", [0, 3, 60])
def test_the_time_left_counts_the_evaluations_to_come(monkeypatch: pytest.MonkeyPatch, before: int) -> None:
    said = training(steps=100, each=2.0, evaluation=30.0, before=before)
    end = said[-1][0]
    seen_one = next(i for i, (_, event) in enumerate(said) if isinstance(event, Scored))
    for i in range(seen_one, len(said)):
        left = paced(monkeypatch, said[: i + 1]).left
        assert left is not None
        # An evaluation is spread over the steps before it, so at most one of them is between guess and truth.
        assert abs(left - (end - said[i][0])) <= 32.0


def test_the_expected_time_counts_until_there_are_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    said = training(steps=100, each=2.0, evaluation=0.0, seconds=500.0)
    assert paced(monkeypatch, said[:1]).left == 500.0
    assert paced(monkeypatch, said[:3]).left == 490.0
    assert paced(monkeypatch, said[:6]).left == 190.0
    assert paced(monkeypatch, training(steps=100, each=2.0, evaluation=0.0)[:1]).left is None


def test_the_running_means(monkeypatch: pytest.MonkeyPatch) -> None:
    pace = paced(monkeypatch, training(steps=4, each=0.5, evaluation=9.0))
    assert pace.speed == "200 tokens/s"
    assert pace.mean_loss == "loss 1.0000"
    assert (progress.Pace().speed, progress.Pace().mean_loss, progress.Pace().time_left) == ("", "", "")


def test_a_log_is_never_silent_for_long(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    said = training(steps=100, each=1.0, evaluation=5.0)
    clock = clocked(monkeypatch, [0.0, *(seconds for seconds, _ in said)])
    next(clock)

    def live() -> Iterator[Event]:
        for (_, event), _ in zip(said, clock, strict=True):
            yield event

    assert len(list(progress.lines(live()))) == len(said)
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "epoch 1/2  step 30/100  70 s left  loss 1.0000  100 tokens/s"
    assert shown[1].startswith("epoch 1  accuracy 0.5000  (best)  100 tokens/s")
    # 20 steps of a second, and as much of an evaluation of 5 seconds after every 50 of them.
    assert shown[2] == "epoch 2/2  step 80/100  22 s left  loss 1.0000  accuracy 0.5000  100 tokens/s"
    assert len(shown) == 4


def test_lines_tell_long_work_seldom(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = clocked(monkeypatch, [0.0, 10.0, 30.0, 30.0, 40.0, 41.0, 60.0, 61.0])
    next(clock)

    def live() -> Iterator[Event]:
        for event, _ in zip(WORK, clock, strict=True):
            yield event

    assert list(progress.lines(live())) == WORK
    assert capsys.readouterr().out == (
        "tokens of train: 50%\nstrategy full\nvalidation: 75%\nepoch 1  accuracy 0.5000  (best)\n"
    )


def test_a_bar_shows_long_work_while_it_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    stays, _ = on_a_terminal(monkeypatch, WORK)
    assert stays == ["strategy full", "epoch 1  accuracy 0.5000  (best)"]


def test_an_expected_end_is_a_time_of_day() -> None:
    assert progress.expected_end(Begin(4, 2, "accuracy")) == ""
    assert re.fullmatch(r"expected end: \d\d:\d\d, in about 12 min", progress.expected_end(Begin(4, 2, "", 720.0)))
    far = progress.expected_end(Begin(4, 2, "", 180_000.0))
    assert re.fullmatch(r"expected end: \d{4}-\d\d-\d\d \d\d:\d\d, in about 50.0 h", far)


def test_a_bar_leaves_the_callers_generator_as_it_was() -> None:
    """The first import of rich draws from it, so a process of its own is needed."""
    program = (
        "import io, random\nfrom afina import progress\nrandom.seed(1)\nbefore = random.getstate()\n"
        "list(progress.bar(iter([]), io.StringIO()))\nassert random.getstate() == before"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
