"""What is looked at before a run starts: everything that is wrong is told at once, and nothing heavy was done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from .. import devices
from ..config import ModelConfig, TrainingConfig
from ..data.asked import Asked
from ..data.parts import Data, read_data
from ..errors import ConfigError, InputError
from ..model.families import locate
from . import rundir


class Starting(Asked, Protocol):
    """What is read of a configuration before its run starts: beside the data, model and device."""

    @property
    def model(self) -> ModelConfig:
        """The model."""

    @property
    def training(self) -> TrainingConfig:
        """The training."""


def data_for(
    folder: Path,
    config: Starting,
    sources: Mapping[str, Any] | None,
    others: Sequence[str] = (),
    *,
    overwrite: bool,
    missing: str | None = None,
) -> Data:
    """The data of a run in a folder, once folder, model, device and data are seen to be usable.

    Args:
        folder: Folder of the run.
        config: Checked configuration.
        sources: Data in memory, in place of the configured files.
        others: What else is wrong, to be told with what is found here.
        overwrite: Whether a run that is there is moved aside, when nothing is wrong.
        missing: What is wrong where no data can be read at all.

    Raises:
        InputError: folder, model or data can't be used, or something else is wrong.
    """
    rundir.tidy(folder)
    old = overwrite and rundir.is_run(folder)
    problems = [
        *([] if old else complaints(rundir.check, folder)),
        *complaints(locate, config.model.name),
        *others,
        *complaints(devices.check, config.training.device),
    ]
    if missing is not None:
        raise ConfigError([*problems, missing])
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


def refuse_own(folder: Path, config: Starting) -> None:
    """Refuse to move a run aside that the new one reads from.

    Raises:
        ConfigError: names the setting.
    """
    given = {
        "model": config.model.name,
        **{name: getattr(config.data, name) for name in ("train", "validation", "test")},
    }
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
