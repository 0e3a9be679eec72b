"""Trials and measurements, one at a time: done, or gone on with, and their results kept."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import disk, strategies
from ..compute import Compute
from ..config import Config
from ..errors import ConfigError, Diverged, InputError
from ..tracking.following import tracked
from ..training import rundir
from ..training.events import Event, Scored, with_progress
from ..training.run import Ready, opened, stream
from ..training.rundir import RunFolder
from .events import Ended, Inside, Started, StudyEvent
from .folder import StudyFolder
from .results import Result
from .study import Study
from .trials import Measurement, Trial


def check(trials: Sequence[Trial], study: Study, known: set[tuple[Any, ...]]) -> None:
    """Refuse trials that could not begin, before another one trains for hours.

    Each kind of model and head is opened, and each strategy applied to it. Where there is one kind alone, the first
    trial says the same as soon.

    Args:
        trials: What is to be done.
        study: The study.
        known: Kinds that were looked at before; those of these trials are added.

    Raises:
        InputError: there are some; all are told.
    """
    kinds: dict[tuple[Any, ...], dict[str, tuple[Trial, Config]]] = {}
    problems: list[str] = []
    for trial in trials:
        try:
            config = study.configured(trial.overrides)
        except InputError as error:
            problems.append(f"{trial.name}: {error}")
            continue
        kind = (config.model.name, config.model.head, config.model.weights)
        if (*kind, config.strategy) not in known:
            kinds.setdefault(kind, {}).setdefault(config.strategy, (trial, config))
            known.add((*kind, config.strategy))
    for ways in kinds.values() if sum(map(len, kinds.values())) > 1 else ():
        network = None
        for strategy, (trial, config) in ways.items():
            try:
                if network is None:
                    data = study.data_for(config)
                    ready = Ready({}, study.tokenizer(config))
                    network = opened(config, data.task, compute=Compute(), ready=ready)[1]
                network.requires_grad_(True)
                strategies.find(strategy).apply(network)
            except InputError as error:
                problems.append(f"{trial.name}: {error}")
    if problems:
        raise ConfigError(problems)


def in_turn(trials: Sequence[Trial], study: Study, folder: StudyFolder) -> Generator[StudyEvent, None, None]:
    """Do trials one after the other."""
    for trial in trials:
        yield from attempt(trial, study, folder)


def attempt(trial: Trial, study: Study, folder: StudyFolder) -> Generator[StudyEvent, None, None]:
    """Do a trial, or go on with it. The last event is `Ended`."""
    yield Started(trial.name, trial.recipe, trial.seed)
    start = time.perf_counter()
    place = folder.run(trial)
    result = Result(trial, "done", RunFolder(place))
    rundir.tidy(place)
    if not RunFolder(place).finished:
        best = -math.inf
        try:
            with closing(run(trial, study, place)) as events:
                for event in events:
                    yield Inside(trial.name, event)
                    if isinstance(event, Scored):
                        best = max(best, study.oriented(event.metrics[study.metric]))
                        if hopeless(trial, event.epoch, best, study):
                            result = replace(result, state="pruned")
                            break
            if result.state == "pruned":
                disk.remove(place / rundir.CHECKPOINTS)
        except Diverged as error:
            result = replace(result, state="diverged", message=str(error))
    folder.keep(result)
    yield Ended(result, time.perf_counter() - start)


def hopeless(trial: Trial, epoch: float, best: float, study: Study) -> bool:
    """Whether a trial is below a floor: its best evaluation up to an epoch, the greater the better."""
    return any(epoch >= place and best < study.oriented(floor) for place, floor in trial.floors)


def run(trial: Trial, study: Study, place: Path) -> Generator[Event, None, None]:
    """The training of a trial."""
    config = study.configured({**trial.overrides, "out": str(place)})
    data = study.data_for(config)
    return tracked(stream(config, data, ready=study.ready(config, data)), config.training.track, place)


def measure(asked: Measurement, study: Study, folder: StudyFolder) -> Generator[StudyEvent, None, Any]:
    """Do a measurement, or read what it returned."""
    finished, value = folder.measured(asked.name)
    if finished:
        return value
    value = yield from study.compute.running(with_progress(asked.name, asked.compute()))
    return folder.keep_measured(asked.name, value)
