"""Every example runs as it stands, with the embedded model; two epochs, because the suite is in a hurry."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from afina.config import load
from afina.training.events import Done
from afina.training.run import stream
from tests.conftest import REPOSITORY

EXAMPLES = REPOSITORY / "examples"
FOLDERS = sorted(path.parent.name for path in EXAMPLES.glob("*/config.yaml"))


def test_all_examples_are_found() -> None:
    assert FOLDERS == [
        "answers", "classification", "entities-pt", "extraction", "multilabel", "pairs", "portuguese", "regression"
    ]  # fmt: skip
    for folder in FOLDERS:
        readme = (EXAMPLES / folder / "README.md").read_text(encoding="utf-8")
        assert "afina train config.yaml" in readme


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_example_runs(folder: str, tmp_path: Path, embedded: str) -> None:
    config = load(EXAMPLES / folder / "config.yaml", {"training.epochs": 2, "out": str(tmp_path / "run")})
    (*_, last) = stream(config)
    assert isinstance(last, Done)
    assert last.test is not None
    assert json.loads((last.folder / "run.json").read_text())["status"] == "done"


@pytest.mark.parametrize(
    ("folder", "at_least"),
    [
        ("answers", 80),
        ("classification", 240),
        ("portuguese", 200),
        ("pairs", 120),
        ("regression", 120),
        ("entities-pt", 120),
        ("extraction", 120),
        ("multilabel", 160),
    ],
)
def test_the_data_are_as_large_as_promised_and_never_repeat(folder: str, at_least: int) -> None:
    from afina.data.parts import read_data

    parts = read_data(load(EXAMPLES / folder / "config.yaml")).splits
    # Text and pair together: questions share their passage.
    inputs = [(example.text, example.pair) for part in parts.values() for example in part]
    assert len(inputs) >= at_least
    assert len(set(inputs)) == len(inputs)
    assert yaml.safe_load((EXAMPLES / folder / "config.yaml").read_text(encoding="utf-8"))["task"]
