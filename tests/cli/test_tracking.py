"""`--track`: a run is told to trackers; studies are not unless their own line says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from afina.cli.flags import configured_trials
from afina.config import load
from afina.evidence import asks_to_track, for_trials
from tests.cli.conftest import Trained, afina, refused


def test_a_training_is_tracked(trained: Trained) -> None:
    said = afina("train", *trained.flags, "--track", "ledger", "--out", "run")
    assert said.exit_code == 0, said.output
    assert "tracked with ledger: entry-run" in said.stdout
    lines = Path("run/tracking/ledger/ledger.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[-1]) == {"close": "finished"}
    assert "track:\n  - ledger" in Path("run/config.yaml").read_text(encoding="utf-8")


def test_what_is_not_there_is_said_before_anything_is_trained(trained: Trained) -> None:
    refused(afina("train", *trained.flags, "--track", "ledgre", "--out", "run"), "did you mean 'ledger'")
    assert not Path("run").exists()


def test_trials_are_tracked_where_the_line_says_so() -> None:
    config = load(None, {"training.track": ["ledger"], "data.train": "train.csv"})
    assert for_trials(config, asked=False).training.track == []
    assert for_trials(config, asked=True).training.track == ["ledger"]
    assert asks_to_track(["track"])
    assert asks_to_track(["training__track"])
    assert not asks_to_track(["strategy"])
    Path("config.yaml").write_text("data: {train: train.csv}\ntraining: {track: [ledger]}\n", encoding="utf-8")
    given = {"config": "config.yaml", "track": None, "settings": None}
    assert configured_trials({**given, "settings": ()}).training.track == []
    assert configured_trials({**given, "settings": ["training.track=ledger"]}).training.track == ["ledger"]
    assert configured_trials({**given, "settings": (), "track": ["ledger"]}).training.track == ["ledger"]


def test_trials_ask_for_trackers_that_are_there() -> None:
    config = load(None, {"training.track": ["nobody"], "data.train": "train.csv"})
    with pytest.raises(Exception, match="'nobody' is not a tracker"):
        for_trials(config, asked=True)
