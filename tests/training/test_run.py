"""Runs from files to a folder: what they write, what they prove, what they refuse."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import afina
from afina.config import load
from afina.errors import ConfigError, DataError, ModelError, TrainingError
from afina.training import rundir
from afina.training.loop import Step
from afina.training.run import Begin, Done, Event, Note, Scored, prove, stream

WORDS = {"good": ["lovely", "great", "fine"], "bad": ["awful", "poor", "broken"]}


def rows(n: int = 40) -> list[dict[str, str]]:
    things = ["film", "room", "meal", "song", "cat", "dog"]
    return [
        {"text": f"a {WORDS[label][i % 3]} {things[i % 6]}, {i}", "label": label}
        for i in range(n)
        for label in (["good", "bad"][i % 2],)
    ]


def write_csv(path: Path, some: list[dict[str, Any]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(some[0]))
        writer.writeheader()
        writer.writerows(some)
    return path


@pytest.fixture
def setting(tiny: Callable[[str], Path], tmp_path: Path) -> dict[str, Any]:
    return {
        "data.train": str(write_csv(tmp_path / "train.csv", rows())),
        "model.name": str(tiny("bert")),
        "training.epochs": 2,
        "training.learning_rate": 3e-3,
        "out": str(tmp_path / "run"),
    }


def events_of(setting: dict[str, Any]) -> list[Event]:
    return list(stream(load(None, setting)))


def done(events: list[Event]) -> Done:
    assert isinstance(events[-1], Done)
    return events[-1]


@pytest.mark.parametrize("strategy", ["full", "head", "last-1", "last-3"])
def test_a_run_writes_its_record_and_proves_what_it_froze(
    setting: dict[str, Any], strategy: str, tmp_path: Path
) -> None:
    test = write_csv(tmp_path / "test.csv", rows(10))
    result = done(events_of({**setting, "strategy": strategy, "data.test": str(test)}))
    folder = result.folder
    names = {path.name for path in folder.iterdir()}
    assert names == {
        rundir.CONFIG, rundir.DATA, rundir.CHECK, rundir.STEPS, rundir.EVALUATIONS, rundir.PREDICTIONS, rundir.MODEL,
        rundir.RUN,
    }  # fmt: skip
    record = rundir.read_run(folder)
    proof = record["freeze_proof"]
    assert proof["frozen_tensors_moved"] == []
    assert proof["trained_tensors_unmoved"] == []
    assert (proof["frozen_tensors"] == 0) == (strategy == "full")
    assert record["parameters"]["trained"] > 0
    steps = [json.loads(line) for line in (folder / rundir.STEPS).read_text().splitlines()]
    assert [step["number"] for step in steps] == list(range(1, record["steps"] + 1))
    assert len((folder / rundir.PREDICTIONS).read_text().splitlines()) == 4 + 10
    assert set(record["test"]["metrics"]) >= {"accuracy", "macro_f1"}
    low, high = record["test"]["intervals"]["accuracy"]
    assert low <= record["test"]["metrics"]["accuracy"] <= high


def test_frozen_weights_in_the_saved_model_are_the_base_models(
    setting: dict[str, Any], tiny: Callable[[str], Path]
) -> None:
    """Checked on the files, not on the run's own word."""
    result = done(events_of({**setting, "strategy": "last-1"}))
    base = load_file(tiny("bert") / "model.safetensors")
    tuned = load_file(result.folder / "model" / "model.safetensors")
    shared = [name for name in tuned if name in base]
    equal = {name for name in shared if torch.equal(tuned[name], base[name])}
    assert {name for name in shared if ".layer.2." not in name} == equal
    assert not {name for name in equal if ".layer.2." in name}


def test_events_come_in_order(setting: dict[str, Any]) -> None:
    events = events_of(setting)
    kinds = [type(event) for event in events if not isinstance(event, Note)]
    assert kinds[0] is Begin
    assert kinds.count(Scored) == 2
    assert kinds.count(Step) == events[[type(e) for e in events].index(Begin)].steps  # type: ignore[union-attr]
    assert any("held out" in event.text for event in events if isinstance(event, Note))


def test_the_resolved_configuration_runs_again_to_the_same_bytes(setting: dict[str, Any], tmp_path: Path) -> None:
    first = done(events_of({**setting, "strategy": "last-2"})).folder
    second = tmp_path / "again"
    list(stream(load(first / rundir.CONFIG, {"out": str(second)})))
    one, other = ((folder / "model" / "model.safetensors").read_bytes() for folder in (first, second))
    assert one == other
    assert (first / rundir.PREDICTIONS).read_bytes() == (second / rundir.PREDICTIONS).read_bytes()


