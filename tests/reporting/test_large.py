"""A million predictions make a page under 5 MB, in memory that holds columns of numbers and no texts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from afina.tasks.base import find
from afina.training import rundir, score_tables
from afina.training.score_tables import Scored
from tests.comparison.made import made, rights
from tests.reporting.conftest import inert

ROWS = 1_000_000
LABELS = ["a", "b", "c"]
PROGRAM = """
import resource, sys
from afina.reporting.run import report
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
report(sys.argv[1], language="en")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def large(folder: Path, size: int) -> Path:
    """The folder of a run with so many predictions."""
    made(folder, right=rights(30, 0.8), splits=("test",))
    generator = np.random.default_rng(0)
    gold = generator.integers(3, size=size)
    said = np.where(generator.random(size) < 0.8, gold, (gold + 1) % 3)
    sure = 0.4 + 0.6 * generator.random(size)
    with (folder / rundir.PREDICTIONS).open("w") as said_file, (folder / rundir.EXAMPLES).open("w") as texts:
        for i, (one, other, share) in enumerate(zip(gold.tolist(), said.tolist(), sure.tolist(), strict=True)):
            place = f"test.csv:{i + 2}"
            chances = {name: share if k == other else (1 - share) / 2 for k, name in enumerate(LABELS)}
            line = {
                "split": "test",
                "place": place,
                "target": LABELS[one],
                "label": LABELS[other],
                "probabilities": chances,
            }
            said_file.write(json.dumps(line) + "\n")
            text = f"text {i} " + "word " * (i % 37)
            texts.write(json.dumps({"split": "test", "place": place, "text": text, "tokens": 2 + i % 37}) + "\n")
    zeros = np.zeros(size)
    table = {"gold": gold, "predicted": said, "log_probability": zeros, "squared_error": zeros, "confidence": sure}
    task = find("classification")
    about = {"name": "classification", "options": task.Options().model_dump(mode="json"), "fitted": {"labels": LABELS}}
    score_tables.write(folder / rundir.SCORES, {"test": Scored(table, np.arange(size, dtype=np.uint64))}, task=about)
    record = json.loads((folder / rundir.RUN).read_text(encoding="utf-8"))
    record["test"]["examples"] = size
    (folder / rundir.RUN).write_text(json.dumps(record), encoding="utf-8")
    (folder / rundir.DATA).write_text("{}", encoding="utf-8")
    return folder


@pytest.mark.parametrize("size", [3_000, pytest.param(ROWS, marks=pytest.mark.slow)])
def test_large_runs_have_small_pages(size: int, tmp_path: Path) -> None:
    folder = large(tmp_path / "run", size)
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(folder)], capture_output=True, text=True, check=True)
    page = folder / rundir.REPORT
    assert page.stat().st_size < 5e6
    assert int(done.stdout) < 100 + 600 * size / 1e6  # MB
    parsed = inert(page.read_text(encoding="utf-8"))
    assert ("drawn at random" in parsed.text) == (size > 200_000)
    assert f"{size:,}" in parsed.text
