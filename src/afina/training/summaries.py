"""The runs of a folder, each in a few words, read from their folders alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from ..config import Config
from ..config import load as load_config
from ..errors import ConfigError, InputError, printable
from ..yaml_files import read_yaml
from .rundir import CONFIG, RUN, RunFolder, kind_of


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in a few words.

    Attributes:
        folder: Folder of the run.
        state: `done`, `unfinished`, or `damaged` where its files can't be read.
        bytes: Size of all files of the folder.
        time: When the run ended, or when its configuration was written.
        task: Name of the task, or `adapt`; empty where the configuration can't be read, as the next three.
        data: Path of the training data; empty for data in memory.
        strategy: Name of the strategy.
        model: Name of the base model.
        split: The split of the score: `test` where the run has one, else `validation`; empty without a score.
        metric: The metric that chose the epoch.
        value: Its value; nan without a score.
        interval: Lower and upper bound; nan where there are none.
        baseline: Name of the strongest baseline; empty without one.
        baseline_value: Its value of the metric; nan without one.
    """

    folder: Path
    state: Literal["done", "unfinished", "damaged"]
    bytes: int
    time: datetime
    task: str = ""
    data: str = ""
    strategy: str = ""
    model: str = ""
    split: str = ""
    metric: str = ""
    value: float = math.nan
    interval: tuple[float, float] = (math.nan, math.nan)
    baseline: str = ""
    baseline_value: float = math.nan


def runs_in(folder: Path) -> list[Summary]:
    """The runs in a folder and in its folders, the latest first. A folder that is itself a run is one.

    Raises:
        ConfigError: there is no such folder.
    """
    if not folder.is_dir():
        raise ConfigError(
            f"runs: there is no folder {printable(str(folder))}; name that of your runs: afina runs FOLDER"
        )
    files = sorted({*folder.glob(CONFIG), *folder.glob(f"*/{CONFIG}"), *folder.glob(f"*/*/{CONFIG}")})
    runs = [RunFolder(file.parent) for file in files]
    found = [summary(run) for run in runs if run.finished or run.begun]
    return sorted(found, key=lambda one: one.time, reverse=True)


def summary(run: RunFolder) -> Summary:
    """A run in a few words, read from its folder."""
    last = run.path / RUN if run.finished else run.config
    size = sum(file.stat().st_size for file in run.path.rglob("*") if file.is_file())
    time = datetime.fromtimestamp(last.stat().st_mtime, UTC)
    try:
        known: dict[str, Any] = (
            adapted_of(read_yaml(run.config)) if kind_of(run.path) == "adapt" else settings_of(load_config(run.config))
        )
        known |= score_of(run.record()) if run.finished else {}
    except (InputError, KeyError, TypeError, AttributeError, ValueError):  # written by another program, or cut
        return Summary(run.path, "damaged", size, time)
    return Summary(run.path, "done" if run.finished else "unfinished", size, time, **known)


def settings_of(config: Config) -> dict[str, str]:
    """What was trained on what."""
    return {
        "task": config.task,
        "data": config.data.train or "",
        "strategy": config.strategy,
        "model": config.model.name,
    }


def adapted_of(tree: Mapping[str, Any]) -> dict[str, str]:
    """What was adapted to which texts, from the configuration of such a run."""
    words = "masked words" if tree["masking"]["whole_word"] else "masked tokens"
    return {"task": "adapt", "data": tree["data"]["train"] or "", "strategy": words, "model": tree["model"]["name"]}


def score_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """The score of a finished run and of its strongest baseline, by the metric that chose the epoch."""
    metric = record["best"]["metric"]
    split = "test" if record.get("test") else "validation"
    part = record[split]
    known = {name: values.get(metric) for name, values in part.get("baselines", {}).items()}
    known = {name: value for name, value in known.items() if value is not None}
    best = max(known, key=lambda name: oriented(metric, known[name]), default="")
    low, high = part["intervals"].get(metric) or (None, None)
    return {
        "split": split,
        "metric": metric,
        "value": number_of(part["metrics"][metric]),
        "interval": (number_of(low), number_of(high)),
        "baseline": best,
        "baseline_value": number_of(known.get(best)),
    }


def oriented(metric: str, value: float) -> float:
    """A value of a metric, negated where a smaller one is better."""
    from ..metrics.scores import higher_is_better

    return value if higher_is_better(metric) else -value


def number_of(value: float | None) -> float:
    """A number of a record, in which nan is null."""
    return math.nan if value is None else float(value)
