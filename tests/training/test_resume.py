"""A run that is stopped and taken up ends in the bytes of one that never was, or is refused with the differences."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from afina import compute
from afina.compute import Compute, Precision
from afina.config import load
from afina.data.parts import read_data
from afina.errors import ConfigError
from afina.machine import FIXED
from afina.records import Example
from afina.training import checkpoint, run, rundir
from afina.training.events import Done, Note, Scored, Step
from afina.training.resume import (
    as_begun,
    comparable,
    differences,
    fingerprint_of,
    machine,
    resume,
    threads_for,
)
from afina.training.run import stream
from tests.runs import ROWS, bytes_of, data_of, events, finished, stopped

pytestmark = pytest.mark.usefixtures("same_bytes")
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
from tests.runs import events
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


STRICT = """
import json, sys
sys.path[:0] = json.loads(sys.argv[1])
from pathlib import Path
from tests.runs import events, finished, stopped
model, root = map(Path, sys.argv[2:4])
for strategy in ("full", "last-1"):
    more = {"strategy": strategy, "training__strict": True, "training__precision": "bf16"}
    for name in ("one", "other"):
        finished(events(model, root / strategy / name, **more))
    for after in (2, 3):
        stopped(events(model, root / strategy / "stopped", **more), after=after)
    finished(events(model, root / strategy / "stopped", **more))
"""


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_strictly_a_gpu_gives_the_same_bytes_again_and_after_stops(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    """In a fresh process, whose GPU has not been used otherwise."""
    command = [sys.executable, "-c", STRICT, json.dumps(sys.path), str(tiny("bert")), str(tmp_path)]
    subprocess.run(command, check=True, env={**os.environ})
    for strategy in ("full", "last-1"):
        one, other, stopped_twice = (bytes_of(tmp_path / strategy / name) for name in ("one", "other", "stopped"))
        assert json.loads(one["run.json"])["machine"]["strict"]
        assert one == other == stopped_twice


def test_strict_kernels_change_nothing_on_a_cpu(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does any operation of a run lack one, as far as a CPU can tell."""
    plain = finished(events(tiny("bert"), tmp_path / "plain", training__strict=True))
    assert not plain.record["machine"]["strict"]
    real = compute.choose
    monkeypatch.setattr(run, "choose", lambda **asked: replace(real(**asked), strict=True))
    strict = finished(events(tiny("bert"), tmp_path / "strict", training__strict=True))
    assert strict.record["machine"]["strict"]
    one, other = bytes_of(plain.folder), bytes_of(strict.folder)
    for files in (one, other):
        files.pop("run.json")
    assert one == other


