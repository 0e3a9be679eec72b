"""MLflow: a run of an experiment. Its own settings say where (`MLFLOW_TRACKING_URI`, `MLFLOW_EXPERIMENT_NAME`)."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any, ClassVar

from .base import PROJECT, Outcome, Point, Status, Subject, Tracker

AT_ONCE = 1000
"""Metrics that MLflow takes in one request; of settings it takes a tenth of them."""
STATES: dict[Status, str] = {"finished": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}


class Mlflow(Tracker):
    """Curves and scores are its metrics, settings its parameters, page and model its artifacts."""

    package: ClassVar[str] = "mlflow"
    distribution: ClassVar[str] = "mlflow-skinny"
    extra: ClassVar[str] = "mlflow"

    def __init__(self) -> None:
        self.client: Any = None
        self.run = ""

    def begin(self, subject: Subject) -> str:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # nobody is told but who was asked for
        from mlflow import MlflowClient

        self.client = MlflowClient()
        self.run = self.known(subject.before) or self.new(subject)
        return self.run

    def known(self, run: str) -> str:
        """A run that goes on, where the store still has it; else nothing."""
        from mlflow.exceptions import MlflowException

        if not run:
            return ""
        try:
            self.client.update_run(run, status="RUNNING")
        except MlflowException:
            return ""
        return run

    def new(self, subject: Subject) -> str:
        """A new run with its settings."""
        from mlflow.entities import Param

        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or PROJECT
        experiment = self.client.get_experiment_by_name(name)
        place = experiment.experiment_id if experiment else self.client.create_experiment(name)
        run = str(self.client.create_run(place, run_name=subject.name).info.run_id)
        settings = [Param(path, str(value)) for path, value in subject.settings.items()]
        for start in range(0, len(settings), AT_ONCE // 10):
            self.client.log_batch(run, params=settings[start : start + AT_ONCE // 10])
        return run

    def log(self, points: Sequence[Point]) -> None:
        from mlflow.entities import Metric

        found = [
            Metric(name, value, int(1000 * point.time), point.step)
            for point in points
            for name, value in point.values.items()
        ]
        for start in range(0, len(found), AT_ONCE):
            self.client.log_batch(self.run, metrics=found[start : start + AT_ONCE])

    def finish(self, outcome: Outcome) -> None:
        self.log([Point(outcome.step, outcome.scores, time.time())])
        if outcome.page is not None:
            self.client.log_artifact(self.run, str(outcome.page))
        if outcome.model is not None:
            self.client.log_artifacts(self.run, str(outcome.model), outcome.model.name)

    def close(self, status: Status) -> None:
        if self.run:
            self.client.set_terminated(self.run, STATES[status])
