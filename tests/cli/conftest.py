"""What the tests of the command line share: a run that it made, and ways to call it."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from afina.cli.app import program

THINGS = ("cat", "dog", "meal", "room", "film", "song")
WORDS = {"good": ("lovely", "great", "fine"), "bad": ("poor", "awful", "broken")}
ROWS = [(f"a {word} {thing}", label) for thing in THINGS for label, words in WORDS.items() for word in words]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test works in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AFINA_DEBUG", raising=False)
    return tmp_path


def afina(*arguments: object) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(program(), [str(argument) for argument in arguments], prog_name="afina")


def start(*arguments: object, **settings: Any) -> subprocess.Popen[str]:
    """Run a command in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "afina", *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment, **settings)


def write_csv(path: Path, rows: list[Any], header: tuple[str, ...] = ("text", "label")) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def read_lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def refused(result: Result, *says: str) -> None:
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    for words in says:
        assert words in result.stderr


@dataclasses.dataclass(frozen=True)
class Trained:
    """A run that `afina train` made, and what it said."""

    folder: Path
    data: Path
    model: Path
    said: Result

    @property
    def flags(self) -> list[object]:
        """Flags of a short training on the same data."""
        return ["--train", self.data, "--model", self.model, "--epochs", 1, "--max-length", 16]


@pytest.fixture(scope="session")
def trained(tiny: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Trained:
    root = tmp_path_factory.mktemp("cli")
    data = write_csv(root / "train.csv", ROWS)
    test = write_csv(root / "test.csv", ROWS[:9])
    one = Trained(root / "run", data, tiny("bert"), Result.__new__(Result))
    said = afina("train", *one.flags, "--epochs", 2, "--test", test, "--out", one.folder, "--learning-rate", 0.01)
    assert said.exit_code == 0, said.output
    return dataclasses.replace(one, said=said)
