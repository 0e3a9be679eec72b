"""Names and formats of everything in a run folder. Reports, comparison and resuming read only this.

config.yaml        the complete configuration, everything decided
data.json          where the rows came from, how they were split, the label counts
check.json         what there is to know about the data, as `afina check` says it without a tokenizer
quarantine/        records that can't be used, byte for byte, and why (`data.on_bad_row: quarantine`)
steps.jsonl        one line a step: loss, learning_rate, grad_norm, tokens, padded_tokens
evaluations.jsonl  one line an evaluation on the validation data
predictions.jsonl  one line an example of the validation and test data: place, target, prediction
model/             the fine-tuned model: a Hugging Face folder plus afina.json
checkpoints/       while it trains: where the run can be taken up (checkpoint.py)
run.json           the outcome: scores with intervals, parameter counts, the freeze proof, timings, versions

What is being written has a name that begins with `.making-` and is renamed when it is complete. The file of the lock
stays until the run is finished; a folder with nothing but these names and that file is a run that died.
"""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import disk
from ..disk import ASIDE, aside, remove, settle, write
from ..errors import ConfigError

if TYPE_CHECKING:
    from ..data.parts import Bad

CONFIG = "config.yaml"
DATA = "data.json"
CHECK = "check.json"
QUARANTINE = "quarantine"
STEPS = "steps.jsonl"
EVALUATIONS = "evaluations.jsonl"
PREDICTIONS = "predictions.jsonl"
MODEL = "model"
CHECKPOINTS = "checkpoints"
LOCK = ".afina-lock"
RUN = "run.json"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run's folder, read. Nothing is read before it is asked for.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def finished(self) -> bool:
        """Whether the run came to its end."""
        return (self.path / RUN).exists()

    @property
    def unfinished(self) -> bool:
        """Whether the folder holds a run that can be taken up."""
        return not self.finished and (self.path / CONFIG).is_file()

    @property
    def config(self) -> Path:
        """The file of the complete configuration."""
        return self.path / CONFIG

    @property
    def model(self) -> Path:
        """The folder of the fine-tuned model."""
        return self.path / MODEL

    @property
    def has_checkpoint(self) -> bool:
        """Whether a checkpoint was written."""
        return any((self.path / CHECKPOINTS).glob("step-*"))

    def record(self) -> dict[str, Any]:
        """What `run.json` says.

        Raises:
            ConfigError: the run is not finished, or the file is damaged.
        """
        return self.parsed(RUN)

    def data(self) -> dict[str, Any]:
        """What `data.json` says.

        Raises:
            ConfigError: it is missing or damaged.
        """
        return self.parsed(DATA)

    def steps(self) -> Iterator[dict[str, Any]]:
        """The lines of `steps.jsonl`.

        Raises:
            ConfigError: the log is missing or damaged.
        """
        return self.lines(STEPS)

    def evaluations(self) -> Iterator[dict[str, Any]]:
        """The lines of `evaluations.jsonl`.

        Raises:
            ConfigError: the log is missing or damaged.
        """
        return self.lines(EVALUATIONS)

    def predictions(self) -> Iterator[dict[str, Any]]:
        """The lines of `predictions.jsonl`.

        Raises:
            ConfigError: the file is missing or damaged.
        """
        return self.lines(PREDICTIONS)

    def parsed(self, name: str) -> dict[str, Any]:
        """A JSON file of the folder.

        Raises:
            ConfigError: it is missing or damaged, or the run is not finished.
        """
        try:
            tree = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"{self.path}: not a finished run: {error}") from None
        if not isinstance(tree, dict):
            raise ConfigError(f"{self.path / name}: damaged: expected an object")
        return tree

    def lines(self, name: str) -> Iterator[dict[str, Any]]:
        """The lines of a log, as they are read.

        Raises:
            ConfigError: it is missing, or a line is damaged.
        """
        try:
            with (self.path / name).open(encoding="utf-8") as stream:
                for number, line in enumerate(stream, 1):
                    try:
                        yield json.loads(line)
                    except ValueError:
                        raise ConfigError(f"{self.path / name}:{number}: damaged: not a record of this log") from None
        except OSError as error:
            raise ConfigError(f"{self.path / name}: can't be read: {error.strerror or error}") from None


def check(folder: Path) -> None:
    """See that a run can be written to a folder, or taken up in it. Nothing is made or removed.

    Raises:
        ConfigError: it holds something else, or a finished run, or is no folder, or can't be written to.
    """
    try:
        if folder.exists() and any(folder.iterdir()) and not is_unfinished(folder):
            what = "holds a finished run" if (folder / RUN).exists() else "is not empty"
            raise ConfigError(f"out: {folder} {what}; give another folder (--out), or remove it")
        nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    except OSError as error:
        raise ConfigError(f"out: {folder} can't be used: {error.strerror or error}") from None
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise ConfigError(f"out: {folder} can't be made: {nearest} is not a folder that you may write to")


