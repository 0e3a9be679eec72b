"""The same seed gives the same bytes in a fresh process, wherever and however it is started."""

from __future__ import annotations

import csv
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runs import bytes_of, promised


@pytest.mark.usefixtures("same_bytes")
def test_the_same_bytes_in_another_process(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    data = tmp_path / "train.csv"
    with data.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows([f"a {word} film, {i}", word] for i in range(12) for word in ("lovely", "awful", "ação"))
    arguments = [
        "-m", "afina", "train", "--train", str(data), "--model", str(tiny("bert")), "--strategy", "last-2",
        "--epochs", "2", "--quiet", "--set", "training.precision=fp32",
        *(part for name, value in promised().items() for part in ("--set", f"{name}={value}")),
    ]  # fmt: skip
    settings: list[tuple[str, int, dict[str, str]]] = [
        ("one", 0o022, {"PYTHONHASHSEED": "1", "LC_ALL": "C", "TZ": "UTC", "PYTHONUTF8": "0"}),
        ("two", 0o007, {"PYTHONHASHSEED": "77", "LC_ALL": "C.UTF-8", "TZ": "America/Sao_Paulo"}),
    ]
    found = []
    for name, umask, more in settings:
        folder = tmp_path / name
        folder.mkdir()
        run = [sys.executable, *arguments, "--out", "run"]
        done = subprocess.run(
            run, cwd=folder, env={**os.environ, **more}, umask=umask, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        found.append(bytes_of(folder / "run"))
        modes = {file: stat.S_IMODE(file.stat().st_mode) for file in (folder / "run").rglob("*") if file.is_file()}
        assert set(modes.values()) == {0o666 & ~umask}, modes
    assert sorted(found[0]) == sorted(found[1])
    assert [name for name in found[0] if found[0][name] != found[1][name]] == []
