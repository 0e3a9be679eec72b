"""A run that is stopped and taken up ends in the bytes of one that never was; a checkpoint is whole or not believed."""

from __future__ import annotations

import json
import math
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from afina.config import load
from afina.data.parts import read_data
from afina.errors import ConfigError, TrainingError
from afina.model.network import Network
from afina.records import Batch
from afina.text.layouts import epoch_batches
from afina.training import checkpoint, loop, rundir
from afina.training.loop import Step
from afina.training.run import Begin, Done, Event, Note, Scored, stream

WORDS = [(word, "good") for word in ("lovely", "great", "fine")] + [(word, "bad") for word in ("poor", "awful")]
THINGS = ("film", "room", "song")
PAIRS = [(word, label, thing) for word, label in WORDS for thing in THINGS]
ROWS: dict[str, list[dict[str, Any]]] = {
    "classification": [{"text": f"a {word} {thing}", "label": label} for word, label, thing in PAIRS],
    "regression": [{"text": f"a {word} {thing}", "score": 1.5 * i} for i, (word, _, thing) in enumerate(PAIRS)],
    "multilabel": [{"text": f"a {word} {thing}", "labels": [label, thing]} for word, label, thing in PAIRS],
    "tokens": [{"tokens": ["the", thing, word], "tags": ["O", f"B-{label}", "O"]} for word, label, thing in PAIRS],
    "answers": [
        {
            "question": "what is it?",
            "context": f"a {word} {thing}",
            "answers": [{"text": word, "answer_start": 2}] if thing != "song" else [],
        }
        for word, _, thing in PAIRS
    ],
}


def events(model: Path, out: Path, task: str = "classification", **more: Any) -> Iterator[Event]:
    settings = {
        "task": task, "model.name": str(model), "out": str(out), "training.epochs": 4, "training.batch_size": 3,
        "training.learning_rate": 5e-3, "training.checkpoint_every": 0, "seed": 1,
        **{name.replace("__", "."): value for name, value in more.items()},
    }  # fmt: skip
    config = load(None, settings)
    return stream(
        config, read_data(config, {"train": ROWS[task], "validation": ROWS[task][::3], "test": ROWS[task][::4]})
    )


def finished(run: Iterator[Event]) -> Done:
    (*_, last) = run
    assert isinstance(last, Done)
    return last


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Everything in a finished run but times and paths."""
    found = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    record = json.loads(found.pop("run.json"))
    for name in ("seconds", "speed"):
        record.pop(name)
    found["run.json"] = json.dumps(record).encode()
    found["config.yaml"] = re.sub(rb"out: .*", b"", found["config.yaml"])
    return found


def stopped(run: Any, *, after: int, kind: type = Step) -> None:
    """Close a run after so many events of a kind, as a signal does."""
    seen = 0
    for event in run:
        seen += isinstance(event, kind)
        if seen == after:
            break
    run.close()


VARIANTS = [
    ("classification", {}),
    ("classification", {"training__accumulation": 2, "training__patience": 1, "options__class_weights": "balanced"}),
    ("classification", {"strategy": "head", "training__schedule": "cosine"}),
    ("classification", {"strategy": "last-1", "model__head": "mean", "training__packing": False}),
    ("classification", {"strategy": "last-2", "training__cache_memory": 0, "training__cache_disk": 0}),
    ("classification", {"training__checkpointing": True, "training__layer_decay": 0.9}),
    ("regression", {"training__metric": "pearson"}),
    ("multilabel", {"strategy": "last-1"}),
    ("tokens", {}),
    ("tokens", {"model__head": "crf", "strategy": "head", "training__learning_rate": 1e-2}),
    ("answers", {"strategy": "last-2"}),
]


@pytest.mark.parametrize(("task", "more"), VARIANTS)
def test_a_run_that_is_stopped_often_ends_in_the_same_bytes(
    task: str, more: dict[str, Any], tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    whole = finished(events(tiny("bert"), tmp_path / "whole", task, **more))
    assert not (whole.folder / "checkpoints").exists()
    chance = random.Random(str(more))
    weights = []
    for stop in range(4):
        kind = Step if stop % 2 == 0 else Scored
        stopped(events(tiny("bert"), tmp_path / "often", task, **more), after=chance.randint(1, 4), kind=kind)
        found, skipped = checkpoint.latest(tmp_path / "often")
        if (tmp_path / "often" / "run.json").exists():  # early stopping came first
            break
        assert found is not None
        assert skipped == []
        weights.append(found.weights)
    for one, other in pairwise(weights):
        assert any(not torch.equal(one[name], other[name]) for name in one), "training did not move"
    if not (tmp_path / "often" / "run.json").exists():
        run = list(events(tiny("bert"), tmp_path / "often", task, **more))
        notes = [event.text for event in run if isinstance(event, Note)]
        assert any(note.startswith("taken up after step") for note in notes)
        assert isinstance(run[-1], Done)
    first, second = bytes_of(whole.folder), bytes_of(tmp_path / "often")
    assert set(first) == set(second)
    for name, content in first.items():
        assert content == second[name], name


DRIVER = """
import json, sys
sys.path[:0] = json.loads(sys.argv[1])
from pathlib import Path
from tests.training.test_checkpoint import events
for event in events(Path(sys.argv[2]), Path(sys.argv[3])):
    print(type(event).__name__, flush=True)
