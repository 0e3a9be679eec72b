"""Signals of the system become a clean stop: after the current step, with a checkpoint."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from typing import TypeVar

from .printing import say

T = TypeVar("T")
EVERY = ("SIGINT", "SIGTERM", "SIGHUP")
"""Signals that end a program."""


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP: the system wants us to end, or the terminal has gone."""


@contextmanager
def signals(*names: str) -> Iterator[list[int]]:
    """Signals inside become an entry of the list that comes out; a second one stops at once.

    What whoever started us wants ignored (`nohup`) stays ignored.

    Args:
        names: Names of the signals, such as SIGINT; those that the system does not have are left out.
    """
    asked: list[int] = []

    def note(number: int, _: object) -> None:
        if asked:
            raise stop_of(number)
        asked.append(number)
        with suppress(OSError):  # the terminal may be what has gone
            say("stopping after this step and a checkpoint; once more stops at once", sys.stderr)

    ours = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.signal(number, note) for number in ours if signal.getsignal(number) != signal.SIG_IGN}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def interrupts() -> Iterator[list[int]]:
    """The same for a program that calls afina: its Ctrl-C, or the interruption of its notebook, and nothing else.

    A handler of the program's own stays, and other threads than the main one hear no signals.
    """
    main = threading.current_thread() is threading.main_thread()
    if main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        with signals("SIGINT") as asked:
            yield asked
    else:
        yield []


def stop_of(number: int) -> KeyboardInterrupt:
    """The exception that a signal raises."""
    return KeyboardInterrupt() if number == signal.SIGINT else Terminated()


def attended(events: Generator[T, None, None], asked: list[int]) -> Generator[T, None, None]:
    """Events, until a signal has come: then the run is closed, which writes a checkpoint.

    Args:
        events: A training, or a study.
        asked: The signals that came, as `signals` gives them.

    Raises:
        KeyboardInterrupt: the run was stopped by a signal.
    """
    with closing(events):
        for event in events:
            yield event
            if asked:
                break
        else:
            return
    raise stop_of(asked[0])
