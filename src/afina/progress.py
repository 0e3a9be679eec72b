"""What a person sees while a run goes on: a bar on a terminal, lines in a file, or nothing."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .printing import number, say

if TYPE_CHECKING:
    from .training.events import Event, Note, Scored, Step

STILL = 30.0
"""Seconds between two lines about a long part of the work, where lines stay."""


def is_terminal() -> bool:
    """Whether somebody is looking, on a screen that can redraw a line."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


@dataclass
class Pace:
    """Loss and speed as running means over about the last twenty steps."""

    weight: float = 0.0
    total: float = 0.0
    tokens: float = 0.0
    seconds: float = 0.0
    since: float = field(default_factory=time.perf_counter)

    def add(self, step: Step) -> None:
        """Count a step, which took the time since the last call."""
        self.weight = 0.95 * self.weight + 1
        self.total = 0.95 * self.total + step.loss
        self.tokens = 0.95 * self.tokens + step.tokens
        self.seconds = 0.95 * self.seconds + time.perf_counter() - self.since
        self.restart()

    def restart(self) -> None:
        """Leave out the time since the last step: something else was going on."""
        self.since = time.perf_counter()

    def __str__(self) -> str:
        if not self.weight:  # a run that is taken up may begin with an evaluation
            return ""
        return f"{self.tokens / self.seconds:,.0f} tokens/s  loss {self.total / self.weight:.4f}"


def silence(events: Iterable[Event]) -> Iterator[Event]:
    """Show nothing."""
    yield from events


def lines(events: Iterable[Event]) -> Iterator[Event]:
    """Show notes and evaluations as plain lines."""
    from .training.events import Begin, Note, Progress, Scored, Step

    pace, metric, said = Pace(), "", time.monotonic()
    for event in events:
        match event:
            case Note():
                say(noted(event))
            case Begin():
                metric = event.metric
                pace.restart()
            case Step():
                pace.add(event)
            case Scored():
                say(f"{scored_line(event, metric)}  {pace}".rstrip())
                pace.restart()
            case Progress() if time.monotonic() - said >= STILL:
                said = time.monotonic()
                say(f"{event.what}: {event.share:.0%}")
        yield event


def bar(events: Iterable[Event]) -> Iterator[Event]:
    """Show the training as one bar, and everything else as lines above it."""
    from rich import progress as rich_progress
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn

    from .training.events import Begin, Note, Progress, Scored, Step

    pace, start, score = Pace(), Begin(0, 0, ""), ""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        TextColumn("{task.completed}/{task.total}", markup=False),
        TextColumn("{task.fields[status]}", markup=False),
        TimeRemainingColumn(compact=True),
    )
    with rich_progress.Progress(*columns, transient=True, expand=True) as progress:
        bar = progress.add_task("", visible=False, start=False, status="")
        work = None
        for event in events:
            if work is not None and not isinstance(event, Progress):
                progress.remove_task(work)
                work = None
            match event:
                case Progress():
                    if work is None:
                        work = progress.add_task("", total=100, status="")
                    progress.update(work, completed=round(100 * event.share), description=event.what)
                case Note():
                    say(noted(event))
                case Begin():
                    start = event
                    progress.start_task(bar)
                    progress.update(bar, total=event.steps, visible=True)
                    pace.restart()
                case Step():
                    pace.add(event)
                    epoch = f"epoch {event.epoch + 1}/{start.epochs}"
                    progress.update(bar, completed=event.number, description=epoch, status=f"{pace}{score}")
                case Scored():
                    say(scored_line(event, start.metric))
                    score = f"  {start.metric} {number(event.metrics[start.metric])}"
                    pace.restart()
            yield event


def noted(note: Note) -> str:
    """A note on one line."""
    return f"warning: {note.text}" if note.level == "warning" else note.text


def scored_line(event: Scored, metric: str) -> str:
    """An evaluation on one line: the metric that chooses, one more, and whether it is the best so far."""
    names = [metric, *(name for name in event.metrics if name != metric)][:2]
    best = "  (best)" if event.best else ""
    return "  ".join([f"epoch {event.epoch}", *(f"{name} {number(event.metrics[name])}" for name in names)]) + best
