"""Every design, whoever wrote it, keeps the contract: options with types, a summary, the same bytes again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from inspect import Parameter, getdoc, signature
from pathlib import Path
from typing import Any, get_args

import pytest

from afina.studies import base
from afina.studies.events import Concluded, Ended, Inside, Started
from afina.studies.folder import SUMMARY, StudyFolder, plain
from afina.studies.runner import stream_study
from afina.studies.summaries import Answer, Summary
from tests import runs
from tests.studies.designs import tiny_study

NAMES = base.names()
SMALLEST: dict[str, Mapping[str, Any]] = {
    "convergence": {"rates": [5e-3], "scratch_rates": [1e-3], "evaluations": 2},
    "data": {"sizes": [6, 10, 15], "rates": [5e-3], "scratch_rates": [1e-3]},
    "rates": {"names": ["head"], "factors": [1.0, 2.0]},
    "regularization": {"little": 8, "epochs": 1},
    "strategies": {"names": ["full", "head"], "factors": [1.0]},
    "sweep": {"trials": 2},
    "transfer": {"rates": [5e-3], "scratch_rates": [1e-3]},
}
"""The smallest options of a design; all have one seed, where they have seeds."""


def test_all_designs_are_seen() -> None:
    assert len(NAMES) >= 9
    assert len(set(NAMES)) == len(NAMES)
    assert set(SMALLEST) < set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_option_has_a_type_a_default_and_a_line(name: str) -> None:
    design = base.find(name)
    study, *options = signature(design, eval_str=True).parameters.values()
    assert study.kind is Parameter.POSITIONAL_OR_KEYWORD
    assert options
    text = getdoc(design) or ""
    for one in options:
        assert one.kind is Parameter.KEYWORD_ONLY
        assert one.annotation is not Parameter.empty
        assert one.default is not Parameter.empty
        assert f"\n    {one.name}: " in text
    complete = base.checked(design, {})
    assert base.checked(design, complete) == complete
    assert base.checked(design, json.loads(json.dumps(plain(complete)))).keys() == complete.keys()


def smallest(name: str, trained: Path) -> dict[str, Any]:
    """The smallest options of a design."""
    seeds = {"seeds": 1} if "seeds" in base.options_of(base.find(name)).model_fields else {}
    own = {"of": [str(trained)]} if name == "cost" else SMALLEST.get(name, {})
    return {**seeds, **own}


@pytest.fixture(scope="module")
def trained(tiny: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, for what reads runs."""
    folder = tmp_path_factory.mktemp("run") / "run"
    runs.finished(runs.events(tiny("bert"), folder, training__epochs=1))
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_a_design_runs_to_its_summary_and_is_read_again(
    name: str, trained: Path, tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    if name == "sweep":
        pytest.importorskip("optuna", reason="the extra sweep is not installed (pip install 'afina[sweep]')")
    out, options = tmp_path / "study", smallest(name, trained)
    study, _ = tiny_study(tiny("bert"), out, training__epochs=1)
    *events, last = stream_study(name, options, study)
    assert isinstance(last, Concluded)
    check(last.summary)
    record = StudyFolder(out).summary()
    assert record == json.loads(json.dumps(plain(last.summary.record()), allow_nan=False))
    before = (out / SUMMARY).read_bytes()
    again, _ = tiny_study(tiny("bert"), out, training__epochs=1)
    *rest, end = stream_study(name, options, again)
    assert isinstance(end, Concluded)
    assert not any(isinstance(event, (Started, Inside, Ended)) for event in rest)
    assert (out / SUMMARY).read_bytes() == before
    done = [event.result for event in events if isinstance(event, Ended)]
    assert len({result.trial.name for result in done}) == len(done)


def check(summary: Summary) -> None:
    """A summary says something, and its tables have as many cells as columns."""
    assert summary.verdicts
    for verdict in summary.verdicts:
        assert verdict.answer in get_args(Answer)
        assert verdict.claim
        # Sentences are whole, and what would decide is the rest of one.
        assert re.match(r"[A-Z0-9\[]", verdict.sentence), verdict
        assert verdict.sentence.endswith("."), verdict
        assert not verdict.decide.endswith("."), verdict
        assert ": :" not in verdict.sentence
        assert "undecided" not in verdict.sentence
        assert "would decide" not in verdict.decide
    for note in summary.notes:
        assert not note.endswith(".")
    for board in (*summary.boards, *summary.times):
        assert board.title
        assert board.rows
        assert {len(row) for row in board.rows} == {len(board.columns)}
    for series in (series for figure in summary.figures for series in figure.series):
        assert len(series.x) == len(series.y)
        assert len(series.low) == len(series.high)
        assert len(series.low) in (0, len(series.x))
    assert all(line.strip() for line in str(summary).splitlines() if line)
