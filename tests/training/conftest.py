"""What the tests of training share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.runs import events, reviews, stopped, write_csv


@pytest.fixture
def interrupted(tiny: Callable[[str], Path], tmp_path: Path) -> Path:
    """A run with a checkpoint after step 3."""
    stopped(events(tiny("bert"), tmp_path / "run"), after=3)
    assert [place.name for place in (tmp_path / "run" / "checkpoints").iterdir()] == ["step-00000003"]
    return tmp_path / "run"


@pytest.fixture
def setting(tiny: Callable[[str], Path], tmp_path: Path) -> dict[str, Any]:
    """Settings, by path, of a short run from a file."""
    return {
        "data.train": str(write_csv(tmp_path / "train.csv", reviews())),
        "model.name": str(tiny("bert")),
        "training.epochs": 2,
        "training.learning_rate": 3e-3,
        "out": str(tmp_path / "run"),
    }
