"""Long work says how far it is, and can be stopped where it says so."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import FrozenInstanceError

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


def counted(log: list[str], pieces: int = 4) -> Work[str]:
    """Work in pieces that notes when each is done and when it is over."""
    try:
        for piece in range(pieces):
            log.append(f"piece {piece}")
            yield (piece + 1) / pieces
        return "result"
    finally:
        log.append("over")


def consumed(work: Work[str], heard: list[Progress]) -> Generator[Progress, None, str]:
    """Pass on what is said, note it, and return the result."""
    inner = with_progress("tokens of train", work)
    while True:
        try:
            said = next(inner)
        except StopIteration as end:
            result: str = end.value
            return result
        heard.append(said)
        yield said


def run(work: Work[str]) -> tuple[str, list[Progress]]:
    """The result of work, and what it said."""
    heard: list[Progress] = []
    outer = consumed(work, heard)
    while True:
        try:
            next(outer)
        except StopIteration as end:
            return end.value, heard


def test_every_piece_is_said_where_no_time_must_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "BEAT", 0)
    result, heard = run(counted([]))
    assert result == "result"
    assert heard == [Progress("tokens of train", share) for share in (0.25, 0.5, 0.75, 1.0)]


def test_it_is_said_once_a_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is read when the work begins, after each piece, and after each word."""
    clock = iter([0.0, 0.4, 1.1, 1.2, 1.9, 2.3, 2.3])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    result, heard = run(counted([]))
    assert result == "result"
    assert [said.share for said in heard] == [0.5, 1.0]


def test_work_that_is_quick_says_nothing() -> None:
    log: list[str] = []
    assert run(counted(log)) == ("result", [])
    assert log == ["piece 0", "piece 1", "piece 2", "piece 3", "over"]


def test_closing_what_is_said_closes_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "BEAT", 0)
    log: list[str] = []
    progress = with_progress("validation", counted(log))
    next(progress)
    progress.close()
    assert log == ["piece 0", "over"]


def test_an_error_of_the_work_comes_through() -> None:
    def failing() -> Work[str]:
        yield 0.5
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(failing())


def test_an_event_is_a_record() -> None:
    note = Note("strategy full")
    assert (note.level, note) == ("info", Note("strategy full", "info"))
    with pytest.raises(FrozenInstanceError):
        note.text = "another"  # type: ignore[misc]
