"""Real processes that die, find no room or are stopped: the same command again ends in the bytes of a quiet run."""

from __future__ import annotations

import csv
import inspect
import json
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

import afina
from afina.training.resume import NEUTRAL
from tests.runs import ROWS, bytes_of

if sys.platform != "linux":
    pytest.skip("processes are forked and audited as Linux does it", allow_module_level=True)

from tests.faults import DIED, Ended, Processes

SMALL = {
    "afina.training.events.BEAT": 0,
    "afina.assembly.CHUNK": 4,
    "afina.text.layouts.Packed.budget": 16,
    "afina.text.layouts.Padded.budget": 16,
}
"""Long parts of the work in many batches, on little data; each of them says how far it is."""


@dataclass(frozen=True)
class Command:
    """A training, to be run in folders of its own with everything that can go wrong."""

    processes: Processes
    arguments: list[object]
    root: Path

    def run(self, name: str, *more: object, **faults: Any) -> Ended:
        """Run it in a folder; what it writes is in `run` and `cache` there."""
        return self.processes.run([*self.arguments, *more], self.root / name, **faults)

    def bytes_of(self, name: str) -> dict[str, bytes]:
        """What a run leaves, but for the settings that change nothing."""
        found = bytes_of(self.root / name / "run")
        lines = found["config.yaml"].decode().splitlines()
        free = [line for line in lines if line.strip().partition(":")[0] not in NEUTRAL]
        return {**found, "config.yaml": "\n".join(free).encode()}

    def finishes(self, name: str, like: str, *more: object, cost: bool = True, **faults: Any) -> Ended:
        """Run it again, to the end, and compare everything that it leaves with another run's.

        Args:
            name: Name of its folder.
            like: Name of the other run's.
            more: More arguments.
            cost: Whether the arithmetic that it took is the same, too.
            faults: What goes wrong.
        """
        folder = self.root / name
        over = (folder / "run" / "run.json").exists()
        ended = self.run(name, *more, **faults)
        assert (ended.code, "holds a finished run" in ended.said) == ((2, True) if over else (0, False)), ended.said
        mine, other = (self.bytes_of(one) if cost else without_cost(self.bytes_of(one)) for one in (name, like))
        assert sorted(mine) == sorted(other)
        assert [file for file in mine if mine[file] != other[file]] == []
        left = [path for path in folder.rglob("*") if path.name.startswith(".")]
        assert left == []
        assert not (folder / "run" / "checkpoints").exists()
        return ended


def without_cost(files: dict[str, bytes]) -> dict[str, bytes]:
    """What a run leaves without the FLOPs that it took."""
    record = json.loads(files["run.json"])
    for name in ("flops", "stages"):
        record.pop(name)
    return {**files, "run.json": json.dumps(record).encode()}


@pytest.fixture(scope="module")
def command(tiny: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    root = tmp_path_factory.mktemp("faults")
    (root / "warm").mkdir()
    rows = [(row["text"], row["label"]) for row in ROWS["classification"]]
    files: list[object] = []
    for name, some in (("train", rows), ("validation", rows[::2]), ("test", rows[::3])):
        with (root / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("text", "label"), *some])
        files += [f"--{name}", root / f"{name}.csv"]
    processes = Processes(tiny("bert"), root / "warm")
    arguments = [
        "train", *files, "--model", tiny("bert"), "--strategy", "last-1", "--epochs", 2, "--batch-size", 8,
        "--learning-rate", 5e-3, "--set", "training.checkpoint_every=0", "--set", "training.precision=fp32",
        "--out", "run",
    ]  # fmt: skip
    yield Command(processes, arguments, root)
    processes.close()


@pytest.fixture(scope="module")
def moments(command: Command, tiny: Callable[[str], Path]) -> int:
    """A run that nothing happens to, in `whole`; at how many moments it could have died."""
    ended = command.run("whole")
    assert ended.code == 0, ended.said
    base = load_file(tiny("bert") / "model.safetensors")
    tuned = load_file(command.root / "whole" / "run" / "model" / "model.safetensors")
    assert any(not base[name].equal(tuned[name]) for name in base if name in tuned), "training did not move"
    return ended.moments


# ---------------------------------------------------------------------------------------------------------------------
# Death.


def survives(command: Command, moment: int, name: str) -> None:
    died = command.run(f"{name}-{moment}", die=moment)
    assert died.code == DIED, died.said
    command.finishes(f"{name}-{moment}", "whole")


def test_a_run_that_dies_at_a_file_ends_in_the_same_bytes(
    command: Command, moments: int, record_property: Callable[[str, object], None]
) -> None:
    assert moments > 100
    chosen = [1 + part * (moments - 1) // 5 for part in range(6)]
    for moment in chosen:
        survives(command, moment, "some")
    record_property("tried", len(chosen))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(8))
def test_a_run_that_dies_at_any_file_ends_in_the_same_bytes(
    part: int, command: Command, moments: int, record_property: Callable[[str, object], None]
) -> None:
    """Before and after every file and folder that a whole run makes, opens, renames or removes."""
    lost = {}
    chosen = range(1 + part, moments + 1, 8)
    for moment in chosen:
        try:
            survives(command, moment, "all")
        except AssertionError as error:
            lost[moment] = str(error)
    assert lost == {}
    record_property("tried", len(chosen))


