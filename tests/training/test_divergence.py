"""Rates that can't work are named, and a training that has left its start for good stops; healthy ones never do."""

from __future__ import annotations

import json
import math
import random
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from afina.cli.app import program
from afina.errors import TrainingError
from afina.strategies import HEAD_RATES, Head, Layers
from afina.training.divergence import FACTOR, WINDOW, Rate, Watch, rate_warnings, rates_of, stop_message
from afina.training.events import Note, Step
from afina.training.recipe import Recipe
from tests.networks import network_of
from tests.runs import events, finished, reviews, write_csv

RECIPE = Recipe(
    epochs=1, batch_size=1, learning_rate=1e-3, head_learning_rate=None, layer_decay=0.5, schedule="linear", warmup=0.1,
    weight_decay=0.0, clip=1.0, patience=None, evaluate_every=1, checkpointing=False, micro_tokens=100,
    checkpoint_every=math.inf, metric="accuracy", seed=0,
)  # fmt: skip


def fired(watch: Watch, losses: Sequence[float]) -> list[int]:
    """Numbers of the steps in which it says that the training has diverged."""
    return [number for number, loss in enumerate(losses, 1) if watch.add(loss)]


def test_it_is_said_once_after_a_whole_window_far_above_the_start() -> None:
    assert fired(Watch(math.log(2)), [0.7] + [2.2] * 200) == [WINDOW]
    assert fired(Watch(math.log(2)), [0.7] + [2.0] * 200) == []
    assert fired(Watch(0.7), [0.7] * 100 + [9.0] * 100) == [100 + WINDOW // 2]


@given(st.integers(2, 100), st.integers(0, 2**32), st.floats(0.0, 1.0), st.integers(0, 10))
def test_a_healthy_training_is_never_stopped(labels: int, seed: int, noise: float, spike: int) -> None:
    """Losses about ln k and falling, with log-normal noise of batches of one, outliers in a tenth of the steps and a
    spike of ten steps."""
    draw, start = random.Random(seed), math.log(labels)
    losses = [start * math.exp(noise * draw.gauss(0, 1) - i / 300) for i in range(400)]
    losses = [loss * (1000 if draw.random() < 0.1 else 1) for loss in losses]
    losses[100 : 100 + spike] = [50 * start] * spike
    assert fired(Watch(start), losses) == []


@given(st.lists(st.floats(0, 1e30), max_size=120), st.integers(0, 120), st.floats(-1, 5))
def test_a_watch_that_is_taken_up_says_the_same(losses: list[float], after: int, start: float) -> None:
    whole, first = Watch(start), Watch(start)
    expected = fired(whole, losses)
    before = fired(first, losses[:after])
    second = Watch(start)
    second.restore(json.loads(json.dumps(first.state())))
    again = [after + number for number in fired(second, losses[after:])]
    assert before + again == expected or (before == expected and len(again) == 1)  # what was said is said again


def test_a_loss_without_a_scale_is_not_watched() -> None:
    assert fired(Watch(0.0), [0.0] + [1e9] * 100) == []
    assert fired(Watch(-2.0), [-3.0] + [5.0] * 100) == []
    assert fired(Watch(), [1.0] + [5.0] * 100) == [WINDOW]


def test_a_start_is_that_of_zeros_or_of_the_first_step() -> None:
    """A model that was trained before begins low; an outlier in the first batch makes the watch more patient."""
    assert Watch(0.7, first=0.01).reference == 0.7
    assert Watch(0.7, first=3.0).reference == 3.0


def test_the_rates_of_a_training_are_those_of_what_trains(tiny: Callable[[str], Path]) -> None:
    both = replace(RECIPE, head_learning_rate=0.5)
    full = network_of(tiny("bert"))
    assert [rate.value for rate in rates_of(Layers(None), RECIPE, full)] == [1e-3]
    assert [rate.value for rate in rates_of(Layers(None), both, full)] == [1e-3, 0.5]
    head = network_of(tiny("bert"), layers=0)
    assert [(rate.value, rate.rates) for rate in rates_of(Head(), RECIPE, head)] == [(1e-3, HEAD_RATES)]
    assert [(rate.value, rate.flag[:6]) for rate in rates_of(Head(), both, head)] == [(0.5, "--set ")]


@pytest.mark.parametrize(
    ("rate", "width", "expected"),
    [
        (5.0, 384, "learning rate 5 is far too high for strategy full and an encoder of width 384: rates from 2e-06 to "
         "0.001 train it; beyond, trainings diverge or end with one answer for every input. "
         "Usual: --learning-rate 0.0002"),
        (1e-3, 768, "far too high for strategy full and an encoder of width 768: rates from 4e-07 to 0.0002 train it"),
        (1e-9, 1024, "far too low for strategy full and an encoder of width 1024: rates from 2e-07 to 0.0001 train it; "
         "below, weights hardly move. Usual: --learning-rate 2e-05"),
        (2e-4, 384, ""),
        (1e-3, 384, ""),
        (5e-5, 768, ""),
    ],
)  # fmt: skip
def test_a_rate_out_of_range_is_named_with_the_usual_one(rate: float, width: int, expected: str) -> None:
    own = Rate("learning rate", rate, "--learning-rate ", Layers(None).rates("encoder", width=width))
    lines = list(rate_warnings([own], strategy="full", width=width))
    assert len(lines) == bool(expected)
    assert expected in "".join(lines)


def test_the_head_bears_more_and_unknown_strategies_are_not_judged() -> None:
    head = Rate("learning rate of the head", 0.01, "--set training.head_learning_rate=", HEAD_RATES)
    assert not head.too_high
    assert replace(head, value=1.0).too_high
    assert replace(head, value=1e-7).too_low
    unknown = replace(head, value=1e9, rates=None)
    assert not unknown.too_high
    assert unknown.lower == "--set training.head_learning_rate=1e+08"
    assert replace(head, value=1e-3).lower == "--set training.head_learning_rate=0.0001"  # it diverged at the usual one


# ---------------------------------------------------------------------------------------------------------------------
# Whole runs.

HOPELESS: dict[str, Any] = {"training__learning_rate": 50.0, "training__epochs": 40, "training__schedule": "constant"}


def test_a_run_that_diverges_stops_and_says_what_to_try(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    run = tmp_path / "a run"
    said: list[Any] = []
    more = {**HOPELESS, "training__checkpoint_every": math.inf}
    with pytest.raises(TrainingError, match=r"step \d+: the training has diverged: the loss went from 0\.\d+") as error:
        said.extend(events(tiny("bert"), run, **more))
    message = str(error.value)
    assert "(learning rate 50)" in message
    assert "--learning-rate 0.3 --overwrite begins anew" in message
    assert f"{run} holds its logs and no checkpoint" in message
    lines = (run / "steps.jsonl").read_text().splitlines()
    assert WINDOW <= len(lines) < 200


def test_what_a_diverged_run_left_is_not_taken_up_in_silence(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(TrainingError) as error:
        list(events(tiny("bert"), run, **HOPELESS))  # with a checkpoint after every step
    lines = (run / "steps.jsonl").read_text().splitlines()
    assert f"afina train --resume {shlex.quote(str(run))} --set training.diverged=warn" in str(error.value)
    with pytest.raises(TrainingError) as again:
        list(events(tiny("bert"), run, **HOPELESS))
    assert str(again.value) == str(error.value)
    assert (run / "steps.jsonl").read_text().splitlines() == lines
    said = list(events(tiny("bert"), run, **HOPELESS, training__diverged="warn"))
    warned = [event.text for event in said if isinstance(event, Note) and "has diverged" in event.text]
    assert len(warned) == 1
    assert "it goes on (training.diverged=warn). Try --learning-rate 0.3" in warned[0]
    assert sum(isinstance(event, Step) for event in said) == 200 - len(lines) + 1


@pytest.mark.parametrize(
    ("task", "more"),
    [
        ("classification", {"training__batch_size": 1}),
        ("classification", {"options__class_weights": "balanced", "options__label_smoothing": 0.2}),
        ("regression", {"training__batch_size": 1}),
        ("multilabel", {"strategy": "head", "training__learning_rate": 1e-2}),
        ("tokens", {}),
        ("tokens", {"model__head": "crf"}),
        ("answers", {"training__batch_size": 1}),
    ],
)
def test_small_healthy_runs_are_not_stopped(
    task: str, more: dict[str, Any], tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    done = finished(events(tiny("bert"), tmp_path / "run", task, **{"training__epochs": 15, **more}))
    assert done.record["steps"] >= WINDOW


def test_the_printed_cure_works(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    write_csv(tmp_path / "train.csv", reviews())
    command = [
        "train", str(tmp_path / "train.csv"), "--model", str(tiny("bert")), "--epochs", "40", "--learning-rate", "50",
        "--batch-size", "4", "--out", str(tmp_path / "run"), "--set", "training.checkpoint_every=0",
    ]  # fmt: skip
    result = CliRunner().invoke(program(), command)
    assert result.exit_code == 1, result.output
    _, _, rest = result.output.partition("The same command with ")
    cure = rest.partition(" begins anew")[0]
    assert cure.startswith("--learning-rate ")
    command = [part for part in command if part not in ("--learning-rate", "50")]
    again = CliRunner().invoke(program(), [*command, *shlex.split(cure)])
    assert again.exit_code == 0, again.output


def test_a_message_names_the_rate_that_is_too_high() -> None:
    watch = Watch(0.7)
    fired(watch, [0.7] + [0.7 * FACTOR * 2] * WINDOW)
    rates = [
        Rate("learning rate", 2e-4, "--learning-rate ", Layers(None).rates("encoder", width=384)),
        Rate("learning rate of the head", 10.0, "--set training.head_learning_rate=", HEAD_RATES),
    ]
    message = stop_message(watch, rates, number=51, folder=Path("nowhere"))
    assert "(learning rate 0.0002, learning rate of the head 10)" in message
    assert "The same command with --set training.head_learning_rate=0.001 --overwrite begins anew" in message
