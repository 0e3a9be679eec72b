"""Resuming a run that was stopped: the fingerprint of its inputs, and the checkpoint to continue from."""

from __future__ import annotations

import hashlib
import json
import math
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import torch

from .. import disk
from ..compute import Compute
from ..config import TrainingConfig
from ..errors import ConfigError
from ..machine import is_open, suited
from ..records import Example
from . import checkpoint, rundir


class Trains(Protocol):
    """A configuration with settings of a training."""

    @property
    def training(self) -> TrainingConfig:
        """The settings."""

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other values."""


TrainsT = TypeVar("TrainsT", bound=Trains)

NEUTRAL = {
    "baseline",
    "cache_memory",
    "cache_disk",
    "checkpoint_every",
    "diverged",
    "device",
    "graphs",
    "report",
    "save",
    "strict",
    "temperature",
    "threads",
    "track",
}
"""Training settings that don't change what is computed, but for its last bits."""


def fingerprint_of(
    settings: Mapping[str, Any],
    splits: Mapping[str, Sequence[Example]],
    *,
    parameter_hashes: Mapping[str, str],
    compute: Compute,
) -> dict[str, Any]:
    """Everything that determines the outcome of a run, for comparison when the run is resumed.

    Args:
        settings: The complete configuration, without what its data are.
        splits: Examples by split.
        parameter_hashes: Hashes of the initial weights.
        compute: Device and arithmetic.
    """
    return {
        "settings": dict(settings),
        "examples": examples_digest(splits),
        "model": hashlib.sha256(json.dumps(parameter_hashes, sort_keys=True).encode()).hexdigest(),
        "machine": machine(compute),
    }


def examples_digest(splits: Mapping[str, Sequence[Example]]) -> dict[str, str]:
    """SHA-256 of the examples of each split: texts, words and targets."""
    digests = {}
    for name, part in splits.items():
        lines = "\n".join(repr((example.text, example.pair, example.target, example.words)) for example in part)
        digests[name] = hashlib.sha256(lines.encode("utf-8", "surrogatepass")).hexdigest()
    return digests


def machine(compute: Compute) -> dict[str, Any]:
    """The machine of a run: system, versions, device and arithmetic."""
    from importlib.metadata import version

    packages = ("afina", "torch", "transformers", "numpy")
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        **compute.fingerprint(),
        "versions": {name: version(name) for name in packages},
    }


def threads_for(folder: Path, compute: Compute) -> tuple[Compute, list[str]]:
    """The same device and arithmetic with the CPU threads of a run, and notes for the user.

    Where nobody chose their number it is that with which the run in the folder was begun, which keeps the last bits; a
    new run has as many as suit the machine. More than this process has are not taken over.
    """
    fix, most = "--set training.threads=", torch.get_num_threads()
    before = checkpoint.begun_with(folder).get("machine", {}).get("threads", math.inf)
    if not is_open(compute) or before == most:
        return compute, []
    if before > most:
        compute, said = suited(compute, fix=fix)
        return compute, [said] if said else []
    said = f"CPU threads: {before} of {most}, as before the stop, which keeps the last bits; {fix}{most} takes all"
    return replace(compute, threads=before), [said]


def resume(folder: Path, fingerprint: Mapping[str, Any]) -> tuple[checkpoint.Checkpoint | None, list[str]]:
    """The checkpoint to continue from, or None, with notes for the user. Unfinished files of a dead run are removed.

    Raises:
        ConfigError: the inputs of the run have changed, and the differences are listed; or a log is damaged.
    """
    latest, skipped = checkpoint.latest(folder)
    notes = [f"skipped: {reason}" for reason in skipped]
    half_done = (rundir.MODEL, rundir.PREDICTIONS, rundir.EXAMPLES, rundir.SCORES)
    if latest is None:
        rundir.sweep(folder, *half_done, rundir.STEPS, rundir.EVALUATIONS, rundir.TRACKING)
        return None, notes
    then = latest.state["fingerprint"]
    differ = differences(comparable(then), comparable(fingerprint))
    if differ:
        raise ConfigError(
            [
                f"out: {folder} holds a run that was begun with something else; give another folder, or undo this:",
                *differ,
            ]
        )
    counters = latest.state["counters"]
    logs = {rundir.STEPS: counters["number"], rundir.EVALUATIONS: counters["evaluations"]}
    contents = {name: rundir.first_lines(folder / name, lines) for name, lines in logs.items()}
    rundir.sweep(folder, *half_done)
    for name, content in contents.items():
        disk.write(folder / name, content)
    moved = differences(then["machine"], fingerprint["machine"])
    if moved:
        notes.append(f"the last bits may differ from a run without a stop: {'; '.join(moved)}")
    return latest, [*notes, f"taken up after step {counters['number']}"]


def comparable(fingerprint: Mapping[str, Any]) -> dict[str, Any]:
    """What has to be the same when a run is resumed: the inputs, and the arithmetic that was decided."""
    settings, training = fingerprint["settings"], fingerprint["settings"].get("training", {})
    same = {name: value for name, value in training.items() if name not in NEUTRAL}
    decided = {"precision": fingerprint["machine"]["precision"]}
    others = {name: value for name, value in fingerprint.items() if name != "machine"}
    return {**others, "settings": {**settings, "training": {**same, **decided}}}


def as_begun(config: TrainsT, folder: Path) -> TrainsT:
    """A configuration that goes on as the unfinished run in its folder was begun.

    What its user leaves open and the machine decides is taken over: the arithmetic, and the number of tokens that go
    through the encoder at once. A new measurement, or another device, would decide otherwise.
    """
    begun, given = checkpoint.begun_with(folder), config.training
    taken = {}
    if given.precision == "auto" and (precision := begun.get("machine", {}).get("precision")):
        taken["precision"] = precision
    if given.micro_tokens is None and (most := begun.get("settings", {}).get("training", {}).get("micro_tokens")):
        taken["micro_tokens"] = most
    return config.model_copy(update={"training": given.model_copy(update=taken)})


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Differences between the fingerprints of a run when it began and when it is resumed, one per line."""
    before, after = dict(flat(then)), dict(flat(now))
    lines = [
        f"{name}: was {value!r}, is {after.get(name)!r}" for name, value in before.items() if after.get(name) != value
    ]
    return lines + [f"{name}: was not set, is {value!r}" for name, value in after.items() if name not in before]


def flat(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """The paths and values of a tree of dicts."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value
