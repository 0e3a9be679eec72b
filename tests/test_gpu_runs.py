"""Whole runs on a pretended GPU, packed, captured and read a step later, end as those on the CPU do."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from afina.model.families import FAMILIES
from tests.conftest import REPOSITORY
from tests.networks import FITTED

pytestmark = pytest.mark.cpu("the runs are on a pretended device, beside the CPU")
OTHERS = [family for family in FAMILIES if family != "bert"]


def check(folder: Path, families: list[str], tasks: list[str]) -> None:
    """Run all, and compare."""
    command = [sys.executable, "-m", "tests.gpu_runs", str(folder), ",".join(families), ",".join(tasks)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AFINA_TEST_")}
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False, timeout=3000
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(lines) >= len(tasks) * (2 * len(families) + 1)
    for line in lines:
        about = f"{line['family']}, {line['task']}, {line['strategy']}"
        if "moved" in line:
            assert same(line["moved"]["gpu"], line["moved"]["cpu"]), about
            continue
        assert same(line["gpu"], line["cpu"]), about
        assert line["cpu"]["captures"] == []
        assert any(text.startswith("captured ") for text in line["gpu"]["captures"]), about


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two runs have the same losses and scores, but for the order in which sums were taken."""
    pairs = [*zip(one["losses"], other["losses"], strict=True), *zip(one["scores"], other["scores"], strict=True)]
    return all(math.isclose(a, b, rel_tol=2e-4, abs_tol=1e-5) or (math.isnan(a) and math.isnan(b)) for a, b in pairs)


def test_runs_on_a_gpu_are_those_on_the_cpu(tmp_path: Path) -> None:
    check(tmp_path, ["bert"], ["classification", "tokens"])


@pytest.mark.slow
@pytest.mark.parametrize("family", OTHERS)
def test_runs_on_a_gpu_are_those_on_the_cpu_for_every_family(family: str, tmp_path: Path) -> None:
    check(tmp_path, [family], list(FITTED))
