"""Names and formats of everything in a run folder. Reports, comparison and resuming read only this.

config.yaml        the complete configuration, everything decided
data.json          where the rows came from, how they were split, the label counts
steps.jsonl        one line a step: loss, rate, gradient norm, tokens
evaluations.jsonl  one line an evaluation on the validation data
predictions.jsonl  one line an example of the validation and test data: place, target, prediction
model/             the fine-tuned model: a Hugging Face folder plus afina.json
run.json           the outcome: scores with intervals, parameter counts, the freeze proof, timings, versions
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any, TextIO

from ..errors import ConfigError

CONFIG = "config.yaml"
DATA = "data.json"
STEPS = "steps.jsonl"
EVALUATIONS = "evaluations.jsonl"
PREDICTIONS = "predictions.jsonl"
MODEL = "model"
RUN = "run.json"


def check(folder: Path) -> None:
    """See that a new run can be written to a folder, without making it.

    Raises:
        ConfigError: it holds something, or is no folder, or can't be written to.
    """
    try:
        if folder.exists() and any(folder.iterdir()):
            raise ConfigError(f"out: {folder} is not empty; give another folder (--out), or remove it")
    except OSError as error:
        raise ConfigError(f"out: {folder} can't be used: {error.strerror or error}") from None
    nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise ConfigError(f"out: {folder} can't be made: {nearest} is not a folder that you may write to")


def default_folder(task: str, strategy: str, seed: int) -> Path:
    """A new folder under runs/ that says what it holds."""
    folder = Path("runs") / f"{task}-{strategy}-{seed}"
    number = 2
    while folder.exists() and any(folder.iterdir()):
        folder = Path("runs") / f"{task}-{strategy}-{seed}-{number}"
        number += 1
    return folder


def append(stream: TextIO, record: Any) -> None:
    """One JSON object as a line of an open file, on disk at once."""
    stream.write(json.dumps(finite(record), ensure_ascii=False, allow_nan=False) + "\n")
    stream.flush()


def write_json(path: Path, record: Any) -> None:
    """A JSON file for people and programs."""
    text = json.dumps(finite(record), indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def finite(value: Any) -> Any:
    """The value with null for every number that JSON has no form for (a score without a value)."""
    if isinstance(value, dict):
        return {name: finite(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_run(folder: Path) -> dict[str, Any]:
    """`run.json` of a finished run.

    Raises:
        ConfigError: there is none.
    """
    try:
        record: dict[str, Any] = json.loads((folder / RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{folder}: not a finished run: {error}") from None
    return record
