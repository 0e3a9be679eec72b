"""A training that ends with its page."""

from __future__ import annotations

import shlex
from collections.abc import Generator
from contextlib import closing

from ..training.events import Done, Event, Note
from . import run as page


def with_page(run: Generator[Event, None, None]) -> Generator[Event, None, None]:
    """A training whose page is written before its last event.

    A page that can't be written is a warning: the run is complete without it.
    """
    with closing(run):
        for event in run:
            if isinstance(event, Done):
                try:
                    page.report(event.folder)
                except Exception as error:  # whatever it is, `afina report` raises it again
                    again = f"afina report {shlex.quote(str(event.folder))}"
                    yield Note(f"no page was written: {error} ({again})", "warning")
            yield event
