"""Trackio: a run of a project, in a folder of its own on this machine unless its settings name a Space or a server."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any, ClassVar

from .base import PROJECT, Outcome, Point, Status, Subject, Tracker


class Trackio(Tracker):
    """Curves and scores are its metrics, settings its config, page and model its artifacts."""

    package: ClassVar[str] = "trackio"
    distribution: ClassVar[str] = "trackio"
    extra: ClassVar[str] = "trackio"

    def __init__(self) -> None:
        self.run: Any = None

    def begin(self, subject: Subject) -> str:
        import trackio

        hush()
        self.run = trackio.init(
            project=os.environ.get("TRACKIO_PROJECT") or PROJECT,
            name=subject.before or subject.name,
            config=dict(subject.settings),
            resume="allow" if subject.before else "never",
            embed=False,
            auto_log_gpu=False,
            auto_log_cpu=False,
        )
        return str(self.run.name)

    def log(self, points: Sequence[Point]) -> None:
        for point in points:
            self.run.log(dict(point.values), step=point.step)

    def finish(self, outcome: Outcome) -> None:
        self.run.log(dict(outcome.scores), step=outcome.step)
        for kind, place in (("report", outcome.page), ("model", outcome.model)):
            if place is not None:
                self.run.log_artifact(str(place), name=f"{self.run.name}-{kind}", type=kind)

    def close(self, status: Status) -> None:
        if self.run is not None:
            self.run.finish()


def hush() -> None:
    """Silence what trackio prints: the standard output is that of afina's results."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "trackio":
            vars(module).setdefault("print", lambda *_, **__: None)
