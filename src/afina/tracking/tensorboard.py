"""TensorBoard: event files in the run's own folder, `tensorboard --logdir runs` shows those of many runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ..cards.markdown import code, table
from .base import Outcome, Point, Status, Subject, Tracker


class Tensorboard(Tracker):
    """Curves and scores are its scalars, settings its text. It takes no files."""

    package: ClassVar[str] = "tensorboard"
    distribution: ClassVar[str] = "tensorboard"
    extra: ClassVar[str] = "tensorboard"

    def __init__(self) -> None:
        self.writer: Any = None

    def begin(self, subject: Subject) -> str:
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(str(subject.folder))
        if not subject.before:
            rows = [[code(path), code(str(value))] for path, value in subject.settings.items()]
            self.writer.add_text("settings", "\n".join(table(["setting", "value"], rows)))
        self.writer.flush()
        return subject.folder.name

    def log(self, points: Sequence[Point]) -> None:
        for point in points:
            for name, value in point.values.items():
                self.writer.add_scalar(name, value, point.step, walltime=point.time)
        self.writer.flush()

    def finish(self, outcome: Outcome) -> None:
        for name, value in outcome.scores.items():
            self.writer.add_scalar(name, value, outcome.step)

    def close(self, status: Status) -> None:
        if self.writer is not None:
            self.writer.close()