"""


def killed(model: Path, out: Path, *, after: int, wait: float) -> int:
    """Run in a process of its own and kill it a moment after so many steps; its exit code."""
    command = [sys.executable, "-c", DRIVER, json.dumps(sys.path), str(model), str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ})
    assert process.stdout is not None
    seen = 0
    for line in process.stdout:
        seen += line.strip() == "Step"
        if seen >= after:
            time.sleep(wait)
            process.kill()
            break
    process.stdout.close()
    return process.wait()


def kills(model: Path, tmp_path: Path, number: int, seed: int) -> None:
    whole, folder = finished(events(model, tmp_path / "whole")), tmp_path / "killed"
    chance, died = random.Random(seed), 0
    for _ in range(number):
        code = killed(model, folder, after=chance.randint(1, 6), wait=chance.random() * 0.05)
        died += code == -signal.SIGKILL
        if (folder / "run.json").exists():
            break
    assert died
    if not (folder / "run.json").exists():
        finished(events(model, folder))
    assert bytes_of(whole.folder) == bytes_of(folder)


def test_a_run_that_is_killed_ends_in_the_same_bytes(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    kills(tiny("bert"), tmp_path, 5, 0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 11))
def test_many_kills(seed: int, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    kills(tiny("bert"), tmp_path, 5, seed)


# ---------------------------------------------------------------------------------------------------------------------
# Damage.


@pytest.fixture
def interrupted(tiny: Callable[[str], Path], tmp_path: Path) -> Path:
    """A run with a checkpoint after step 3."""
    stopped(events(tiny("bert"), tmp_path / "run"), after=3)
    assert [place.name for place in (tmp_path / "run" / "checkpoints").iterdir()] == ["step-00000003"]
    return tmp_path / "run"


BETTER = {"training__metric": "log_loss"}
"""Settings whose second epoch is better than the first."""


@pytest.fixture(scope="module")
def checkpoints(tiny: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two checkpoints of one run, after its first and its second evaluation, the second the better."""
    root = tmp_path_factory.mktemp("checkpoints")
    for number in (1, 2):
        stopped(events(tiny("bert"), root / "run", **BETTER), after=1, kind=Scored)
        shutil.copytree(next((root / "run" / "checkpoints").glob("step-*")), root / str(number))
    return root / "1", root / "2"


