"""A study from its design to its summary: what is asked for and not finished is done, everything else is read."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ..config import Config
from ..data.parts import read_data
from ..errors import ConfigError, Diverged
from ..machine import suited
from ..training import rundir
from ..training.events import Event, Note, with_progress
from ..training.resume import examples_digest
from ..training.run import chosen, stream
from ..training.rundir import RunFolder
from . import base
from .events import Asked, Concluded, Ended, Inside, Started, StudyEvent
from .folder import StudyFolder
from .results import Result, Results
from .study import Study
from .summaries import Summary
from .trials import Measurement, Trial


def opened(config: Config, folder: Path, sources: Mapping[str, Any] | None = None) -> tuple[Study, list[str]]:
    """A study of a configuration, and notes for the user. What the machine decides is decided here, once.

    Args:
        config: Checked configuration.
        folder: Folder of the study.
        sources: Data in memory for `train`, `validation`, `test`, in place of the configured files.

    Raises:
        InputError: data or model can't be used.
    """
    data = read_data(config, sources)
    before = StudyFolder(folder).about().get("config", {}).get("training", {})
    compute, notes = chosen(config), list(data.notes)
    if before.get("threads") and config.training.threads is None:
        compute = replace(compute, threads=before["threads"])
    else:
        compute, said = suited(compute, fix="--set training.threads=")
        notes += [said] if said else []
    if compute.device.type == "cpu" and compute.threads is None:
        compute = replace(compute, threads=torch.get_num_threads())
    decided = {
        "precision": before.get("precision") or compute.precision,
        "threads": compute.threads,
        # The models of trials are not kept, and the study scores the baselines once.
        "save": "off",
        "baseline": "off",
    }
    training = config.training.model_copy(update=decided)
    options = data.task.options.model_dump(mode="json")
    config = config.model_copy(update={"training": training, "options": options, "out": str(folder)})
    return Study(config, data, folder, compute), notes


def stream_study(
    name: str, options: Mapping[str, Any], study: Study, *, notes: Sequence[str] = ()
) -> Generator[StudyEvent, None, None]:
    """A whole study, one event at a time; the last one is `Concluded`.

    Closing it stops after the present step, with a checkpoint of the trial. The same call goes on from there.

    Args:
        name: Name of the design.
        options: Its options.
        study: What it is about.
        notes: What is said first.

    Raises:
        InputError: an option, data or model can't be used, or the folder holds something else.
        TrainingError: a trial failed for another reason than its settings.
    """
    design = base.find(name)
    complete = base.checked(design, options)
    folder = StudyFolder(study.folder)
    yield from map(Note, notes)
    with folder.locked():
        folder.begin(name, complete, study.config, examples=examples_digest(study.data.splits))
        summary = yield from followed(design(study, **complete), study, folder)
        folder.conclude(summary)
        yield Concluded(study.folder, summary)


def followed(design: base.Design, study: Study, folder: StudyFolder) -> Generator[StudyEvent, None, Summary]:
    """Do what a design asks for, until it returns its summary."""
    trials: dict[str, Result] = {}
    measured: dict[str, Any] = {}
    asked: dict[str, Trial] = {}
    with closing(design):
        try:
            wanted = next(design)
            while True:
                new = [one for one in wanted if isinstance(one, Trial)]
                asked |= named(new, asked)
                known = {one.name: result for one in new if (result := folder.result(one)) is not None}
                yield Asked(len(asked), len(trials | known))
                for one in wanted:
                    if isinstance(one, Measurement):
                        measured[one.name] = yield from measure(one, study, folder)
                    elif one.name not in trials:
                        found = known.get(one.name)
                        if found is None:
                            start = time.perf_counter()
                            found = yield from attempt(one, study, folder)
                            finished = len(trials | known | {one.name: found})
                            yield Ended(found, time.perf_counter() - start, len(asked), finished)
                        trials[one.name] = found
                order = {name: trials[name] for name in asked}
                wanted = design.send(Results(order, dict(measured)))
        except StopIteration as end:
            summary: Summary = end.value
            return summary


def named(new: Sequence[Trial], asked: Mapping[str, Trial]) -> dict[str, Trial]:
    """Trials by their names.

    Raises:
        ConfigError: two different trials have one name.
    """
    found = dict(asked)
    for trial in new:
        if found.setdefault(trial.name, trial) != trial:
            raise ConfigError(f"study: two different trials are called {trial.name}: the design must name them apart")
    return {trial.name: trial for trial in new}


def attempt(trial: Trial, study: Study, folder: StudyFolder) -> Generator[StudyEvent, None, Result]:
    """Do a trial, or go on with it."""
    yield Started(trial.name, trial.recipe, trial.seed)
    place = folder.run(trial)
    result = Result(trial, "done", RunFolder(place))
    rundir.tidy(place)
    if not RunFolder(place).finished:
        try:
            with closing(run(trial, study, place)) as events:
                for event in events:
                    yield Inside(trial.name, event)
        except Diverged as error:
            result = replace(result, state="diverged", message=str(error))
    folder.keep(result)
    return result


def run(trial: Trial, study: Study, place: Path) -> Generator[Event, None, None]:
    """The training of a trial."""
    config = study.configured({**trial.overrides, "out": str(place)})
    data = study.data_for(config)
    return stream(config, data, ready=study.ready(config, data))


def measure(asked: Measurement, study: Study, folder: StudyFolder) -> Generator[StudyEvent, None, Any]:
    """Do a measurement, or read what it returned."""
    finished, value = folder.measured(asked.name)
    if finished:
        return value
    value = yield from study.compute.running(with_progress(asked.name, asked.compute()))
    return folder.keep_measured(asked.name, value)
