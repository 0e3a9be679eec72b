"""Figures by themselves: they need no style from outside, are small, and hold nothing of the user's as markup."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from afina import Run
from afina.errors import ConfigError
from afina.evidence import StudyRun
from afina.inference import Evaluation
from afina.reporting.inline import CLASSES, figures_of_run
from afina.studies.summaries import Board, Figure, Series, Summary, Verdict
from tests.reporting.conftest import TASKS, Parsed
from tests.reporting.test_inert import NAUGHTY

SMALL = 60_000
"""Bytes that a run may take in a saved notebook."""


def run_in(folder: Path) -> Run:
    evaluation = Evaluation({"accuracy": 0.5}, {"accuracy": (0.1, 0.9)}, [], 4)
    return Run(folder, None, evaluation, None, {})  # type: ignore[arg-type]


@pytest.mark.parametrize("task", TASKS)
def test_a_run_shows_its_curves_below_its_table(task: str, runs: Callable[[str], Path]) -> None:
    run = run_in(runs(task))
    html = run._repr_html_()
    assert html.index("<table") < html.index("<svg")
    assert len(html.encode()) < SMALL
    page = Parsed(html)
    assert page.wrong == []
    assert len(page.named("svg")) == len(figures_of_run(run.folder)) == 2
    assert not CLASSES.search(html)
    assert "<style" not in html
    assert "var(--" not in html
    assert html.count(run.figure(2).svg) == 1
    assert repr(run.figure()).startswith("Loss. ")


def test_a_run_whose_folder_is_gone_shows_its_table(runs: Callable[[str], Path], tmp_path: Path) -> None:
    folder = shutil.copytree(runs("classification"), tmp_path / "run")
    run = run_in(folder)
    with pytest.raises(ConfigError, match="figure: expected a number from 1 to 2, found 3"):
        run.figure(3)
    shutil.rmtree(folder)
    assert "<svg" not in run._repr_html_()
    assert "<table" in run._repr_html_()
    with pytest.raises(ConfigError, match="there is no such folder"):
        run.figure()


def test_a_study_shows_its_first_figure_with_its_verdicts(tmp_path: Path) -> None:
    bad = "".join(NAUGHTY)
    figures = [Figure(f"{bad} {name}", bad, bad, [Series(bad, [1, 2], [0.5, 0.25])] * 2) for name in ("one", "two")]
    summary = Summary([Verdict(bad, "undecided", bad, bad)], [Board(bad, [bad], [[bad]])], figures)
    study = StudyRun(tmp_path, summary)
    html = study._repr_html_()
    assert len(html.encode("utf-8", "replace")) < SMALL * 2
    page = Parsed(html)
    assert page.wrong == []
    assert {name for name, _ in page.elements} <= {
        "div", "b", "svg", "path", "text", "polyline", "circle", "pre", "table", "tr", "td", "th", "thead", "tbody",
    }  # fmt: skip
    assert not [one for _, own in page.elements for one in own if one.startswith("on")]
    assert html.count("<svg") == 1
    assert study.figure().title != study.figure(2).title
    assert re.search(r'<svg xmlns="[^"]*" width="400" style="[^"]*currentColor"', study.figure().svg)
    with pytest.raises(ConfigError, match="figure: expected a number from 1 to 2, found 0"):
        study.figure(0)
    with pytest.raises(ConfigError, match="figure: this study has none"):
        StudyRun(tmp_path, Summary(summary.verdicts)).figure()
