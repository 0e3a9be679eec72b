"""The package of docs/extending.md, installed as the page shows it, trains through every command."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "extending.md").read_text(encoding="utf-8")
MODULES = dict(re.findall(r"```python\n# (mine/\w+\.py)\n(.*?)```", PAGE, flags=re.DOTALL))
POINTS = re.findall(r'\[project\.entry-points\."([\w.]+)"\]\n(\w+) = "([\w.:]+)"', PAGE)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder with the package of the page and its entry points, as pip would install it."""
    for name, code in MODULES.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(code, encoding="utf-8")
    about = tmp_path / "mine-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n", encoding="utf-8")
    points = "\n".join(f"[{group}]\n{name} = {place}\n" for group, name, place in POINTS)
    (about / "entry_points.txt").write_text(points, encoding="utf-8")
    return tmp_path


def test_the_page_shows_one_of_each() -> None:
    assert sorted(MODULES) == ["mine/hidden.py", "mine/norms.py", "mine/percent.py", "mine/share.py"]
    assert [group for group, _, _ in POINTS] == ["afina.tasks", "afina.heads", "afina.strategies", "afina.readers"]


def test_every_command_knows_them(package: Path, tiny: Callable[[str], Path]) -> None:
    data = package / "films.percent"
    lines = [f"{share}% a {word} film, {i}" for i in range(8) for word, share in (("fine", 90), ("dull", 10))]
    data.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def afina(*arguments: str) -> str:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(package), *filter(None, sys.path)])}
        done = subprocess.run(
            [sys.executable, "-m", "afina", *arguments],
            cwd=package, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    settings = [
        "--task", "share", "--train", str(data), "--validation", str(data), "--model", str(tiny("bert")),
        "--strategy", "norms", "--head", "hidden",
    ]  # fmt: skip
    assert "a number between 0 and 1" in afina("tasks")
    assert "0 errors" in afina("check", *settings)
    assert "steps" in afina("plan", *settings)
    afina("train", *settings, "--out", "run", "--epochs", "3", "--quiet")
    record = json.loads((package / "run" / "run.json").read_text(encoding="utf-8"))
    assert record["freeze_proof"]["frozen_tensors"] > 0
    assert set(record["validation"]["metrics"]) == {"spearman", "mean_absolute_error"}
    assert "mean_absolute_error" in afina("evaluate", "run", "--data", str(data))
    assert afina("predict", "run", "--data", str(data)).count('"share":') == len(lines)
