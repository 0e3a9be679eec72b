"""Resuming a run that was stopped: the fingerprint of its inputs, and the checkpoint to continue from."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import disk
from ..compute import Compute
from ..errors import ConfigError
from ..records import Example
from . import checkpoint, rundir


def fingerprint_of(
    settings: Mapping[str, Any],
    splits: Mapping[str, Sequence[Example]],
    *,
    parameter_hashes: Mapping[str, str],
    compute: Compute,
) -> dict[str, Any]:
    """Everything that determines the outcome of a run, for comparison when the run is resumed.

    Args:
        settings: Settings that change the outcome.
        splits: Examples by split.
        parameter_hashes: Hashes of the initial weights.
        compute: Device and arithmetic.
    """
    examples = {}
    for name, part in splits.items():
        lines = "\n".join(repr((example.text, example.pair, example.target, example.words)) for example in part)
        examples[name] = hashlib.sha256(lines.encode("utf-8", "surrogatepass")).hexdigest()
    return {
        "settings": dict(settings),
        "examples": examples,
        "model": hashlib.sha256(json.dumps(parameter_hashes, sort_keys=True).encode()).hexdigest(),
        "machine": machine(compute),
    }


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


def resume(folder: Path, fingerprint: Mapping[str, Any]) -> tuple[checkpoint.Checkpoint | None, list[str]]:
    """The checkpoint to continue from, or None, with notes for the user. Unfinished files of a dead run are removed.

    Raises:
        ConfigError: the inputs of the run have changed, and the differences are listed; or a log is damaged.
    """
    latest, skipped = checkpoint.latest(folder)
    notes = [f"skipped: {reason}" for reason in skipped]
    half_done = (rundir.MODEL, rundir.PREDICTIONS)
    if latest is None:
        rundir.sweep(folder, *half_done, rundir.STEPS, rundir.EVALUATIONS)
        return None, notes
    then = latest.state["fingerprint"]
    differ = differences(without(then, "machine"), without(fingerprint, "machine"))
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


def without(tree: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A copy of a dict without one entry."""
    return {key: value for key, value in tree.items() if key != name}


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
