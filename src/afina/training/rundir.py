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


def prepare(folder: Path) -> None:
    """Make the folder of a new run.

    Raises:
        ConfigError: it exists and is not empty, or can't be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise ConfigError(f"out: {folder} is not empty; give another folder (--out), or remove it")
    except OSError as error:
        raise ConfigError(f"out: {folder} can't be made: {error.strerror or error}") from None


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
    stream.write(json.dumps(record, ensure_ascii=False) + "\n")
    stream.flush()


def write_json(path: Path, record: Any) -> None:
    """A JSON file for people and programs."""
    path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


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
