"""A trial is like what it stands for, and leaves the weights as they were."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from afina.config import load
from afina.data.parts import read_data
from afina.training.recipe import recipe_of
from afina.training.run import Prepared, prepare
from afina.training.trial import attempt, some
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
    trial = attempt(run, kept=strategy != "full", peak=1e12)
    assert min(trial.step, trial.evaluation) > 0
    assert (trial.frozen > 0) == (strategy != "full")
    assert len(trial.predictions) == len(trial.data.examples) == 4
    assert trial.intervals(run.task, 9) > 0
    for name, weights in run.network.named_parameters():
        torch.testing.assert_close(weights.detach(), before[name], atol=1e-6, rtol=0)


@pytest.mark.parametrize("task", ["regression", "multilabel", "tokens", "answers"])
def test_every_task_can_be_tried(task: str, tiny: Callable[[str], Path]) -> None:
    run = prepared_run(tiny("bert"), task=task)
    trial = attempt(run, kept=False, peak=1e12)
    assert trial.intervals(run.task, 5) > 0


def test_a_pass_over_all_is_as_many_trials_as_its_work(tiny: Callable[[str], Path]) -> None:
    run = prepared_run(tiny("bert"), strategy="head")
    trial = attempt(run, kept=True, peak=1e12)
    train = run.splits["train"]
    assert trial.times(run.network, train, above=3, below=0) == len(train.examples) / 4  # a head has no FLOPs
    tokens = sum(train.lengths) / sum(trial.data.lengths)
    assert trial.times(run.network, train, above=0, below=1) == pytest.approx(tokens, rel=0.05)
    assert trial.times(run.network, trial.data, above=1, below=1) == 1


def test_a_slow_machine_tries_fewer_examples(tiny: Callable[[str], Path]) -> None:
    run = prepared_run(tiny("bert"))
    recipe = recipe_of(run.config, run.task)
    assert len(some(run, recipe, room=1e15).examples) == 4
    assert len(some(run, recipe, room=1.0).examples) == 1
