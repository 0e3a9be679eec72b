"""The benchmarks that need a machine of their own run at least on small shapes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).parents[1] / "bench" / "gpu.py"
pytestmark = pytest.mark.skipif(not SCRIPT.is_file(), reason="bench/ is not part of an installation")


def ran(*flags: str) -> str:
    done = subprocess.run([sys.executable, SCRIPT, *flags], capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_the_gpu_benchmark_says_when_there_is_no_gpu() -> None:
    assert "no CUDA device here" in ran()


@pytest.mark.parametrize("shape", ["bert-base", "modernbert-base"])
def test_the_gpu_benchmark_works_on_small_shapes(shape: str) -> None:
    flags = ("--tiny", "--device", "cpu", "--rows", "64", "--repeats", "1", "--models", shape)
    table = [line for line in ran(*flags).splitlines() if line.startswith(f"| {shape}")]
    assert [line.split("|")[2].strip() for line in table] == [
        "full, 1 epochs",
        "last-4, kept states, 3 epochs",
        "head, kept states, 10 epochs",
        "predict",
    ]
