"""Every command and program that the page on comparisons shows runs, and gives what the page says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import afina
from tests.comparison.made import made, rights
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "comparing.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", PAGE, flags=re.DOTALL)
COMMANDS = [line for kind, block in BLOCKS if kind == "sh" for line in block.splitlines()]
RULES = re.findall(r"^\| `([^`]+)` \| ", PAGE.partition("## A gate")[2], flags=re.MULTILINE)
N = 120


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The runs that the page names."""
    monkeypatch.chdir(tmp_path)
    right = rights(N, 0.9)
    labels = ["a", "spam", "a, b"]
    for name in ("head", "full", "last-2", "old", "new"):
        strategy = name if name in ("head", "last-2") else "full"
        made(Path("runs") / name, right=right, strategy=strategy, fitted={"labels": ["a", "b", "c"]})
    for name in ("old", "new"):
        made(Path("named") / name, right=right, fitted={"labels": labels}, names=labels)
    for strategy in ("head", "full"):
        for seed in range(3):
            own = rights(N, 0.6, seed=seed)
            made(Path(f"runs/{strategy}-seed-{seed}"), right=own, strategy=strategy, seed=seed)


def test_the_examples_are_found() -> None:
    assert len(COMMANDS) == 6
    assert len(RULES) == 4
    assert sum(kind == "python" for kind, _ in BLOCKS) == 1


def expanded(pattern: str) -> list[str]:
    """The paths that a shell would give."""
    return sorted(str(path) for path in Path().glob(pattern))


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_runs(command: str) -> None:
    words = [found for word in shlex.split(command)[1:] for found in (expanded(word) if "*" in word else [word])]
    folder = "named" if "spam" in command else "runs"
    result = afina(*(word.replace("runs/", f"{folder}/") for word in words))
    assert result.exit_code == 0, result.output


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("rule", RULES)
def test_every_rule_is_understood(rule: str) -> None:
    assert afina("compare", "named/old", "named/new", "--gate", rule).exit_code == 0


@pytest.mark.usefixtures("runs")
def test_the_program_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = (block for kind, block in BLOCKS if kind == "python")
    exec(compile(program, "comparing.md", "exec"), {})
    assert "runs/full same 0.0" in capsys.readouterr().out


@pytest.mark.usefixtures("runs")
def test_the_shown_output_is_of_the_form_of_today() -> None:
    (shown,) = (block for kind, block in BLOCKS if kind == "")
    lines = afina("compare", "runs/head-seed-0", "runs/full-seed-1").stdout.splitlines()
    heads = [re.sub(r"  +", "  ", line) for line in lines if line.startswith(("run ", "label ", "note: "))]
    assert heads
    assert all(head in re.sub(r"  +", "  ", shown) for head in heads)
