"""What a person sees in a notebook while a run goes on: one output, drawn anew, that ends as notes and a table."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Generator, Iterable
from contextlib import suppress
from html import escape
from importlib import import_module
from typing import TYPE_CHECKING

from .printing import Block, Table, as_html, as_text, number, safe
from .progress import Standing, expected_end, losses, noted

if TYPE_CHECKING:
    from .training.events import Event, Scored

REDRAWN = 0.5
"""Seconds between two drawings while nothing but the bar changes."""


def in_notebook() -> bool:
    """Whether this is the kernel of a notebook. IPython is not imported for that."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None) is not None


def prepare() -> None:
    """In a notebook, import tqdm, which transformers needs, without its warning about widgets, which afina has not."""
    if in_notebook():
        with warnings.catch_warnings(), suppress(ImportError):
            warnings.simplefilter("ignore")
            import_module("tqdm.auto")


def cell(events: Iterable[Event], *, warned: bool = True) -> Generator[Event, None, None]:
    """Show a run in one output of a cell, which a saved notebook keeps as it was at the end.

    Args:
        events: A run.
        warned: Whether to show the run's warnings.
    """
    from IPython.display import display

    from .training.events import Begin, Note, Scored, Step

    standing, notes, evaluations = Standing(), list[str](), list[Scored]()
    handle = display(bundle([]), raw=True, display_id=True)
    drawn = time.monotonic()
    try:
        for event in events:
            standing.hear(event)
            match event:
                case Note() if warned or event.level != "warning":
                    notes.append(noted(event))
                case Begin():
                    notes += filter(None, [expected_end(event)])
                case Scored():
                    evaluations.append(event)
            if time.monotonic() - drawn >= REDRAWN or not isinstance(event, Step):
                handle.update(bundle([*notes, *table(evaluations)], standing), raw=True)
                drawn = time.monotonic()
            yield event
    finally:  # the bar goes; what was said stays
        handle.update(bundle([*notes, *table(evaluations)]), raw=True)


def table(evaluations: list[Scored]) -> list[Block]:
    """The evaluations so far, one a row; nothing before the first."""
    if not evaluations:
        return []
    names = ["epoch", *losses(evaluations[0]), *evaluations[0].metrics, ""]
    rows = [
        [
            str(event.epoch),
            *((losses(event) | event.metrics).get(name, "") for name in names[1:-1]),
            "best so far" if event.best else "",
        ]
        for event in evaluations
    ]
    return [Table(names, [[number(value) for value in row] for row in rows])]


def bundle(blocks: list[Block], standing: Standing | None = None) -> dict[str, str]:
    """What to show, as HTML and as text.

    Args:
        blocks: Notes and evaluations.
        standing: Where the run stands; None when it is over.
    """
    bars = standing.bars if standing else []
    html = "".join(
        f'<div>{escape(safe(name))} <progress value="{share:.4f}" max="1"></progress> '
        f"{escape(safe('  '.join(details)))}</div>"
        for name, share, details in bars
    )
    text = [*as_text(blocks), *(f"{name}  {'  '.join(details)}" for name, _, details in bars)]
    return {"text/html": as_html(blocks) + html, "text/plain": "\n".join(text)}
