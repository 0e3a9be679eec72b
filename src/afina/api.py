"""The application, for programs: the command line calls these functions, and so does whoever imports afina.

Every function takes a configuration file and settings that override it: short names (`train`, `validation`, `text`,
`label`, `strategy`, `model`, `epochs` ...) or whole paths with two underscores for the dot (`training__layer_decay`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import strategies
from .config import SHORT, Config
from .config import load as load_config
from .errors import ConfigError, InputError, TrainingError

if TYPE_CHECKING:
    from .data.parts import Data
    from .inference import Evaluation
    from .quality.report import Report
    from .serving.predictor import Predictor
    from .training.events import Event
    from .training.plan import Plan

SPLITS = ("train", "validation", "test")
logger = logging.getLogger("afina")


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run.

    Attributes:
        folder: Where everything lies.
        predictor: The fine-tuned model, ready to answer.
        validation: Scores of the best epoch on the validation data.
        test: Scores on the test data, when there were any.
        record: What `run.json` holds.
    """

    folder: Path
    predictor: Predictor
    validation: Evaluation
    test: Evaluation | None
    record: dict[str, Any]


def train(
    config: str | Path | Config | None = None,
    *,
    on_event: Callable[[Event], None] | None = None,
    overwrite: bool = False,
    **settings: Any,
) -> Run:
    """Fine-tune a model.

    Args:
        config: A YAML file, or a configuration; settings override it.
        on_event: Is called with everything that the run says (`afina.training.events`). Without it, notes and
            evaluations go to the logger `afina`, those that warn as warnings.
        overwrite: Whether a run that is in the folder `out` is moved aside first.
        settings: As the module says. `train`, `validation` and `test` take a path or data in memory: a list of dicts,
            a dict of columns, a pandas frame, an Arrow table.

    Raises:
        InputError: configuration, data or model can't be used; nothing was started.
        TrainingError: the run failed.
    """
    from .serving.predictor import Predictor
    from .training.events import Done

    with closing(events(*configured(config, settings), overwrite=overwrite)) as stream:
        for event in stream:
            (on_event or log)(event)
            if isinstance(event, Done):
                done = event
                break
        else:
            raise TrainingError("the run ended without a result")
    return Run(done.folder, Predictor(done.artifact), done.validation, done.test, done.record)


def check(config: str | Path | Config | None = None, *, labels: bool = False, **settings: Any) -> Report:
    """What is wrong or odd about the data of a training with these settings; nothing is trained.

    Args:
        config: A YAML file, or a configuration; settings override it.
        labels: Whether to look for labels that are probably wrong, too, which takes a pass of the whole model.
        settings: As those of `train`.

    Raises:
        InputError: configuration, data or model can't be read at all; what is wrong with records is in the report.
    """
    from .quality.report import check as report

    settled, sources = configured(config, settings)
    return report(settled, sources, labels=labels)


def plan(config: str | Path | Config | None = None, **settings: Any) -> Plan:
    """What a training with these settings will take; nothing is trained.

    Raises:
        InputError: configuration, data or model can't be used.
    """
    from .data.parts import read_data
    from .model.families import locate

    settled, sources = configured(config, settings)
    locate(settled.model.name)
    data = read_data(settled, sources)
    from .training.plan import plan as figures

    return figures(settled, data)


def load(path: str | Path) -> Predictor:
    """A fine-tuned model, ready to answer: a run of afina's, a model folder, or a hub id.

    Raises:
        ModelError: it can't be loaded.
    """
    from .serving.predictor import load as open_model

    return open_model(path)


def configured(config: str | Path | Config | None, settings: Mapping[str, Any]) -> tuple[Config, dict[str, Any]]:
    """A checked configuration, and the data in memory that stand for files.

    Raises:
        ConfigError: lists every setting that is wrong.
    """
    sources: dict[str, Any] = {}
    overrides: dict[str, Any] = {}
    for name, value in settings.items():
        if name in SPLITS and value is not None and not isinstance(value, (str, Path)):
            sources[name] = value
        elif value is not None:
            overrides[SHORT.get(name, name.replace("__", "."))] = str(value) if isinstance(value, Path) else value
    return load_config(config, overrides), sources


def events(
    config: Config, sources: Mapping[str, Any] | None = None, *, overwrite: bool = False
) -> Generator[Event, None, None]:
    """A training, one event at a time; the last one is `Done`. Closing it while it trains leaves a checkpoint.

    The early checks are done by the call itself: whoever listens for signals hears them from the first event on.

    Args:
        config: Checked configuration.
        sources: Data in memory for `train`, `validation`, `test`, in place of the configured files.
        overwrite: Whether a run that is in the folder `out` is moved aside first.

    Raises:
        InputError: configuration, data or model can't be used; nothing was started.
        TrainingError: at an event: the run failed.
    """
    data = opened(config, sources, overwrite=overwrite)
    from .training.run import stream

    return stream(config, data)


def opened(config: Config, sources: Mapping[str, Any] | None = None, *, overwrite: bool = False) -> Data:
    """The data of a run. Everything that can be wrong is looked at before anything heavy is loaded, and told at once.

    A run that is to be overwritten is moved aside when nothing else is wrong.

    Raises:
        InputError: folder, model or data can't be used.
    """
    from .data.parts import read_data
    from .model.families import locate
    from .training import rundir

    folder = rundir.folder_of(config.out, task=config.task, strategy=config.strategy, seed=config.seed)
    rundir.tidy(folder)
    old = overwrite and rundir.is_run(folder)
    problems = [
        *([] if old else complaints(rundir.check, folder)),
        *complaints(locate, config.model.name),
        *complaints(strategies.find, config.strategy),
    ]
    try:
        data = read_data(config, sources)
    except InputError as error:
        raise error if not problems else ConfigError([*problems, *str(error).split("\n")]) from None
    if problems:
        raise ConfigError(problems)
    if old:
        refuse_own(folder, config)
        data.notes.insert(0, f"{folder}: the run that was there is now {rundir.move_aside(folder)}")
    return data


def refuse_own(folder: Path, config: Config) -> None:
    """Refuse to move a run aside that the new one reads from.

    Raises:
        ConfigError: names the setting.
    """
    given = {"model": config.model.name, **{name: getattr(config.data, name) for name in SPLITS}}
    for name, value in given.items():
        if value and Path(value).exists() and Path(value).resolve().is_relative_to(folder.resolve()):
            raise ConfigError(f"--overwrite: {folder} holds the {name} of the new run ({value}); give another --out")


def complaints(check: Callable[[Any], object], value: Any) -> list[str]:
    """What a check has against a value."""
    try:
        check(value)
    except InputError as error:
        return [str(error)]
    return []


def log(event: Event) -> None:
    """Pass on to `logging` what a run says, when nobody else listens."""
    from .training.events import Note, Scored

    match event:
        case Note():
            logger.log(logging.WARNING if event.level == "warning" else logging.INFO, event.text)
        case Scored():
            scores = ", ".join(f"{name} {value:.4f}" for name, value in event.metrics.items())
            logger.info("epoch %d: %s%s", event.epoch, scores, " (best)" if event.best else "")
