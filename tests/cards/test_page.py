"""Every command and program on the page about model cards runs, and its table names the sections of a card."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from afina.cards.card import render
from afina.training.card import facts_of
from tests.cards.conftest import Runs
from tests.cli.conftest import afina
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "model-cards.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", PAGE, flags=re.DOTALL)
COMMANDS = [line for kind, block in BLOCKS if kind == "sh" for line in block.splitlines()]
(PROGRAM,) = (block for kind, block in BLOCKS if kind == "python")
SECTIONS = [name for row in re.findall(r"^\| ([a-z, ]+) \| ", PAGE, flags=re.MULTILINE) for name in row.split(", ")]


@pytest.fixture(autouse=True)
def desk(runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run that the page names."""
    shutil.copytree(runs("classification"), tmp_path / "runs" / "desk")
    monkeypatch.chdir(tmp_path)


def test_every_command_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(COMMANDS) == 3
    for command in COMMANDS:
        result = afina(*shlex.split(command, comments=True)[1:])
        assert (result.exit_code, result.stdout) == (0, "card: runs/desk/model/README.md\n")
    exec(compile(PROGRAM, "page", "exec"), {})
    assert capsys.readouterr().out == "runs/desk/model/README.md\n"


def test_the_sections_are_those_of_a_card(runs: Runs) -> None:
    text = render(facts_of(runs("classification"))).lower()
    assert len(SECTIONS) == 9
    for name in SECTIONS[2:]:
        assert f"\n## {name}\n" in text
    keys = re.findall(r"`([a-z_-]+)`", next(line for line in PAGE.splitlines() if "block at the top |" in line))
    assert len(keys) == 7
    assert [key for key in keys if f"\n{key}:" not in text] == ["base_model", "language"]  # which are not known here
