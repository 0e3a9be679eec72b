"""A study that is killed at random moments, with SIGKILL, ends in the bytes of one that never was."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

DRIVER = """
import json, sys
sys.path[:0] = json.loads(sys.argv[1])
from pathlib import Path
from afina.studies import base
from tests.studies.designs import small, stream_study, tiny_study
base.find = lambda name: small
study, _ = tiny_study(Path(sys.argv[2]), Path(sys.argv[3]), training__epochs=2)
for event in stream_study("small", {}, study):
    print(type(getattr(event, "event", event)).__name__, flush=True)
"""


def started(model: Path, out: Path) -> subprocess.Popen[str]:
    """A small study in a process of its own, which writes a line for each event."""
    command = [sys.executable, "-c", DRIVER, json.dumps(sys.path), str(model), str(out)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ})


def lived(process: subprocess.Popen[str], *, events: int, wait: float) -> int:
    """Kill a process a moment after so many events; its exit code."""
    assert process.stdout is not None
    for number, _ in enumerate(process.stdout):
        if number >= events:
            time.sleep(wait)
            process.kill()
            break
    process.stdout.close()
    return process.wait()


def kills(model: Path, tmp_path: Path, *, number: int, seed: int) -> int:
    """Kill a study so many times, and compare its summary; how often it was killed."""
    whole, folder = tmp_path / "whole", tmp_path / "killed"
    assert lived(started(model, whole), events=10**9, wait=0) == 0
    chance, died = random.Random(seed), 0
    while died < number and not (folder / "summary.json").exists():
        code = lived(started(model, folder), events=chance.randint(2, 25), wait=chance.random() * 0.05)
        died += code == -signal.SIGKILL
        assert code in (0, -signal.SIGKILL)
    if not (folder / "summary.json").exists():
        assert lived(started(model, folder), events=10**9, wait=0) == 0
    assert (folder / "summary.json").read_bytes() == (whole / "summary.json").read_bytes()
    left = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert left == {path.relative_to(whole).as_posix() for path in whole.rglob("*") if path.is_file()}
    return died


@pytest.mark.usefixtures("same_bytes")
def test_a_study_that_is_killed_ends_in_the_same_bytes(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    assert kills(tiny("bert"), tmp_path, number=2, seed=0) >= 1


@pytest.mark.slow
@pytest.mark.usefixtures("same_bytes")
def test_ten_kills(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    # A study is over after a few dozen events at most, however often it was killed: several studies make ten kills.
    died, seed = 0, 1
    while died < 10:
        died += kills(tiny("bert"), tmp_path / str(seed), number=10, seed=seed)
        seed += 1
