"""A run folder belongs to one run, is read by one reader, and its logs are what they were."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from afina import disk
from afina.errors import ConfigError
from afina.training import rundir
from afina.training.events import Begin, Scored
from afina.training.rundir import RunFolder
from tests.runs import events, finished, stopped


def test_a_log_is_what_it_was_or_its_damage_is_named(
    interrupted: Path, tiny: Callable[[str], Path], record_property: Callable[[str, object], None]
) -> None:
    """Cut at every byte of the last three lines, for a checkpoint after all or all but one of them."""
    stopped(events(tiny("bert"), interrupted), after=2, kind=Scored)
    tried = 0
    for name in (rundir.STEPS, rundir.EVALUATIONS):
        whole = (interrupted / name).read_bytes()
        lines = whole.splitlines(keepends=True)
        file = interrupted / "log.jsonl"
        for length in range(len(b"".join(lines[:-3])), len(whole) + 1):
            file.write_bytes(whole[:length])
            for count in (len(lines), len(lines) - 1):
                wanted, tried = b"".join(lines[:count]), tried + 1
                if length >= len(wanted) - 1:
                    assert rundir.first_lines(file, count) == wanted
                else:
                    with pytest.raises(ConfigError, match=r"log\.jsonl:?\d*: damaged"):
                        rundir.first_lines(file, count)
        assert rundir.first_lines(file, 0) == b""
    record_property("tried", tried)


@pytest.mark.parametrize("garbage", [b"\0" * 20, b'{"number": 2, "lo', b"[1]", b"\xff\xfe"])
def test_a_damaged_line_in_the_middle_is_an_error_with_its_number(
    garbage: bytes, interrupted: Path, tiny: Callable[[str], Path]
) -> None:
    log = interrupted / rundir.STEPS
    first, _, third = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(first + garbage + b"\n" + third)
    with pytest.raises(ConfigError, match=r"steps\.jsonl:2: damaged: not a record of this log; the checkpoint builds"):
        list(events(tiny("bert"), interrupted))
    assert log.read_bytes() == first + garbage + b"\n" + third


@pytest.mark.parametrize("names", [["config.yaml"], ["config.yaml", "data.json"], ["model"], ["steps.jsonl", "model"]])
def test_a_users_own_files_are_no_unfinished_run(names: list[str], tiny: Callable[[str], Path], tmp_path: Path) -> None:
    """A folder of `afina init`, an export called data.json, a model that somebody put there."""
    for name in names:
        (tmp_path / name).write_text("mine")
    with pytest.raises(ConfigError, match="is not empty"):
        list(events(tiny("bert"), tmp_path))
    assert all((tmp_path / name).read_text() == "mine" for name in names)


def test_two_runs_do_not_share_a_folder(interrupted: Path, tiny: Callable[[str], Path]) -> None:
    run = events(tiny("bert"), interrupted)
    assert isinstance(run, Generator)
    for event in run:
        if isinstance(event, Begin):
            break
    with pytest.raises(ConfigError, match="another run is writing to"):
        list(events(tiny("bert"), interrupted))
    run.close()
    finished(events(tiny("bert"), interrupted))


def test_a_refusal_leaves_no_file_in_a_users_folder(tmp_path: Path) -> None:
    """The lock's file would make a run's folder of it."""
    (tmp_path / "config.yaml").write_text("mine")
    for _ in range(2):
        with pytest.raises(ConfigError, match="is not empty"), rundir.locked(tmp_path):
            raise AssertionError("locked")
    assert [place.name for place in tmp_path.iterdir()] == ["config.yaml"]


# ---------------------------------------------------------------------------------------------------------------------
# Whose folder it is.


def test_a_folder_in_which_nothing_came_to_be_goes_again(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "new"
    with rundir.locked(folder):
        assert (folder / rundir.LOCK).exists()
    assert list(tmp_path.iterdir()) == []
    folder.mkdir(parents=True)
    with rundir.locked(folder):
        pass
    assert list(folder.iterdir()) == []  # it was there before
    with pytest.raises(ZeroDivisionError), rundir.locked(tmp_path / "other" / "new"):
        _ = 1 / 0
    assert [place.name for place in tmp_path.iterdir()] == ["runs"]


def test_the_file_of_the_lock_stays_until_the_run_is_finished(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with rundir.locked(folder):
        (folder / rundir.CONFIG).touch()
    assert sorted(place.name for place in folder.iterdir()) == [rundir.LOCK, rundir.CONFIG]
    with rundir.locked(folder):
        (folder / rundir.RUN).write_text("{}")
    assert sorted(place.name for place in folder.iterdir()) == [rundir.CONFIG, rundir.RUN]
    with pytest.raises(ConfigError, match="holds a finished run"), rundir.locked(folder):
        raise AssertionError("locked")


def test_another_owner_is_told_from_a_folder_that_can_not_be_used(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    with (
        disk.locked(folder / rundir.LOCK),
        pytest.raises(ConfigError, match="another run is writing to"),
        rundir.locked(folder),
    ):
        raise AssertionError("locked")
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(ConfigError, match=r"out: .*file.* can't be (used|made)"), rundir.locked(place):
            raise AssertionError("locked")


def test_looking_makes_and_removes_nothing(tmp_path: Path) -> None:
    rundir.check(tmp_path / "a" / "b" / "c")
    assert list(tmp_path.iterdir()) == []
    folder = tmp_path / "run"
    folder.mkdir()
    rundir.check(folder)
    for name in (rundir.LOCK, rundir.CONFIG, rundir.RUN, ".making-model"):
        (folder / name).touch()
    (folder / rundir.CHECKPOINTS).mkdir()
    before = sorted(folder.rglob("*"))
    with pytest.raises(ConfigError, match="holds a finished run; give another folder"):
        rundir.check(folder)
    assert sorted(folder.rglob("*")) == before


def test_what_a_run_left_that_was_killed_after_its_end_is_tidied(tmp_path: Path) -> None:
    names = (rundir.LOCK, rundir.CONFIG, rundir.STEPS, ".making-run.json")
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / rundir.CHECKPOINTS / "step-1").mkdir(parents=True)
    rundir.tidy(tmp_path)  # it is not finished
    assert len(list(tmp_path.iterdir())) == len(names) + 1
    (tmp_path / rundir.RUN).touch()
    rundir.tidy(tmp_path)
    assert sorted(place.name for place in tmp_path.iterdir()) == sorted([rundir.CONFIG, rundir.STEPS, rundir.RUN])
    rundir.tidy(tmp_path)
    rundir.tidy(tmp_path / "nowhere")


# ---------------------------------------------------------------------------------------------------------------------
# Reading it.


def test_a_finished_run_is_read_by_one_reader(interrupted: Path, tiny: Callable[[str], Path]) -> None:
    run = RunFolder(interrupted)
    assert (run.finished, run.unfinished, run.has_checkpoint) == (False, True, True)
    assert [line["number"] for line in run.steps()] == [1, 2, 3]
    with pytest.raises(ConfigError, match="not a finished run"):
        run.record()
    done = finished(events(tiny("bert"), interrupted))
    assert (run.finished, run.unfinished, run.has_checkpoint) == (True, False, False)
    assert run.record() == json.loads(json.dumps(rundir.finite(done.record)))
    assert run.config.is_file()
    assert run.model.is_dir()
    assert set(run.data()) >= {"train", "validation", "test"}
    assert [line["number"] for line in run.steps()] == list(range(1, done.record["steps"] + 1))
    assert [line["epoch"] for line in run.evaluations()] == [1, 2, 3, 4]
    assert {line["split"] for line in run.predictions()} == {"validation", "test"}


def test_nothing_is_read_before_it_is_asked_for(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "nowhere")
    assert (run.finished, run.unfinished, run.has_checkpoint) == (False, False, False)
    steps = run.steps()
    with pytest.raises(ConfigError, match=r"steps\.jsonl: can't be read: No such file"):
        next(steps)


@pytest.mark.parametrize(("content", "says"), [("{", "not a finished run"), ("[]", r"run\.json: damaged: expected an")])
def test_a_damaged_record_is_an_error(content: str, says: str, tmp_path: Path) -> None:
    (tmp_path / rundir.RUN).write_text(content)
    with pytest.raises(ConfigError, match=says):
        RunFolder(tmp_path).record()


def test_a_damaged_line_is_an_error_with_its_number(tmp_path: Path) -> None:
    rundir.append(tmp_path / rundir.STEPS, {"number": 1}, {"loss": math.nan})
    with (tmp_path / rundir.STEPS).open("a") as file:
        file.write("{\n")
    lines = RunFolder(tmp_path).steps()
    assert [next(lines), next(lines)] == [{"number": 1}, {"loss": None}]
    with pytest.raises(ConfigError, match=r"steps\.jsonl:3: damaged: not a record of this log"):
        next(lines)


def test_numbers_that_json_has_no_form_for_are_null(tmp_path: Path) -> None:
    record = {"a": [1.5, math.nan, (math.inf, {"b": -math.inf})], "c": "nan", "d": True, "e": None}
    rundir.write_json(tmp_path / "file.json", record)
    assert json.loads((tmp_path / "file.json").read_text()) == {
        "a": [1.5, None, [None, {"b": None}]], "c": "nan", "d": True, "e": None,
    }  # fmt: skip


def test_a_new_folder_says_what_it_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = rundir.default_folder("tokens", "last-2", 3)
    assert first == Path("runs/tokens-last-2-3")
    first.mkdir(parents=True)
    assert rundir.default_folder("tokens", "last-2", 3) == first  # it is empty
    (first / "run.json").touch()
    assert rundir.default_folder("tokens", "last-2", 3) == Path("runs/tokens-last-2-3-2")


def test_numbers_for_programs() -> None:
    assert rundir.finite({"a": [float("nan"), (1.5, float("-inf"))], "b": "nan"}) == {
        "a": [None, [1.5, None]],
        "b": "nan",
    }


def test_a_run_that_is_being_written_is_not_moved(interrupted: Path) -> None:
    with disk.locked(interrupted / rundir.LOCK), pytest.raises(ConfigError, match="another run is writing"):
        rundir.move_aside(interrupted)
    assert rundir.is_run(interrupted)
    old = rundir.move_aside(interrupted)
    assert (old.name, interrupted.exists()) == (f"{interrupted.name}.old-1", False)
    assert RunFolder(old).has_checkpoint


def test_the_command_that_goes_on_is_that_which_began(tmp_path: Path) -> None:
    run = tmp_path / "a run"
    assert rundir.go_on(run) == f"afina train --resume '{run}'"
    run.mkdir()
    (run / rundir.CONFIG).write_text("task: tokens\n", encoding="utf-8")
    assert rundir.kind_of(run) == "train"
    (run / rundir.CONFIG).write_text("data: {}\nmasking:\n  share: 0.15\n", encoding="utf-8")
    assert rundir.go_on(run) == f"afina adapt --resume '{run}'"
