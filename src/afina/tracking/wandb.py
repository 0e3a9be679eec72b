"""Weights & Biases: a run of a project, kept in the run's folder. Nothing leaves the machine unless WANDB_MODE says so.

`wandb sync runs/desk/tracking/wandb/wandb/offline-run-*` sends it later.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Sequence
from typing import Any, ClassVar

from .base import PROJECT, Outcome, Point, Status, Subject, Tracker

UNFIT = re.compile(r"[^A-Za-z0-9_.-]")
"""Signs that names of artifacts can't have."""


class Wandb(Tracker):
    """Curves are its history, scores its summary, settings its config, page and model its artifacts."""

    package: ClassVar[str] = "wandb"
    distribution: ClassVar[str] = "wandb"
    extra: ClassVar[str] = "wandb"

    def __init__(self) -> None:
        self.run: Any = None
        self.name = ""

    def begin(self, subject: Subject) -> str:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # nobody is told but who was asked for
        import wandb

        self.name = UNFIT.sub("_", subject.name)
        self.run = wandb.init(
            project=os.environ.get("WANDB_PROJECT") or PROJECT,
            name=subject.name,
            id=subject.before or secrets.token_hex(4),
            resume="allow",
            mode=os.environ.get("WANDB_MODE") or "offline",
            dir=str(subject.folder),
            config=dict(subject.settings),
            reinit="create_new",
            settings=wandb.Settings(
                silent=True, console="off", save_code=False, disable_git=True, x_disable_stats=True
            ),
        )
        return str(self.run.id)

    def log(self, points: Sequence[Point]) -> None:
        for point in points:
            self.run.log(dict(point.values), step=point.step)

    def finish(self, outcome: Outcome) -> None:
        import wandb

        self.run.summary.update(dict(outcome.scores))
        for kind, place in (("report", outcome.page), ("model", outcome.model)):
            if place is not None:
                artifact = wandb.Artifact(f"{self.name}-{kind}", kind)
                (artifact.add_dir if place.is_dir() else artifact.add_file)(str(place))
                self.run.log_artifact(artifact)

    def close(self, status: Status) -> None:
        if self.run is not None:
            self.run.finish(exit_code=0 if status == "finished" else 1)
