"""The page on trackers: its trackers, flags and settings exist, its program is one that is told everything."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest

from afina.config import SHORT, load
from afina.tracking import following
from afina.tracking.base import Tracker, find, names
from afina.tracking.following import tracked
from afina.training import rundir
from tests.cli.conftest import afina
from tests.conftest import REPOSITORY
from tests.tracking.conftest import ledger, made

PAGE = (REPOSITORY / "docs" / "tracking.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", PAGE, flags=re.DOTALL)
COMMANDS = [line for kind, block in BLOCKS if kind == "sh" for line in block.splitlines() if line.startswith("afina ")]
USE, DIARY = (block for kind, block in BLOCKS if kind == "python")
TABLE = re.findall(r"^\| `(\w+)` \| `afina\[(\w+)\]` \|", PAGE, flags=re.MULTILINE)


def test_the_trackers_are_those_there_are() -> None:
    own = [name for name in names() if (Path(following.__file__).parent / f"{name}.py").exists()]
    assert [name for name, _ in TABLE] == own
    assert [extra for _, extra in TABLE] == [find(name).extra for name in own]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_flag_exists(command: str) -> None:
    _, name, *words = shlex.split(command)
    shown = afina(name, "--help").stdout
    assert len(COMMANDS) == 3
    for word in words:
        assert not word.startswith("--") or re.search(rf"^  {word}\b", shown, flags=re.MULTILINE), word
    for value in (after for word, after in pairwise(words) if word == "--track"):
        assert value in names()


def test_the_setting_exists() -> None:
    assert SHORT["track"] == "training.track"
    assert load(None, {"training.track": "mlflow, wandb"}).training.track == ["mlflow", "wandb"]
    assert load(None, {"training.track": ["mlflow"]}).training.track == ["mlflow"]
    assert load(None).training.track == []
    assert "track=[" in USE
    compile(USE, "page", "exec")


def test_the_names_of_values_are_those_that_are_told(tmp_path: Path) -> None:
    list(tracked(made(tmp_path / "run"), ["ledger"], tmp_path / "run"))
    lines = ledger(tmp_path / "run")
    told = {name for line in lines for name in (*line.get("values", {}), *line.get("scores", {}))}
    section = PAGE.partition("## Names of values")[2].partition("\n## ")[0]
    said = set(re.findall(r"`([\w/-]+)`", section))
    ends = {name for name in said if name.startswith("_")}
    assert all(any(name.endswith(end) for name in told) for end in ends - {"_of_tf-idf"})
    assert {name for name in said - ends if "METRIC" not in name} - told == {"train/grad_norm"}  # which is nan here
    assert {"validation/accuracy", "test/accuracy", "best_validation/accuracy"} <= told


def test_the_tracker_of_the_page_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space: dict[str, type[Tracker]] = {}
    exec(compile(DIARY, "page", "exec"), space)
    monkeypatch.setattr(following, "find", lambda _: space["Diary"])
    list(tracked(made(tmp_path / "run"), ["diary"], tmp_path / "run"))
    lines = (tmp_path / "run" / rundir.TRACKING / "diary" / "diary.txt").read_text(encoding="utf-8").splitlines()
    assert [line.partition(":")[0] for line in lines] == ["step 3", "step 6", "scores", "finished"]
