"""Studies from design to summary: nothing is repeated, nothing is lost, and other studies are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from afina.errors import ConfigError, InputError
from afina.studies import base, runner
from afina.studies.events import Concluded, Ended, Inside, Started, StudyEvent
from afina.studies.folder import StudyFolder
from afina.studies.study import Study, opened
from afina.training.events import Step
from tests import runs
from tests.studies.designs import small, stream_study, tiny_study


@pytest.fixture(autouse=True)
def design(monkeypatch: pytest.MonkeyPatch) -> None:
    find = base.find
    monkeypatch.setattr(base, "find", lambda name: small if name == "small" else find(name))


@pytest.fixture
def tiny_bert(tiny: Callable[[str], Path]) -> Path:
    """A tiny BERT."""
    return tiny("bert")


def whole(model: Path, out: Path, **options: Any) -> list[StudyEvent]:
    """All events of the small study."""
    study, _ = tiny_study(model, out)
    return list(stream_study("small", options, study))


def contents(folder: Path) -> bytes:
    return (folder / "summary.json").read_bytes()


def test_a_study_goes_from_its_design_to_its_summary(tiny_bert: Path, tmp_path: Path) -> None:
    events = whole(tiny_bert, tmp_path / "study")
    last = events[-1]
    assert isinstance(last, Concluded)
    assert sum(isinstance(event, Ended) for event in events) == 5
    assert len(last.summary.boards[0].rows) == 5
    assert "examples" in last.summary.verdicts[0].sentence
    folder = StudyFolder(tmp_path / "study")
    assert folder.finished
    assert folder.summary()["recommended"] == dict(last.summary.recommended)


def test_what_is_finished_is_read(tiny_bert: Path, tmp_path: Path) -> None:
    out = tmp_path / "study"
    whole(tiny_bert, out)
    before = contents(out)
    again = whole(tiny_bert, out)
    assert not any(isinstance(event, (Started, Ended)) for event in again)
    assert contents(out) == before
    more = whole(tiny_bert, out, seeds=3)
    # Three seeds: one of them was tried as the one more of the better rate, which now asks for a fourth.
    assert sum(isinstance(event, Ended) for event in more) == 2


def test_a_stopped_study_ends_in_the_same_bytes(tiny_bert: Path, tmp_path: Path, same_bytes: None) -> None:
    whole(tiny_bert, tmp_path / "whole")
    out = tmp_path / "stopped"
    for stops in (3, 11, 24):
        study, _ = tiny_study(tiny_bert, out)
        stream = stream_study("small", {}, study)
        steps = 0
        for event in stream:
            steps += isinstance(event, Inside) and isinstance(event.event, Step)
            if steps == stops:
                break
        stream.close()
        assert not (out / "summary.json").exists()
    whole(tiny_bert, out)
    assert contents(out) == contents(tmp_path / "whole")


def test_another_study_is_refused(tiny_bert: Path, tmp_path: Path) -> None:
    out = tmp_path / "study"
    whole(tiny_bert, out)
    study, _ = tiny_study(tiny_bert, out, training__epochs=5)
    with pytest.raises(ConfigError, match="epochs: was 4, is 5"):
        list(stream_study("small", {}, study))
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "notes.txt").write_text("mine")
    study, _ = tiny_study(tiny_bert, tmp_path / "own")
    with pytest.raises(ConfigError, match="holds no study"):
        list(stream_study("small", {}, study))


def test_options_are_checked_first(tiny_bert: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"option.seeds: expected a whole number"):
        whole(tiny_bert, tmp_path / "study", seeds="many")
    with pytest.raises(ConfigError, match=r"option.seds: no such setting; did you mean 'seeds'"):
        whole(tiny_bert, tmp_path / "study", seds=2)
    assert not (tmp_path / "study").exists()
    with pytest.raises(ConfigError, match="is not a study"):
        base.find("stratgies")


def test_a_diverged_trial_is_a_result(tiny_bert: Path, tmp_path: Path) -> None:
    asked = {"rates": [1e-3, 1e30], "seeds": 1}
    events = whole(tiny_bert, tmp_path / "study", **asked)
    ended = [event.result for event in events if isinstance(event, Ended)]
    assert [one.state for one in ended] == ["done", "diverged", "done"]
    assert ended[1].message
    assert not ended[1].record
    again = whole(tiny_bert, tmp_path / "study", **asked)
    assert not any(isinstance(event, Started) for event in again)


def test_several_trials_at_a_time_give_the_same_summary(tiny_bert: Path, tmp_path: Path) -> None:
    study, _ = file_study(tiny_bert, tmp_path, "one")
    list(stream_study("small", {}, study))
    study, _ = file_study(tiny_bert, tmp_path, "two")
    stream = stream_study("small", {}, study, jobs=2)
    for event in stream:  # stopped after the first trial, and gone on with
        if isinstance(event, Ended):
            break
    stream.close()
    assert not (tmp_path / "two" / "summary.json").exists()
    study, _ = file_study(tiny_bert, tmp_path, "two")
    events = list(stream_study("small", {}, study, jobs=2))
    assert sum(isinstance(event, Ended) for event in events) <= 4
    assert contents(tmp_path / "two") == contents(tmp_path / "one")


def test_a_worker_that_fails_says_why(tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "check", lambda *_: None)
    study, _ = file_study(tiny_bert, tmp_path, "study")
    with pytest.raises(InputError, match=r"rate-\d-seed0: training.learning_rate: .* greater than 0"):
        list(stream_study("small", {"rates": [-1.0, -2.0], "seeds": 1}, study, jobs=2))


def file_study(model: Path, folder: Path, name: str) -> tuple[Study, list[str]]:
    """A study of rows in a file, with one thread a trial."""
    rows = folder / "rows.jsonl"
    rows.write_text("\n".join(map(json.dumps, runs.ROWS["classification"])))
    threads: dict[str, Any] = {"training.threads": 1, "data.train": str(rows), "data.validation": str(rows)}
    return opened(runs.configured(model, folder / name, **threads), folder / name)


def test_the_sample_of_a_study_is_drawn_once(tiny_bert: Path, tmp_path: Path) -> None:
    study, _ = tiny_study(tiny_bert, tmp_path / "study", data__sample=0.5)
    whole = len(runs.ROWS["classification"])
    assert study.examples == round(whole / 2)
    config = study.configured({"training.learning_rate": 1e-3})
    assert study.data_for(config).splits == study.data.splits
    larger = study.data_for(study.configured({"data.sample": whole - 1})).splits["train"]
    assert len(larger) == whole - 1  # a larger one holds it
    assert {id(one) for one in study.data.splits["train"]} <= {id(one) for one in larger}


def test_a_trial_that_can_not_begin_is_refused_before_others_train(tiny_bert: Path, tmp_path: Path) -> None:
    study, _ = tiny_study(tiny_bert, tmp_path / "study")
    events: list[StudyEvent] = []
    with pytest.raises(ConfigError, match="last-99-rate") as error:
        events.extend(stream_study("strategies", {"names": ["full", "last-99", "last-98"], "factors": [1.0]}, study))
    assert "last-98 asked for, but the model has 3 layers" in str(error.value)
    assert not list((tmp_path / "study" / "trials").glob("*"))
