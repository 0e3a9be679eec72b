"""What the README shows is true: its commands run, its map names every module."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, flags=re.DOTALL)
COMMANDS = [line for kind, block in BLOCKS if kind == "sh" for line in block.splitlines() if line.startswith("afina ")]
PROGRAMS = [block for kind, block in BLOCKS if kind == "python"]


def test_the_commands_are_found() -> None:
    assert len(COMMANDS) == 12
    assert len(PROGRAMS) == 1


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_command_runs_in_order(tmp_path: Path, embedded: str) -> None:
    shutil.copytree(REPOSITORY / "examples", tmp_path / "examples")
    for command in COMMANDS:
        run(["-m", "afina", *shlex.split(command)[1:]], tmp_path)
    assert len((tmp_path / "predictions.csv").read_text(encoding="utf-8").splitlines()) == 51


def test_the_program_runs(tmp_path: Path, embedded: str) -> None:
    shutil.copytree(REPOSITORY / "examples", tmp_path / "examples")
    (tmp_path / "program.py").write_text(PROGRAMS[0], encoding="utf-8")
    said = run(["program.py"], tmp_path)
    assert re.search(r"\d\.\d+", said)  # scores
    assert "['" in said  # predictions


def test_the_map_names_every_module() -> None:
    import afina

    package = Path(afina.__file__).parent
    modules = {path.relative_to(package).as_posix() for path in package.rglob("*.py")}
    modules -= {name for name in modules if name.endswith("/__init__.py")}
    (tree,) = [block for _, block in BLOCKS if block.startswith("src/afina/")]
    listed = {line.split()[0] for line in tree.splitlines()[1:]}
    assert listed == modules


@pytest.mark.parametrize("page", sorted(path.name for path in (REPOSITORY / "docs" / "decisions").glob("*.md")))
def test_decisions_are_numbered_pages(page: str) -> None:
    assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", page)
