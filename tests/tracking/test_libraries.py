"""The real libraries, with stores on this machine alone: what they were told is read back through their own readers."""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from afina.tracking.following import tracked
from afina.training import rundir
from afina.training.events import Done, Note, Step
from tests.tracking.conftest import made

pytestmark = pytest.mark.filterwarnings("default")  # those of foreign libraries


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses that somebody has tried to reach; none but this machine's own is."""
    tried: list[str] = []
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if host not in ("", "127.0.0.1", "::1", "localhost"):
            tried.append(str(host))
            raise OSError(101, "Network is unreachable")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    return tried


def needed(module: str) -> Any:
    """The library, or a word why the test is left out."""
    return pytest.importorskip(module, reason=f"{module} is not installed (pip install 'afina[{module}]')")


def twice(name: str, folder: Path) -> Sequence[str]:
    """A run that is stopped after step 5 and goes on from step 3; what was warned."""
    run, warned = tracked(made(folder), [name], folder), []
    (folder / "report.html").parent.mkdir(parents=True, exist_ok=True)
    (folder / "report.html").write_text("<p>a page</p>", encoding="utf-8")
    for event in run:
        if isinstance(event, Step) and event.number == 5:
            break
    run.close()
    events = list(tracked(made(folder, first=4), [name], folder))
    assert isinstance(events[-1], Done)
    warned += [event.text for event in events if isinstance(event, Note) and event.level == "warning"]
    return warned


def test_mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone: list[str]) -> None:
    mlflow = needed("mlflow")
    needed("sqlalchemy")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "letters")
    assert twice("mlflow", tmp_path / "desk") == []
    client = mlflow.MlflowClient()
    place = client.get_experiment_by_name("letters").experiment_id
    (run,) = client.search_runs([place])
    assert (run.info.status, run.info.run_name) == ("FINISHED", "desk")
    assert run.data.params["data.train"] == "letters.csv"
    history = client.get_metric_history(run.info.run_id, "train/loss")
    assert [(one.step, one.value) for one in history] == [(step, 1 / step) for step in range(1, 7)]
    assert run.data.metrics["test/accuracy"] == 0.5
    assert [one.step for one in client.get_metric_history(run.info.run_id, "validation/accuracy")] == [3, 6]
    found = {one.path for one in client.list_artifacts(run.info.run_id)}
    assert found == {"model", "report.html"}
    assert [one.path for one in client.list_artifacts(run.info.run_id, "model")] == ["model/README.md"]
    assert alone == []


def test_mlflow_keeps_runs_in_plain_files_where_it_is_told_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = needed("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "store").as_uri())
    assert twice("mlflow", tmp_path / "desk") == []
    client = mlflow.MlflowClient()
    (run,) = client.search_runs([client.get_experiment_by_name("afina").experiment_id])
    assert run.data.metrics["train/loss"] == pytest.approx(1 / 6)


def test_tensorboard(tmp_path: Path, alone: list[str]) -> None:
    needed("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert twice("tensorboard", tmp_path / "desk") == []
    place = tmp_path / "desk" / rundir.TRACKING / "tensorboard"
    assert len(list(place.iterdir())) == 2  # before the stop, and after it
    found = EventAccumulator(str(place)).Reload()
    assert [one.step for one in found.Scalars("train/loss")] == [1, 2, 3, 4, 5, 6]
    assert [one.step for one in found.Scalars("validation/accuracy")] == [3, 6]
    assert found.Scalars("test/accuracy")[0].value == 0.5
    assert "settings/text_summary" in found.Tags()["tensors"]
    assert alone == []


def records_of(file: Path) -> list[Any]:
    """The records of a run's file: a head of 7 bytes, then pieces of records in blocks of 32,768 bytes."""
    from wandb.proto import wandb_internal_pb2

    content, place, pieces, found = file.read_bytes(), 7, b"", []
    while place + 7 <= len(content):
        if 32768 - place % 32768 < 7:
            place += 32768 - place % 32768
            continue
        size, kind = int.from_bytes(content[place + 4 : place + 6], "little"), content[place + 6]
        pieces += content[place + 7 : place + 7 + size]
        place += 7 + size
        if kind in (1, 4):  # whole, or the last piece
            record = wandb_internal_pb2.Record()
            record.ParseFromString(pieces)
            found.append(record)
            pieces = b""
    return found


def whole(file: Path) -> list[Any]:
    """The same of a run that has ended; its own process may write the last of them a little later."""
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        found = records_of(file)
        if found and found[-1].WhichOneof("record_type") == "exit":
            return found
        time.sleep(0.1)
    raise TimeoutError(f"{file}: no record of its end")


def test_wandb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone: list[str]) -> None:
    needed("wandb")
    monkeypatch.delenv("WANDB_MODE", raising=False)  # offline is what it is without it
    assert twice("wandb", tmp_path / "desk") == []
    place = tmp_path / "desk" / rundir.TRACKING
    runs = sorted(place.glob("wandb/wandb/offline-run-*/*.wandb"))
    assert len({one.name for one in runs}) == 1, "one run, whichever its number of files"
    losses: dict[int, float] = {}
    scores: dict[str, str] = {}
    for record in (record for file in runs for record in whole(file)):
        items = {one.key or "/".join(one.nested_key): one.value_json for one in record.history.item}
        if "train/loss" in items:
            losses[int(items.get("_step", record.history.step.num))] = float(items["train/loss"])
        scores |= {one.key or ".".join(one.nested_key): one.value_json for one in record.summary.update}
    assert losses == {step: pytest.approx(1 / step) for step in range(1, 7)}
    assert any("test/accuracy" in name for name in scores)
    assert alone == []


def test_trackio(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "store"))
    needed("trackio")
    from trackio.sqlite_storage import SQLiteStorage

    name = f"desk-{math.floor(tmp_path.stat().st_mtime)}"
    assert twice("trackio", tmp_path / name) == []
    assert capsys.readouterr().out == ""
    logs = SQLiteStorage.get_logs("afina", name)
    losses = {one["step"]: one["train/loss"] for one in logs if "train/loss" in one}
    assert losses == {step: pytest.approx(1 / step) for step in range(1, 7)}
    assert [one["test/accuracy"] for one in logs if "test/accuracy" in one] == [0.5]
    assert alone == []
