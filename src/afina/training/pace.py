"""Steps that become far slower than the run's own best: noticed, and said once with the cure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import torch

from ..compute import Compute
from .events import Note, Step
from .rundir import go_on

WINDOW = 20
"""Steps whose median pace counts. A single step, however long, changes it little."""
FACTOR = 0.4
"""Slow is what is below so much of the best pace. Lengths of texts and a warm processor don't come to that."""
LASTING = 10.0
"""Seconds for which the steps must be slow, so that nobody is told of what is over."""


@dataclass
class Pace:
    """Sees whether the steps on a CPU have become far slower than they were.

    They have where the median pace of the last `WINDOW` steps, in real tokens a second, stays below `FACTOR` times the
    best such median for `LASTING` seconds of slow steps. Of these none counts for longer than the median pace makes it:
    a computer that slept during a step is not slow.

    A checkpoint keeps nothing of it: the best pace is that of this process, on this machine with these threads.

    Attributes:
        threads: Number of CPU threads; 0 on a GPU, whose steps are not watched.
        recent: Paces of the last steps.
        best: The best median so far.
        slow: Seconds for which the steps have been slow.
        seconds: Seconds of training so far.
        said: Whether they were seen to be slow, which is said once.
    """

    threads: int = 0
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    best: float = 0.0
    slow: float = 0.0
    seconds: float = 0.0
    said: bool = False

    @classmethod
    def of(cls, compute: Compute, *, seconds: float = 0.0) -> Pace:
        """The watch of a training on this device, after so many seconds of it."""
        threads = (compute.threads or torch.get_num_threads()) if compute.device.type == "cpu" else 0
        return cls(threads, seconds=seconds)

    @property
    def now(self) -> float:
        """Median pace of the last steps, in tokens a second."""
        return median(self.recent)

    def add(self, tokens: int, seconds: float) -> bool:
        """Add a step. Whether the steps are seen to be slow, for the first time.

        Args:
            tokens: Number of its real tokens.
            seconds: Seconds of training up to its end.
        """
        passed, self.seconds = max(seconds - self.seconds, 1e-9), seconds
        self.recent.append(tokens / passed)
        if not self.threads or self.said or len(self.recent) < WINDOW:
            return False
        self.best = max(self.best, self.now)
        if self.now >= FACTOR * self.best:
            self.slow = 0.0
        elif tokens / passed < FACTOR * self.best:
            self.slow += min(passed, tokens / self.now)
        self.said = self.slow >= LASTING
        return self.said

    def notes(self, step: Step, seconds: float, folder: Path) -> Iterator[Note]:
        """Add a step, and say it where the steps are seen to be slow.

        Args:
            step: The step.
            seconds: Seconds of training up to its end.
            folder: Folder of the run.
        """
        if self.add(step.tokens, seconds):
            yield Note(self.warning(step.number, folder), "warning")

    def warning(self, number: int, folder: Path) -> str:
        """What happened, and the cure.

        Args:
            number: Number of the last step.
            folder: Folder of the run.
        """
        fewer = (
            f", or stop with Ctrl-C and go on with fewer threads: {go_on(folder)} "
            f"--set training.threads={self.threads // 2}"
        )
        return (
            f"step {number}: {self.now:,.0f} tokens a second, and {self.best:,.0f} at this run's best: something else "
            f"keeps the processor busy, or slows it down. Close other programs{fewer if self.threads > 1 else ''}"
        )
