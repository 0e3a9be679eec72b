"""Signals to a clean stop: what is asked for, and what stays of the handlers."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Generator

import pytest

from afina.signals import Terminated, attended, interrupts, signals
from afina.training.events import Event, Note

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of another kind")


def test_a_signal_is_noted_and_a_second_one_stops_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with signals("SIGTERM", "SIGNONE") as asked:
        os.kill(os.getpid(), signal.SIGTERM)
        assert asked == [signal.SIGTERM]
        assert capsys.readouterr().err == "stopping after this step and a checkpoint; once more stops at once\n"
        with pytest.raises(Terminated):
            os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_events_end_after_a_signal() -> None:
    closed = []

    def said() -> Generator[Event, None, None]:
        try:
            yield Note("one")
            yield Note("two")
        finally:
            closed.append(True)

    asked: list[int] = []
    run = attended(said(), asked)
    assert next(run) == Note("one")
    asked.append(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        next(run)
    assert closed == [True]


def test_a_program_keeps_its_own_handler_and_its_threads() -> None:
    mine = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interrupts() as asked:
            os.kill(os.getpid(), signal.SIGINT)
        assert asked == []
    finally:
        signal.signal(signal.SIGINT, mine)

    def elsewhere() -> None:
        with interrupts() as asked:
            found.append(asked)

    found: list[list[int]] = []
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert found == [[]]
