"""What a person sees while a study goes on: a line a trial, and one every half minute inside long ones."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable
from typing import TextIO

from ..printing import duration, many, number, say
from ..training.events import Note, Progress, Scored, Step
from .events import Asked, Ended, Inside, Started, StudyEvent
from .study import Study

STILL = 30.0
"""Seconds without a line after which one says what is going on."""


def lines(events: Iterable[StudyEvent], study: Study, stream: TextIO) -> Generator[StudyEvent, None, None]:
    """Show the events of a study as lines, and pass them on."""
    said, trial, epochs = time.monotonic(), "", 0
    trials = finished = 0
    for event in events:
        text = ""
        if isinstance(event, Asked):
            trials, finished = event.trials, event.finished
            text = f"{many(trials, 'trial')} asked for, {finished} finished"
        elif isinstance(event, Started):
            trial, epochs = f"{event.recipe}, seed {event.seed}", 0
        elif isinstance(event, Ended):
            finished += 1
            text = f"[{finished}/{trials}] {ended(event, study)}"
        elif isinstance(event, Note):
            text = f"warning: {event.text}" if event.level == "warning" else event.text
        elif isinstance(event, Inside) and isinstance(event.event, Scored):
            epochs = int(event.event.epoch)
        elif time.monotonic() - said >= STILL:
            text = standing(event, trial, epochs)
        if text:
            say(text, stream)
            said = time.monotonic()
        yield event


def ended(event: Ended, study: Study) -> str:
    """The line of a trial that has ended."""
    trial, result = event.result.trial, event.result
    what = (
        f"validation {study.metric} {number(result.score('validation', study.metric))}" if result.done else result.state
    )
    took = duration(event.seconds)
    return f"{trial.recipe}, seed {trial.seed}: {what} ({took})"


def standing(event: StudyEvent, trial: str, epochs: int) -> str:
    """What is going on, in a line; empty where nothing can be said."""
    if isinstance(event, Progress):
        return f"  {event.what}: {event.share:.0%}"
    if isinstance(event, Inside) and isinstance(event.event, Step):
        return f"  {trial}: step {event.event.number}, {many(epochs, 'epoch')} done"
    return ""
