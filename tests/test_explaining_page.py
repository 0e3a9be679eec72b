"""Every command and program that the page on explanations shows runs, and its tables name what there is."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import afina as package
from afina.serving.explanations import METHODS
from afina.serving.predictor import Predictor
from tests.cli.conftest import afina, write_csv
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "explaining.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", PAGE, flags=re.DOTALL)
COMMANDS = [line for kind, block in BLOCKS if kind == "sh" for line in block.splitlines()]
TEXTS = {"waste": "Nobody has emptied the green bins", "roads": "A deep hole in the road"}
SPANS = [{"start": 0, "end": 3, "label": "PERSON"}, {"start": 13, "end": 18, "label": "PLACE"}]


@pytest.fixture(scope="module")
def runs(tiny: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs that the page names, and the letters."""
    root = tmp_path_factory.mktemp("explaining")
    how: dict[str, Any] = {"model": tiny("bert"), "epochs": 1, "progress": False, "learning_rate": 3e-3}
    rows = [{"text": f"{text} {i}", "label": label} for i in range(6) for label, text in TEXTS.items()]
    package.train(train=rows, validation=rows, out=root / "runs" / "desk", **how)
    people = [{"text": f"{who} lives in Porto {i}.", "spans": SPANS} for i in range(3) for who in ("Ana", "Rui")]
    package.train(task="tokens", train=people, validation=people, out=root / "runs" / "people", **how)
    write_csv(root / "letters.csv", [(text,) for text in TEXTS.values()], ("text",))
    return root


def test_the_examples_are_found() -> None:
    assert len(COMMANDS) == 5
    assert sum(kind == "python" for kind, _ in BLOCKS) == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_runs(command: str, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(runs)
    result = afina(*shlex.split(command)[1:])
    assert result.exit_code == 0, result.output
    assert result.stdout


def test_the_program_runs(runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(runs)
    (program,) = (block for kind, block in BLOCKS if kind == "python")
    exec(compile(program, "explaining.md", "exec"), {})
    assert re.search(r"^0 waste 0\.\d+ \[\('", capsys.readouterr().out, flags=re.MULTILINE)


def test_the_shown_output_is_of_the_form_of_today(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(runs)
    (shown,) = (block for kind, block in BLOCKS if kind == "")
    found = afina(*shlex.split(COMMANDS[0])[1:]).stdout
    forms = [re.sub(r"[-+]+|\d+\.\d+", "#", re.sub(r" +", " ", text)).splitlines() for text in (shown, found)]
    assert forms[0][0] == forms[1][0]
    assert forms[0][1].split(" ", 1)[1] == forms[1][1].split(" ", 1)[1]
    assert forms[0][2] == forms[1][2]


def test_the_methods_are_listed_and_the_first_is_the_default() -> None:
    table = PAGE.partition("| `--method` |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)`", table, flags=re.MULTILINE) == list(METHODS)
    (default,) = re.findall(r"^\| `(\w+)` \(the default\)", table, flags=re.MULTILINE)
    assert (Predictor.explain.__kwdefaults__ or {})["method"] == default == next(iter(METHODS))
    assert afina("explain", "runs/absent", "a text").stderr == afina(
        "explain", "runs/absent", "a text", "--method", default
    ).stderr  # fmt: skip
