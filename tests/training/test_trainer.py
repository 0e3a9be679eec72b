"""The consumer of the loop evaluates, keeps the best weights, stops, and loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from afina.model.network import Network
from afina.records import Batch
from afina.training import rundir
from afina.training.events import Done, Note, Scored
from tests.runs import bytes_of, done, events, events_of, finished


def test_memory_that_runs_out_in_an_evaluation_changes_nothing_else(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, refused = Network.forward, []

    def poor(self: Network, batch: Batch, *rest: Any) -> Any:
        if not self.training and batch.tokens > 20:
            refused.append(batch.tokens)
            raise MemoryError
        return real(self, batch, *rest)

    plain = finished(events(tiny("bert"), tmp_path / "plain"))
    monkeypatch.setattr(Network, "forward", poor)
    run = list(events(tiny("bert"), tmp_path / "poor"))
    poorer = run[-1]
    assert isinstance(poorer, Done)
    assert refused
    assert not any(isinstance(event, Note) and "memory ran out" in event.text for event in run)
    one, other = bytes_of(plain.folder), bytes_of(poorer.folder)
    for name in (rundir.STEPS, "model/model.safetensors"):
        assert one[name] == other[name]
    for name, value in plain.validation.metrics.items():
        assert poorer.validation.metrics[name] == pytest.approx(value, abs=1e-6, nan_ok=True)


def test_the_best_epoch_is_kept_and_patience_stops(setting: dict[str, Any]) -> None:
    """A rate that ruins the model after a good start: the saved score is the best one seen."""
    said = events_of({**setting, "training.epochs": 12, "training.patience": 2, "training.schedule": "constant"})
    scored = [event for event in said if isinstance(event, Scored)]
    record = done(said).record
    best = max(event.metrics["accuracy"] for event in scored)
    assert record["best"]["value"] == best
    assert record["validation"]["metrics"]["accuracy"] == pytest.approx(best)
    first = next(event for event in scored if event.metrics["accuracy"] == best)
    assert record["best"]["epoch"] == first.epoch
    assert len(scored) == min(12, first.epoch + 2)
