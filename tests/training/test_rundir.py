"""A run folder belongs to one run, is read by one reader, and its logs are what they were."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from afina.errors import ConfigError
from afina.training import rundir
from afina.training.events import Begin, Scored
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
