"""Runs from files to a folder: what they write, what they prove, what they refuse."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import afina
from afina import compute, strategies
from afina.config import Config, load
from afina.errors import ConfigError, DataError, ModelError
from afina.training import run, rundir
from afina.training.conclude import conclude
from afina.training.events import Begin, Done, Event, Note, Progress, Scored, Step
from afina.training.run import Prepared, Trained, fit, prepare, settled, stream
from afina.work import drain
from tests.arithmetic import HERE
from tests.networks import network_of, tokenizer_of
from tests.runs import (
    bytes_of,
    configured,
    data_of,
    done,
    events,
    events_of,
    finished,
    promised,
    reviews,
    stopped,
    write_csv,
)


@pytest.mark.parametrize("strategy", ["full", "head", "last-1", "last-3"])
def test_a_run_writes_its_record_and_proves_what_it_froze(
    setting: dict[str, Any], strategy: str, tmp_path: Path
) -> None:
    test = write_csv(tmp_path / "test.csv", reviews(10))
    result = done(events_of({**setting, "strategy": strategy, "data.test": str(test)}))
    folder = result.folder
    names = {path.name for path in folder.iterdir()}
    assert names == {
        rundir.CONFIG, rundir.DATA, rundir.CHECK, rundir.STEPS, rundir.EVALUATIONS, rundir.PREDICTIONS,
        rundir.EXAMPLES, rundir.SCORES,
        rundir.MODEL, rundir.RUN,
    }  # fmt: skip
    record = rundir.RunFolder(folder).record()
    proof = record["freeze_proof"]
    assert proof["frozen_tensors_moved"] == []
    assert proof["trained_tensors_unmoved"] == []
    assert (proof["frozen_tensors"] == 0) == (strategy == "full")
    assert record["parameters"]["trained"] > 0
    steps = [json.loads(line) for line in (folder / rundir.STEPS).read_text().splitlines()]
    assert [step["number"] for step in steps] == list(range(1, record["steps"] + 1))
    held_out = len(rundir.RunFolder(folder).data()["validation"]["places"])
    assert len((folder / rundir.PREDICTIONS).read_text().splitlines()) == held_out + 10
    assert set(record["test"]["metrics"]) >= {"accuracy", "macro_f1"}
    low, high = record["test"]["intervals"]["accuracy"]
    assert low <= record["test"]["metrics"]["accuracy"] <= high


def test_events_come_in_order(setting: dict[str, Any]) -> None:
    said = events_of(setting)
    kinds = [type(event) for event in said if not isinstance(event, Note)]
    assert kinds[0] is Begin
    assert kinds.count(Scored) == 2
    (begin,) = (event for event in said if isinstance(event, Begin))
    assert kinds.count(Step) == begin.steps
    assert any("held out" in event.text for event in said if isinstance(event, Note))


@pytest.mark.usefixtures("same_bytes")
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


def test_held_out_rows_are_listed_and_stratified(setting: dict[str, Any]) -> None:
    folder = done(events_of({**setting, "data.hold_out": 0.25})).folder
    data = json.loads((folder / rundir.DATA).read_text())
    # Reviews come in families of nearly the same texts, which stay together.
    assert data["train"]["targets"] == {"bad": 14, "good": 14}
    assert data["validation"]["targets"] == {"bad": 6, "good": 6}
    assert len(data["validation"]["places"]) == 12
    assert all("train.csv:" in place for place in data["validation"]["places"])


def test_a_label_only_in_the_test_file_names_the_line(setting: dict[str, Any], tmp_path: Path) -> None:
    wrong = write_csv(tmp_path / "test.csv", [*reviews(3), {"text": "new", "label": "goood"}])
    with pytest.raises(DataError, match=r"test.csv:5: label 'goood' does not occur .* did you mean 'good'\?"):
        events_of({**setting, "data.test": str(wrong)})
    assert not Path(setting["out"]).exists()


def test_all_bad_rows_of_all_files_come_together(setting: dict[str, Any], tmp_path: Path) -> None:
    train = write_csv(tmp_path / "bad.csv", [*reviews(4), {"text": "", "label": "good"}, {"text": "x", "label": " "}])
    dev = write_csv(tmp_path / "dev.csv", [{"text": " ", "label": "bad"}])
    with pytest.raises(DataError) as caught:
        events_of({**setting, "data.train": str(train), "data.validation": str(dev)})
    assert caught.value.total == 3
    message = str(caught.value)
    assert "bad.csv:6:" in message
    assert "bad.csv:7:" in message
    assert "dev.csv:2" in message


def test_unknown_columns_list_the_columns(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"no column 'txt', did you mean 'text'\? The columns are: 'text', 'label'"):
        events_of({**setting, "options.text": "txt"})


def test_a_used_folder_is_not_overwritten(setting: dict[str, Any]) -> None:
    Path(setting["out"]).mkdir()
    (Path(setting["out"]) / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match="is not empty, and holds no run of afina; give another folder"):
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
    long = [{**row, "text": row["text"] + " cat" * 50} for row in reviews(12)]
    said = events_of({**setting, "data.train": str(write_csv(tmp_path / "long.csv", long)), "model.max_length": 16})
    notes = [event.text for event in said if isinstance(event, Note)]
    assert any("longer than 16 tokens, " in note for note in notes)
    assert done(said).validation.truncated == done(said).validation.examples


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


def test_regression_answers_in_the_users_scale(setting: dict[str, Any], tmp_path: Path) -> None:
    some = [{"text": row["text"], "score": 1000.0 + 50 * (row["label"] == "good")} for row in reviews()]
    train = write_csv(tmp_path / "scores.csv", some)
    result = done(events_of({**setting, "task": "regression", "data.train": str(train), "training.epochs": 40}))
    predictions = [json.loads(line)["score"] for line in (result.folder / rundir.PREDICTIONS).read_text().splitlines()]
    assert all(900 < value < 1150 for value in predictions)
    assert afina.load(result.folder).predict(["a lovely film, 1"])[0] > 1000


@pytest.mark.usefixtures("same_bytes")
def test_data_in_memory(setting: dict[str, Any], tiny: Callable[[str], Path], tmp_path: Path) -> None:
    pandas, pyarrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    columns = {name: [row[name] for row in reviews()] for name in ("text", "label")}
    forms = {
        "dicts": reviews(),
        "columns": columns,
        "frame": pandas.DataFrame(columns),
        "table": pyarrow.table(columns),
    }
    files = set()
    for name, form in forms.items():
        run = afina.train(
            train=form, validation=form, model=tiny("bert"), epochs=1, learning_rate=1e-3, out=tmp_path / name,
            **promised("__"),
        )  # fmt: skip
        files.add((run.folder / "model/model.safetensors").read_bytes())
    assert len(files) == 1
    assert run.predictor.labels == ["bad", "good"]


def test_a_run_without_room_for_its_checkpoints_is_refused_before_it_begins(
    interrupted: Path, tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(interrupted.rglob("*"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 70_000})())
    for folder in (tmp_path / "new", interrupted):
        run = events(tiny("bert"), folder)
        with pytest.raises(ConfigError, match=r"needs 0\.\d MB for checkpoints and the model, and 0\.1 MB are free"):
            list(run)
    assert not (tmp_path / "new").exists()
    assert sorted(interrupted.rglob("*")) == before
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10_000_000})())
    finished(events(tiny("bert"), interrupted))


def test_a_run_that_keeps_no_model_needs_no_room_for_one(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = network_of(tiny("bert"), layers=0)
    size = sum(parameter.nbytes for parameter in network.parameters())
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": size // 2})())
    with pytest.raises(ConfigError, match="for checkpoints and the model, and"):
        run.check_room(tmp_path, network)
    run.check_room(tmp_path, network, saved=False)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 9})())
    with pytest.raises(ConfigError, match="for checkpoints, and"):
        run.check_room(tmp_path, network, saved=False)


def test_a_run_without_its_model_is_the_run_but_for_the_model(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    kept = finished(events(tiny("bert"), tmp_path / "kept"))
    bare = finished(events(tiny("bert"), tmp_path / "bare", training__save="off"))
    assert kept.record["model"] == "model"
    assert bare.record["model"] is None
    wanted = {name: content for name, content in bytes_of(kept.folder).items() if not name.startswith("model/")}
    changed = {name for name, content in bytes_of(bare.folder).items() if wanted.pop(name) != content}
    assert (changed, wanted) == ({"run.json", "config.yaml"}, {})
    named, other = (dict(one.artifact.network.named_parameters()) for one in (kept, bare))
    assert all(torch.equal(named[name], other[name]) for name in named)
    config = f"{bare.folder}/config.yaml"
    with pytest.raises(ModelError, match=f"without a model .*afina train {config} --set training.save=on --overwrite"):
        afina.load(bare.folder)
    assert f"no model was kept; afina train {config} --set" in str(afina.Run.of(bare))


@pytest.mark.parametrize("strategy", ["head", "last-1"])
def test_a_run_without_its_model_reads_the_states_of_all_splits(
    strategy: str, tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    more: dict[str, Any] = {"strategy": strategy, "training__epochs": 2}
    kept = finished(events(tiny("bert"), tmp_path / "kept", **more))
    config = configured(tiny("bert"), tmp_path / "bare", training__save="off", **more)
    prepared: Prepared = drain(prepare(config, data_of(config)))
    with rundir.locked(tmp_path / "bare"):
        trained: Trained = drain(fit(prepared, tmp_path / "bare"))
        assert trained.trainer.splits["test"].kept is not None
        bare: Done = drain(conclude(trained, tmp_path / "bare"))
    for split in ("validation", "test"):
        one, other = (rundir.RunFolder(result.folder).table(split) for result in (kept, bare))
        assert one.keys() == other.keys()
        for name in one:
            np.testing.assert_allclose(one[name], other[name], rtol=1e-5)


def test_a_run_is_resumed_whether_it_keeps_its_model_or_not(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    stopped(events(tiny("bert"), tmp_path / "run", training__save="off"), after=3)
    assert (finished(events(tiny("bert"), tmp_path / "run")).folder / "model").exists()


@pytest.mark.parametrize("strategy", ["full", "head", "last-1"])
def test_a_run_from_random_weights(strategy: str, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    more: dict[str, Any] = {"strategy": strategy, "model__weights": "random", "training__epochs": 2}
    said = list(events(tiny("bert"), tmp_path / "random", **more))
    result = done(said)
    assert any(isinstance(event, Note) and "every weight is drawn by seed 1" in event.text for event in said)
    assert result.record["weights"] == "random"
    assert result.record["freeze_proof"]["frozen_tensors_moved"] == []
    saved = afina.load(result.folder)
    answers = saved.predict_proba(["a lovely film"])
    again = finished(events(tiny("bert"), tmp_path / "again", **more))
    assert (afina.load(again.folder).predict_proba(["a lovely film"]) == answers).all()
    other = finished(events(tiny("bert"), tmp_path / "other", **more, seed=2))
    assert (afina.load(other.folder).predict_proba(["a lovely film"]) != answers).any()
    trained = finished(events(tiny("bert"), tmp_path / "trained", **{**more, "model__weights": "pretrained"}))
    assert trained.record["weights"] == "pretrained"
    assert (afina.load(trained.folder).predict_proba(["a lovely film"]) != answers).any()


# ---------------------------------------------------------------------------------------------------------------------
# The stages.


def returned(stage: Generator[Event, None, Any]) -> tuple[list[Event], Any]:
    """What a stage says, and what it returns."""
    said = []
    while True:
        try:
            said.append(next(stage))
        except StopIteration as end:
            return said, end.value


@pytest.mark.usefixtures("same_bytes")
@pytest.mark.parametrize("strategy", ["full", "last-1", "head"])
def test_the_three_stages_one_by_one_are_the_run(strategy: str, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    whole = finished(events(tiny("bert"), tmp_path / "whole", strategy=strategy))
    config = configured(tiny("bert"), tmp_path / "parts", strategy=strategy)
    folder = Path(str(config.out))
    said, prepared = returned(prepare(config, data_of(config)))
    assert isinstance(prepared, Prepared)
    assert not folder.exists()  # nothing is written before it is known that it can be
    assert set(prepared.splits) == {"train", "validation", "test"}
    assert [len(split.targets) > 0 for split in prepared.splits.values()] == [True, False, False]
    folder.mkdir()
    more, trained = returned(fit(prepared, folder))
    assert isinstance(trained, Trained)
    assert any(isinstance(event, Begin) for event in more)
    assert not any(isinstance(event, (Begin, Step, Scored)) for event in said)
    last, done_at_last = returned(conclude(trained, folder))
    assert isinstance(done_at_last, Done)
    assert all(isinstance(event, (Note, Progress)) for event in last)
    assert bytes_of(folder) == bytes_of(whole.folder)


def test_what_a_run_says_of_coverage_is_in_its_record(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    done_at_last = finished(events(tiny("bert"), tmp_path / "run", "tokens"))
    coverage = rundir.RunFolder(done_at_last.folder).record()["coverage"]
    assert coverage == {
        name: {"gold": number, "covered": number, "lost": {}}
        for name, number in (("train", 15), ("validation", 5), ("test", 4))
    }


def settings_of(config: Config, model: Path) -> Config:
    """A configuration with everything decided."""
    data = data_of(config)
    network, tokenizer = network_of(model, data.task), tokenizer_of(model, 40)
    return settled(config, data, tokenizer=tokenizer, strategy=strategies.find(config.strategy), network=network)


@pytest.mark.parametrize("strategy", ["full", "head", "last-2"])
def test_what_the_user_set_stays(strategy: str, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    given: dict[str, Any] = {
        "epochs": 2, "batch_size": 7, "learning_rate": 1e-5, "patience": 1, "schedule": "cosine", "evaluate_every": 3,
        "micro_tokens": 99, "precision": "bf16",
    }  # fmt: skip
    more = {f"training__{name}": value for name, value in given.items()}
    config = configured(tiny("bert"), tmp_path / "run", strategy=strategy, **more)
    assert settings_of(config, tiny("bert")).training == config.training


def test_what_the_user_left_open_is_decided_and_paths_mean_the_same_everywhere(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny("bert").parent)
    left_open: dict[str, Any] = {f"training__{name}": None for name in ("epochs", "batch_size", "learning_rate")}
    config = configured(Path("bert"), tmp_path / "run", strategy="head", **left_open)
    decided = settings_of(config, tiny("bert"))
    defaults = strategies.find("head").defaults(examples=15, width=16, batch_size=None, accumulation=1)
    training = decided.training
    for name in ("epochs", "batch_size", "learning_rate", "schedule", "patience", "evaluate_every"):
        assert getattr(training, name) == getattr(defaults, name), name
    assert training.micro_tokens == HERE.micro_tokens
    assert (decided.model.max_length, decided.model.name) == (40, str(tiny("bert")))
    assert (decided.options["text"], decided.options["label"]) == ("text", "label")


@pytest.mark.parametrize("pays", [False, True])
def test_who_asks_a_cpu_for_a_slower_arithmetic_hears_it(pays: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "bf16_pays", lambda device: pays)
    said = [note.text for note in run.device_notes(compute.Compute(precision="bf16"))]
    assert any("this CPU is faster in fp32 than in bf16" in text for text in said) == (not pays)
    assert len(list(run.device_notes(compute.Compute()))) == 1
