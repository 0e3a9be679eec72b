"""Trackers of somebody else's: one that writes lines of JSON beside the run, and one that fails where it is told to."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from afina.tracking.base import Outcome, Point, Status, Subject, Tracker


class Ledger(Tracker):
    """What it is told, a line a call, in `ledger.jsonl` of its folder."""

    def __init__(self) -> None:
        self.file = Path()

    def write(self, **line: Any) -> None:
        with self.file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")

    def begin(self, subject: Subject) -> str:
        self.file = subject.folder / "ledger.jsonl"
        self.write(begin=subject.name, settings=dict(subject.settings), before=subject.before)
        return subject.before or f"entry-{subject.name}"

    def log(self, points: Sequence[Point]) -> None:
        for point in points:
            self.write(step=point.step, values=dict(point.values), time=point.time)

    def finish(self, outcome: Outcome) -> None:
        names = [place.name for place in (outcome.model, outcome.page) if place is not None]
        self.write(finish=outcome.step, scores=dict(outcome.scores), files=names)

    def close(self, status: Status) -> None:
        self.write(close=status)


class Broken(Tracker):
    """It fails, or hangs, at the method that AFINA_BROKEN names, as a full disk or a dead network would have it."""

    def at(self, method: str) -> None:
        asked, _, how = os.environ.get("AFINA_BROKEN", "").partition(" ")
        if asked == method and how == "hangs":
            time.sleep(3600)
        if asked == method and how == "exits":
            raise SystemExit(3)
        if asked == method:
            raise OSError(28, "No space left on device")

    def begin(self, subject: Subject) -> str:
        self.at("begin")
        return "broken"

    def log(self, points: Sequence[Point]) -> None:
        self.at("log")

    def finish(self, outcome: Outcome) -> None:
        self.at("finish")

    def close(self, status: Status) -> None:
        self.at("close")
