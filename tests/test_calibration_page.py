"""Every command and program that the page on calibration shows runs on a tiny model."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

import afina as package
from afina.config import load
from tests.cli.conftest import ROWS, Trained, afina, trained, write_csv
from tests.conftest import REPOSITORY

FILE = REPOSITORY / "docs" / "calibration.md"
PAGE = FILE.read_text(encoding="utf-8") if FILE.exists() else ""
COMMANDS = sorted(set(re.findall(r"(?:^    |`)(afina \w+ RUN [^`\n]+)", PAGE, flags=re.MULTILINE)))
PROGRAMS = sorted(set(re.findall(r"`((?:model|afina)\.\w+\([^`]*)`", PAGE)))
pytestmark = pytest.mark.skipif(not PAGE, reason="without the source tree there are no docs")
__all__ = ["trained"]


@pytest.fixture
def run(trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The run and the files that the page names."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(trained.folder, "RUN")
    for name in ("test.csv", "fresh.csv", "new.csv"):
        write_csv(Path(name), ROWS * 3)
    assert afina("calibrate", "RUN", "--data", "fresh.csv").exit_code == 0
    return Path("RUN")


def test_the_examples_are_found() -> None:
    assert len(COMMANDS) == 5
    assert len(PROGRAMS) == 4


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_runs(command: str) -> None:
    result = afina(*shlex.split(command)[1:])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_runs(program: str, run: Path) -> None:
    rows = [{"text": text, "label": label} for text, label in ROWS]
    scope: dict[str, Any] = {
        "afina": package, "model": package.load(run), "run": run, "rows": rows, "texts": [row["text"] for row in rows],
    }  # fmt: skip
    assert eval(program, scope) is not None


def test_every_flag_and_setting_exists() -> None:
    for path, value in re.findall(r"`--set ([\w.]+)=(\w+)`", PAGE):
        assert load(None, {path: value})
    flags = set(re.findall(r" (--[a-z-]+)", " ".join(COMMANDS)))
    shown = "".join(afina(command, "--help").output for command in ("evaluate", "predict", "calibrate"))
    assert flags <= set(re.findall(r"--[a-z-]+", shown))
