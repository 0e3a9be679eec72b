"""The benchmarks that need a machine of their own run at least on small shapes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

BENCH = Path(__file__).parents[1] / "bench"
pytestmark = pytest.mark.skipif(not BENCH.is_dir(), reason="bench/ is not part of an installation")
SMALL = ("--tiny", "--device", "cpu")


def ran(script: str, *flags: str | Path) -> str:
    """What a script says; it runs in a process of its own."""
    command = [sys.executable, str(BENCH / script), *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_the_gpu_benchmark_says_when_there_is_no_gpu() -> None:
    assert "no CUDA device here" in ran("gpu.py")


def test_every_figure_is_measured_or_said_not_to_be(tmp_path: Path) -> None:
    flags = ("--rows", "64", "--repeats", "1", "--only", "full,predict,steps,two-minutes", "--seconds", "150")
    ran("gpu.py", *SMALL, *flags, "--out", str(tmp_path))
    lines = [json.loads(line) for line in (tmp_path / "gpu.jsonl").read_text(encoding="utf-8").splitlines()]
    found = {line["what"]: line for line in lines}
    unmeasured = {what for what, line in found.items() if line["ratio"] is None}
    assert unmeasured == {"peak GPU memory, `full`", "hashing, proof and saving, share of a run of two minutes"}
    assert all(found[what]["value"].startswith("not measured: ") for what in unmeasured)
    measured = set(found) - unmeasured
    assert {"`full`, first run of a process", "`full`, warm", "predict"} <= measured
    assert all(found[what]["ratio"] > 0 for what in measured)
    for side in ("afina", "peer"):
        assert found["`full`, warm"]["runs"][side][0]["tokens"] == found["`full`, warm"]["runs"]["peer"][0]["tokens"]
    table = (tmp_path / "gpu.md").read_text(encoding="utf-8")
    assert all(f"| {what} |" in table and f"| {line['goal']} |" in table for what, line in found.items())


def test_all_that_a_gpu_can_tell_is_asked_and_kept(tmp_path: Path) -> None:
    """The script of `make gpu`, cut after a short while: what was found before is there, and the rest is said."""
    said = ran("on_gpu.py", *SMALL, "--seconds", "40", "--tests", "tests/model/test_crf.py", "--out", str(tmp_path))
    about = json.loads((tmp_path / "environment.json").read_text(encoding="utf-8"))
    assert (about["gpu"], about["torch"]) == (None, torch.__version__)
    for part in ("sanity", "gpu", "suite"):
        assert f"{part} ended with code" in said or f"{part} was cut" in said
    assert (tmp_path / "suite.md").is_file()
    assert (tmp_path / "summary.md").read_text(encoding="utf-8").strip() in said


WORDS = {"0": ("awful", "poor", "dull"), "1": ("lovely", "great", "fine")}


def test_the_study_of_bf16_goes_on_where_it_was_stopped(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    """Two seeds and two strategies in both arithmetics, on made-up reviews; the last run is lost, and run again."""
    (tmp_path / "sst2").mkdir()
    for name in ("train_sentences", "dev", "test"):
        lines = [f"a {WORDS[label][i % 3]} film {i}\t{label}" for i in range(30) for label in WORDS]
        (tmp_path / "sst2" / f"{name}.tsv").write_text("\n".join(["sentence\tlabel", *lines]) + "\n")
    records, results = tmp_path / "runs.jsonl", (BENCH / "RESULTS.md").read_bytes()
    flags = (
        "--study", "--data", tmp_path, "--records", records, "--speeds", tmp_path / "none", "--model", tiny("bert"),
        "--rows", "32", "--tests", "20", "--seeds", "2", "--sets", "sst2", "--strategies", "full,head",
        "--threads", "1",
    )  # fmt: skip
    said = ran("bf16.py", *flags)
    lines = records.read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert len({(row["strategy"], row["seed"], row["precision"]) for row in rows}) == len(rows) == 8
    assert all(0 <= row["score"] <= 1 and row["test_rows"] == 20 for row in rows)
    found = re.findall(r"^\| (\w+) \| (.+?) \| .* \| \**[+-]\S+ \[.*\] \((\d)\)", said, flags=re.MULTILINE)
    assert found == [
        ("full", "sst2 (20)", "2"), ("full", "all together", "2"),
        ("head", "sst2 (20)", "2"), ("head", "all together", "2"), ("all", "all together", "4"),
    ]  # fmt: skip
    records.write_text("\n".join(lines[:-1]) + "\n")
    again = ran("bf16.py", *flags)
    (last,) = [json.loads(line) for line in records.read_text().splitlines()[len(lines) - 1 :]]
    assert {**last, "seconds": 0} == {**rows[-1], "seconds": 0}
    assert again.partition("**Scores.**")[2] == said.partition("**Scores.**")[2]
    assert (BENCH / "RESULTS.md").read_bytes() == results


@pytest.mark.slow
def test_the_speeds_of_both_arithmetics_are_measured(real_data: Path, embedded: str, tmp_path: Path) -> None:
    flags = ("--rows", "64", "--repeats", "1", "--threads", "1", "--records", tmp_path / "none")
    said = ran("bf16.py", "--data", real_data, "--speeds", tmp_path / "found.json", *flags)
    table = said.partition("**Speed.**")[2]
    assert table.count("\n| SST-2") == 6
    assert len(re.findall(r"^\* full, (fp32|bf16): \d+ GFLOP/s, \d+% of that", table, flags=re.MULTILINE)) == 2


@pytest.mark.slow
def test_a_busy_machine_is_measured(real_data: Path, embedded: str, tmp_path: Path) -> None:
    flags = ("--data", real_data, "--records", tmp_path / "found.json", "--rows", "64", "--repeats", "1")
    table = ran("busy.py", *flags, "--threads", "1")
    assert re.findall(r"^\| (.*?) \| (.*?) \| \S+ \| [\d, ]+ \| \*\*", table, flags=re.MULTILINE) == [
        ("nothing", "all threads"), ("nothing", "afina by itself"),
        ("1 busy process", "all threads"), ("1 busy process", "afina by itself"),
    ]  # fmt: skip


@pytest.mark.slow
def test_explanations_are_held_against_chance(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "sst2").mkdir()
    for name in ("train_sentences", "test"):
        lines = [f"a {WORDS[label][i % 3]} film {i}\t{label}" for i in range(300) for label in WORDS]
        (tmp_path / "sst2" / f"{name}.tsv").write_text("\n".join(["sentence\tlabel", *lines]) + "\n")
    records, results = tmp_path / "records.jsonl", (BENCH / "RESULTS.md").read_bytes()
    flags = (
        "--data",
        tmp_path,
        "--model",
        tiny("bert"),
        "--only",
        "sst2",
        "--tests",
        "5",
        "--max-length",
        "32",
        "--records",
        records,
    )
    said = ran("explain.py", *flags, "--print")
    rows = [json.loads(line) for line in records.read_text().splitlines()]
    assert (rows[0]["about"]["texts"], len(rows)) == (5, 6)
    orders = ("gradient", "mask", "removal", "gradient, from 0", "random order")
    assert re.findall(r"^\| (?:left out|masked) \| (.*?) \| ", said, flags=re.MULTILINE) == [*orders, *orders]
    assert ran("explain.py", *flags, "--print") == said
    assert (BENCH / "RESULTS.md").read_bytes() == results
