"""What a person sees while a run goes on: a bar on a terminal, lines in a file, or nothing.

A view takes the events of a run, shows them, and passes them on.
"""

from __future__ import annotations

import math
import os
import random
import sys
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from .printing import duration, number, safe, say, width

if TYPE_CHECKING:
    from rich.console import Group

    from .training.events import Begin, Event, Note, Progress, Scored, Step

STILL = 30.0
"""Seconds after which a log that is no terminal gets a line, whatever goes on."""
FIRST_STEPS = 5
"""Steps after which their own time says how long the others take; the first ones are slower."""
BRIEF = 10
"""Seconds below which a training has ended before anybody asks when it will."""
DAY = 43_200
"""Seconds from which an expected end has a date."""
SHORTEST = 10
"""Places of the shortest bar."""

View = Callable[["Iterable[Event]"], "Generator[Event, None, None]"]


def is_terminal(stream: TextIO | None = None) -> bool:
    """Whether somebody is looking, on a screen that can redraw a line.

    Args:
        stream: What is written to; stdout by default.
    """
    return (stream or sys.stdout).isatty() and os.environ.get("TERM") != "dumb"


def view_on(stream: TextIO, *, warned: bool = True) -> View:
    """The view that suits a stream: a bar on a terminal, lines elsewhere.

    Args:
        stream: Standard output or standard error.
        warned: Whether to show the run's warnings; without them somebody else must say them.
    """
    view = bar if is_terminal(stream) else lines
    return lambda events: view(events, stream, warned=warned)


@dataclass
class Pace:
    """How a training goes on: means over about the last twenty steps, and the time that is left.

    Attributes:
        steps: Largest number of steps.
        expected: Seconds that they were expected to take, where that is known.
        number: Number of the last step.
        seen: Number of steps that were seen here; a run that is resumed did others before.
        stepping: Seconds of those steps.
        evaluating: Seconds of the evaluations.
        evaluated: Number of steps seen up to the last evaluation.
        weight: Sum of the weights of the means.
        loss: Weighted sum of the losses.
        tokens: Weighted sum of the tokens.
        seconds: Weighted sum of the seconds.
        since: When the last step or evaluation was over.
    """

    steps: int = 0
    expected: float | None = None
    number: int = 0
    seen: int = 0
    stepping: float = 0.0
    evaluating: float = 0.0
    evaluated: int = 0
    weight: float = 0.0
    loss: float = 0.0
    tokens: float = 0.0
    seconds: float = 0.0
    since: float = field(default_factory=time.perf_counter)

    def begin(self, event: Begin) -> None:
        """Start to count."""
        self.steps, self.expected = event.steps, event.seconds
        self.lap()

    def lap(self) -> float:
        """Seconds since the last call."""
        before, self.since = self.since, time.perf_counter()
        return self.since - before

    def step(self, step: Step) -> None:
        """Count a step, which took the time since the last event."""
        took = self.lap()
        self.number, self.seen, self.stepping = step.number, self.seen + 1, self.stepping + took
        self.weight = 0.95 * self.weight + 1
        self.loss = 0.95 * self.loss + step.loss
        self.tokens = 0.95 * self.tokens + step.tokens
        self.seconds = 0.95 * self.seconds + took

    def evaluation(self) -> None:
        """Count an evaluation, which took the time since the last event."""
        self.evaluating, self.evaluated = self.evaluating + self.lap(), self.seen

    @property
    def left(self) -> float | None:
        """Seconds to the end without early stopping, evaluations included; None where nothing is known yet."""
        left = self.steps - self.number
        if self.seen < FIRST_STEPS and self.expected is not None:
            whole = self.expected * left / max(1, self.steps)
        elif self.seen:
            evaluations = self.evaluating / self.evaluated if self.evaluated else 0.0
            whole = left * (self.stepping / self.seen + evaluations)
        else:
            return None
        return max(0.0, whole - (time.perf_counter() - self.since))

    @property
    def mean_loss(self) -> str:
        """The loss; nothing before the first step."""
        return f"loss {self.loss / self.weight:.4f}" if self.weight else ""

    @property
    def speed(self) -> str:
        """The tokens a second; nothing before the first step."""
        return f"{self.tokens / self.seconds:,.0f} tokens/s" if self.seconds else ""

    @property
    def time_left(self) -> str:
        """How long it takes yet; nothing where that is not known."""
        left = self.left
        return "" if left is None else f"{duration(left)} left"


@dataclass
class Standing:
    """Where a run stands: what every view shows.

    Attributes:
        pace: Speed, loss and time left.
        epochs: Largest number of epochs.
        metric: The validation metric that chooses the best epoch.
        epoch: Number of the present epoch, from 1; 0 before training.
        score: Value of the metric at the last evaluation.
        work: Long work without steps that is going on.
    """

    pace: Pace = field(default_factory=Pace)
    epochs: int = 0
    metric: str = ""
    epoch: int = 0
    score: float = math.nan
    work: Progress | None = None

    def hear(self, event: Event) -> None:
        """Take note of an event."""
        from .training.events import Begin, Progress, Scored, Step

        self.work = event if isinstance(event, Progress) else None
        match event:
            case Begin():
                self.epochs, self.metric = event.epochs, event.metric
                self.pace.begin(event)
            case Step():
                self.epoch = event.epoch + 1
                self.pace.step(event)
            case Scored():
                self.score = event.metrics[self.metric]
                self.pace.evaluation()

    @property
    def count(self) -> str:
        """The present epoch."""
        return f"epoch {self.epoch}/{self.epochs}"

    @property
    def details(self) -> list[str]:
        """What there is to say of a training beside its epoch and step, the most important first."""
        score = f"{self.metric} {number(self.score)}" if math.isfinite(self.score) else ""
        return [text for text in (self.pace.time_left, self.pace.mean_loss, score, self.pace.speed) if text]

    @property
    def bars(self) -> list[tuple[str, float, list[str]]]:
        """The bars to show: a name, the share that is done, and details with the most important first."""
        pace, bars = self.pace, []
        if self.work is not None:
            bars.append((self.work.what, self.work.share, [f"{self.work.share:.0%}"]))
        if self.epoch:
            share = pace.number / max(1, pace.steps)
            bars.append((self.count, share, [f"{pace.number:,}/{pace.steps:,}", *self.details]))
        return bars


