"""A study from its design to its summary: what is asked for and not finished is done, everything else is read."""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import closing
from typing import Any

from ..errors import ConfigError
from ..training.events import Note
from ..training.resume import examples_digest
from . import base
from .attempts import check, in_turn, measure
from .events import Asked, Concluded, Ended, StudyEvent
from .folder import StudyFolder
from .plan import plan_study
from .results import Result, Results
from .study import Study
from .summaries import Summary
from .trials import Measurement, Trial
from .workers import side_by_side


def stream_study(
    name: str,
    options: Mapping[str, Any],
    study: Study,
    *,
    jobs: int = 1,
    budget: float | None = None,
    kept: Collection[str] | None = None,
    notes: Sequence[str] = (),
) -> Generator[StudyEvent, None, None]:
    """A whole study, one event at a time; the last one is `Concluded`.

    Closing it stops after the present step, with a checkpoint of the trial. The same call goes on from there.

    Args:
        name: Name of the design.
        options: Its options.
        study: What it is about.
        jobs: Number of trials at a time, each in a process of its own; the data must be in files then.
        budget: Seconds that it may take; the options are made to fit, and stay so when the study goes on.
        kept: Options that a budget does not reduce; by default those that are given.
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
        if budget is not None:
            complete = yield from fitted(name, options, study, folder, jobs=jobs, budget=budget, kept=kept)
        folder.begin(name, complete, study.config, budget=budget, examples=examples_digest(study.data.splits))
        summary = yield from followed(design(study, **complete), study, folder, jobs=jobs)
        folder.conclude(summary)
        yield Concluded(study.folder, summary)


def fitted(
    name: str,
    options: Mapping[str, Any],
    study: Study,
    folder: StudyFolder,
    *,
    jobs: int,
    budget: float,
    kept: Collection[str] | None,
) -> Generator[StudyEvent, None, dict[str, Any]]:
    """The options that fit a budget: those of before, where the study was begun with the same one."""
    before = folder.about()
    if before.get("budget") == budget:
        return base.checked(base.find(name), before["options"])
    plan = yield from plan_study(name, options, study, jobs=jobs, budget=budget, kept=kept)
    yield from map(Note, plan.sentences)
    return dict(plan.options)


def followed(
    design: base.Design, study: Study, folder: StudyFolder, *, jobs: int
) -> Generator[StudyEvent, None, Summary]:
    """Do what a design asks for, until it returns its summary."""
    trials: dict[str, Result] = {}
    measured: dict[str, Any] = {}
    asked: dict[str, Trial] = {}
    kinds: set[tuple[Any, ...]] = set()
    with closing(design):
        try:
            wanted = next(design)
            while True:
                asked |= named([one for one in wanted if isinstance(one, Trial)], asked)
                trials |= {
                    name: result
                    for name, trial in asked.items()
                    if name not in trials and (result := folder.result(trial)) is not None
                }
                yield Asked(len(asked), len(trials))
                for one in wanted:
                    if isinstance(one, Measurement):
                        measured[one.name] = yield from measure(one, study, folder)
                left = [trial for name, trial in asked.items() if name not in trials]
                check(left, study, kinds)
                with closing(done(left, study, folder, jobs=jobs)) as events:
                    for event in events:
                        if isinstance(event, Ended):
                            trials[event.result.trial.name] = event.result
                        yield event
                wanted = design.send(Results({name: trials[name] for name in asked}, dict(measured)))
        except StopIteration as end:
            summary: Summary = end.value
            return summary


def done(trials: Sequence[Trial], study: Study, folder: StudyFolder, *, jobs: int) -> Generator[StudyEvent, None, None]:
    """Do trials, one after the other or several at a time."""
    if jobs == 1 or len(trials) <= 1:
        return in_turn(trials, study, folder)
    return side_by_side(trials, folder, jobs=jobs)


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