def test_a_run_leaves_the_callers_arithmetic_alone(setting: dict[str, Any]) -> None:
    """Flushing tiny numbers to 0 is a state of the process; it must not outlive a step."""
    tiny_number = 5e-324
    for event in stream(load(None, setting)):
        assert tiny_number * 1.0 > 0, event


def test_the_seed_matters(setting: dict[str, Any], tmp_path: Path) -> None:
    one = done(events_of(setting)).folder
    other = done(events_of({**setting, "seed": 1, "out": str(tmp_path / "other")})).folder
    assert (one / "model/model.safetensors").read_bytes() != (other / "model/model.safetensors").read_bytes()


def test_the_best_epoch_is_kept_and_patience_stops(setting: dict[str, Any]) -> None:
    """A rate that ruins the model after a good start: the saved score is the best one seen."""
    events = events_of({**setting, "training.epochs": 12, "training.patience": 2, "training.schedule": "constant"})
    scored = [event for event in events if isinstance(event, Scored)]
    record = done(events).record
    best = max(event.metrics["accuracy"] for event in scored)
    assert record["best"]["value"] == best
    assert record["validation"]["metrics"]["accuracy"] == pytest.approx(best)
    first = next(event for event in scored if event.metrics["accuracy"] == best)
    assert record["best"]["epoch"] == first.epoch
    assert len(scored) == min(12, first.epoch + 2)


def test_held_out_rows_are_listed_and_stratified(setting: dict[str, Any]) -> None:
    folder = done(events_of({**setting, "data.hold_out": 0.25})).folder
    data = json.loads((folder / rundir.DATA).read_text())
    assert data["train"]["targets"] == {"bad": 15, "good": 15}
    assert data["validation"]["targets"] == {"bad": 5, "good": 5}
    assert len(data["validation"]["places"]) == 10
    assert all("train.csv:" in place for place in data["validation"]["places"])


def test_a_label_only_in_the_test_file_names_the_line(setting: dict[str, Any], tmp_path: Path) -> None:
    wrong = write_csv(tmp_path / "test.csv", [*rows(3), {"text": "new", "label": "goood"}])
    with pytest.raises(DataError, match=r"test.csv:5: label 'goood' does not occur .* did you mean 'good'\?"):
        events_of({**setting, "data.test": str(wrong)})
    assert not Path(setting["out"]).exists()


def test_all_bad_rows_of_all_files_come_together(setting: dict[str, Any], tmp_path: Path) -> None:
    train = write_csv(tmp_path / "bad.csv", [*rows(4), {"text": "", "label": "good"}, {"text": "x", "label": " "}])
    dev = write_csv(tmp_path / "dev.csv", [{"text": " ", "label": "bad"}])
    with pytest.raises(DataError) as caught:
        events_of({**setting, "data.train": str(train), "data.validation": str(dev)})
    assert caught.value.total == 3
    message = str(caught.value)
    assert "bad.csv:6:" in message
    assert "bad.csv:7:" in message
    assert "dev.csv:2:" in message


def test_unknown_columns_list_the_columns(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"no column 'txt', did you mean 'text'\? The columns are: 'text', 'label'"):
        events_of({**setting, "options.text": "txt"})


def test_a_used_folder_is_not_overwritten(setting: dict[str, Any]) -> None:
    Path(setting["out"]).mkdir()
    (Path(setting["out"]) / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match="is not empty; give another folder"):
        events_of(setting)
    assert (Path(setting["out"]) / "thesis.txt").read_text() == "mine"


def test_wrong_models_and_metrics_are_refused_before_training(setting: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="there is no folder"):
        events_of({**setting, "model.name": "./nowhere"})
    with pytest.raises(ConfigError, match=r"classification has no metric 'f2'; there are: accuracy"):
        events_of({**setting, "training.metric": "f2"})
    with pytest.raises(ConfigError, match=r"max_length: 4000 asked for, but bert has room for 66"):
        events_of({**setting, "model.max_length": 4000})
    with pytest.raises(ConfigError, match="is not a head; there are: native, linear, mean, max"):
        events_of({**setting, "model.head": "pyramid"})
    assert not Path(setting["out"]).exists()