def damaged(file: Path, how: str, other: Path) -> None:
    raw = file.read_bytes()
    file.unlink()
    half = len(raw) // 2
    contents = {
        "empty": b"",
        "one byte": raw[:1],
        "half": raw[:half],
        "a byte less": raw[:-1],
        "a byte more": raw + b" ",
        "flip": raw[:-3] + bytes([raw[-3] ^ 4]) + raw[-2:],
        "zero": raw[:half] + bytes(len(raw) - half),
        "another step's": other.read_bytes(),
    }
    if how in contents:
        file.write_bytes(contents[how])
    elif how == "folder":
        file.mkdir()
    elif how == "link":
        file.with_name("elsewhere").write_bytes(raw)
        file.symlink_to(file.with_name("elsewhere"))
    elif how == "dangling link":
        file.symlink_to(file.with_name("elsewhere"))
    elif how == "no rights":
        file.write_bytes(raw)
        file.chmod(0)


DAMAGE = [
    "delete", "empty", "one byte", "half", "a byte less", "a byte more", "flip", "zero", "another step's", "folder",
    "link", "dangling link", "no rights",
]  # fmt: skip
BLANKS = ["a byte less", "a byte more"]
"""What they do to a manifest, a text that ends in a newline, is no damage."""
TENSORS = ["weights.safetensors", "optimiser.safetensors", "best.safetensors"]


DAMAGED = [
    (name, how)
    for how in DAMAGE
    for name in (*TENSORS, "state.json", "manifest.json")
    if (name, how) not in [("manifest.json", blank) for blank in BLANKS]
]


@pytest.mark.parametrize("how", BLANKS)
def test_a_blank_at_the_end_of_a_manifest_means_nothing(
    checkpoints: tuple[Path, Path], how: str, tmp_path: Path
) -> None:
    older, newer = checkpoints
    place = tmp_path / "checkpoints" / "step-00000010"
    shutil.copytree(newer, place)
    damaged(place / "manifest.json", how, older / "manifest.json")
    found, skipped = checkpoint.latest(tmp_path)
    assert found is not None
    assert (found.state["counters"]["number"], skipped) == (10, [])


@pytest.mark.parametrize(("name", "how"), DAMAGED)
def test_a_damaged_checkpoint_is_named_and_skipped(
    checkpoints: tuple[Path, Path], name: str, how: str, tmp_path: Path
) -> None:
    if how == "no rights" and os.geteuid() == 0:
        pytest.skip("root may read everything")
    older, newer = tmp_path / "checkpoints" / "step-00000005", tmp_path / "checkpoints" / "step-00000010"
    for source, place in zip(checkpoints, (older, newer), strict=True):
        shutil.copytree(source, place)
    found, skipped = checkpoint.latest(tmp_path)
    assert found is not None
    assert (found.state["counters"]["number"], skipped) == (10, [])
    damaged(newer / name, how, older / name)
    found, skipped = checkpoint.latest(tmp_path)
    assert found is not None
    assert found.state["counters"]["number"] == 5
    assert len(skipped) == 1
    assert skipped[0].startswith(str(newer if name == "manifest.json" else newer / name))
    with pytest.raises(ConfigError):
        checkpoint.read(newer)


