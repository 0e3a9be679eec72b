"""What the tests of trackers share: runs that are over in no time, and those of tiny models."""

from __future__ import annotations

import json
import math
from collections.abc import Generator
from pathlib import Path
from typing import Any, cast

import pytest

from afina.config import dump
from afina.inference import Evaluation
from afina.tracking import following
from afina.training import rundir
from afina.training.events import Begin, Done, Event, Note, Scored, Step
from tests.runs import configured


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Trackers are told at once, and not waited for long; every test works in a folder of its own."""
    monkeypatch.setattr(following, "EVERY", 0.01)
    monkeypatch.setattr(following, "HURRY", 120.0)  # the first import of a library takes its time on a busy machine
    monkeypatch.chdir(tmp_path)


def evaluation(**values: float) -> Evaluation:
    """Scores with bounds beside them."""
    bounds = {name: (value - 0.1, value + 0.1) for name, value in values.items()}
    return Evaluation(values, bounds, [], 10, baselines={"commonest label (<b>)": {"accuracy": 0.5}})


def made(folder: Path, *, steps: int = 6, first: int = 1, fails: bool = False) -> Generator[Event, None, None]:
    """The events of a made-up run, and the files in its folder that trackers read."""
    (folder / rundir.MODEL).mkdir(parents=True, exist_ok=True)
    config = configured(Path("/home/ana/models/tiny"), folder, data__train="/home/ana/letters.csv")
    (folder / rundir.CONFIG).write_text(dump(config), encoding="utf-8")
    (folder / rundir.MODEL / "README.md").write_text("a card", encoding="utf-8")
    yield Note("columns: text = 'text'")
    yield Begin(steps, 2, "accuracy")
    yield Begin(steps, 2, "accuracy")  # another stage
    for number in range(first, steps + 1):
        yield Step(number, number // 3, number % 3 == 0, 1 / number, 1e-3, math.nan, 10, 12, 100)
        if number % 3 == 0:
            yield Scored(number / 3, number, {"accuracy": number / 10}, True, 0.5, 0.6)
    if fails:
        raise ZeroDivisionError("the run itself")
    yield Done(folder, cast(Any, None), evaluation(accuracy=0.75), evaluation(accuracy=0.5), {"steps": steps})


def ledger(folder: Path) -> list[dict[str, Any]]:
    """What the tracker `ledger` was told."""
    file = folder / rundir.TRACKING / "ledger" / "ledger.jsonl"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