def test_what_a_dying_run_wrote_after_its_checkpoint_goes(
    interrupted: Path, tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    whole = finished(events(tiny("bert"), tmp_path / "whole"))
    for name in (rundir.STEPS, rundir.EVALUATIONS, rundir.PREDICTIONS):
        with (interrupted / name).open("ab") as file:
            file.write(b'{"number": 4, "epoch": 0}\n\0\0\n{"number": 5, "epo')
    finished(events(tiny("bert"), interrupted))
    assert bytes_of(interrupted) == bytes_of(whole.folder)


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


def test_a_refusal_removes_nothing(interrupted: Path, tiny: Callable[[str], Path]) -> None:
    (interrupted / "predictions.jsonl").write_text("half done")
    with pytest.raises(ConfigError, match="begun with something else"):
        list(events(tiny("bert"), interrupted, training__learning_rate=1e-3))
    assert (interrupted / "predictions.jsonl").read_text() == "half done"


# ---------------------------------------------------------------------------------------------------------------------
# What a run was begun with.

SPLITS = {"train": [Example("a", target="x"), Example("b", "c", target="y", words=((0, 1),))], "test": [Example("d")]}
SETTINGS = {"seed": 1, "training": {"epochs": 3}}
HASHES = {"weight": "0", "bias": "1"}


def fingerprint(**more: Any) -> dict[str, Any]:
    settings = {"settings": SETTINGS, "splits": SPLITS, "parameter_hashes": HASHES, "compute": Compute(), **more}
    return fingerprint_of(settings.pop("settings"), settings.pop("splits"), **settings)


def test_a_fingerprint_is_a_function_of_what_decides_the_outcome() -> None:
    assert fingerprint() == fingerprint()
    assert json.loads(json.dumps(fingerprint())) == fingerprint()
    one, other = SPLITS["train"]
    others = [
        fingerprint(settings={**SETTINGS, "seed": 2}),
        fingerprint(splits={**SPLITS, "train": [other, one]}),
        fingerprint(splits={**SPLITS, "train": [Example("a", target="z"), other]}),
        fingerprint(splits={**SPLITS, "train": [one, Example("b", "c", target="y")]}),
        fingerprint(splits={**SPLITS, "train": [one, Example("b", target="y", words=((0, 1),))]}),
        fingerprint(splits={"train": SPLITS["train"]}),
        fingerprint(parameter_hashes={**HASHES, "bias": "2"}),
        fingerprint(compute=Compute(precision="bf16")),
        fingerprint(compute=Compute(threads=torch.get_num_threads() + 1)),
    ]
    texts = [json.dumps(one, sort_keys=True) for one in (fingerprint(), *others)]
    assert len(set(texts)) == len(texts)


def test_the_place_of_a_row_decides_nothing() -> None:
    moved = {name: [Example(one.text, one.pair, one.target, "y:9", one.words) for one in part]
             for name, part in SPLITS.items()}  # fmt: skip
    assert fingerprint(splits=moved) == fingerprint()


def test_a_text_that_no_encoding_holds_has_a_fingerprint() -> None:
    assert fingerprint(splits={"train": [Example("\ud800")]})


def test_differences_are_told_by_path() -> None:
    then = {"seed": 1, "training": {"epochs": 3, "clip": None}, "gone": True}
    now = {"seed": 2, "training": {"epochs": 3, "clip": 1.0}, "new": {"a": 0}}
    assert differences(then, then) == []
    assert differences(then, now) == [
        "seed: was 1, is 2",
        "training.clip: was None, is 1.0",
        "gone: was True, is None",
        "new.a: was not set, is 0",
    ]


def test_what_a_run_runs_on_has_its_arithmetic_and_versions() -> None:
    about = machine(Compute(precision="bf16", threads=3))
    assert (about["precision"], about["threads"], about["device"]) == ("bf16", 3, "cpu")
    assert set(about["versions"]) == {"afina", "torch", "transformers", "numpy"}


def test_a_run_goes_on_elsewhere_with_a_note(interrupted: Path) -> None:
    found, _ = checkpoint.latest(interrupted)
    assert found is not None
    then = found.state["fingerprint"]
    same, notes = resume(interrupted, then)
    assert same is not None
    assert notes == ["taken up after step 3"]
    _, notes = resume(interrupted, {**then, "machine": {**then["machine"], "threads": 99}})
    threads = then["machine"]["threads"]
    assert notes == [
        f"the last bits may differ from a run without a stop: threads: was {threads}, is 99",
        "taken up after step 3",
    ]


def altered(run: Path, **machine: Any) -> dict[str, Any]:
    """The fingerprint in a run's checkpoint, after some of what it says of the machine was changed there."""
    (place,) = (run / "checkpoints").iterdir()
    state = json.loads((place / "state.json").read_text())
    state["fingerprint"]["machine"] |= machine
    checkpoint.write(place / "state.json", state)
    manifest = json.loads((place / "manifest.json").read_text())
    checkpoint.write(place / "manifest.json", {**manifest, "state.json": checkpoint.describe(place / "state.json")})
    fingerprint: dict[str, Any] = state["fingerprint"]
    return fingerprint


def test_a_run_from_a_gpu_goes_on_on_a_cpu_and_says_what_may_differ(
    interrupted: Path, tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    whole = finished(events(tiny("bert"), tmp_path / "whole"))
    altered(interrupted, device="cuda", name="a GPU", tf32=True)
    said = list(events(tiny("bert"), interrupted, training__device="cpu"))
    (note,) = [event.text for event in said if isinstance(event, Note) and "last bits may differ" in event.text]
    assert "device: was 'cuda', is 'cpu'; " in note
    assert "tf32: was True, is False" in note
    assert "name: was 'a GPU', is " in note
    one, other = bytes_of(whole.folder), bytes_of(interrupted)
    for files in (one, other):
        files.pop("config.yaml")  # it names the device
    assert one == other


def test_what_the_machine_decides_is_taken_over_where_it_was_left_open(tmp_path: Path) -> None:
    plain = load(None, {})
    assert as_begun(plain, tmp_path) == plain
    begun = {"machine": {"precision": "bf16"}, "settings": {"training": {"micro_tokens": 16384}}}
    for step, content in ((3, json.dumps({"fingerprint": begun})), (4, "{"), (5, json.dumps({"fingerprint": 1}))):
        place = tmp_path / "checkpoints" / f"step-{step:08d}"
        place.mkdir(parents=True)
        (place / "state.json").write_text(content)
    taken = as_begun(plain, tmp_path).training
    assert (taken.precision, taken.micro_tokens) == ("bf16", 16384)
    assert taken == plain.training.model_copy(update={"precision": "bf16", "micro_tokens": 16384})
    given = load(None, {"training.precision": "fp32", "training.micro_tokens": 99})
    assert as_begun(given, tmp_path) == given


@pytest.mark.parametrize("how", ["the same command", "--resume"])
def test_a_run_goes_on_in_the_arithmetic_that_it_was_begun_in(
    how: str, tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a new measurement says: here the machine begins to like another one in the middle."""
    measured: list[Precision] = ["bf16"]
    real = compute.choose
    monkeypatch.setattr(
        run,
        "choose",
        lambda *, precision, **more: real(precision=measured[0] if precision == "auto" else precision, **more),
    )
    whole = finished(events(tiny("bert"), tmp_path / "whole"))
    assert whole.record["machine"]["precision"] == "bf16"
    stopped(events(tiny("bert"), tmp_path / "often"), after=3)
    measured[0] = "fp32"
    if how == "--resume":
        config = load(tmp_path / "often" / "config.yaml", {"out": str(tmp_path / "often")})
        assert config.training.precision == "bf16"
        finished(stream(config, data_of(config)))
    else:
        finished(events(tiny("bert"), tmp_path / "often"))
    assert bytes_of(whole.folder) == bytes_of(tmp_path / "often")


def test_another_arithmetic_that_is_asked_for_is_refused(interrupted: Path, tiny: Callable[[str], Path]) -> None:
    with pytest.raises(ConfigError, match=r"settings\.training\.precision: was 'fp32', is 'bf16'"):
        list(events(tiny("bert"), interrupted, training__precision="bf16"))


def test_an_unfinished_run_of_an_older_version_goes_on(interrupted: Path) -> None:
    """Its fingerprint has the arithmetic as it was asked for, and knows nothing of later settings."""
    then = altered(interrupted)
    now = json.loads(json.dumps(then))
    then["settings"]["training"]["precision"] = "auto"
    then["machine"].pop("strict")
    assert comparable(then) == comparable(now)
    assert comparable({**then, "model": "another"}) != comparable(now)


@pytest.fixture
def three_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process of three threads, on a machine on which one is faster; nobody chose a number."""
    before = torch.get_num_threads()
    monkeypatch.delenv(FIXED, raising=False)
    monkeypatch.setattr("afina.machine.speeds", lambda numbers: {3: 1e9, 1: 5e9})
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def test_a_run_that_begins_has_the_threads_that_suit_the_machine(three_threads: None, tmp_path: Path) -> None:
    compute, notes = threads_for(tmp_path, Compute(precision="bf16"))
    assert compute == Compute(precision="bf16", threads=1)
    assert [note.partition(",")[0] for note in notes] == ["CPU threads: 1 of 3"]
    assert "--set training.threads=3 takes all" in notes[0]
    assert threads_for(tmp_path, Compute(threads=2)) == (Compute(threads=2), [])


def test_a_run_that_goes_on_has_the_threads_it_began_with(
    three_threads: None, tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = {number: tmp_path / f"{number} threads" for number in (2, 3)}
    for number, folder in begun.items():
        stopped(events(tiny("bert"), folder, training__threads=number), after=2)
    monkeypatch.setattr("afina.machine.speeds", lambda numbers: pytest.fail("it was measured again"))
    compute, notes = threads_for(begun[2], Compute())
    assert compute == Compute(threads=2)
    assert notes == [
        "CPU threads: 2 of 3, as before the stop, which keeps the last bits; --set training.threads=3 takes all"
    ]
    assert threads_for(begun[3], Compute()) == (Compute(), [])
    assert threads_for(begun[2], Compute(threads=1)) == (Compute(threads=1), [])
    assert threads_for(begun[2], Compute(torch.device("cuda"))) == (Compute(torch.device("cuda")), [])
    monkeypatch.setenv(FIXED, "3")
    assert threads_for(begun[2], Compute()) == (Compute(), [])
    monkeypatch.delenv(FIXED)
    said = [event.text for event in events(tiny("bert"), begun[2]) if isinstance(event, Note)]
    assert sum(text in notes for text in said) == 1
    assert "taken up after step 2" in said
    assert not any("last bits may differ" in text for text in said)
    assert json.loads((begun[2] / "run.json").read_text())["machine"]["threads"] == 2


def test_a_run_of_more_threads_than_there_are_goes_on_as_one_that_begins(
    three_threads: None, tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    stopped(events(tiny("bert"), tmp_path / "run", training__threads=4), after=2)
    assert threads_for(tmp_path / "run", Compute())[0] == Compute(threads=1)


def test_without_a_checkpoint_what_a_dead_run_left_goes(tmp_path: Path) -> None:
    for name in (rundir.STEPS, rundir.EVALUATIONS, rundir.PREDICTIONS, rundir.SCORES, rundir.CONFIG, ".making-model"):
        (tmp_path / name).write_text("half")
    (tmp_path / rundir.MODEL).mkdir()
    assert resume(tmp_path, fingerprint()) == (None, [])
    assert [place.name for place in tmp_path.iterdir()] == [rundir.CONFIG]
