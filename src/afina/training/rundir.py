"""Names and formats of everything in a run folder. Reports, comparison and resuming read only this.

config.yaml        the complete configuration, everything decided
data.json          where the rows came from, how they were split, the label counts
check.json         what there is to know about the data, as `afina check` says it without a tokenizer
quarantine/        records that can't be used, byte for byte, and why (`data.on_bad_row: quarantine`)
steps.jsonl        one line a step: loss, rate, gradient norm, tokens
evaluations.jsonl  one line an evaluation on the validation data
predictions.jsonl  one line an example of the validation and test data: place, target, prediction
model/             the fine-tuned model: a Hugging Face folder plus afina.json
checkpoints/       while it trains: where the run can be taken up (checkpoint.py)
run.json           the outcome: scores with intervals, parameter counts, the freeze proof, timings, versions
"""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

from ..data.judge import Bad
from ..errors import ConfigError

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows: two runs in one folder are not told apart
    fcntl = None

CONFIG = "config.yaml"
DATA = "data.json"
CHECK = "check.json"
QUARANTINE = "quarantine"
STEPS = "steps.jsonl"
EVALUATIONS = "evaluations.jsonl"
PREDICTIONS = "predictions.jsonl"
MODEL = "model"
MAKING = ".making-model"
CHECKPOINTS = "checkpoints"
LOCK = ".lock"
RUN = "run.json"


def check(folder: Path) -> None:
    """See that a run can be written to a folder, or taken up in it, without making it.

    Raises:
        ConfigError: it holds something else, or a finished run, or is no folder, or can't be written to.
    """
    try:
        if folder.exists() and any(folder.iterdir()) and not is_unfinished(folder):
            what = "holds a finished run" if (folder / RUN).exists() else "is not empty"
            raise ConfigError(f"out: {folder} {what}; give another folder (--out), or remove it")
    except OSError as error:
        raise ConfigError(f"out: {folder} can't be used: {error.strerror or error}") from None
    nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise ConfigError(f"out: {folder} can't be made: {nearest} is not a folder that you may write to")


def is_unfinished(folder: Path) -> bool:
    """Whether a folder holds nothing but a run that did not come to its end.

    All that a run begins with must be there, since a user's folder may well hold a config.yaml, a data.json or a model
    of its own; and a model without a checkpoint is more than an unfinished run leaves.
    """
    found = {place.name for place in folder.iterdir()}
    own = {LOCK, CONFIG, DATA, CHECK, QUARANTINE, STEPS, EVALUATIONS, PREDICTIONS, MODEL, MAKING, CHECKPOINTS}
    begun = {CONFIG, DATA, STEPS} <= found <= own
    return found <= {LOCK} or (begun and (MODEL not in found or CHECKPOINTS in found))


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep a folder for one run, made where it is not there. The system lets go of the lock when its owner dies.

    Raises:
        ConfigError: another run has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w", encoding="ascii") as file:
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigError(f"out: another run is writing to {folder}; give another folder (--out)") from None
        try:
            yield
        finally:
            (folder / LOCK).unlink(missing_ok=True)


def cut(file: Path, name: str, most: int) -> None:
    """Keep the lines of a log up to one whose number is `most`; a torn last line goes too."""
    kept = []
    for line in file.read_bytes().splitlines(keepends=True) if file.exists() else ():
        try:
            if json.loads(line)[name] > most or not line.endswith(b"\n"):
                break
        except ValueError:
            break
        kept.append(line)
    aside = file.with_suffix(".making")
    aside.write_bytes(b"".join(kept))
    aside.replace(file)


def quarantine(folder: Path, left_out: Mapping[str, Sequence[Bad]]) -> None:
    """Keep the bytes of records that are not used, and why they are not.

    `quarantine/train.csv` holds them one behind the other, without a header; a line of `quarantine/train.why.jsonl`
    says of each where it stood, where its bytes begin, how many they are, and what is wrong.
    """
    place = folder / QUARANTINE
    if place.exists():
        shutil.rmtree(place)
    for part, records in left_out.items():
        if not records:
            continue
        place.mkdir(exist_ok=True)
        source = Path(records[0][0].place.rpartition(":")[0])
        ending = ".jsonl" if source.suffix in ("", ".json") else source.suffix
        with (place / f"{part}{ending}").open("wb") as kept, (place / f"{part}.why.jsonl").open(
            "w", encoding="utf-8"
        ) as why:
            for problems in records:
                raw = problems[0].raw
                faults = [{"code": one.code, "message": one.message, "fix": one.fix} for one in problems]
                append(why, {"place": problems[0].place, "start": kept.tell(), "bytes": len(raw), "problems": faults})
                kept.write(raw)


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
