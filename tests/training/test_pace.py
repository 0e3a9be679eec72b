"""Steps that stay far slower than their best are said once, with a cure that works; nothing else is."""

from __future__ import annotations

import json
import random
import shlex
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from afina.cli.app import program
from afina.compute import Compute
from afina.config import load
from afina.training import pace
from afina.training.events import Note, Step
from afina.training.pace import FACTOR, LASTING, WINDOW, Pace
from afina.training.run import stream
from tests.runs import events, reviews, write_csv


def fired(watch: Pace, seconds: Iterable[float], tokens: Callable[[], int] = lambda: 1000) -> list[int]:
    """Numbers of the steps in which it says that steps have become slow."""
    total, found = 0.0, []
    for number, each in enumerate(seconds, 1):
        total += each
        if watch.add(tokens(), total):
            found.append(number)
    return found


def test_steps_that_stay_slow_are_said_once() -> None:
    usual, slow = 0.5, 2.0
    steps = int(LASTING / slow)
    # Half a window of slow steps and one more changes the median; from then on their seconds count.
    assert fired(Pace(2), [usual] * 30 + [slow] * 200) == [30 + WINDOW // 2 + steps]
    assert fired(Pace(2), [usual] * 30 + [usual / FACTOR * 0.99] * 200) == []
    assert fired(Pace(2), [slow] * 30 + [usual] * 100) == []


def test_what_is_over_in_time_is_not_said() -> None:
    slow = [2.0] * (WINDOW // 2 + int(LASTING / 2.0) - 1)
    assert fired(Pace(2), ([0.5] * 30 + slow) * 5) == []
    assert fired(Pace(2), [0.5] * 30 + [2.0] * len(slow) + [2.0]) != []


def test_quick_steps_must_be_slow_for_as_long() -> None:
    (number,) = fired(Pace(2), [0.001] * 100 + [0.01] * 3000)
    assert (number - 100) * 0.01 == pytest.approx(LASTING, abs=0.2)


@given(st.integers(0, 2**32), st.integers(0, 300))
def test_a_computer_that_slept_is_not_slow(seed: int, when: int) -> None:
    """Steps of noisy length with texts of any length; twice the computer sleeps for an hour within a step."""
    draw = random.Random(seed)
    seconds = [draw.uniform(0.4, 0.6) for _ in range(400)]
    seconds[when] = seconds[when + 5] = 3600.0
    assert fired(Pace(2), seconds, lambda: draw.randint(800, 1200)) == []


def test_a_sleep_among_slow_steps_counts_for_no_more_than_a_step() -> None:
    slow = [2.0] * (WINDOW // 2)
    assert fired(Pace(2), [0.5] * 30 + [*slow, 3600.0, 2.0, 2.0] + [0.5] * 100) == []


def test_batches_of_long_and_short_texts_are_not_slow() -> None:
    """A text at a time: a step takes 30 ms and 0.2 ms a token, and texts have 10 to 500 tokens."""
    draw, total, watch = random.Random(1), 0.0, Pace(1)
    for _ in range(3000):
        tokens = draw.randint(10, 500)
        total += 0.03 + 0.0002 * tokens
        assert not watch.add(tokens, total)
    assert total > 10 * LASTING


def test_a_gpu_is_not_watched() -> None:
    assert Pace.of(Compute()).threads == torch.get_num_threads()
    assert Pace.of(Compute(threads=3)).threads == 3
    for place in ("cuda", "mps"):
        assert fired(Pace.of(Compute(torch.device(place))), [0.5] * 30 + [50.0] * 100) == []


def test_one_thread_has_no_fewer() -> None:
    for threads, cure in ((1, ""), (2, "training.threads=1"), (16, "training.threads=8")):
        watch = Pace(threads)
        fired(watch, [0.5] * 30 + [5.0] * 30)
        said = watch.warning(60, Path("a run"))
        assert said.startswith("step 60: 200 tokens a second, and 2,000 at this run's best: ")
        assert "Close other programs" in said
        assert ("--resume 'a run'" in said) == (threads > 1)
        assert said.endswith(cure or "Close other programs")


# ---------------------------------------------------------------------------------------------------------------------
# Whole runs.


def test_the_printed_cure_works(tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run is stopped where it says so; what it prints goes on with it, with the number of threads that it names."""
    folder = tmp_path / "a run"
    setting = {
        "data.train": str(write_csv(tmp_path / "train.csv", reviews())), "model.name": str(tiny("bert")),
        "training.threads": 2, "training.epochs": 10, "training.batch_size": 4, "out": str(folder),
    }  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(pace, "LASTING", 0.0)
        patch.setattr(pace, "FACTOR", 2.0)
        with closing(stream(load(None, setting))) as run:
            said = next(event.text for event in run if isinstance(event, Note) and "at this run's best" in event.text)
    name, *cure = shlex.split(said.partition("go on with fewer threads: ")[2])
    assert (name, *cure) == ("afina", "train", "--resume", str(folder), "--set", "training.threads=1")
    result = CliRunner().invoke(program(), cure)
    assert result.exit_code == 0, result.output
    assert "the last bits may differ from a run without a stop: threads: was 2, is 1" in " ".join(result.output.split())
    assert f"taken up after step {WINDOW}" in result.output
    assert json.loads((folder / "run.json").read_text())["machine"]["threads"] == 1


def test_slow_steps_are_said_once_in_a_run(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "LASTING", 0.0)
    monkeypatch.setattr(pace, "FACTOR", 2.0)
    said = list(events(tiny("bert"), tmp_path / "run", training__epochs=10))
    warned = [i for i, event in enumerate(said) if isinstance(event, Note) and "at this run's best" in event.text]
    assert len(warned) == 1
    step = said[warned[0] + 1]
    assert isinstance(step, Step)
    assert step.number == WINDOW
