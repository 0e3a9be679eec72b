"""What trackers are told: points of curves from the events of a run, its settings, and what it leaves."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..baselines import LINEAR
from ..cards.facts import base_of, file_names
from ..inference import Evaluation
from ..training import rundir
from ..training.events import Adapted, Done, Event, Scored, Step
from ..yaml_files import read_yaml
from .base import Outcome

LONGEST = 250
"""Characters of a setting; some trackers refuse longer ones."""
UNFIT = re.compile(r"[^\w./ -]", re.ASCII)
"""Signs that the names of values may not have in some tracker."""


def values_of(event: Event) -> tuple[int, dict[str, float]] | None:
    """The step and the finite numbers of an event; None where it has none."""
    match event:
        case Step():
            found = {name: getattr(event, name) for name in ("loss", "learning_rate", "grad_norm", "tokens")}
            values = {f"train/{name}": float(value) for name, value in found.items()}
            step = event.number
        case Scored():
            values = {f"validation/{name}": value for name, value in event.metrics.items()}
            values |= {"validation/loss": event.loss, "train/mean_loss": event.training_loss, "epoch": event.epoch}
            step = event.step
        case _:
            return None
    return step, cleaned(values)


def cleaned(values: Mapping[str, float]) -> dict[str, float]:
    """The finite numbers, under names that every tracker takes."""
    return {UNFIT.sub("_", name): float(value) for name, value in values.items() if math.isfinite(value)}


def outcome_of(event: Done | Adapted) -> Outcome:
    """What a finished run leaves."""
    test = event.test if isinstance(event, Done) else None
    scores = dict(scores_of("best_validation", event.validation))
    if test is not None:
        scores |= scores_of("test", test)
    model, page = event.folder / rundir.MODEL, event.folder / rundir.REPORT
    return Outcome(
        step=int(event.record["steps"]),
        scores=cleaned(scores),
        model=model if model.is_dir() else None,
        page=page if page.is_file() else None,
    )


def scores_of(split: str, evaluation: Evaluation) -> Iterator[tuple[str, float]]:
    """Scores with their bounds, and those of the baselines on the same examples."""
    for name, value in evaluation.metrics.items():
        low, high = evaluation.intervals[name]
        yield f"{split}/{name}", value
        yield f"{split}/{name}_low", low
        yield f"{split}/{name}_high", high
        for baseline, values in evaluation.baselines.items():
            # The name of a constant answer holds a label.
            kind = "tf-idf" if baseline == LINEAR else "constant"
            yield f"{split}/{name}_of_{kind}", values.get(name, math.nan)


def settings_of(folder: Path) -> dict[str, Any]:
    """The complete configuration of a run by path, without what is not set; files and folders by their names alone.

    Raises:
        ConfigError: there is none, or it is damaged.
    """
    tree = read_yaml(folder / rundir.CONFIG)
    tree["out"] = folder.absolute().name
    for name in ("train", "validation", "test"):
        if tree.get("data", {}).get(name):
            tree["data"][name] = ", ".join(file_names(str(tree["data"][name])))
    if tree.get("model", {}).get("name"):
        tree["model"]["name"] = base_of(str(tree["model"]["name"])).shown
    return {path: short(value) for path, value in flat(tree) if value is not None}


def flat(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """The paths and values of a tree."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value


def short(value: Any) -> str | int | float | bool:
    """A setting as every tracker takes it."""
    if isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else ", ".join(map(str, value))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
