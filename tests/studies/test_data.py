"""The study of labels, on tiny models; what its curves say is in test_labels.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from afina.errors import ConfigError
from afina.studies.base import least_important
from afina.studies.data import SHARES, data, usable
from afina.studies.events import Concluded, Ended
from afina.studies.folder import StudyFolder
from afina.studies.plan import reduced
from afina.studies.rates import rates
from afina.studies.summaries import Summary
from tests.studies.designs import stream_study, tiny_study


def summary_of(model: Path, out: Path, task: str = "classification", **options: Any) -> Summary:
    """The summary of a small study."""
    study, _ = tiny_study(model, out, task, training__epochs=1)
    (*_, last) = stream_study("data", {"scratch_rates": [5e-3], **options}, study)
    assert isinstance(last, Concluded)
    return last.summary


def test_a_study_of_labels(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    out = tmp_path / "study"
    options: dict[str, Any] = {"sizes": [1, 4, 8, 1.0, 99], "seeds": 2, "scratch_rates": [1e-3, 5e-3]}
    summary = summary_of(tiny("bert"), out, **options)
    fewer, more = summary.verdicts
    assert fewer.claim == "A pre-trained model needs fewer labels"
    assert more.answer == "undecided"
    assert "3 sizes of at most half" in more.sentence
    scores, needs = summary.boards
    assert scores.columns[:4] == ["labels", "pre-trained", "random weights", "TF-IDF linear"]
    assert [row[0] for row in scores.rows] == [row[0] for row in needs.rows] == [4, 8, 15]
    assert [line.name for line in summary.figures[0].series] == ["pre-trained", "random weights", "TF-IDF linear"]
    assert summary.notes[0] == "left out: 1 example, too few to show every label"
    assert summary.notes[1] == "left out: 99 examples, more than the 15 examples to train on"
    assert summary.notes[2].startswith("the constant answer has accuracy 0.")
    assert any(note.startswith("random weights: learning rate") for note in summary.notes)
    folder = StudyFolder(out)
    names = {file.stem for file in (out / "results").iterdir()}
    assert len(names) == 2 * 3 * 2 + 1  # the rate that was not chosen
    assert len(list((out / "measured").iterdir())) == 5  # all examples are the same for both seeds
    configs = [(out / "trials" / name / "config.yaml").read_text() for name in names if name.startswith("random")]
    assert all("weights: random" in text and "strategy: full" in text for text in configs)
    before = (out / "summary.json").read_bytes()
    study, _ = tiny_study(tiny("bert"), out, training__epochs=1)
    assert not any(isinstance(event, Ended) for event in stream_study("data", options, study))
    assert (out / "summary.json").read_bytes() == before
    assert folder.finished


@pytest.mark.parametrize("task", ["multilabel", "answers"])
def test_other_tasks(task: str, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    summary = summary_of(tiny("bert"), tmp_path / "study", task, sizes=[8, 1.0], seeds=1)
    linear = "TF-IDF linear" in summary.boards[0].columns
    assert linear == (task == "multilabel")
    assert all(verdict.sentence for verdict in summary.verdicts)
    assert str(summary)


def test_a_budget_leaves_out_the_smaller_inner_sizes(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    study, _ = tiny_study(tiny("bert"), tmp_path / "study")
    options: dict[str, Any] = {"sizes": SHARES, "seeds": 3}
    left_out = []
    while found := reduced(options, kept=("seeds",), least=lambda name, of: least_important(data, name, of, study)):
        options, line = found
        left_out.append(line)
    # Of 15 examples 1 % to 5 % can't be drawn; then the smallest and the largest stay.
    assert left_out == ["sizes 0.01", "sizes 0.02", "sizes 0.05", "sizes 0.2", "sizes 0.5"]
    assert options["sizes"] == [0.1, 1.0]
    assert usable(study, options["sizes"], 3) == ([2, 15], [])
    assert least_important(rates, "factors", [1.0, 0.2, 5.0], study) == 2


def test_sizes_that_make_no_curve_are_refused(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    study, _ = tiny_study(tiny("bert"), tmp_path / "study")
    assert usable(study, [0.5, 8, 1.0], 1) == ([8, 15], [])
    with pytest.raises(ConfigError, match=r"option.sizes: a curve takes two sizes, and 1 size can be drawn from 15"):
        usable(study, [1, 4], 1)
    with pytest.raises(ConfigError, match=r"option.sizes.*greater than or equal|option.sizes"):
        summary_of(tiny("bert"), tmp_path / "other", sizes=[0])
    random, _ = tiny_study(tiny("bert"), tmp_path / "random", model__weights="random")
    with pytest.raises(ConfigError, match="compares pretrained with random weights itself"):
        list(stream_study("data", {}, random))
