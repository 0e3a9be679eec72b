"""A run with its trackers: each in a thread of its own, so that none holds the training up, and none can end it.

What a tracker knows the run by, and the last step that it has taken, is kept in the run's folder. A run that is resumed
goes on there, and steps that are taken again are not sent again.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import disk
from ..training import rundir
from ..training.events import BEAT, Adapted, Begin, Done, Event, Note, Progress
from .base import Outcome, Point, Status, Subject, Tracker, find
from .curves import outcome_of, settings_of, values_of

EVERY = 2.0
"""Seconds in which points are collected before they are sent together."""
MOST = 50_000
"""Points that wait at most; a tracker that takes none of so many is left behind."""
PATIENCE = 600.0
"""Seconds that a tracker has for what a finished run leaves, such as its model."""
HURRY = 5.0
"""Seconds that it has to end when the run was stopped or has failed."""


@dataclass(eq=False)
class Worker:
    """A tracker at work.

    Attributes:
        name: Its name.
        tracker: The tracker.
        subject: The run.
        file: Where its name of the run, and the last steps that it has, are kept.
        had: The last step that it had before a stop, by kind of event.
        sent: The last step that it has, by kind of event.
        fault: Why it has given up; empty while it has not.
        notes: What there is to say and was not said yet.
        waiting: Kinds and points that were not taken yet.
        outcome: What the finished run leaves, when it is there.
        status: How the run ended, when it did.
        left: Whether nobody waits for it any more; what a resumed run goes on with is then kept by its successor.
        news: Wakes the thread.
        thread: The thread.
    """

    name: str
    tracker: Tracker
    subject: Subject
    file: Path
    had: dict[str, int] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)
    fault: str = ""
    notes: list[Note] = field(default_factory=list)
    waiting: list[tuple[str, Point]] = field(default_factory=list)
    outcome: Outcome | None = None
    status: Status | None = None
    left: bool = False
    news: threading.Condition = field(default_factory=threading.Condition)
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self.work, name=f"afina-{self.name}", daemon=True)

    def put(self, kind: str, point: Point) -> None:
        """Give it a point, which it takes when it can; one that it had before a stop is left out."""
        with self.news:
            if self.fault or point.step <= self.had.get(kind, 0):
                return
            self.waiting.append((kind, point))
            if len(self.waiting) > MOST:
                self.give_up("it takes nothing any more")
            self.news.notify()

    def end(self, status: Status, outcome: Outcome | None = None) -> None:
        """Have it take the rest, and end."""
        with self.news:
            self.status, self.outcome = status, outcome
            self.news.notify()

    def give_up(self, why: str) -> None:
        """Say once why there is no more of it; the run goes on."""
        if not self.fault:
            self.fault = why
            self.waiting.clear()
            self.notes.append(
                Note(f"{self.name} tracks this run no further: {why}. The training is not touched", "warning")
            )

    def work(self) -> None:
        """The thread: begin, take points as they come, and end."""
        try:
            known = self.tracker.begin(self.subject)
            self.keep(known)
            self.notes.append(Note(f"tracked with {self.name}: {known}"))
            while self.status is None and not self.fault:
                self.take(known)
            if not self.fault:
                self.take(known)
                if self.outcome is not None:
                    self.tracker.finish(self.outcome)
        except BaseException as error:  # whatever a library raises, the exits of programs included
            self.give_up(in_a_line(error))
        with suppress(BaseException):
            self.tracker.close(self.status or "failed")
        with suppress(OSError):  # where it has kept nothing
            self.subject.folder.rmdir()

    def take(self, known: str) -> None:
        """Send what is waiting, after a while in which more may come."""
        with self.news:
            if self.status is None:
                self.news.wait_for(lambda: self.status is not None, timeout=EVERY)
            points, self.waiting = self.waiting, []
        if points:
            self.tracker.log([point for _, point in points])
            self.sent |= {kind: point.step for kind, point in points}
            self.keep(known)

    def keep(self, known: str) -> None:
        """Keep what a resumed run goes on with."""
        if self.left:
            return
        disk.write(self.file, (json.dumps({"id": known, "steps": self.had | self.sent}) + "\n").encode())


def in_a_line(error: BaseException) -> str:
    """An error in a line."""
    said = [line for line in str(error).strip().splitlines() if line.strip()]
    return f"{type(error).__name__}{f': {said[0].strip()}' if said else ''}"


def tracked(run: Generator[Event, None, None], wanted: Sequence[str], folder: Path) -> Generator[Event, None, None]:
    """The events of a run, which trackers are told, too. The last event is that of the run.

    Args:
        run: The run; closing this generator closes it.
        wanted: Names of the trackers; without any nothing is done.
        folder: Folder of the run.
    """
    if not wanted:
        yield from run
        return
    workers: list[Worker] = []
    last: Event | None = None
    waiting = list(wanted)
    status: Status = "failed"
    with closing(run):
        try:
            for event in run:
                if isinstance(event, Begin):  # each stage of a training begins
                    yield from begun(waiting, folder, workers)
                tell(event, workers)
                yield from said(workers)
                if isinstance(event, Done | Adapted):
                    last = event  # which is the last one, after what trackers have to say of it
                else:
                    yield event
            status = "finished"
        except GeneratorExit:
            status = "stopped"
            run.close()  # first of all the checkpoint
            raise
        finally:
            if status != "finished":
                ended(workers, status)
    if last is not None:
        yield from completed(workers, outcome_of(last) if isinstance(last, Done | Adapted) else None)
        yield last


def begun(wanted: list[str], folder: Path, workers: list[Worker]) -> Iterator[Event]:
    """Start the trackers of a run that begins to train, each once; one that can't be started is a warning."""
    while wanted:
        name = wanted.pop(0)
        try:
            workers.append(worker(name, folder))
            workers[-1].thread.start()
        except Exception as error:
            yield Note(f"{name} does not track this run: {in_a_line(error)}", "warning")
            workers[:] = [one for one in workers if one.thread.ident is not None]


