"""The application layer: what Python and the command line call."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import afina
from afina import api
from afina.errors import ConfigError, DataError
from afina.training import rundir
from afina.training.events import Begin, Done, Event, Note, Scored, Step

ROWS = [{"text": f"a {word} film", "label": label} for word, label in (("lovely", "good"), ("dull", "bad"))] * 6


def settings(model: Path, folder: Path, **more: Any) -> dict[str, Any]:
    """Settings of a small training."""
    return {"train": ROWS, "validation": ROWS, "model": model, "epochs": 1, "out": folder, **more}


def test_every_event_reaches_the_listener(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    heard: list[Event] = []
    run = afina.train(on_event=heard.append, **settings(tiny("bert"), tmp_path / "run"))
    assert {type(event) for event in heard} >= {Note, Begin, Step, Scored, Done}
    assert isinstance(heard[-1], Done)
    assert heard[-1].folder == run.folder
    notes = [event.text for event in heard if isinstance(event, Note)]
    assert any("stand in train too" in note for note in notes)  # what is odd about the data is said, too


def test_without_a_listener_warnings_are_logged(
    tiny: Callable[[str], Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="afina"):
        afina.train(**settings(tiny("bert"), tmp_path / "run"))
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert any("stand in train too" in message for message in warnings)
    assert any(record.getMessage().startswith("epoch 1: accuracy") for record in caplog.records)
    assert {record.name for record in caplog.records} == {"afina"}


def test_a_listener_that_fails_stops_the_run_and_leaves_a_checkpoint(
    tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    def fail(event: Event) -> None:
        if isinstance(event, Step):
            raise RuntimeError("enough")

    folder = tmp_path / "run"
    with pytest.raises(RuntimeError, match="enough"):
        afina.train(on_event=fail, **settings(tiny("bert"), folder))
    assert rundir.RunFolder(folder).has_checkpoint
    assert afina.train(**settings(tiny("bert"), folder)).record["status"] == "done"


def test_what_is_wrong_is_told_at_once_and_nothing_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    rows = [{"text": "", "label": "a"}]
    with pytest.raises(ConfigError) as error:
        afina.train(train=rows, model="./nowhere", out=folder)
    message = str(error.value)
    assert "is not empty" in message
    assert "there is no folder './nowhere'" in message
    assert "train row 1: column 'text' is empty" in message
    with pytest.raises(DataError):
        afina.train(train=rows, out=tmp_path / "new")
    assert [place.name for place in tmp_path.iterdir()] == ["mine"]


def test_the_early_checks_need_no_listener(tmp_path: Path) -> None:
    config, sources = api.configured(None, {"train": ROWS, "model": "./nowhere", "out": tmp_path / "run"})
    with pytest.raises(ConfigError, match=r"there is no folder './nowhere'"):
        api.events(config, sources)
    assert not (tmp_path / "run").exists()


def test_plan_trains_nothing(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    plan = afina.plan(**settings(tiny("bert"), tmp_path / "run"))
    assert plan.examples == len(ROWS)
    assert not (tmp_path / "run").exists()


def test_a_folder_is_inspected_once_by_a_load(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = afina.train(**settings(tiny("bert"), tmp_path / "run"))
    from afina.model import families
    from afina.model import folder as folder_of

    inspected: list[Path] = []

    def watched(folder: Path) -> Path:
        inspected.append(folder)
        return folder_of.inspect(folder)

    monkeypatch.setattr(families, "inspect", watched)
    afina.load(run.folder)
    assert inspected == [run.folder / rundir.MODEL]


def test_a_configuration_can_be_given_and_overridden(tmp_path: Path) -> None:
    config, sources = api.configured(None, {"train": ROWS, "epochs": 3, "training__layer_decay": 0.9})
    assert sources == {"train": ROWS}
    again, _ = api.configured(config, {"epochs": 4})
    assert (again.training.epochs, again.training.layer_decay) == (4, 0.9)
