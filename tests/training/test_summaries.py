"""Runs in a few words: done, unfinished, damaged, and folders that are no runs."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from afina.errors import ConfigError
from afina.training import rundir
from afina.training.summaries import runs_in


def make(folder: Path, record: dict[str, Any] | str | None = None, config: str = "task: regression\n") -> None:
    folder.mkdir(parents=True)
    (folder / rundir.CONFIG).write_text(config, encoding="utf-8")
    if record is None:
        (folder / rundir.STEPS).touch()
    else:
        (folder / rundir.RUN).write_text(record if isinstance(record, str) else json.dumps(record), encoding="utf-8")


def scored(value: float | None, **baselines: float | None) -> dict[str, Any]:
    return {
        "metrics": {"mean_squared_error": value},
        "intervals": {"mean_squared_error": [0.1, 0.3] if value else [None, None]},
        "baselines": {name: {"mean_squared_error": number} for name, number in baselines.items()},
    }


BEST = {"metric": "mean_squared_error"}


def test_a_run_is_summed_up(tmp_path: Path) -> None:
    config = "task: regression\nstrategy: head\ndata:\n  train: /data/a.csv\n"
    parts = {"validation": scored(0.5), "test": scored(0.2, mean=0.9, linear=0.4, none=None)}
    make(tmp_path / "a", {"best": BEST, **parts}, config)
    (one,) = runs_in(tmp_path)
    assert (one.state, one.task, one.data, one.strategy, one.model) == (
        "done", "regression", "/data/a.csv", "head", "minilm",
    )  # fmt: skip
    assert (one.split, one.metric, one.value, one.interval) == ("test", "mean_squared_error", 0.2, (0.1, 0.3))
    assert (one.baseline, one.baseline_value) == ("linear", 0.4)  # of errors the smaller one is the stronger
    assert one.bytes == sum(file.stat().st_size for file in (tmp_path / "a").iterdir())
    assert runs_in(tmp_path / "a") == [one]


def test_an_undefined_score_and_an_older_record_are_read(tmp_path: Path) -> None:
    part = scored(None)
    del part["baselines"]
    make(tmp_path / "a", {"best": BEST, "validation": part, "test": None})
    (one,) = runs_in(tmp_path)
    assert (one.split, one.baseline) == ("validation", "")
    assert math.isnan(one.value)
    assert math.isnan(one.interval[0])


def test_what_is_no_whole_run_says_so(tmp_path: Path) -> None:
    make(tmp_path / "begun")
    make(tmp_path / "cut", '{"best": {"metr')
    make(tmp_path / "odd", {"best": None})
    make(tmp_path / "wrong", {"best": BEST, "validation": scored(0.5), "test": None}, "task: chess\n")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / rundir.CONFIG).write_text("task: regression\n")
    assert {one.folder.name: one.state for one in runs_in(tmp_path)} == {
        "begun": "unfinished", "cut": "damaged", "odd": "damaged", "wrong": "damaged",
    }  # fmt: skip


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no folder"):
        runs_in(tmp_path / "absent")
