"""A trial is like what it stands for, and leaves the weights as they were."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from afina.assembly import EncodedDataset
from afina.baselines import Baselines
from afina.config import load
from afina.data.parts import read_data
from afina.training import trial as trials
from afina.training.recipe import recipe_of
from afina.training.run import Prepared, prepare
from afina.training.trial import attempt, some
from afina.work import Work
from tests.runs import ROWS


def prepared_run(model: Path, **settings: Any) -> Prepared:
    """A run that is ready to train."""
    config = load(None, {"model.name": str(model), "training.batch_size": 4, **settings})
    rows = ROWS[config.task]
    stage = prepare(config, read_data(config, {"train": rows, "validation": rows[::3]}))
    while True:
        try:
            next(stage)
        except StopIteration as end:
            prepared: Prepared = end.value
            return prepared


@pytest.mark.parametrize("strategy", ["full", "last-1", "head"])
def test_a_trial_measures_every_part_and_moves_nothing(strategy: str, tiny: Callable[[str], Path]) -> None:
    run = prepared_run(tiny("bert"), strategy=strategy)
    before = {name: weights.detach().clone() for name, weights in run.network.named_parameters()}
    tried = attempt(run, kept=strategy != "full", peak=1e12)
    assert min(tried.step, tried.evaluation) > 0
    assert (tried.frozen > 0) == (strategy != "full")
    assert len(tried.predictions) == len(tried.data.examples) == 4
    assert tried.intervals(run.task, 9) > 0
    for name, weights in run.network.named_parameters():
        torch.testing.assert_close(weights.detach(), before[name], atol=1e-6, rtol=0)


@pytest.mark.parametrize("task", ["regression", "multilabel", "tokens", "answers"])
def test_every_task_can_be_tried(task: str, tiny: Callable[[str], Path]) -> None:
    run = prepared_run(tiny("bert"), task=task)
    tried = attempt(run, kept=False, peak=1e12)
    assert tried.intervals(run.task, 5) > 0


def test_a_pass_over_all_is_as_many_trials_as_its_work(tiny: Callable[[str], Path]) -> None:
    run = prepared_run(tiny("bert"), strategy="head")
    tried = attempt(run, kept=True, peak=1e12)
    train = run.splits["train"]
    assert tried.times(run.network, train, above=3, below=0) == len(train.examples) / 4  # a head has no FLOPs
    tokens = sum(train.lengths) / sum(tried.data.lengths)
    assert tried.times(run.network, train, above=0, below=1) == pytest.approx(tokens, rel=0.05)
    assert tried.times(run.network, tried.data, above=1, below=1) == 1


def test_a_slow_machine_tries_fewer_examples(tiny: Callable[[str], Path]) -> None:
    run = prepared_run(tiny("bert"))
    recipe = recipe_of(run.config, run.task)
    assert len(some(run, recipe, room=1e15).examples) == 4
    assert len(some(run, recipe, room=1.0).examples) == 1


def test_the_baselines_are_extrapolated_from_a_few_examples(
    tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first time of 5 seconds, and a tenth of a second for each example."""
    run = prepared_run(tiny("bert"))
    clock = [0.0]
    spent = [5.0, 0.0, 0.0]

    def working(_: object, splits: Mapping[str, EncodedDataset]) -> Work[Baselines]:
        clock[0] += spent.pop(0) + 0.1 * sum(len(part.examples) for part in splits.values())
        yield 1.0
        return Baselines({})

    monkeypatch.setattr(trials, "baselines", working)
    monkeypatch.setattr(trials, "SMALL", 2)
    monkeypatch.setattr(trials, "LARGE", 3)
    monkeypatch.setattr("afina.training.trial.time.perf_counter", lambda: clock[0])
    whole = sum(len(part.examples) for part in run.splits.values())
    assert trials.baseline_seconds(run) == pytest.approx(5 + 0.1 * whole)