def test_cut_texts_are_counted(setting: dict[str, Any], tmp_path: Path) -> None:
    long = [{**row, "text": row["text"] + " cat" * 50} for row in rows(12)]
    events = events_of({**setting, "data.train": str(write_csv(tmp_path / "long.csv", long)), "model.max_length": 16})
    notes = [event.text for event in events if isinstance(event, Note)]
    assert any("longer than 16 tokens and lose" in note for note in notes)
    assert done(events).validation.truncated == done(events).validation.examples


def test_a_loss_that_is_not_finite_stops_and_names_the_rows(setting: dict[str, Any]) -> None:
    with pytest.raises(TrainingError, match=r"step \d+: the loss is .*train\.csv:\d+") as caught:
        events_of({**setting, "training.learning_rate": 1e30, "training.clip": None, "training.epochs": 10})
    assert "learning rate" in str(caught.value)


def test_a_moved_frozen_weight_is_found(tiny: Callable[[str], Path]) -> None:
    from afina.model import network as networks
    from afina.tasks.base import find
    from afina.training.run import parameter_hashes

    task = find("classification")
    network = networks.build(str(tiny("bert")), task(task.Options(), {"labels": ["a", "b"]}).head, level="example")
    network.freeze(1)
    before = parameter_hashes(network)
    with pytest.raises(TrainingError, match="no weight moved"):
        prove(network, before)
    with torch.no_grad():
        next(iter(network.head.parameters())).add_(1.0)
    assert prove(network, before)["trained_tensors_unmoved"]
    with torch.no_grad():
        network.backbone.base.embeddings.LayerNorm.weight[0].add_(1e-6)
    with pytest.raises(TrainingError, match=r"frozen weights moved: stock\.bert.embeddings\.LayerNorm\.weight"):
        prove(network, before)


@pytest.mark.parametrize(
    "more",
    [
        {"options.class_weights": "balanced", "options.label_smoothing": 0.1},
        {"options.class_weights": {"good": 2.0, "bad": 1.0}},
        {"options.long": "windows", "model.max_length": 16, "strategy": "last-1"},
        {"training.accumulation": 3, "training.batch_size": 4},
        {"training.layer_decay": 0.8, "training.head_learning_rate": 1e-2},
        {"training.checkpointing": True},
        {"training.precision": "bf16"},
        {"model.dropout": 0.0, "model.head_dropout": 0.3, "training.clip": None},
        {"model.head": "mean", "strategy": "head"},
        {"model.head": "max", "strategy": "last-1"},
        {"model.head": "linear", "training.metric": "log_loss"},
    ],
)
def test_every_setting_trains(setting: dict[str, Any], more: dict[str, Any]) -> None:
    result = done(events_of({**setting, **more}))
    assert result.record["freeze_proof"]["trained_tensors_unmoved"] == []
    assert result.record["validation"]["metrics"]["accuracy"] >= 0.25


def test_accumulation_is_a_larger_batch(setting: dict[str, Any], tmp_path: Path) -> None:
    one = done(events_of({**setting, "training.batch_size": 4, "training.accumulation": 2})).folder
    other = done(events_of({**setting, "training.batch_size": 8, "out": str(tmp_path / "b")})).folder
    assert (one / "model/model.safetensors").read_bytes() == (other / "model/model.safetensors").read_bytes()


def test_regression_answers_in_the_users_scale(setting: dict[str, Any], tmp_path: Path) -> None:
    some = [{"text": row["text"], "score": 1000.0 + 50 * (row["label"] == "good")} for row in rows()]
    train = write_csv(tmp_path / "scores.csv", some)
    result = done(events_of({**setting, "task": "regression", "data.train": str(train), "training.epochs": 40}))
    predictions = [json.loads(line)["score"] for line in (result.folder / rundir.PREDICTIONS).read_text().splitlines()]
    assert all(900 < value < 1150 for value in predictions)
    assert afina.load(result.folder).predict(["a lovely film, 1"])[0] > 1000


def test_data_in_memory(setting: dict[str, Any], tiny: Callable[[str], Path], tmp_path: Path) -> None:
    pandas, pyarrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    columns = {name: [row[name] for row in rows()] for name in ("text", "label")}
    forms = {"dicts": rows(), "columns": columns, "frame": pandas.DataFrame(columns), "table": pyarrow.table(columns)}
    files = set()
    for name, form in forms.items():
        run = afina.train(
            train=form, validation=form, model=tiny("bert"), epochs=1, learning_rate=1e-3, out=tmp_path / name
        )
        files.add((run.folder / "model/model.safetensors").read_bytes())
    assert len(files) == 1
    assert run.predictor.labels == ["bad", "good"]
