"""The same seed gives the same bytes in a fresh process, wherever and however it is started."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def test_the_same_bytes_in_another_process(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    data = tmp_path / "train.csv"
    with data.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows([f"a {word} film, {i}", word] for i in range(12) for word in ("lovely", "awful", "ação"))
    arguments = [
        "-m", "afina", "train", "--train", str(data), "--model", str(tiny("bert")), "--strategy", "last-2",
        "--epochs", "2", "--quiet",
    ]  # fmt: skip
    settings: list[tuple[str, dict[str, str]]] = [
        ("one", {"PYTHONHASHSEED": "1", "LC_ALL": "C", "TZ": "UTC"}),
        ("two", {"PYTHONHASHSEED": "77", "LC_ALL": "C.UTF-8", "TZ": "America/Sao_Paulo"}),
    ]
    found = []
    for name, more in settings:
        folder = tmp_path / name
        folder.mkdir()
        run = [sys.executable, *arguments, "--out", "run"]
        done = subprocess.run(run, cwd=folder, env={**os.environ, **more}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        files = ("model/model.safetensors", "predictions.jsonl", "steps.jsonl", "evaluations.jsonl", "data.json")
        found.append({file: (folder / "run" / file).read_bytes() for file in files})
    assert found[0] == found[1]
