"""The page of runs side by side: every task, inert, the rows that flipped, and errors."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from afina.cli.app import program
from afina.errors import ConfigError
from afina.reporting import comparison
from afina.reporting.report import report
from afina.training import rundir
from tests.comparison.made import example, made, rights
from tests.reporting.conftest import TASKS, inert
from tests.reporting.test_inert import run_of
from tests.runs import events, finished


def scored(folder: Path, right: Sequence[bool]) -> Path:
    """A finished run that keeps what is right beside its answers."""
    made(folder, right=right)
    file = folder / rundir.PREDICTIONS
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    targets = [example("classification", i).target for i in range(len(right))] * 2
    told = (json.dumps({**line, "target": target}) + "\n" for line, target in zip(lines, targets, strict=True))
    file.write_text("".join(told), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def others(tiny: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Folder of a small run of a task with another seed and one epoch, made when first asked for."""
    root = tmp_path_factory.mktemp("others")

    def folder(task: str) -> Path:
        path = root / task
        if not path.exists():
            finished(events(tiny("bert"), path, task, training__epochs=1, seed=1))
        return path

    return folder


def html_of(*folders: Path, out: Path, language: str = "en") -> str:
    return report(*folders, out=out, language=language).read_text(encoding="utf-8")


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("language", ["en", "pt"])
def test_every_task_has_a_page(
    task: str, language: str, runs: Callable[[str], Path], others: Callable[[str], Path], tmp_path: Path
) -> None:
    folders = [runs(task), others(task)]
    html = html_of(*folders, out=tmp_path / "page.html", language=language)
    page = inert(html)
    assert page.named("html") == [{"lang": language}]
    keys = [one["id"] for one in page.named("section")]
    assert keys[0] == "verdict"
    assert keys[-1] == "again"
    assert ("flips" in keys) == (task != "regression")
    assert len(page.named("svg")) == 2
    assert not re.search(r"\b(?:nan|inf|None(?! of))\b", page.text)
    assert html == html_of(*folders, out=tmp_path / "page.html", language=language)


def test_rows_that_flipped_are_listed_with_both_answers(tmp_path: Path) -> None:
    right = [[True] * 10, [True] * 8 + [False] * 2]
    runs = [scored(tmp_path / name, own) for name, own in zip(("first", "second"), right, strict=True)]
    page = inert(html_of(*runs, out=tmp_path / "page.html"))
    assert "2 rows went from right to wrong, 0 from wrong to right." in page.text
    (link,) = [one["href"] or "" for one in page.named("a") if one.get("download") == "flips-1.csv"]
    rows = list(csv.DictReader(io.StringIO(base64.b64decode(link.partition(",")[2]).decode("utf-8-sig"))))
    assert [row["place"] for row in rows] == ["row 8", "row 9"]
    assert all(row["given"] == row["baseline"] != row["run"] for row in rows)
    assert {row["right"] for row in rows} == {"first"}


def test_of_many_rows_a_draw_is_shown_and_said(tmp_path: Path) -> None:
    runs = [scored(tmp_path / "first", [True] * 200), scored(tmp_path / "second", [False] * 200)]
    page = inert(html_of(*runs, out=tmp_path / "page.html"))
    assert f"A random draw of {comparison.ROWS} of them is shown" in page.text
    assert len([one for one in page.named("li") if (one.get("class") or "").startswith("f")]) == comparison.ROWS


def test_runs_of_bad_strings_are_inert(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    runs = [run_of("classification", tiny("bert"), tmp_path / name) for name in ("<b>&'\u202e", '"><svg onload=x>')]
    for language in ("en", "pt"):
        html = html_of(*runs, out=tmp_path / "page.html", language=language)
        inert(html)
        assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", html)


def test_what_cant_stand_side_by_side(tmp_path: Path) -> None:
    run, study = scored(tmp_path / "run", [True] * 10), tmp_path / "study"
    study.mkdir()
    (study / "study.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"study: a study has a page of its own"):
        report(run, study)
    with pytest.raises(ConfigError, match=r"slice: only the page of one run has parts"):
        report(run, run, slice_by=["source"])
    with pytest.raises(ConfigError, match=r"explain: only the page of one run lists errors"):
        report(run, run, explain=3)
    other = shutil.copytree(run, tmp_path / "other")
    (other / "predictions.jsonl").write_text("{\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"predictions.jsonl"):
        report(scored(tmp_path / "wrong", [False] * 10), other, out=tmp_path / "page.html")


def test_the_command_compares_and_writes_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [str(scored(tmp_path / name, rights(60, share))) for name, share in (("first", 0.6), ("second", 0.8))]
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(program(), ["report", *runs])
    assert (done.exit_code, done.output) == (0, "comparison.html\n")
    first = (tmp_path / "comparison.html").read_bytes()
    done = CliRunner().invoke(program(), ["compare", *runs, "--report", "other.html"])
    assert done.exit_code == 0
    assert done.output.endswith("page: other.html\n")
    assert (tmp_path / "other.html").read_bytes() == first