# ---------------------------------------------------------------------------------------------------------------------
# No room, no rights.


@pytest.mark.parametrize(
    ("what", "room", "more"),
    [
        ("run/checkpoints/step-00000001", 8_000, ()),
        ("run/model", 30_000, ("--strategy", "head", "--set", "training.checkpoint_every=1000")),
        ("run/steps.jsonl", 5_000, ("--epochs", 30, "--set", "training.checkpoint_every=1000")),
        ("run", 100, ()),
    ],
    ids=["checkpoint", "model", "log", "configuration"],
)
def test_a_file_that_finds_no_room_stops_the_run_and_is_named(
    what: str, room: int, more: tuple[object, ...], command: Command
) -> None:
    name = what.replace("/", "-")
    assert command.run(f"{name}-whole", *more).code == 0
    full = command.run(name, *more, room=room)
    assert full.code == 1, full.said
    assert f"error: {what}: can't be written (" in full.said
    assert "File too large" in full.said
    assert "MB are free). The run stops here; make room, then the same command again" in full.said
    command.finishes(name, f"{name}-whole", *more)


def test_a_later_checkpoint_that_finds_no_room_leaves_the_one_before(command: Command, moments: int) -> None:
    """The best weights come with the second one: a run that had room for a first."""
    assert command.run("later", die=moments // 2).code == DIED
    before = sorted((command.root / "later/run/checkpoints").glob("step-*/*"))
    assert before
    full = command.run("later", room=8_000)
    assert full.code == 1, full.said
    assert sorted((command.root / "later/run/checkpoints").glob("step-*/*")) == before
    command.finishes("later", "whole")


def test_kept_states_that_find_no_room_cost_nothing_but_time(command: Command) -> None:
    long = command.root / "long.csv"
    long.write_text("text,label\n" + "".join(f"{'the cat ' * 40}{i},{'ab'[i % 2]}\n" for i in range(60)))
    more = ("--train", long, "--validation", long, "--test", long, "--max-length", 64)
    assert command.run("states", *more, "--cache-disk", 0).code == 0
    in_memory = command.finishes("states-in-memory", "states", *more, room=150_000)
    assert "recomputed" not in in_memory.said
    nowhere = command.finishes("states-nowhere", "states", *more, "--cache-memory", 0, cost=False, room=150_000)
    assert "full: the states of train are recomputed every epoch" in nowhere.said
    assert list((command.root / "states-nowhere" / "cache" / "states").iterdir()) == []


def test_a_folder_without_rights_is_refused_at_once(command: Command) -> None:
    """Root may write everywhere, so the command is nobody's."""
    if not all(folder.stat().st_mode & 0o001 for folder in Path(inspect.getfile(afina)).parents):
        pytest.skip("afina lies in a folder that is closed to others")
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o555)
        more = ("--train", "nowhere.csv", "--model", "./nowhere")
        refused = command.processes.run([*command.arguments, *more], Path(name), nobody=True)
    assert refused.code == 2
    assert "out: run can't be made" in refused.said
    assert "nowhere.csv" in refused.said


# ---------------------------------------------------------------------------------------------------------------------
# Signals.

PARTS = [
    ("tokens of train", signal.SIGINT, 130),
    ("frozen part of train", signal.SIGTERM, 143),
    ("validation", signal.SIGINT, 130),
    ("validation", signal.SIGTERM, 143),
    ("validation", signal.SIGHUP, 143),
    ("baselines", signal.SIGINT, 130),
    ("scores of test", signal.SIGTERM, 143),
]


@pytest.mark.parametrize(("part", "number", "code"), PARTS)
def test_a_signal_is_heard_in_long_parts_of_the_work(part: str, number: int, code: int, command: Command) -> None:
    more = ("--set", "training.checkpoint_every=1000", "--set", "training.micro_tokens=16")
    if not (command.root / "parts").exists():
        assert command.run("parts", *more, settings=SMALL).code == 0
    name = f"{part.replace(' ', '-')}-{number}"
    stopped = command.run(name, *more, stop=(part, 2, number), settings=SMALL)
    assert stopped.code == code, stopped.said
    assert stopped.after == 0
    checkpoints = list((command.root / name / "run").glob("checkpoints/step-*"))
    assert len(checkpoints) == (part in ("validation", "baselines", "scores of test"))
    assert ("go on with: afina train --resume run" in stopped.said) == bool(checkpoints)
    again = command.finishes(name, "parts", *more, settings=SMALL)
    assert ("taken up after step" in again.said) == bool(checkpoints)


def test_a_reader_that_has_seen_enough_costs_no_checkpoint(command: Command, moments: int) -> None:
    """`afina train | head`"""
    more = ("--set", "training.checkpoint_every=1000")
    ended = command.run("head", *more, reader=1)
    assert ended.code == 1
    assert ended.said == "stopped, since nothing reads the output: go on with: afina train --resume run\n"
    assert "taken up after step 4" in command.finishes("head", "whole", *more).said
