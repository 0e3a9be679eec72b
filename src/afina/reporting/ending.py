"""Trainings and studies that end with their page."""

from __future__ import annotations

import shlex
from collections.abc import Generator
from contextlib import closing
from typing import TypeVar

from ..studies.events import Concluded, StudyEvent
from ..training.events import Done, Event, Note
from .report import report

EventT = TypeVar("EventT", Event, StudyEvent)


def with_page(events: Generator[EventT, None, None]) -> Generator[EventT | Note, None, None]:
    """A training or a study whose page is written before its last event.

    A page that can't be written is a warning: the run or study is complete without it.
    """
    with closing(events):
        for event in events:
            if isinstance(event, Done | Concluded):
                try:
                    report(event.folder)
                except Exception as error:  # whatever it is, `afina report` raises it again
                    again = f"afina report {shlex.quote(str(event.folder))}"
                    yield Note(f"no page was written: {error} ({again})", "warning")
            yield event
