"""The contract of a tracker: a program that keeps curves, scores, settings and models of many runs side by side.

A tracker is one file beside this one, or comes from another package under the entry-point group `afina.trackers`; it is
found by its name. Its library is imported when it begins, and what it raises costs the run one warning.
"""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

from ..errors import ConfigError, MissingExtra, printable
from ..model.families import importable

GROUP = "afina.trackers"
"""Entry-point group under which other packages offer trackers: `name = "package.module:TrackerClass"`."""
PROJECT = "afina"
"""Project or experiment, where the tracker's own settings name none."""
Status = Literal["finished", "stopped", "failed"]
"""How a run ended; one that was stopped may go on later."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A run that is to be tracked.

    Attributes:
        name: Name of its folder.
        settings: Its complete configuration, by path; files and folders by their names alone.
        folder: Folder inside the run for what the tracker itself keeps; it exists.
        before: What `begin` returned before the run was stopped; empty for a run that begins.
    """

    name: str
    settings: Mapping[str, Any]
    folder: Path
    before: str = ""


class Point(NamedTuple):
    """What was measured at a step: finite numbers by name, such as `train/loss` and `validation/accuracy`."""

    step: int
    values: Mapping[str, float]
    time: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a finished run leaves.

    Attributes:
        step: Number of steps.
        scores: Scores of the kept weights with their bounds, and those of the baselines, by name.
        model: Folder of the fine-tuned model with its card; None where none was kept.
        page: The report as a page, where there is one.
    """

    step: int
    scores: Mapping[str, float]
    model: Path | None
    page: Path | None


class Tracker(ABC):
    """What afina asks of a tracker. All methods are called in one thread of the tracker's own.

    Attributes:
        package: Name under which Python imports its library; empty where it needs none.
        distribution: Name under which pip installs it.
        extra: The extra of afina that brings it.
    """

    package: ClassVar[str] = ""
    distribution: ClassVar[str] = ""
    extra: ClassVar[str] = ""

    @abstractmethod
    def begin(self, subject: Subject) -> str:
        """Begin to track a run, or go on with it, and return the name under which the tracker knows it."""

    @abstractmethod
    def log(self, points: Sequence[Point]) -> None:
        """Take points of the curves, in order of their steps. After a stop none comes twice."""

    @abstractmethod
    def finish(self, outcome: Outcome) -> None:
        """Take what a finished run leaves; `close` follows."""

    @abstractmethod
    def close(self, status: Status) -> None:
        """End: the run is finished, was stopped, or failed."""


def names() -> list[str]:
    """Names of all trackers: those of the files here that define a class of their name, then other packages'."""
    files = {path.stem: path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("*.py")}
    own = sorted(name for name, text in files.items() if f"\nclass {name.capitalize()}(Tracker)" in text)
    return own + sorted(point.name for point in entry_points(group=GROUP) if point.name not in own)


@cache
def find(name: str) -> type[Tracker]:
    """The tracker with the given name; its library is not imported.

    Raises:
        ConfigError: there is no such tracker, or the package that offers it can't be imported.
    """
    known = names()
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f", did you mean {close[0]!r}?" if close else "."
        raise ConfigError(f"training.track: {printable(name)} is not a tracker{hint} There are: {', '.join(known)}")
    found: type[Tracker]
    if (Path(__file__).parent / f"{name}.py").exists():
        found = getattr(import_module(f"{__package__}.{name}"), name.capitalize())
        return found
    (point, *_) = entry_points(group=GROUP, name=name)
    try:
        found = point.load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"training.track: {name} ({point.value}) can't be loaded: {error}") from error
    return found


def check(wanted: Iterable[str]) -> None:
    """See that trackers are there, and their libraries installed, before anything is trained.

    Raises:
        ConfigError: there is no such tracker.
        MissingExtra: its library is not installed; names the extra.
    """
    for name in wanted:
        tracker = find(name)
        if not tracker.package or importable(tracker.package):
            continue
        package, purpose = tracker.distribution or tracker.package, f"tracking with {name}"
        if tracker.extra:
            raise MissingExtra(package, tracker.extra, purpose)
        raise ConfigError(f"training.track: {purpose} needs the package {package!r}: pip install {package}")
