"""Taking up a run that was stopped: what it was begun with, and where it goes on."""

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
    """What decides the outcome of a run, to compare when it is taken up.

    Args:
        settings: Those that change what comes out.
        splits: Examples by split.
        parameter_hashes: Hashes of the weights that the training begins with.
        compute: Where it computes.
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
    """What a run runs on: system, versions, and where it computes."""
    from importlib.metadata import version

    packages = ("afina", "torch", "transformers", "numpy")
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        **compute.fingerprint(),
        "versions": {name: version(name) for name in packages},
    }


def resume(folder: Path, fingerprint: Mapping[str, Any]) -> tuple[checkpoint.Checkpoint | None, list[str]]:
    """The checkpoint to go on from, if there is one, and what to say about it; sweeps what a dead run left half done.

    Raises:
        ConfigError: the run was begun with something else, and the differences are listed; or a log is damaged.
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
    kept = {name: rundir.first_lines(folder / name, lines) for name, lines in logs.items()}
    rundir.sweep(folder, *half_done)
    for name, content in kept.items():
        disk.write(folder / name, content)
    moved = differences(then["machine"], fingerprint["machine"])
    if moved:
        notes.append(f"the last bits may differ from a run without a stop: {'; '.join(moved)}")
    return latest, [*notes, f"taken up after step {counters['number']}"]


def without(tree: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A dict less one entry."""
    return {key: value for key, value in tree.items() if key != name}


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs between the beginning of a run and the attempt to go on with it, one line each."""
    before, after = dict(flat(then)), dict(flat(now))
    lines = [
        f"{name}: was {value!r}, is {after.get(name)!r}" for name, value in before.items() if after.get(name) != value
    ]
    return lines + [f"{name}: was not set, is {value!r}" for name, value in after.items() if name not in before]


def flat(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """A tree of dicts as paths and values."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value
