"""The study of transfer, on tiny models; what its trainings say is in test_starts.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from afina.errors import ConfigError, ModelError
from afina.studies.events import Concluded
from afina.studies.transfer import others, same_data
from tests import runs
from tests.studies.designs import stream_study, tiny_study


def test_a_study_of_transfer(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    other = runs.finished(runs.events(tiny("bert"), tmp_path / "other", "regression", training__epochs=1)).folder
    study, _ = tiny_study(tiny("bert"), tmp_path / "study", training__epochs=2)
    options = {"seeds": 2, "scratch_rates": [5e-3], "models": [str(other)]}
    (*_, last) = stream_study("transfer", options, study)
    assert isinstance(last, Concluded)
    assert [verdict.claim for verdict in last.summary.verdicts] == [
        "The configured model is a better start than random weights",
        "Fine-tuned other is a better start than the configured model",
    ]
    assert len(list((tmp_path / "study" / "results").iterdir())) == 6
    assert [row[2] for row in last.summary.boards[0].rows] == [2, 2, 2]


def test_models_are_found_and_named_first(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    study, _ = tiny_study(tiny("bert"), tmp_path / "study")
    (arm,) = others(study, [str(tiny("roberta"))], [])
    assert arm.name == f"model {tiny('roberta').name}"
    assert arm.rates == [5e-3]
    with pytest.raises(ConfigError, match=r"option.models: .* is the configured model"):
        others(study, [str(tiny("bert"))], [])
    with pytest.raises(ConfigError, match=r"option.models: .* is given twice"):
        others(study, [str(tiny("roberta"))] * 2, [])
    with pytest.raises(ModelError, match="there is no folder"):
        list(stream_study("transfer", {"models": ["./nowhere"]}, study))


def test_a_model_that_has_seen_the_data_is_named(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    train = runs.write_csv(tmp_path / "train.csv", runs.reviews(20))
    run = tmp_path / "run"
    runs.events_of({
        "task": "classification", "data.train": str(train), "model.name": str(tiny("bert")), "out": str(run),
        "training.epochs": 1,
    })  # fmt: skip
    study, _ = tiny_study(tiny("bert"), tmp_path / "study", data__train=str(train))
    assert "was fine-tuned on the training data of this study" in same_data(study, str(run))
    other, _ = tiny_study(tiny("bert"), tmp_path / "study")
    assert same_data(other, str(run)) == ""
    assert same_data(study, str(tiny("roberta"))) == ""
