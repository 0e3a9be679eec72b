"""Finished runs as what is compared: their task, their settings, and what their scores on a split are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import inference
from ..about import task_in
from ..config import Config, validated
from ..config import load as load_config
from ..data.identity import identity
from ..data.parts import read_data
from ..errors import ConfigError, InputError, listed, printable
from ..records import Example, Prediction
from ..tasks.base import Task, find
from ..training import rundir
from ..training.rundir import RunFolder
from ..training.score_tables import Scored, read_task

AGAIN = "train again or, for another file, score it with `afina evaluate`"


@dataclass(frozen=True, slots=True, eq=False)
class ScoredRun:
    """A finished run and its scored examples of a split.

    Attributes:
        run: Its folder.
        config: Its complete configuration.
        task: Its fitted task.
        metric: The metric that chose its epoch.
        scored: The score table, what identifies its examples, and their groups.
        notes: What should be known of how these were found.
    """

    run: RunFolder
    config: Config
    task: Task
    metric: str
    scored: Scored
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The folder as it was named."""
        return str(self.run.path)


def opened(folder: Path, split: str) -> ScoredRun:
    """A finished run with its scored examples of a split.

    Those of runs of an earlier version are made anew from its predictions and its data, where these still are there.

    Args:
        folder: Folder of the run.
        split: `test` or `validation`.

    Raises:
        ConfigError: there is no finished run, it was not scored on the split, or what its scores are made of is gone.
    """
    run = finished(folder)
    record = run.record()
    if not record.get(split):
        cure = "; --split validation compares on the validation data" if split == "test" else ""
        raise ConfigError(f"{folder}: was not scored on {split} data{cure}")
    config = load_config(run.config)
    task = task_of(run)
    notes: tuple[str, ...] = ()
    if (folder / rundir.SCORES).exists():
        scored = run.scored(split)
    else:
        scored = made_anew(run, config, task, record=record, split=split)
        notes = (f"{folder} has no {rundir.SCORES}: its scores were made anew from its predictions and its data",)
    return ScoredRun(run, config, task, record["best"]["metric"], scored, notes)


def finished(folder: Path) -> RunFolder:
    """The folder of a finished run of `afina train`.

    Raises:
        ConfigError: there is none.
    """
    run = RunFolder(folder)
    if not folder.is_dir():
        raise ConfigError(f"{printable(str(folder), 300)}: there is no such folder; `afina runs` lists runs")
    if rundir.kind_of(folder) != "train":
        raise ConfigError(f"{folder}: a run of `afina adapt`, which has no scores of a task")
    if run.unfinished:
        raise ConfigError(f"{folder}: an unfinished run; {rundir.go_on(folder)} goes on with it")
    return run


def task_of(run: RunFolder) -> Task:
    """The fitted task of a run, from its kept scores or from its model.

    Raises:
        ConfigError: neither is there, or can be used.
    """
    file = run.path / rundir.SCORES
    about = read_task(file) if file.exists() else None
    if about is not None:
        kind = find(about["name"])
        return kind(validated(kind.Options, about["options"], "options"), about["fitted"])
    try:
        return task_in(str(run.path))
    except InputError as error:
        raise ConfigError(f"{run.path}: neither kept scores nor a model say what its labels are: {error}") from None


def made_anew(run: RunFolder, config: Config, task: Task, *, record: Mapping[str, Any], split: str) -> Scored:
    """What the scores of a split are made of, from the run's predictions and its data.

    Raises:
        ConfigError: the data are gone or others than they were; says what can be done.
    """
    where = f"{run.path}: has no {rundir.SCORES} (runs of an earlier version)"
    if config.data.train is None:
        raise ConfigError(f"{where}, and its data were given in memory: {AGAIN}")
    try:
        examples = read_data(config).splits.get(split, [])
    except InputError as error:
        raise ConfigError(f"{where}, and its data can't be read as they were: {AGAIN}\n{error}") from None
    lines = [line for line in run.predictions() if line.get("split") == split]
    changed = ConfigError(f"{where}, and its {split} data are no longer those that it was scored on: {AGAIN}")
    if len(lines) != len(examples):
        raise changed
    predictions = [predicted(line, example, changed) for line, example in zip(lines, examples, strict=True)]
    table = inference.table_of(task, examples, predictions=predictions)
    was = record[split]["metrics"]
    if not all(same_score(value, was.get(name)) for name, value in inference.score(task, table).items() if name in was):
        raise changed
    keys = np.array([identity(example) for example in examples], np.uint64)
    return Scored(table, keys, inference.clusters(task, examples))


def predicted(line: Mapping[str, Any], example: Example, changed: ConfigError) -> Prediction:
    """The prediction in a line about an example.

    Raises:
        ConfigError: the line is about another example.
    """
    if line.get("place") != example.place:
        raise changed
    return {name: value for name, value in line.items() if name not in ("split", "place", "target")}


def same_score(value: float, was: float | None) -> bool:
    """Whether a score is that of a record, in which null stands for one that is not defined."""
    return bool(np.isclose(value, np.nan if was is None else was, rtol=1e-9, atol=1e-9, equal_nan=True))


def check_alike(runs: Sequence[ScoredRun]) -> None:
    """See that runs learn the same: one task with the same labels, scored by the same columns.

    Raises:
        ConfigError: names what differs, and between which runs.
    """
    first = runs[0]
    for other in runs[1:]:
        names = f"{first.name} and {other.name}"
        if first.task.name != other.task.name:
            tasks = f"{first.task.name} and {other.task.name}"
            raise ConfigError(f"{names}: different tasks, {tasks}, have no scores in common")
        for what in ("labels", "types", "kind"):
            one, two = (run.task.fitted.get(what) for run in (first, other))
            if one != two:
                raise ConfigError(
                    f"{names}: trained on different {'tags' if what == 'kind' else what}: {only(one, two)}; "
                    "train both on data with the same ones"
                )
        if list(first.scored.table) != list(other.scored.table):
            columns = " and ".join(", ".join(run.scored.table) for run in (first, other))
            raise ConfigError(f"{names}: scored by different columns ({columns}): train again with one version")


def only(one: Any, other: Any) -> str:
    """What only one of two lists of labels holds, or both values."""
    if not (isinstance(one, list) and isinstance(other, list)):
        return f"{printable(one)} and {printable(other)}"
    sides = {"first": set(one) - set(other), "second": set(other) - set(one)}
    parts = [f"only the {which} has {listed(sorted(names), most=5)}" for which, names in sides.items() if names]
    return "; ".join(parts) or "they have another order"


def metric_of(runs: Sequence[ScoredRun], asked: str | None) -> str:
    """The metric to compare by: the one asked for, or the one that chose the epoch of every run.

    Raises:
        ConfigError: the task has no such metric, or the runs were chosen by different ones.
    """
    known = list(runs[0].task.metrics)
    if asked is not None and asked not in known:
        task = runs[0].task.name
        raise ConfigError(f"metric: {task} has no metric {printable(asked)}; there are: {', '.join(known)}")
    if asked is not None:
        return asked
    chosen = {run.metric: run.name for run in runs}
    if len(chosen) > 1:
        shown = ", ".join(f"{name} by {metric}" for metric, name in chosen.items())
        raise ConfigError(
            f"metric: different metrics chose the epochs of these runs ({shown}); name one: --metric {runs[0].metric}"
        )
    return runs[0].metric