def is_unfinished(folder: Path) -> bool:
    """Whether a folder holds nothing but a run that did not come to its end.

    A user's folder may well hold a config.yaml, a data.json or a model of its own: without the lock's file all that a
    run begins with must be there, and a model without a checkpoint is more than an unfinished run leaves.
    """
    found = {place.name for place in folder.iterdir() if not place.name.startswith(ASIDE)}
    begun = {CONFIG, DATA, STEPS} <= found and (MODEL not in found or CHECKPOINTS in found)
    own = {LOCK, CONFIG, DATA, CHECK, QUARANTINE, STEPS, EVALUATIONS, PREDICTIONS, MODEL, CHECKPOINTS}
    return found <= own and (LOCK in found or begun)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep a folder for one run, made where it is not there. The system lets go of the lock when its owner dies.

    Raises:
        ConfigError: another run has it or has just finished in it, or it can't be made.
    """
    check(folder)  # before the lock's file is there: a folder that holds it passes for a run's
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    with ExitStack() as lock:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock.enter_context(disk.locked(folder / LOCK))
        except disk.Locked:
            raise ConfigError(f"out: another run is writing to {folder}; give another folder (--out)") from None
        except OSError as error:
            raise ConfigError(f"out: {folder} can't be used: {error.strerror or error}") from None
        try:
            check(folder)
            yield
        finally:
            if (folder / RUN).exists() or [place.name for place in folder.iterdir()] == [LOCK]:
                (folder / LOCK).unlink(missing_ok=True)
            for place in made:
                with suppress(OSError):  # a folder in which nothing came to be goes again
                    place.rmdir()


def tidy(folder: Path) -> None:
    """Remove what a run left that was killed when all was done but that."""
    if (folder / RUN).exists() and (folder / LOCK).exists():
        sweep(folder, CHECKPOINTS, LOCK)


def first_lines(file: Path, lines: int) -> bytes:
    """The first lines of a log: what was there when a checkpoint was written, without what came later.

    Raises:
        ConfigError: there are fewer, or one is damaged; names it.
    """
    found = file.read_bytes().split(b"\n") if file.exists() else []
    cure = "the checkpoint builds on it; put it back as it was, or give another folder (--out)"
    for number, line in enumerate(found[:lines], 1):
        try:
            whole = isinstance(json.loads(line), dict)
        except ValueError:
            whole = False
        if not whole:
            raise ConfigError(f"{file}:{number}: damaged: not a record of this log; {cure}")
    if len(found) < lines:
        raise ConfigError(f"{file}: damaged: {len(found)} lines where a checkpoint was written after {lines}; {cure}")
    return b"".join(line + b"\n" for line in found[:lines])


def quarantine(folder: Path, left_out: Mapping[str, Sequence[Bad]]) -> None:
    """Keep the bytes of records that are not used, and why they are not.

    `quarantine/train.csv` holds them one behind the other, without a header; a line of `quarantine/train.why.jsonl`
    says of each where it stood, where its bytes begin, how many they are, and what is wrong.
    """
    place = folder / QUARANTINE
    making = aside(place)
    for old in (making, place):
        shutil.rmtree(old, ignore_errors=True)
    for part, records in left_out.items():
        if not records:
            continue
        making.mkdir(exist_ok=True)
        source = Path(records[0][0].place.rpartition(":")[0])
        ending = ".jsonl" if source.suffix in ("", ".json") else source.suffix
        why, start = [], 0
        for problems in records:
            size = len(problems[0].raw)
            faults = [{"code": one.code, "message": one.message, "fix": one.fix} for one in problems]
            why.append({"place": problems[0].place, "start": start, "bytes": size, "problems": faults})
            start += size
        write(making / f"{part}{ending}", b"".join(problems[0].raw for problems in records))
        append(making / f"{part}.why.jsonl", *why)
    if making.exists():
        settle(making)
        making.rename(place)


def folder_of(out: str | None, *, task: str, strategy: str, seed: int) -> Path:
    """The folder of a run: as asked for, or a new one under runs/."""
    return Path(out) if out else default_folder(task, strategy, seed)


def default_folder(task: str, strategy: str, seed: int) -> Path:
    """A new folder under runs/ that says what it holds."""
    folder = Path("runs") / f"{task}-{strategy}-{seed}"
    number = 2
    while folder.exists() and any(folder.iterdir()):
        folder = Path("runs") / f"{task}-{strategy}-{seed}-{number}"
        number += 1
    return folder


def append(file: Path, *records: Any) -> None:
    """JSON objects as lines at the end of a file."""
    lines = [json.dumps(finite(record), ensure_ascii=False, allow_nan=False) + "\n" for record in records]
    with file.open("a", encoding="utf-8") as stream:
        stream.write("".join(lines))


def write_json(path: Path, record: Any) -> None:
    """A JSON file for people and programs, complete or absent."""
    text = json.dumps(finite(record), indent=2, ensure_ascii=False, allow_nan=False)
    write(path, (text + "\n").encode())


def finite(value: Any) -> Any:
    """The value with null for every number that JSON has no form for (a score without a value)."""
    if isinstance(value, dict):
        return {name: finite(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def sweep(folder: Path, *names: str) -> None:
    """Remove what dead runs left half made, and these."""
    for place in [*folder.glob(f"{ASIDE}*"), *(folder / name for name in names)]:
        remove(place)
