"""Checkpoints: where a run can be resumed. They are complete or absent, and verified before they are used.

RUN/checkpoints/step-00000120/
  weights.safetensors     trainable weights
  optimiser.safetensors   moments and step counts of AdamW; absent when training is over
  best.safetensors        trainable weights at the best evaluation so far; absent before the first
  state.json              counters, scores, and the fingerprint of the run
  manifest.json           size and SHA-256 of each of these files; written last

A checkpoint is written under a temporary name, synced, described by its manifest, synced again and renamed. Older
checkpoints are removed only when the new one is durable. Data order and dropout are functions of seed and step, so no
random state is kept.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from ..disk import aside, remove, settle, sha256, sync
from ..errors import ConfigError, TrainingError
from .rundir import CHECKPOINTS, EVALUATIONS, STEPS, go_on

MANIFEST = "manifest.json"
Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a run after a step.

    Attributes:
        state: Counters and scores; JSON values only.
        weights: Trainable weights, by name.
        optimiser: State of AdamW, by name and part; empty when training is over.
        best: Trainable weights at the best evaluation so far, by name; empty before the first.
    """

    state: dict[str, Any]
    weights: Tensors
    optimiser: Tensors
    best: Tensors


def save(run: Path, step: int, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint, then remove the older ones.

    Raises:
        TrainingError: the checkpoint can't be written; says how much disk space is free. Older ones are unchanged.
    """
    parent = run / CHECKPOINTS
    place, again = parent / f"step-{step:08d}", 0
    while place.exists():  # a resumed run that stops before its next step must not remove the old one first
        again += 1
        place = parent / f"step-{step:08d}.{again}"
    parts = {"weights": checkpoint.weights, "optimiser": checkpoint.optimiser, "best": checkpoint.best}
    with writing(place, run, sum(tensor.nbytes for tensors in parts.values() for tensor in tensors.values())):
        for log in (STEPS, EVALUATIONS):  # the checkpoint refers to lines of the logs
            if (run / log).exists():
                sync(run / log)
        making = aside(place)
        parent.mkdir(exist_ok=True)
        remove(making)
        making.mkdir()
        for name, tensors in parts.items():
            if tensors:
                save_file(tensors, making / f"{name}.safetensors")
        write(making / "state.json", checkpoint.state)
        settle(making)
        files = sorted(making.iterdir())
        with ThreadPoolExecutor() as pool:
            write(
                making / MANIFEST,
                {file.name: about for file, about in zip(files, pool.map(describe, files), strict=True)},
            )
        sync(making / MANIFEST)
        making.rename(place)
        sync(parent)
    for other in parent.iterdir():
        if other != place:
            remove(other)
    return place


@contextmanager
def writing(place: Path, run: Path, size: int = 0) -> Iterator[None]:
    """Turn failures to write into errors of the run, and remove what is half written.

    Raises:
        TrainingError: something can't be written; says why, how much disk space is free, and how to go on.
    """
    try:
        yield
    except (OSError, SafetensorError) as error:
        remove(aside(place))
        reason = getattr(error, "strerror", None) or error
        needed = f"{size / 1e6:,.1f} MB are needed, " if size else ""
        free = f"{shutil.disk_usage(run).free / 1e6:,.0f} MB are free"
        raise TrainingError(
            f"{place}: can't be written ({reason}; {needed}{free}). The run stops here; make room, then the same "
            f"command again, or {go_on(run)}, goes on"
        ) from error


def latest(run: Path) -> tuple[Checkpoint | None, list[str]]:
    """The newest intact checkpoint, and the errors of newer ones."""
    parent = run / CHECKPOINTS
    skipped: list[str] = []
    for place in sorted(parent.glob("step-*"), reverse=True) if parent.is_dir() else ():
        try:
            return read(place), skipped
        except ConfigError as error:
            skipped.append(str(error))
    return None, skipped


def begun_with(run: Path) -> dict[str, Any]:
    """What a run was begun with, as its newest readable checkpoint says; empty where there is none.

    The weights are not looked at: `latest` does that, and refuses what is damaged.
    """
    for place in sorted((run / CHECKPOINTS).glob("step-*"), reverse=True):
        try:
            found = parse(place / "state.json").get("fingerprint")
        except ConfigError:
            continue
        if isinstance(found, dict):
            return found
    return {}


def read(place: Path) -> Checkpoint:
    """Read a checkpoint and verify every file.

    Raises:
        ConfigError: a file is missing, damaged or unexpected.
    """
    manifest = parse(place / MANIFEST)
    names = {MANIFEST, "weights.safetensors", "state.json", *manifest}
    if names - {MANIFEST, "weights.safetensors", "optimiser.safetensors", "best.safetensors", "state.json"}:
        raise ConfigError(f"{place / MANIFEST}: damaged: it names files that a checkpoint does not have")
    for name in sorted(names):
        file = place / name
        if file.is_symlink() or not file.is_file():
            raise ConfigError(f"{file}: missing, or not a plain file")
        if name == MANIFEST:
            continue
        try:
            described = describe(file)
        except OSError as error:
            raise ConfigError(f"{file}: can't be read: {error.strerror}") from None
        if described != manifest.get(name):
            raise ConfigError(f"{file}: damaged: its size or SHA-256 is not that of the manifest")
    weights, optimiser, best = (
        load_file(place / f"{name}.safetensors") if f"{name}.safetensors" in manifest else {}
        for name in ("weights", "optimiser", "best")
    )
    return Checkpoint(parse(place / "state.json"), weights, optimiser, best)


# ---------------------------------------------------------------------------------------------------------------------
# State of the optimiser by parameter name.


def optimiser_state(optimiser: torch.optim.Optimizer, names: Mapping[torch.nn.Parameter, str]) -> Tensors:
    """The state of AdamW as named tensors, which are the optimiser's own: they change with its next step."""
    return {
        f"{name}|{part}": value.detach()
        for parameter, name in names.items()
        for part, value in optimiser.state.get(parameter, {}).items()
    }


def restore_optimiser(
    optimiser: torch.optim.Optimizer, names: Mapping[torch.nn.Parameter, str], tensors: Tensors
) -> None:
    """Restore the state of AdamW."""
    by_name = {name: parameter for parameter, name in names.items()}
    for key, value in tensors.items():
        name, _, part = key.rpartition("|")
        parameter = by_name[name]
        optimiser.state[parameter][part] = value.to(parameter.device)


# ---------------------------------------------------------------------------------------------------------------------
# Files.


def write(file: Path, tree: Any) -> None:
    """Write a JSON file."""
    file.write_text(json.dumps(tree, indent=1) + "\n", encoding="utf-8")


def parse(file: Path) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Raises:
        ConfigError: the file can't be read or holds something else.
    """
    try:
        tree = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file}: damaged or missing: {error}") from None
    if not isinstance(tree, dict):
        raise ConfigError(f"{file}: damaged: expected an object")
    return tree


def describe(file: Path) -> dict[str, Any]:
    """Size and SHA-256 of a file."""
    return {"bytes": file.stat().st_size, "sha256": sha256(file)}
