"""`afina compare`: what the shell is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import afina as package
from tests.cli.conftest import afina
from tests.comparison.made import made, rights

N = 120


@pytest.fixture
def runs() -> tuple[Path, Path]:
    """An older run and a newer one that loses every fourth row."""
    old = rights(N, 0.9)
    new = [one and i % 4 != 0 for i, one in enumerate(old)]
    return made(Path("old"), right=old), made(Path("new"), right=new)


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        ((), 0),
        (("--gate", "accuracy -0.5"), 1),
        (("--gate", "accuracy -60, recall per label -70"), 0),
        (("--gate", "accuracy -22"), 0),
        (("--gate", "accuracy -22", "--gate-undecided", "fail"), 1),
        (("--gate", "accurcy -1"), 2),
        (("--gate", "accuracy"), 2),
        (("--gate-undecided", "maybe"), 2),
        (("--margin", "-1"), 2),
        (("--split", "train"), 2),
        (("--baseline", "nowhere"), 2),
    ],
)
def test_exit_codes(flags: tuple[str, ...], code: int, runs: tuple[Path, Path]) -> None:
    result = afina("compare", *runs, *flags)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output


def test_a_program_gets_one_object(runs: tuple[Path, Path]) -> None:
    result = afina("compare", *runs, "--json", "--gate", "accuracy -0.5", "--margin", "0.01")
    assert result.exit_code == 1
    record = json.loads(result.stdout)
    assert record["gate"]["failed"] == ["accuracy"]
    assert record["comparisons"][0]["answer"] == "worse"
    found = package.compare(*runs, margin=0.01, gate="accuracy -0.5")
    assert found.contrasts[0].difference.value == record["comparisons"][0]["difference"]


def test_one_run_is_not_enough(runs: tuple[Path, Path]) -> None:
    result = afina("compare", runs[0])
    assert (result.exit_code, "name two runs or more" in result.stderr) == (2, True)
    assert "there is no such folder" in afina("compare", runs[0], "nowhere").stderr
