"""The help of a command: panels, examples that work, and the flags that have an effect."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from afina.cli import training
from afina.cli.help import EXAMPLES
from afina.model import heads
from afina.text import spans
from tests.cli.conftest import afina

COMMANDS = ("train", "check", "plan", "evaluate", "predict")


def help_of(command: str) -> str:
    return afina(command, "--help").stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_the_examples_are_options_of_the_command(command: str) -> None:
    shown = re.findall(r"^  Example: (.*)$", help_of(command), flags=re.MULTILINE)
    assert shown
    for example in shown:
        words = shlex.split(example)
        for option, value in zip(words[::2], words[1::2], strict=True):
            assert re.search(rf"^  {option} \S", help_of(command), flags=re.MULTILINE)
            assert value == EXAMPLES[option.removeprefix("--").replace("-", "_")]


def test_train_lists_its_options_in_panels() -> None:
    panels = re.findall(r"^(\w[\w ]+):$", help_of("train"), flags=re.MULTILINE)
    assert panels == [
        "Arguments", "Data", "Columns", "Model", "Training", "Rows", "Form of the files", "Run", "Options",
    ]  # fmt: skip


def test_a_check_shows_what_it_uses_and_takes_the_rest() -> None:
    shown = help_of("check")
    assert "--max-length" in shown
    assert "--learning-rate" not in shown
    assert "--strategy" not in shown
    assert "--resume" not in help_of("plan")
    assert "No such option" not in afina("check", "--train", "absent.csv", "--learning-rate", "1", "--quiet").stderr


def test_what_the_shell_offers_is_what_there_is() -> None:
    assert set(training.HEADS) <= set(heads.names())
    assert set(training.UNITS) == {"characters", *spans.OTHER_UNITS}
    assert "classification" in training.task_names()


@pytest.mark.parametrize(
    ("typed", "offered"), [("--task reg", "regression"), ("--strategy f", "full"), ("--format par", "parquet")]
)
def test_the_shell_completes_values(typed: str, offered: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_AFINA_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", f"afina train {typed}")
    monkeypatch.setenv("COMP_CWORD", "3")
    assert afina().stdout.split() == [offered]


def test_the_shell_completes_runs(monkeypatch: pytest.MonkeyPatch, here: Path) -> None:
    (here / "runs" / "desk").mkdir(parents=True)
    (here / "runs" / "desk" / "config.yaml").touch()
    monkeypatch.setenv("_AFINA_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "afina predict runs/d")
    monkeypatch.setenv("COMP_CWORD", "2")
    assert afina().stdout.split() == ["runs/desk"]
