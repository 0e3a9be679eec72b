"""What is compared is read from the folder of a run; of older runs it is made anew, or said to be gone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import afina
from afina.comparison.comparison import compare
from afina.comparison.runs import opened
from afina.errors import ConfigError
from afina.training import rundir
from tests.comparison.made import made
from tests.runs import ROWS, events, finished, stopped


@pytest.fixture(scope="module")
def trained(tiny: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A run of a task that was trained from files. Its scores are still there."""
    root = tmp_path_factory.mktemp("trained")

    def folder(task: str) -> Path:
        out = root / task
        if not out.exists():
            files: dict[str, Any] = {}
            for name, rows in (("train", ROWS[task]), ("test", ROWS[task][::4])):
                files[name] = root / f"{task}-{name}.jsonl"
                files[name].write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
            afina.train(
                **files, validation=files["train"], task=task, model=tiny("bert"), epochs=1, out=out, progress=False,
                training__baseline="off",
            )  # fmt: skip
        return out

    return folder


@pytest.mark.filterwarnings("ignore::afina.AfinaWarning")
@pytest.mark.parametrize("task", sorted(ROWS))
def test_scores_of_older_runs_are_made_anew(task: str, trained: Callable[[str], Path]) -> None:
    folder = trained(task)
    kept = [opened(folder, split) for split in ("test", "validation")]
    file = folder / rundir.SCORES
    content = file.read_bytes()
    file.unlink()
    try:
        for one, split in zip(kept, ("test", "validation"), strict=True):
            found = opened(folder, split)
            assert list(found.scored.table) == list(one.scored.table)
            for name, values in one.scored.table.items():
                assert np.array_equal(found.scored.table[name], values)
            assert found.scored.examples.tolist() == one.scored.examples.tolist()
            assert (found.scored.groups is None) == (one.scored.groups is None)
            assert found.task.fitted == one.task.fitted
            assert found.notes == (
                f"{folder} has no scores.safetensors: its scores were made anew from its predictions and its data",
            )
    finally:
        file.write_bytes(content)


@pytest.mark.filterwarnings("ignore::afina.AfinaWarning")
def test_data_that_changed_are_noticed(trained: Callable[[str], Path]) -> None:
    folder = trained("classification")
    run, data = folder / rundir.SCORES, folder.parent / "classification-test.jsonl"
    scores, lines = run.read_bytes(), data.read_text(encoding="utf-8")
    run.unlink()
    first, *rest = lines.splitlines(keepends=True)
    flipped = first.replace('"good"', '"BAD"').replace('"bad"', '"good"').replace('"BAD"', '"bad"')
    try:
        for other in ("".join(rest), flipped + "".join(rest)):
            data.write_text(other, encoding="utf-8")
            with pytest.raises(ConfigError, match=r"its test data are no longer those .*: train again or, for another"):
                opened(folder, "test")
        data.unlink()
        with pytest.raises(ConfigError, match="its data can't be read as they were: train again"):
            opened(folder, "test")
    finally:
        run.write_bytes(scores)
        data.write_text(lines, encoding="utf-8")


def test_data_in_memory_are_gone(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    done = finished(events(tiny("bert"), tmp_path / "run", training__epochs=1))
    (done.folder / rundir.SCORES).unlink()
    with pytest.raises(ConfigError, match=r"no scores\.safetensors .* its data were given in memory: train again"):
        opened(done.folder, "test")


def test_what_is_no_finished_run_is_told(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere': there is no such folder; `afina runs` lists runs"):
        opened(tmp_path / "nowhere", "test")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="not a finished run"):
        opened(tmp_path / "empty", "test")
    stopped(events(tiny("bert"), tmp_path / "run"), after=3)
    with pytest.raises(ConfigError, match=r"an unfinished run; afina train --resume .*run goes on with it"):
        opened(tmp_path / "run", "test")
    adapted = made(tmp_path / "adapted", right=[True] * 4)
    (adapted / rundir.CONFIG).write_text(f"{rundir.ADAPTS}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="a run of `afina adapt`"):
        opened(adapted, "test")
    damaged = made(tmp_path / "damaged", right=[True] * 4)
    (damaged / rundir.SCORES).write_bytes(b"half")
    with pytest.raises(ConfigError, match=r"damaged/scores\.safetensors: damaged"):
        opened(damaged, "test")


@pytest.mark.parametrize(
    ("task", "fitted", "says"),
    [
        ("regression", None, "different tasks, classification and regression, have no scores in common"),
        ("classification", {"labels": ["a", "b", "c", "d"]}, "different labels: only the second has 'd'; train both"),
        ("classification", {"labels": ["b", "a", "c"]}, "different labels: they have another order; train both"),
    ],
)
def test_runs_that_learnt_something_else_are_refused(
    task: str, fitted: dict[str, Any] | None, says: str, tmp_path: Path
) -> None:
    runs = [made(tmp_path / "one", right=[True] * 9), made(tmp_path / "other", task, right=[True] * 9, fitted=fitted)]
    with pytest.raises(ConfigError, match=says):
        compare(runs)