def test_a_run_goes_on_from_the_newest_checkpoint_that_is_whole(
    checkpoints: tuple[Path, Path], tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    whole = finished(events(tiny("bert"), tmp_path / "whole", **BETTER))
    for _ in range(2):
        stopped(events(tiny("bert"), tmp_path / "run", **BETTER), after=1, kind=Scored)
    shutil.copytree(checkpoints[0], tmp_path / "run" / "checkpoints" / "step-00000005")
    newest = tmp_path / "run" / "checkpoints" / "step-00000010"
    (newest / "best.safetensors").unlink()
    run = list(events(tiny("bert"), tmp_path / "run", **BETTER))
    notes = [event.text for event in run if isinstance(event, Note)]
    assert f"skipped: {newest / 'best.safetensors'}: missing, or not a plain file" in notes
    assert "taken up after step 5" in notes
    assert bytes_of(tmp_path / "run") == bytes_of(whole.folder)


def test_files_of_two_checkpoints_do_not_mix(interrupted: Path, tiny: Callable[[str], Path]) -> None:
    good = interrupted / "checkpoints" / "step-00000003"
    kept = good.parent.parent / "kept"
    shutil.copytree(good, kept)
    shutil.move(kept, interrupted.parent / "kept")
    stopped(events(tiny("bert"), interrupted), after=2)
    (newer,) = (interrupted / "checkpoints").iterdir()
    shutil.copy(interrupted.parent / "kept" / "weights.safetensors", newer / "weights.safetensors")
    with pytest.raises(ConfigError, match=r"weights.safetensors: damaged"):
        checkpoint.read(newer)


@pytest.mark.parametrize("stop", range(12))
def test_a_save_that_dies_at_any_file_leaves_the_old_one(
    interrupted: Path, stop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every place where something is written, synced or renamed, one after the other."""
    before, _ = checkpoint.latest(interrupted)
    assert before is not None
    count = 0

    class Died(BaseException):
        pass

    def dying(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count > stop:
                raise Died
            return function(*args, **kwargs)

        return call

    monkeypatch.setattr(checkpoint, "save_file", dying(checkpoint.save_file))
    monkeypatch.setattr(checkpoint, "write", dying(checkpoint.write))
    monkeypatch.setattr(checkpoint, "sync", dying(checkpoint.sync))
    monkeypatch.setattr(Path, "rename", dying(Path.rename))
    later = checkpoint.Checkpoint({**before.state, "counters": {"number": 4}}, before.weights, before.optimiser, {})
    try:
        checkpoint.save(interrupted, 4, later)
        finished_saving = True
    except Died:
        finished_saving = False
    monkeypatch.undo()
    found, skipped = checkpoint.latest(interrupted)
    assert found is not None
    assert skipped == []
    assert found.state["counters"]["number"] in ((4,) if finished_saving else (3, 4))
    checkpoint.save(interrupted, 5, later)  # the next one sweeps what the dead one left
    assert [place.name for place in (interrupted / "checkpoints").iterdir()] == ["step-00000005"]


def test_a_full_disk_stops_the_run_and_keeps_what_there_was(
    interrupted: Path, tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(TrainingError, match=r"can't be written \(No space left on device; .* MB are free\).*--resume"):
        list(events(tiny("bert"), interrupted))
    found, skipped = checkpoint.latest(interrupted)
    assert found is not None
    assert found.state["counters"]["number"] == 3
    assert skipped == []


def test_a_run_without_room_for_its_checkpoints_is_refused_before_it_begins(
    interrupted: Path, tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(interrupted.rglob("*"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 70_000})())
    for folder in (tmp_path / "new", interrupted):
        run = events(tiny("bert"), folder)
        with pytest.raises(ConfigError, match=r"needs 0\.\d MB for checkpoints and the model, and 0\.1 MB are free"):
            list(run)
    assert list((tmp_path / "new").iterdir()) == []
    assert sorted(interrupted.rglob("*")) == before
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10_000_000})())
    finished(events(tiny("bert"), interrupted))


# ---------------------------------------------------------------------------------------------------------------------
# Logs.


def test_a_log_is_what_it_was_or_its_damage_is_named(
    interrupted: Path, tiny: Callable[[str], Path], record_property: Callable[[str, object], None]
) -> None:
    """Cut at every byte of the last three lines, for a checkpoint after all or all but one of them."""
    stopped(events(tiny("bert"), interrupted), after=2, kind=Scored)
    tried = 0
    for name in (rundir.STEPS, rundir.EVALUATIONS):
        whole = (interrupted / name).read_bytes()
        lines = whole.splitlines(keepends=True)
        file = interrupted / "log.jsonl"
        for length in range(len(b"".join(lines[:-3])), len(whole) + 1):
            file.write_bytes(whole[:length])
            for count in (len(lines), len(lines) - 1):
                wanted, tried = b"".join(lines[:count]), tried + 1
                if length >= len(wanted) - 1:
                    assert rundir.kept(file, count) == wanted
                else:
                    with pytest.raises(ConfigError, match=r"log\.jsonl:?\d*: damaged"):
                        rundir.kept(file, count)
        assert rundir.kept(file, 0) == b""
    record_property("tried", tried)


@pytest.mark.parametrize("garbage", [b"\0" * 20, b'{"number": 2, "lo', b"[1]", b"\xff\xfe"])
def test_a_damaged_line_in_the_middle_is_an_error_with_its_number(
    garbage: bytes, interrupted: Path, tiny: Callable[[str], Path]
) -> None:
    log = interrupted / rundir.STEPS
    first, _, third = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(first + garbage + b"\n" + third)
    with pytest.raises(ConfigError, match=r"steps\.jsonl:2: damaged: not a record of this log; the checkpoint builds"):
        list(events(tiny("bert"), interrupted))
    assert log.read_bytes() == first + garbage + b"\n" + third


def test_what_a_dying_run_wrote_after_its_checkpoint_goes(
    interrupted: Path, tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    whole = finished(events(tiny("bert"), tmp_path / "whole"))
    for name in (rundir.STEPS, rundir.EVALUATIONS, rundir.PREDICTIONS):
        with (interrupted / name).open("ab") as file:
            file.write(b'{"number": 4, "epoch": 0}\n\0\0\n{"number": 5, "epo')
    finished(events(tiny("bert"), interrupted))
    assert bytes_of(interrupted) == bytes_of(whole.folder)


# ---------------------------------------------------------------------------------------------------------------------
# What a resumed run must agree with.


def test_another_configuration_or_other_data_are_refused(interrupted: Path, tiny: Callable[[str], Path]) -> None:
    with pytest.raises(ConfigError, match=r"settings\.training\.learning_rate: was 0\.005, is 0\.001"):
        list(events(tiny("bert"), interrupted, training__learning_rate=1e-3))
    flipped = [{**row, "label": "good"} if i == 0 else row for i, row in enumerate(ROWS["classification"])]
    flipped[0] = {**flipped[0], "label": "bad"}
    config = load(interrupted / "config.yaml", {"out": str(interrupted)})
    data = read_data(config, {"train": flipped, "validation": flipped[::3], "test": flipped[::4]})
    with pytest.raises(ConfigError, match=r"examples\.train: was"):
        list(stream(config, data))
    with pytest.raises(ConfigError, match=r"model: was"):
        list(events(tiny("electra"), interrupted, model__name=str(tiny("electra"))))


@pytest.mark.parametrize("names", [["config.yaml"], ["config.yaml", "data.json"], ["model"], ["steps.jsonl", "model"]])
def test_a_users_own_files_are_no_unfinished_run(names: list[str], tiny: Callable[[str], Path], tmp_path: Path) -> None:
    """A folder of `afina init`, an export called data.json, a model that somebody put there."""
    for name in names:
        (tmp_path / name).write_text("mine")
    with pytest.raises(ConfigError, match="is not empty"):
        list(events(tiny("bert"), tmp_path))
    assert all((tmp_path / name).read_text() == "mine" for name in names)


def test_a_refusal_removes_nothing(interrupted: Path, tiny: Callable[[str], Path]) -> None:
    (interrupted / "predictions.jsonl").write_text("half done")
    with pytest.raises(ConfigError, match="begun with something else"):
        list(events(tiny("bert"), interrupted, training__learning_rate=1e-3))
    assert (interrupted / "predictions.jsonl").read_text() == "half done"


def test_two_runs_do_not_share_a_folder(interrupted: Path, tiny: Callable[[str], Path]) -> None:
    run = events(tiny("bert"), interrupted)
    for event in run:
        if isinstance(event, Begin):
            break
    with pytest.raises(ConfigError, match="another run is writing to"):
        list(events(tiny("bert"), interrupted))
    run.close()  # type: ignore[attr-defined]
    finished(events(tiny("bert"), interrupted))


# ---------------------------------------------------------------------------------------------------------------------
# Memory that runs out.


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("CUDA out of memory. Tried"), torch.OutOfMemoryError("x")]
)
def test_a_lack_of_memory_takes_the_same_step_in_smaller_pieces(
    error: Exception, tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked = loop.gradients, []

    def poor(network: Any, task: Any, data: Any, batch: Any, micro: int, *rest: Any) -> Any:
        asked.append(micro)
        if len(asked) >= 3 and micro > 16:
            raise error
        return real(network, task, data, batch, micro, *rest)

    monkeypatch.setattr(loop, "gradients", poor)
    run = list(events(tiny("bert"), tmp_path / "poor", training__micro_tokens=64))
    assert any(isinstance(event, Note) and "memory ran out in step 3: at most 16" in event.text for event in run)
    monkeypatch.undo()
    plain = finished(events(tiny("bert"), tmp_path / "plain", training__micro_tokens=64))
    poorer = run[-1]
    assert isinstance(poorer, Done)
    assert asked[:5] == [64, 64, 64, 32, 16]
    assert poorer.record["steps"] == plain.record["steps"]
    for (name, one), (_, other) in zip(
        poorer.artifact.network.named_parameters(), plain.artifact.network.named_parameters(), strict=True
    ):
        torch.testing.assert_close(one, other, atol=2e-3, rtol=1e-2, msg=name)


def test_other_errors_are_not_taken_for_a_lack_of_memory(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(loop, "gradients", broken)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        list(events(tiny("bert"), tmp_path / "run"))


def test_memory_that_runs_out_in_an_evaluation_changes_nothing_else(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, refused = Network.forward, []

    def poor(self: Network, batch: Batch, *rest: Any) -> Any:
        if not self.training and batch.tokens > 20:
            refused.append(batch.tokens)
            raise MemoryError
        return real(self, batch, *rest)

    plain = finished(events(tiny("bert"), tmp_path / "plain"))
    monkeypatch.setattr(Network, "forward", poor)
    run = list(events(tiny("bert"), tmp_path / "poor"))
    poorer = run[-1]
    assert isinstance(poorer, Done)
    assert refused
    assert not any(isinstance(event, Note) and "memory ran out" in event.text for event in run)
    one, other = bytes_of(plain.folder), bytes_of(poorer.folder)
    for name in (rundir.STEPS, "model/model.safetensors"):
        assert one[name] == other[name]
    for name, value in plain.validation.metrics.items():
        assert poorer.validation.metrics[name] == pytest.approx(value, abs=1e-6, nan_ok=True)


# ---------------------------------------------------------------------------------------------------------------------
# Numbers that are none.


def test_a_gradient_that_is_not_finite_names_its_rows_and_spoils_no_checkpoint(
    interrupted: Path, tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In step 9, the fourth of the second epoch."""
    whole = finished(events(tiny("bert"), tmp_path / "whole"))
    real = loop.gradients

    def spoiled(network: Any, task: Any, data: Any, batch: Any, *rest: Any) -> Any:
        found = real(network, task, data, batch, *rest)
        if list(batch) == rows:
            next(p for p in network.parameters() if p.grad is not None).grad[0] = math.nan
        return found

    rows = epoch_batches(len(PAIRS), 3, seed=1, epoch=1)[3]
    monkeypatch.setattr(loop, "gradients", spoiled)
    with pytest.raises(TrainingError, match=r"step 9: the loss is [\d.]+ and the norm of its gradient nan") as caught:
        list(events(tiny("bert"), interrupted))
    places = str(caught.value).partition("The step's rows: ")[2].partition(". ")[0].split(", ")
    assert [int(place.rpartition(" ")[2]) - 1 for place in places] == rows
    found, skipped = checkpoint.latest(interrupted)
    assert found is not None
    assert skipped == []
    assert found.state["counters"]["number"] == 8
    assert found.state["best"]["step"] == 5
    assert all(bool(tensor.isfinite().all()) for tensor in (*found.weights.values(), *found.best.values()))
    monkeypatch.undo()
    finished(events(tiny("bert"), interrupted))
    assert bytes_of(interrupted) == bytes_of(whole.folder)
