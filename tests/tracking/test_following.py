"""Runs with trackers: the contract, by a tracker of another package; whatever fails in one, the run is what it was."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

import afina
from afina import disk
from afina.tracking import following
from afina.tracking.following import tracked
from afina.training import rundir
from afina.training.events import Done, Event, Note, Progress, Step
from tests.runs import ROWS, bytes_of, configured, data_of, finished, stopped
from tests.tracking.conftest import ledger, made


def told(*wanted: str, folder: Path, **more: Any) -> list[Event]:
    return list(tracked(made(folder, **more), wanted, folder))


def warnings_of(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Note) and event.level == "warning"]


def test_without_trackers_nothing_is_different(tmp_path: Path) -> None:
    assert [type(one) for one in told(folder=tmp_path / "a")] == [type(one) for one in made(tmp_path / "b")]
    assert not (tmp_path / "a" / rundir.TRACKING).exists()


def test_a_tracker_is_told_everything_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "desk"
    events = told("ledger", folder=folder)
    assert isinstance(events[-1], Done)
    lines = ledger(folder)
    assert [next(iter(line)) for line in lines] == ["begin", *["step"] * 8, "finish", "close"]
    assert lines[0]["begin"] == "desk"
    assert lines[0]["settings"]["data.train"] == "letters.csv"
    assert [line["step"] for line in lines[1:9]] == [1, 2, 3, 3, 4, 5, 6, 6]
    assert lines[1]["values"]["train/loss"] == 1.0
    assert lines[4]["values"]["validation/accuracy"] == 0.3
    assert lines[-2]["files"] == ["model"]
    assert lines[-2]["scores"]["test/accuracy"] == 0.5
    assert lines[-1] == {"close": "finished"}
    kept = json.loads((folder / rundir.TRACKING / "ledger.json").read_text(encoding="utf-8"))
    assert kept == {"id": "entry-desk", "steps": {"Step": 6, "Scored": 6}}
    assert [event.text for event in events if isinstance(event, Note)][1:] == ["tracked with ledger: entry-desk"]


def test_what_was_sent_before_a_stop_is_not_sent_again(tmp_path: Path) -> None:
    folder = tmp_path / "desk"
    run = tracked(made(folder), ["ledger"], folder)
    for event in run:
        if isinstance(event, Step) and event.number == 5:
            break
    run.close()
    assert ledger(folder)[-1] == {"close": "stopped"}
    told("ledger", folder=folder, first=4)  # from the checkpoint after step 3
    lines = ledger(folder)
    assert [line["before"] for line in lines if "begin" in line] == ["", "entry-desk"]
    assert [line["step"] for line in lines if "step" in line] == [1, 2, 3, 3, 4, 5, 6, 6]
    assert lines[-1] == {"close": "finished"}


def test_a_run_that_fails_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "desk"
    with pytest.raises(ZeroDivisionError):
        list(tracked(made(folder, fails=True), ["ledger"], folder))
    assert ledger(folder)[-1] == {"close": "failed"}


@pytest.mark.parametrize("how", ["", " exits"])
@pytest.mark.parametrize("method", ["begin", "log", "finish", "close"])
def test_a_tracker_that_fails_is_one_warning(
    method: str, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFINA_BROKEN", method + how)
    events = told("broken", "ledger", folder=tmp_path / "desk")
    assert isinstance(events[-1], Done)
    said = warnings_of(events)
    assert len(said) == (method != "close")
    if said:
        assert said[0].startswith("broken tracks this run no further: ")
        assert ("SystemExit: 3" if how else "No space left on device") in said[0]
    assert ledger(tmp_path / "desk")[-1] == {"close": "finished"}


@pytest.mark.parametrize("method", ["begin", "log", "finish"])
def test_a_tracker_that_hangs_holds_nothing_up(method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFINA_BROKEN", f"{method} hangs")
    for name, value in (("PATIENCE", 0.5), ("HURRY", 0.2), ("BEAT", 0.05)):
        monkeypatch.setattr(following, name, value)
    events = told("broken", folder=tmp_path / "desk")
    assert isinstance(events[-1], Done)
    assert any(isinstance(event, Progress) for event in events)
    assert warnings_of(events) == [
        "broken tracks this run no further: it was not done in 0 seconds. The training is not touched"
    ]
    run = tracked(made(tmp_path / "other"), ["broken"], tmp_path / "other")
    assert any(isinstance(event, Step) for event in run)
    start = time.monotonic()
    run.close()
    assert time.monotonic() - start < 5


def test_one_that_takes_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFINA_BROKEN", "begin hangs")
    monkeypatch.setattr(following, "MOST", 3)
    monkeypatch.setattr(following, "PATIENCE", 0.2)
    assert warnings_of(told("broken", folder=tmp_path / "desk")) == [
        "broken tracks this run no further: it takes nothing any more. The training is not touched"
    ]


def test_a_folder_that_cant_be_made_is_a_warning(tmp_path: Path) -> None:
    folder = tmp_path / "desk"
    folder.mkdir()
    (folder / rundir.TRACKING).write_text("in the way")
    (said,) = warnings_of(told("ledger", folder=folder))
    assert said.startswith("ledger does not track this run: ")


# ---------------------------------------------------------------------------------------------------------------------
# Whole runs.


def run_of(tiny: Callable[[str], Path], folder: Path, *wanted: str) -> Generator[Event, None, None]:
    from afina.training.run import stream

    config = configured(tiny("bert"), folder, training__track=list(wanted))
    return tracked(stream(config, data_of(config)), wanted, folder)


@pytest.mark.usefixtures("same_bytes")
def test_a_run_that_is_tracked_and_stopped_has_the_bytes_of_one_that_is_not(
    tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    whole = finished(run_of(tiny, tmp_path / "whole"))
    stopped(run_of(tiny, tmp_path / "run", "ledger"), after=3)
    finished(run_of(tiny, tmp_path / "run", "ledger"))
    one, other = bytes_of(whole.folder), bytes_of(tmp_path / "run")
    assert {name for name in {*one, *other} if one.get(name) != other.get(name)} == {
        "config.yaml", "tracking/ledger.json", "tracking/ledger/ledger.jsonl",
    }  # fmt: skip
    lines = ledger(tmp_path / "run")
    steps = [line["step"] for line in lines if "train/loss" in line.get("values", {})]
    assert steps == list(range(1, whole.record["steps"] + 1))
    assert len([line for line in lines if "begin" in line]) == 2


def test_a_run_that_begins_anew_is_another_run_of_the_tracker(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    stopped(run_of(tiny, tmp_path / "run", "ledger"), after=3)
    for place in (tmp_path / "run" / rundir.CHECKPOINTS).glob("*"):
        disk.remove(place)
    finished(run_of(tiny, tmp_path / "run", "ledger"))
    assert [line["before"] for line in ledger(tmp_path / "run") if "begin" in line] == [""]


def test_trackers_are_asked_for_by_name(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    rows = ROWS["classification"]
    run = afina.train(
        train=rows, validation=rows, model=tiny("bert"), epochs=1, track="ledger", out=tmp_path / "run", progress=False
    )
    assert ledger(run.folder)[-1] == {"close": "finished"}
    with pytest.raises(afina.ConfigError, match="'nobody' is not a tracker"):
        afina.train(train=rows, model=tiny("bert"), track=["nobody"], out=tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_an_adaptation_is_tracked(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    texts = [row["text"] for row in ROWS["classification"]] * 4
    found = afina.adapt(
        data=texts, model=tiny("bert"), epochs=1, batch_size=8, track="ledger", out=tmp_path / "adapted", progress=False
    )
    lines = ledger(found.folder)
    assert [line for line in lines if "train/loss" in line.get("values", {})]
    assert lines[-1] == {"close": "finished"}


def test_trials_are_tracked_where_the_call_asks_for_it(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    rows = ROWS["classification"]
    plain: dict[str, Any] = {
        "train": rows, "validation": rows, "model": tiny("bert"), "epochs": 1, "seeds": 1, "progress": False,
        "options": {"names": ["head"], "factors": [1.0]},
    }  # fmt: skip
    found = afina.study("strategies", **plain, track="ledger", out=tmp_path / "tracked")
    trials = list((found.folder / "trials").iterdir())
    assert [ledger(trial)[-1] for trial in trials] == [{"close": "finished"}]
    other = afina.study("strategies", **plain, out=tmp_path / "plain")
    assert not list(other.folder.rglob("tracking"))
