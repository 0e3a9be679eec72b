"""Names and formats of everything in a run folder. Reports, comparison and resuming read only this folder.

config.yaml        the complete configuration
data.json          where the rows came from, how they were split, the label counts
check.json         findings about the data, as `afina check` reports them without a tokenizer
quarantine/        unusable records, byte for byte, with their problems (`data.on_bad_row: quarantine`)
steps.jsonl        one line per step: loss, learning_rate, grad_norm, tokens, padded_tokens
evaluations.jsonl  one line per evaluation on the validation data
predictions.jsonl  one line per example of the validation and test data: place, target, prediction
examples.jsonl     their texts and numbers of tokens, line by line, for the page (`training.report`)
scores.safetensors their score tables, for comparisons (score_tables.py)
model/             the fine-tuned model: a Hugging Face folder plus afina.json
tracking/          by what names trackers know the run, and what they keep here
checkpoints/       during training: where the run can be resumed (checkpoint.py)
run.json           the outcome: scores with intervals, parameter counts, the freeze proof, timings, versions
report.html        the page of the run (`training.report`, `afina report`)

Files are written under a name that begins with `.making-` and are renamed when they are complete. The lock file stays
until the run is finished; a folder with only these names and the lock file is that of a run that died.
"""

from __future__ import annotations

import json
import math
import os
import shlex
import shutil
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .. import disk
from ..disk import ASIDE, aside, remove, settle, write
from ..errors import ConfigError
from ..printing import many

if TYPE_CHECKING:
    from ..data.parts import Bad
    from ..metrics.kinds import Array
    from .score_tables import Scored

CONFIG = "config.yaml"
DATA = "data.json"
CHECK = "check.json"
QUARANTINE = "quarantine"
STEPS = "steps.jsonl"
EVALUATIONS = "evaluations.jsonl"
PREDICTIONS = "predictions.jsonl"
EXAMPLES = "examples.jsonl"
SCORES = "scores.safetensors"
MODEL = "model"
CHECKPOINTS = "checkpoints"
TRACKING = "tracking"
LOCK = ".afina-lock"
RUN = "run.json"
REPORT = "report.html"
ADAPTS = "masking:"
"""The line of a configuration that only a run of `afina adapt` has."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A reader of a run's folder. Each file is read when it is asked for.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def finished(self) -> bool:
        """Whether the run is finished."""
        return (self.path / RUN).exists()

    @property
    def unfinished(self) -> bool:
        """Whether the folder holds an unfinished run, which can be resumed."""
        return not self.finished and (self.path / CONFIG).is_file()

    @property
    def begun(self) -> bool:
        """Whether the folder holds the files that a run begins with, which a user's own configuration does not make."""
        return self.unfinished and (self.path / STEPS).is_file()

    @property
    def config(self) -> Path:
        """Path of the complete configuration."""
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
        """The content of `run.json`.

        Raises:
            ConfigError: the run is not finished, or the file is damaged.
        """
        return self.parsed(RUN)

    def data(self) -> dict[str, Any]:
        """The content of `data.json`.

        Raises:
            ConfigError: the file is missing or damaged.
        """
        return self.parsed(DATA)

    def findings(self) -> list[dict[str, Any]]:
        """The content of `check.json`; nothing where it is missing, as in runs of early versions.

        Raises:
            ConfigError: the file is damaged.
        """
        file = self.path / CHECK
        if not file.exists():
            return []
        try:
            lines = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"{file}: damaged: {error}") from None
        return [line for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []

    def steps(self) -> Iterator[dict[str, Any]]:
        """The lines of `steps.jsonl`.

        Raises:
            ConfigError: the log is missing or damaged.
        """
        return self.lines(STEPS)

    def losses(self) -> list[float]:
        """The loss of every step, in order; nan where it was not finite.

        Raises:
            ConfigError: the log is missing or damaged.
        """
        return [math.nan if step["loss"] is None else step["loss"] for step in self.steps()]

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

    def texts(self) -> Iterator[dict[str, Any]]:
        """The lines of `examples.jsonl`: the texts of the examples in `predictions.jsonl`, in their order.

        Raises:
            ConfigError: the file is missing or damaged.
        """
        return self.lines(EXAMPLES)

    def scored(self, split: str) -> Scored:
        """The score table of a split, with what identifies its examples and their groups.

        Raises:
            ConfigError: the file is missing (in runs of an earlier version) or damaged, or there is no such split.
        """
        from . import score_tables

        return score_tables.read(self.path / SCORES, split)

    def table(self, split: str) -> dict[str, Array]:
        """The score table of a split: the columns that the metrics of the task read. [n] or [n, ...] each

        Raises:
            ConfigError: as for `scored`.
        """
        return dict(self.scored(split).table)

    def groups(self, split: str) -> Array | None:
        """The number of the group of each example of a split; None where every example stands alone. [n]

        Raises:
            ConfigError: as for `scored`.
        """
        return self.scored(split).groups

    def examples(self, split: str) -> Array:
        """64 bits that identify each example of a split and its gold answer (`data.identity.identity`). [n]

        Raises:
            ConfigError: as for `scored`.
        """
        return self.scored(split).examples

    def parsed(self, name: str) -> dict[str, Any]:
        """The object in a JSON file of the folder.

        Raises:
            ConfigError: the file is missing or damaged, or the run is not finished.
        """
        try:
            tree = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"{self.path / name}: not a finished run: {error}") from None
        if not isinstance(tree, dict):
            raise ConfigError(f"{self.path / name}: damaged: expected an object")
        return tree

    def lines(self, name: str, only: Container[int] | None = None) -> Iterator[dict[str, Any]]:
        """The records of a log, read line by line: all, or those of some lines, counted from 0.

        Raises:
            ConfigError: the log is missing, or a line is damaged.
        """
        try:
            with (self.path / name).open(encoding="utf-8") as stream:
                for number, line in enumerate(stream, 1):
                    if only is not None and number - 1 not in only:
                        continue
                    try:
                        record = json.loads(line)
                    except ValueError:
                        record = None
                    if not isinstance(record, dict):
                        raise ConfigError(f"{self.path / name}:{number}: damaged: not a record of this log")
                    yield record
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{self.path / name}: can't be read: {getattr(error, 'strerror', '') or error}") from None