def noted(note: Note) -> str:
    """A note on one line."""
    return f"warning: {note.text}" if note.level == "warning" else note.text


def scored_line(event: Scored, metric: str) -> str:
    """An evaluation on one line: the metric that chooses, one more, the losses, and whether it is the best so far."""
    names = [metric, *(name for name in event.metrics if name != metric)][:2]
    values = {name: event.metrics[name] for name in names} | losses(event)
    best = ["(best)"] if event.best else []
    return "  ".join([f"epoch {event.epoch}", *(f"{name} {number(value)}" for name, value in values.items()), *best])


def losses(event: Scored) -> dict[str, float]:
    """The losses of an evaluation, those that are known."""
    known = {"training loss": event.training_loss, "validation loss": event.loss}
    return {name: value for name, value in known.items() if not math.isnan(value)}


def expected_end(event: Begin) -> str:
    """When the training should be over; nothing where that is not known."""
    if event.seconds is None or event.seconds < BRIEF:
        return ""
    form = "%H:%M" if event.seconds < DAY else "%Y-%m-%d %H:%M"
    end = time.strftime(form, time.localtime(time.time() + event.seconds))
    return f"expected end: {end}, in about {duration(event.seconds)}"


# ---------------------------------------------------------------------------------------------------------------------
# Views.


def silence(events: Iterable[Event]) -> Generator[Event, None, None]:
    """Show nothing."""
    yield from events


def lines(
    events: Iterable[Event], stream: TextIO | None = None, *, warned: bool = True
) -> Generator[Event, None, None]:
    """Show notes and evaluations as plain lines, and how far the work is whenever nothing was said for a while.

    Args:
        events: A run.
        stream: What is written to, line by line; stdout by default.
        warned: Whether to show the run's warnings.
    """
    from .training.events import Begin, Note, Progress, Scored, Step

    standing, said = Standing(), time.monotonic()
    for event in events:
        standing.hear(event)
        line, due = "", time.monotonic() - said >= STILL
        match event:
            case Note() if warned or event.level != "warning":
                say(noted(event), stream)
            case Begin():
                line = expected_end(event)
            case Step() if due:
                steps = f"step {event.number:,}/{standing.pace.steps:,}"
                line = "  ".join([standing.count, steps, *standing.details])
            case Scored():
                line = "  ".join(filter(None, [scored_line(event, standing.metric), standing.pace.speed]))
            case Progress() if due:
                line = f"{event.what}: {event.share:.0%}"
        if line:
            say(line, stream)
            said = time.monotonic()
        yield event


def bar(events: Iterable[Event], stream: TextIO | None = None, *, warned: bool = True) -> Generator[Event, None, None]:
    """Show the training as one bar, and everything else as lines above it.

    Args:
        events: A run.
        stream: A terminal; stdout by default.
        warned: Whether to show the run's warnings.
    """
    before = random.getstate()  # the import of rich draws a number from the generator of whoever called us
    from rich.console import Console
    from rich.live import Live

    random.setstate(before)
    from .training.events import Begin, Note, Scored

    console, standing = Console(file=stream), Standing()

    def tell(line: str) -> None:
        if line:
            console.print(safe(line), markup=False, highlight=False, emoji=False, overflow="fold")

    with Live(
        get_renderable=lambda: drawn(standing.bars, console.width),
        console=console,
        transient=True,
        # What the program prints on the terminal meanwhile goes above the bar; what goes to a file still goes there.
        redirect_stdout=sys.stdout.isatty(),
        redirect_stderr=sys.stderr.isatty(),
    ):
        for event in events:
            standing.hear(event)
            match event:
                case Note() if warned or event.level != "warning":
                    tell(noted(event))
                case Begin():
                    tell(expected_end(event))
                case Scored():
                    tell(scored_line(event, standing.metric))
            yield event


def drawn(bars: Sequence[tuple[str, float, list[str]]], places: int) -> Group:
    """Bars below each other, each on one line of a terminal.

    Args:
        bars: As in `Standing.bars`.
        places: Width of the terminal.
    """
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    rows = []
    for name, share, details in bars:
        shown = that_fit(details, places - width(name) - SHORTEST - 2)
        row = Table.grid(padding=(0, 1, 0, 0))
        row.add_column(no_wrap=True, overflow="crop")
        row.add_column(width=max(1, places - width(name) - width("  ".join(shown)) - 3))
        row.add_column(no_wrap=True, overflow="crop")
        row.add_row(Text(safe(name)), ProgressBar(1.0, share), Text(safe("  ".join(shown))))
        rows.append(row)
    return Group(*rows)


def that_fit(details: Sequence[str], places: int) -> list[str]:
    """Those of the details, the most important first, that fit beside each other into a number of places."""
    shown: list[str] = []
    for text in details:
        if width("  ".join([*shown, text])) <= places:
            shown.append(text)
    return shown
