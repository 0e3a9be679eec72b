"""The study of cost reads what others left, and runs nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from afina.errors import ConfigError
from afina.studies.cost import in_order, origin_of
from afina.studies.events import Concluded, Ended
from tests import runs
from tests.studies.designs import stream_study, tiny_study


def test_a_study_of_cost(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    study, _ = tiny_study(tiny("bert"), tmp_path / "cost")
    with pytest.raises(ConfigError, match=r"no training of classification with .* has ended in or beside"):
        list(stream_study("cost", {}, study))
    runs.finished(runs.events(tiny("bert"), tmp_path / "own", training__epochs=1))
    runs.finished(runs.events(tiny("bert"), tmp_path / "other", "regression", training__epochs=1))
    before, _ = tiny_study(tiny("bert"), tmp_path / "steps", training__epochs=1)
    options = {"seeds": 1, "scratch_rates": [1e-3], "rates": [5e-3], "evaluations": 2}
    list(stream_study("convergence", options, before))
    events = list(stream_study("cost", {}, study))
    assert not any(isinstance(event, Ended) for event in events)
    assert isinstance(events[-1], Concluded)
    summary = events[-1].summary
    assert [row[:3] for row in summary.boards[0].rows] == [
        ["own", "own", 1],
        ["steps", "pre-trained, rate 0.005", 1],
        ["steps", "random weights, rate 0.001", 1],
    ]
    assert summary.verdicts[0].answer == "undecided"  # nobody published what the tests' model took
    again, _ = tiny_study(tiny("bert"), tmp_path / "again")
    (*_, last) = stream_study("cost", {"of": [str(tmp_path / "other")], "pretraining": 1e20}, again)
    assert isinstance(last, Concluded)
    assert [row[0] for row in last.summary.boards[0].rows] == ["other"]
    assert last.summary.verdicts[0].answer == "confirmed"
    with pytest.raises(ConfigError, match="is no study and no run of afina"):
        list(stream_study("cost", {"of": [str(tmp_path / "nowhere")]}, again))
    assert origin_of(str(tmp_path / "own")) == str(tiny("bert"))


def test_numbers_in_names_sort_by_their_size() -> None:
    names = ["b-5", "a-120-examples-seed10", "a-30-examples-seed0", "a-120-examples-seed2"]
    assert sorted(names, key=in_order) == [names[2], names[3], names[1], names[0]]