def kind_of(folder: Path) -> Literal["train", "adapt"]:
    """The command whose run a folder holds, as its configuration shows; `train` where there is none yet."""
    try:
        sections = (folder / CONFIG).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return "train"
    return "adapt" if ADAPTS in sections else "train"


def go_on(folder: Path) -> str:
    """The command that goes on with the run in a folder."""
    return f"afina {kind_of(folder)} --resume {shlex.quote(str(folder))}"


def check(folder: Path) -> None:
    """Check that a run can be written to a folder, or resumed in it. Nothing is created or removed.

    Raises:
        ConfigError: the folder holds a finished run or something else, or can't be created or written to.
    """
    try:
        if folder.exists() and any(folder.iterdir()) and not is_unfinished(folder):
            finished = (folder / RUN).exists()
            what = "holds a finished run" if finished else "is not empty, and holds no run of afina"
            keep = ", or move it aside (--overwrite)" if finished else ""
            further = f"; --model {shlex.quote(str(folder))} trains its model further" if finished else ""
            raise ConfigError(f"out: {folder} {what}; give another folder (--out){keep}{further}")
        nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    except OSError as error:
        raise ConfigError(f"out: {folder} can't be used: {error.strerror or error}") from None
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise ConfigError(f"out: {folder} can't be made: {nearest} is not a folder that you may write to")


def is_unfinished(folder: Path) -> bool:
    """Whether a folder holds an unfinished run and nothing else.

    A user's folder may well hold its own config.yaml, data.json or model. Without the lock file, all files that a run
    begins with must therefore be there, and a model must come with a checkpoint, as in an unfinished run.
    """
    names = {place.name for place in folder.iterdir() if not place.name.startswith(ASIDE)}
    begun = {CONFIG, DATA, STEPS} <= names and (MODEL not in names or CHECKPOINTS in names)
    logs = {STEPS, EVALUATIONS, PREDICTIONS, EXAMPLES}
    own = {LOCK, CONFIG, DATA, CHECK, QUARANTINE, *logs, SCORES, MODEL, CHECKPOINTS, TRACKING}
    return names <= own and (LOCK in names or begun)


def is_run(folder: Path) -> bool:
    """Whether a folder holds a run of afina, finished or not."""
    try:
        return (folder / CONFIG).is_file() and ((folder / RUN).is_file() or is_unfinished(folder))
    except OSError:
        return False


