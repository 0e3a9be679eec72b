"""Events of a study. The consumer displays, logs or ignores them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from ..training.events import Event, Note, Progress
from .results import Result
from .summaries import Summary


@dataclass(frozen=True, slots=True)
class Asked:
    """A design asked for trials.

    Attributes:
        trials: Number of trials that it has asked for so far.
        finished: Number of them that are finished, by earlier attempts too.
    """

    trials: int
    finished: int


@dataclass(frozen=True, slots=True)
class Started:
    """A trial starts, or goes on.

    Attributes:
        name: Name of the trial.
        recipe: What it tries, in words.
        seed: Its seed.
    """

    name: str
    recipe: str
    seed: int


@dataclass(frozen=True, slots=True)
class Inside:
    """Something that a trial says.

    Attributes:
        name: Name of the trial.
        event: What it says.
    """

    name: str
    event: Event


@dataclass(frozen=True, slots=True)
class Ended:
    """A trial has ended.

    Attributes:
        result: What became of it.
        seconds: Seconds that it took in this attempt.
    """

    result: Result
    seconds: float


@dataclass(frozen=True, slots=True)
class Concluded:
    """The study is over, and everything is on disk.

    Attributes:
        folder: Folder of the study.
        summary: What it found.
    """

    folder: Path
    summary: Summary


StudyEvent: TypeAlias = Asked | Started | Inside | Ended | Concluded | Note | Progress
