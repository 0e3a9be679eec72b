"""What fine-tuning costs, beside what pre-training cost. Nothing is trained: the records of other studies are read."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from ..errors import ConfigError, printable
from ..training import rundir
from ..training.run import absolute
from ..training.rundir import RunFolder
from ..yaml_files import read_yaml
from .base import Asked
from .expenses import Spent, spent_by, summary_of
from .folder import RESULTS, TRIALS, StudyFolder, read_json
from .results import Results
from .study import Study
from .summaries import Summary


def cost(
    study: Study,
    *,
    of: Sequence[str] = (),
    price: Annotated[float, Field(gt=0)] | None = None,
    pretraining: Annotated[float, Field(gt=0)] | None = None,
) -> Generator[Sequence[Asked], Results, Summary]:
    """What trainings took, and what the pre-training of their model took.

    Args:
        study: The study.
        of: Folders of studies and runs; by default those beside the folder of the study, of its task and model.
        price: Money for an hour of this machine, and of a device that pre-trained.
        pretraining: FLOPs of the pre-training, where you know them and afina does not.
    """
    spent = [one for folder in folders_of(study, of) for one in read(folder)]
    if not spent:
        beside = study.folder.absolute().parent
        raise ConfigError(
            f"option.of: no training of {study.config.task} with {printable(study.config.model.name)} has ended in or "
            f"beside {beside}; run a study first, or name folders: --option of=FOLDER,FOLDER"
        )
    yield []
    return summary_of(origin_of(study.config.model.name), spent, price=price, known=pretraining)


def folders_of(study: Study, of: Sequence[str]) -> list[Path]:
    """The folders to read, in order.

    Raises:
        ConfigError: one is no study or run of afina.
    """
    if not of:
        beside = sorted(study.folder.absolute().parent.iterdir()) if study.folder.absolute().parent.is_dir() else []
        return [folder for folder in beside if folder != study.folder.absolute() and alike(study, folder)]
    for folder in map(Path, of):
        if not StudyFolder(folder).exists and not rundir.is_run(folder):
            raise ConfigError(f"option.of: {folder} is no study and no run of afina")
    return [Path(folder) for folder in of]


def alike(study: Study, folder: Path) -> bool:
    """Whether a folder holds a study or a run of the same task and model."""
    try:
        if StudyFolder(folder).exists:
            tree = StudyFolder(folder).about()["config"]
        elif rundir.is_run(folder) and rundir.kind_of(folder) == "train":
            tree = read_yaml(RunFolder(folder).config)
        else:
            return False
        task, model = tree["task"], tree["model"]["name"]
    except (ConfigError, KeyError, TypeError):
        return False
    return bool(task == study.config.task and absolute(model) == absolute(study.config.model.name))


def read(folder: Path) -> list[Spent]:
    """What the finished trainings in a study, or a run, took. Trials that diverged have no record, and are counted."""
    if not StudyFolder(folder).exists:
        return [spent_by(folder.name, folder.name, RunFolder(folder).record())] if RunFolder(folder).finished else []
    found = []
    for file in sorted((folder / RESULTS).glob("*.json"), key=lambda file: in_order(file.stem)):
        result = read_json(file)
        run = RunFolder(folder / TRIALS / file.stem)
        record = run.record() if result["state"] == "done" and run.finished else {}
        found.append(spent_by(folder.name, str(result["trial"]["recipe"]), record))
    return found


def in_order(name: str) -> list[tuple[float, str]]:
    """What sorts names as people do: numbers in them by their size."""
    parts = re.split(r"([0-9]+)", name)
    return [(float(part), "") if part.isdecimal() else (-1.0, part) for part in parts]


def origin_of(model: str) -> str:
    """The model that a chain of runs began with: a run that goes on from another one has its pre-training, too."""
    for _ in range(10):
        folder = Path(model)
        if not rundir.is_run(folder):
            break
        try:
            model = str(read_yaml(RunFolder(folder).config)["model"]["name"])
        except (ConfigError, KeyError, TypeError):
            break
    return model