def move_aside(folder: Path) -> Path:
    """Give the folder of a run another name, with the first free number, and return it. Nothing is removed.

    Raises:
        ConfigError: another run is writing to the folder, or it can't be moved.
    """
    number = 1
    while (old := folder.with_name(f"{folder.name}.old-{number}")).exists():
        number += 1
    try:
        with disk.locked(folder / LOCK):
            folder.rename(old)
    except disk.Locked:
        raise ConfigError(f"out: another run is writing to {folder}; give another folder (--out)") from None
    except OSError as error:
        raise ConfigError(f"out: {folder} can't be moved aside: {error.strerror or error}") from None
    (old / LOCK).unlink(missing_ok=True)
    return old


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock a folder for one run, and create it where it is missing. The system releases the lock of a dead process.

    Raises:
        ConfigError: another run has the folder or has just finished in it, or the folder can't be created.
    """
    check(folder)  # before the lock file exists, which makes a folder pass for that of a run
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
                with suppress(OSError):  # a created folder that stayed empty is removed
                    place.rmdir()


def tidy(folder: Path) -> None:
    """Remove the checkpoints and lock of a finished run that was killed before it removed them."""
    if (folder / RUN).exists() and (folder / LOCK).exists():
        sweep(folder, CHECKPOINTS, LOCK)


def first_lines(file: Path, lines: int) -> bytes:
    """The first lines of a log, up to those that were there when a checkpoint was written.

    Raises:
        ConfigError: there are fewer lines, or a line is damaged; names the line.
    """
    records = file.read_bytes().split(b"\n") if file.exists() else []
    cure = "the checkpoint builds on it; put it back as it was, or give another folder (--out)"
    for number, line in enumerate(records[:lines], 1):
        try:
            whole = isinstance(json.loads(line), dict)
        except ValueError:
            whole = False
        if not whole:
            raise ConfigError(f"{file}:{number}: damaged: not a record of this log; {cure}")
    if len(records) < lines:
        held = many(len(records), "line")
        raise ConfigError(f"{file}: damaged: {held} where a checkpoint was written after {lines}; {cure}")
    return b"".join(line + b"\n" for line in records[:lines])


def quarantine(folder: Path, left_out: Mapping[str, Sequence[Bad]]) -> None:
    """Write the bytes of unusable records, and their problems.

    `quarantine/train.csv` holds the records one after the other, without a header. For each, a line of
    `quarantine/train.why.jsonl` gives its place, the start and number of its bytes, and its problems.
    """
    from ..data.formats import ending_of, owner_of

    place = folder / QUARANTINE
    making = aside(place)
    for old in (making, place):
        shutil.rmtree(old, ignore_errors=True)
    for part, records in left_out.items():
        if not records:
            continue
        making.mkdir(exist_ok=True)
        ending = ending_of(records[0][0].place.rpartition(":")[0])
        owner = owner_of(ending)
        # What has no lines of its own is kept as lines of JSON.
        ending = ".jsonl" if ending in ("", ".json") or (owner and owner.magic) else ending
        why, start = [], 0
        for problems in records:
            size = len(problems[0].raw)
            faults = [{"code": problem.code, "message": problem.message, "fix": problem.fix} for problem in problems]
            why.append({"place": problems[0].place, "start": start, "bytes": size, "problems": faults})
            start += size
        write(making / f"{part}{ending}", b"".join(problems[0].raw for problems in records))
        append(making / f"{part}.why.jsonl", *why)
    if making.exists():
        settle(making)
        making.rename(place)


def folder_of(out: str | None, *, task: str, strategy: str, seed: int) -> Path:
    """The folder of a run: the given one, or a new one under runs/."""
    return Path(out) if out else default_folder(task, strategy, seed)


def default_folder(task: str, strategy: str, seed: int) -> Path:
    """A new folder under runs/, named after task, strategy and seed."""
    folder = Path("runs") / f"{task}-{strategy}-{seed}"
    number = 2
    while folder.exists() and any(folder.iterdir()):
        folder = Path("runs") / f"{task}-{strategy}-{seed}-{number}"
        number += 1
    return folder


def append(file: Path, *records: Any) -> None:
    """Append JSON objects to a file, one per line."""
    lines = [json.dumps(finite(record), ensure_ascii=False, allow_nan=False) + "\n" for record in records]
    with file.open("a", encoding="utf-8") as stream:
        stream.write("".join(lines))


def write_json(path: Path, record: Any) -> None:
    """Write an indented JSON file, complete or absent."""
    text = json.dumps(finite(record), indent=2, ensure_ascii=False, allow_nan=False)
    write(path, (text + "\n").encode())


def finite(value: Any) -> Any:
    """The value with None for every nan and infinity, which JSON can't represent (such as undefined scores)."""
    if isinstance(value, dict):
        return {name: finite(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def sweep(folder: Path, *names: str) -> None:
    """Remove unfinished files of dead runs, and the files of the given names."""
    for place in [*folder.glob(f"{ASIDE}*"), *(folder / name for name in names)]:
        remove(place)
