"""Long work says how far it is, and can be stopped where it says so."""

from __future__ import annotations

import pytest

from afina.training import events
from afina.training.events import Note, Progress, with_progress
from afina.work import Work


def work(closed: list[bool]) -> Work[str]:
    """Four pieces."""
    try:
        for piece in range(1, 5):
            yield piece / 4
        return "done"
    finally:
        closed.append(True)


def test_progress_is_said_and_the_result_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "BEAT", 0.0)
    closed: list[bool] = []
    stream = with_progress("states", work(closed))
    said = []
    while True:
        try:
            said.append(next(stream))
        except StopIteration as end:
            result = end.value
            break
    assert result == "done"
    assert said == [Progress("states", share) for share in (0.25, 0.5, 0.75, 1.0)]
    assert closed == [True]


def test_closing_closes_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "BEAT", 0.0)
    closed: list[bool] = []
    stream = with_progress("states", work(closed))
    next(stream)
    stream.close()
    assert closed == [True]


def test_a_note_is_no_warning_unless_it_says_so() -> None:
    assert Note("text").level == "info"