def worker(name: str, folder: Path) -> Worker:
    """A tracker of a run, with what it knew before the run was stopped."""
    place = folder / rundir.TRACKING
    own = place / name
    own.mkdir(parents=True, exist_ok=True)
    file = place / f"{name}.json"
    known: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        tree = json.loads(file.read_text(encoding="utf-8"))
        known = tree if isinstance(tree, dict) else {}
    subject = Subject(folder.absolute().name, settings_of(folder), own, str(known.get("id") or ""))
    had = known.get("steps")
    return Worker(name, find(name)(), subject, file, had=dict(had) if isinstance(had, dict) else {})


def tell(event: Event, workers: Sequence[Worker]) -> None:
    """Give trackers what an event measured."""
    found = values_of(event) if workers else None
    if found is not None and found[1]:
        point = Point(found[0], found[1], time.time())
        for one in workers:
            one.put(type(event).__name__, point)


def said(workers: Sequence[Worker]) -> Iterator[Note]:
    """What trackers have to say."""
    for one in workers:
        while one.notes:
            yield one.notes.pop(0)


def completed(workers: Sequence[Worker], outcome: Outcome | None) -> Iterator[Event]:
    """Wait until every tracker has what a finished run leaves."""
    for one in workers:
        one.end("finished", outcome)
    limit = time.monotonic() + PATIENCE
    for one in workers:
        while one.thread.is_alive() and time.monotonic() < limit:
            one.thread.join(BEAT)
            if one.thread.is_alive():
                yield Progress(f"to {one.name}", 1.0)
        if one.thread.is_alive():
            one.give_up(f"it was not done in {PATIENCE:.0f} seconds")
    yield from said(workers)


def ended(workers: Sequence[Worker], status: Status) -> None:
    """End trackers of a run that was stopped or has failed; slow ones are not waited for."""
    for one in workers:
        one.end(status)
    limit = time.monotonic() + HURRY
    for one in workers:
        one.thread.join(max(0.0, limit - time.monotonic()))
        one.left = True
