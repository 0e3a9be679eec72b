"""The program: its commands and their help, how fast it starts, and what the shell is told."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from afina import __version__
from afina.cli.app import program
from afina.errors import TrainingError
from afina.printing import UNSAFE
from tests.cli.conftest import ROWS, Trained, afina, refused, start, write_csv

COMMANDS = [one.callback.__name__ for one in program().registered_commands if one.callback]


def test_these_are_the_commands() -> None:
    names = (
        "train adapt advise check plan study demo sweep evaluate calibrate predict explain runs report compare card "
        "init cache formats tasks models"
    )
    assert names.split() == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    result = afina(command, "--help")
    assert result.exit_code == 0
    assert f"Usage: afina {command}" in result.stdout
    assert not re.search(r"<\w", result.stdout), "a type of Python"
    options = re.findall(r"^  (-\S.*)$", result.stdout, flags=re.MULTILINE)
    assert all(re.search(r"\S {2,}\S", option) for option in options), "a flag without a description"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has an output that is always full")
def test_a_full_output_is_an_error_in_words() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "afina", "tasks"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "error: can't write: No space left on device; make room, or write elsewhere\n"


def test_help_lists_the_commands() -> None:
    result = afina("--help")
    assert result.exit_code == 0
    assert re.findall(r"^  ([a-z]+) {2,}\S", result.stdout, re.MULTILINE) == COMMANDS


def test_version() -> None:
    result = afina("--version")
    assert (result.exit_code, result.stdout) == (0, f"afina {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "code", "absent"),
    [
        (["--help"], 0, ["torch", "transformers", "numpy", "pydantic", "rich"]),
        (["--version"], 0, ["torch", "transformers", "numpy", "pydantic", "rich"]),
        (["models"], 0, ["torch", "transformers", "numpy"]),
        (["tasks"], 0, ["torch", "transformers", "sklearn", "scipy"]),
        (["init", "regression"], 0, ["torch", "transformers", "sklearn", "scipy"]),
        (["train", "--nonsense"], 2, ["torch", "transformers", "numpy"]),
        (["train", "--strategy", "half"], 2, ["torch", "transformers", "sklearn", "scipy"]),
        (["train", "--train", "absent.csv"], 2, ["torch", "transformers", "sklearn", "scipy"]),
        (["predict", "runs/absent", "--data", "absent.csv"], 2, ["torch", "transformers", "sklearn", "scipy"]),
    ],
)
def test_answers_that_need_nothing_heavy(arguments: list[str], code: int, absent: list[str]) -> None:
    script = (
        "import sys\nfrom afina.cli import main\n"
        f"sys.argv = ['afina', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit as error:\n    code = error.code\n"
        f"loaded = [name for name in {absent!r} if name in sys.modules]\n"
        "sys.exit(f'loaded: {loaded}' if loaded else code)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == code, done.stderr


def test_an_unknown_flag_brings_the_close_ones() -> None:
    refused(afina("train", "--epocs", "3"), "No such option: --epocs", "--epochs")


def test_a_flag_of_the_wrong_type() -> None:
    refused(afina("train", "--epochs", "três"), "'--epochs': expected a whole number, found 'três'")
    refused(afina("train", "--learning-rate", "2e"), "'--learning-rate': expected a number, found '2e'")


def test_a_run_that_fails(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: Any) -> Iterator[Any]:
        raise TrainingError("the loss is not finite at step 3")
        yield

    monkeypatch.setattr("afina.training.run.stream", failing)
    result = afina("train", *trained.flags)
    assert (result.exit_code, result.stderr) == (1, "error: the loss is not finite at step 3\n")


def test_an_unexpected_error_is_one_line(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Iterator[Any]:
        raise ZeroDivisionError("float division\nby zero")
        yield

    monkeypatch.setattr("afina.training.run.stream", broken)
    result = afina("train", *trained.flags)
    assert result.exit_code == 1
    assert result.stderr == "afina failed: ZeroDivisionError: float division (AFINA_DEBUG=1 shows where)\n"
    monkeypatch.setenv("AFINA_DEBUG", "1")
    assert "Traceback" in afina("train", *trained.flags).stderr


def test_a_reader_that_has_enough_ends_it_quietly() -> None:
    with start("models") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""


def test_a_hostile_label_sends_nothing_to_the_terminal(trained: Trained) -> None:
    evil = "\x1b]0;mine\x07\x9b2J\u202e"
    write_csv(Path("evil.csv"), [*ROWS, ("a film", evil)])
    for result in (
        afina("evaluate", trained.folder, "--data", "evil.csv"),
        afina("train", *trained.flags, "--text", evil),
        afina("train", "--task", evil),
        afina("train", "--set", f"{evil}=1"),
        afina("init", "classification", "--out", f"no/{evil}"),
    ):
        refused(result)
        assert not UNSAFE.search(result.stderr)
    afina("train", *trained.flags, "--train", "evil.csv", "--validation", "evil.csv", "--out", "run")
    for result in (
        afina("evaluate", "run", "--data", "evil.csv"),
        afina("train", *trained.flags, "--out", evil, "--quiet"),
    ):
        assert result.exit_code == 0, result.output
        assert not UNSAFE.search(result.stdout)
