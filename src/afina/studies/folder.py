"""Names and formats of everything in the folder of a study. Reports and resuming read only this folder.

study.json      the study: name of the design, its options, the configuration that trials override
trials/NAME/    the trials: ordinary runs
results/NAME.json   what became of each finished trial: recipe, seed, settings, `done` or `diverged`
measured/NAME.json  what each finished measurement returned
summary.json    verdicts, tables, figures, the recommended settings: the same bytes however often the study was killed
times.json      what depends on the speed of the machine
report.html     the page of the study (`training.report`, `afina report`)

Files are complete or absent. What is finished is never repeated.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .. import disk
from ..config import Config
from ..errors import ConfigError
from ..training import rundir
from ..training.resume import NEUTRAL, differences
from ..training.rundir import RunFolder
from .results import Result
from .summaries import Summary
from .trials import Trial

STUDY = "study.json"
TRIALS, RESULTS, MEASURED = "trials", "results", "measured"
SUMMARY, TIMES = "summary.json", "times.json"


@dataclass(frozen=True, slots=True)
class StudyFolder:
    """Reader and writer of a study's folder.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def exists(self) -> bool:
        """Whether a study was begun here."""
        return (self.path / STUDY).is_file()

    @property
    def finished(self) -> bool:
        """Whether it has a summary."""
        return (self.path / SUMMARY).is_file()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the folder for one process, and create it where it is missing.

        Raises:
            ConfigError: another study has it, it holds something else, or it can't be created.
        """
        try:
            # A study that was refused before it began, such as for its budget, leaves the lock.
            if self.path.exists() and {file.name for file in self.path.iterdir()} - {rundir.LOCK} and not self.exists:
                raise ConfigError(f"out: {self.path} is not empty, and holds no study; give another folder (--out)")
            self.path.mkdir(parents=True, exist_ok=True)
            with disk.locked(self.path / rundir.LOCK):
                yield
        except disk.Locked:
            raise ConfigError(f"out: another study is writing to {self.path}; give another folder (--out)") from None
        except OSError as error:
            raise ConfigError(f"out: {self.path} can't be used: {error.strerror or error}") from None

    # The study itself.

    def about(self) -> dict[str, Any]:
        """The content of `study.json`; empty where no study was begun.

        Raises:
            ConfigError: it is damaged.
        """
        return read_json(self.path / STUDY) if self.exists else {}

    def begin(
        self,
        name: str,
        options: Mapping[str, Any],
        config: Config,
        *,
        examples: Mapping[str, str],
        budget: float | None = None,
    ) -> None:
        """Write `study.json`, or see that the folder holds the same study. Options may differ: they ask for more.

        Args:
            name: Name of the design.
            options: Its options.
            config: The configuration that trials override.
            examples: By split, a digest of the examples.
            budget: Seconds that the options were made to fit.

        Raises:
            ConfigError: the folder holds another study, or one of other data or settings; lists the differences.
        """
        tree = config.model_dump(mode="json")
        about = {"study": name, "options": dict(options), "config": tree, "examples": dict(examples), "budget": budget}
        before = self.about()
        if before:
            differ = differences(comparable(before), comparable(plain(about)))
            if differ:
                raise ConfigError([f"out: {self.path} holds a study of something else; give another folder:", *differ])
        self.write(STUDY, about)

    # Trials and measurements.

    def run(self, trial: Trial) -> Path:
        """Folder of a trial."""
        return self.path / TRIALS / trial.name

    def result(self, trial: Trial) -> Result | None:
        """What became of a trial; None where it is not finished.

        Raises:
            ConfigError: the folder has a trial of that name with other settings, or its record is damaged.
        """
        file = self.path / RESULTS / f"{trial.name}.json"
        if not file.exists():
            return None
        record = read_json(file)
        if record.get("trial") != plain(asdict(trial)):
            raise ConfigError(
                f"{file}: the trial was made with other settings: {record.get('trial')}; give another folder (--out)"
            )
        return Result(trial, record["state"], RunFolder(self.run(trial)), record.get("message", ""))

    def keep(self, result: Result) -> None:
        """Write what became of a trial."""
        record = {"trial": plain(asdict(result.trial)), "state": result.state, "message": result.message}
        self.write(f"{RESULTS}/{result.trial.name}.json", record)

    def measured(self, name: str) -> tuple[bool, Any]:
        """Whether a measurement is finished, and what it returned.

        Raises:
            ConfigError: its record is damaged.
        """
        file = self.path / MEASURED / f"{name}.json"
        return (True, read_json(file)["value"]) if file.exists() else (False, None)

    def keep_measured(self, name: str, value: Any) -> Any:
        """Write what a measurement returned, and return it as it will be read."""
        self.write(f"{MEASURED}/{name}.json", {"value": value})
        return self.measured(name)[1]

    # The end.

    def conclude(self, summary: Summary) -> None:
        """Write the summary and the times."""
        self.write(TIMES, plain([asdict(board) for board in summary.times]))
        self.write(SUMMARY, plain(summary.record()))

    def summary(self) -> dict[str, Any]:
        """The content of `summary.json`.

        Raises:
            ConfigError: the study is not finished, or the file is damaged.
        """
        return read_json(self.path / SUMMARY)

    def found(self) -> Summary:
        """What the study found, as it was written. Times that are gone are left out.

        Raises:
            ConfigError: the study is not finished, or a file is damaged; names the file.
        """
        times = read_list(self.path / TIMES) if (self.path / TIMES).exists() else []
        try:
            return Summary.of(self.summary(), times)
        except (AttributeError, KeyError, TypeError) as error:
            raise ConfigError(
                f"{self.path / SUMMARY}: damaged: {error}; remove it, and the study makes it again"
            ) from None

    def results(self) -> list[Result]:
        """What became of all finished trials, those of other options too, by the names of their files.

        Raises:
            ConfigError: a record is damaged; names the file.
        """
        found = []
        for file in sorted((self.path / RESULTS).glob("*.json")):
            record = read_json(file)
            try:
                trial = Trial(**record["trial"])
                found.append(Result(trial, record["state"], RunFolder(self.run(trial)), record.get("message", "")))
            except (KeyError, TypeError, ValueError) as error:
                raise ConfigError(f"{file}: damaged: {error}; remove it, and the study makes it again") from None
        return found

    def write(self, name: str, tree: Any) -> None:
        """Write JSON, complete or absent."""
        (self.path / name).parent.mkdir(exist_ok=True)
        rundir.write_json(self.path / name, tree)


def read_json(file: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        ConfigError: it is missing or damaged.
    """
    tree = read_tree(file)
    if not isinstance(tree, dict):
        raise ConfigError(f"{file}: damaged: expected an object; remove it, and the study makes it again")
    return tree


def read_list(file: Path) -> list[Any]:
    """The list in a JSON file.

    Raises:
        ConfigError: it is missing or damaged.
    """
    tree = read_tree(file)
    if not isinstance(tree, list) or not all(isinstance(one, dict) for one in tree):
        raise ConfigError(f"{file}: damaged: expected a list of objects; remove it, and the study makes it again")
    return tree


def read_tree(file: Path) -> Any:
    """What a JSON file holds.

    Raises:
        ConfigError: it is missing or damaged.
    """
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file}: can't be read: {error}; remove it, and the study makes it again") from None


def plain(tree: Any) -> Any:
    """A tree as JSON gives it back: tuples are lists, and what is not finite is None."""
    return json.loads(json.dumps(rundir.finite(tree), ensure_ascii=False))


def comparable(about: Mapping[str, Any]) -> dict[str, Any]:
    """What must be the same when a study goes on: all but its options, its folder, and what computes it."""
    config = {name: value for name, value in about["config"].items() if name != "out"}
    training = {name: value for name, value in config["training"].items() if name not in NEUTRAL}
    return {**{name: about[name] for name in ("study", "examples")}, "config": {**config, "training": training}}
