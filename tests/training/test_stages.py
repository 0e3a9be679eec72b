"""Trainings in stages: what trains when, what counts through, and that stops between stages change nothing."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from afina import strategies
from afina.errors import ConfigError, Diverged
from afina.model import flops
from afina.model.network import Network
from afina.strategies import HEAD_RATES, Gradual, Head, HeadThen, Layers, Stage, Strategy
from afina.training import checkpoint
from afina.training.events import Begin, Event, Note, Scored, Step
from afina.training.loop import Order
from afina.training.plan import plan
from afina.training.trainer import Trainer
from tests.networks import network_of
from tests.runs import bytes_of, configured, data_of, done, events, finished

STAGED = ["head-then-full", "head-then-last-2", "gradual", "gradual-2"]


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heads that converge in a few epochs of a few steps."""
    for name, value in {"EPOCHS": 4, "STEPS": 1, "PATIENCE": 2, "PATIENT_STEPS": 1, "EVALUATION_STEPS": 1}.items():
        monkeypatch.setattr(strategies, f"HEAD_{name}", value)


def run(tiny: Callable[[str], Path], out: Path, strategy: str, **more: Any) -> list[Event]:
    return list(events(tiny("bert"), out, strategy=strategy, **{"training__epochs": 2, **more}))


def names(network: Network) -> set[str]:
    return {name for name, parameter in network.named_parameters() if parameter.requires_grad}


@pytest.mark.parametrize("name", STAGED)
def test_each_stage_trains_what_the_one_before_it_did_and_more(name: str, tiny: Callable[[str], Path]) -> None:
    network, strategy = network_of(tiny("bert")), strategies.find(name)
    strategy.apply(network)
    whole, seen = names(network), []
    for stage in strategy.stages(network, examples=15, batch_size=3):
        stage.apply(network)
        seen.append(names(network))
    assert all(before < after for before, after in pairwise(seen))
    assert seen[-1] == whole
    Head().apply(network)
    assert seen[0] == names(network)


def test_the_stages_of_ours(tiny: Callable[[str], Path]) -> None:
    network = network_of(tiny("bert"))

    def told(name: str) -> list[tuple[str, int | None]]:
        stages = strategies.find(name).stages(network, examples=15, batch_size=3)
        return [(stage.name, stage.epochs) for stage in stages]

    assert told("head-then-full") == [("head", 4), ("full", None)]
    assert told("head-then-last-2") == [("head", 4), ("last-2", None)]
    assert told("gradual") == [("head", 1), ("last-1", 1), ("last-2", 1), ("last-3", 1), ("full", None)]
    assert told("gradual-2") == [("head", 1), ("last-2", 1), ("full", None)]
    assert told("full") == [("", None)]
    assert strategies.find("head-then-last-2") == HeadThen(Layers(2))
    assert strategies.find("gradual") == Gradual(1)


def test_steps_epochs_and_logs_count_through(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    said = run(tiny, tmp_path / "run", "gradual")
    steps = [event for event in said if isinstance(event, Step)]
    assert [step.number for step in steps] == list(range(1, 31))
    assert [step.epoch for step in steps] == [epoch for epoch in range(6) for _ in range(5)]
    assert [event.epoch for event in said if isinstance(event, Scored)] == [1, 2, 3, 4, 5, 6]
    assert {(event.steps, event.epochs) for event in said if isinstance(event, Begin)} == {(30, 6)}
    told = [event.text for event in said if isinstance(event, Note) and event.text.startswith("stage ")]
    assert [text.split(":")[0] for text in told] == [
        f"stage {number} of 5, {name}" for number, name in enumerate(("head", "last-1", "last-2", "last-3", "full"), 1)
    ]
    rates = [step.learning_rate for step in steps]
    assert max(rates[:5]) == HEAD_RATES.usual
    assert [max(rates[5 * epoch : 5 * epoch + 5]) for epoch in range(1, 5)] == [5e-3] * 4
    assert rates[4] < rates[3]  # every stage has a schedule of its own
    record = done(said).record
    assert [stage["steps"] for stage in record["stages"]] == [5, 5, 5, 5, 10]
    assert [stage["evaluations"] for stage in record["stages"]] == [1, 1, 1, 1, 2]
    assert sum(stage["tokens"] for stage in record["stages"]) == record["tokens"]
    sizes = [stage["parameters"] for stage in record["stages"]]
    assert sizes == sorted(sizes)
    assert sizes[-1] == record["parameters"]["trained"]


def test_orders_of_stages_differ_and_go_on() -> None:
    whole = list(Order(7, 2, 3, seed=5).steps())
    later = list(Order(7, 2, 2, seed=5, first_step=4, first_epoch=1).steps())
    assert later == whole[4:]
    assert list(Order(7, 2, 2, seed=5, first_step=4, first_epoch=1).steps(6)) == whole[6:]
    assert Order(7, 2, 2, seed=5, first_step=4, first_epoch=1).end == 12


@pytest.mark.usefixtures("same_bytes")
@pytest.mark.parametrize(("strategy", "task"), [("head-then-full", "classification"), ("gradual-2", "tokens")])
def test_stops_and_kills_between_stages_change_nothing(
    strategy: str, task: str, tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    """Closed where each stage begins and in its first steps, and killed after the first."""
    more: dict[str, Any] = {"training__epochs": 1, "training__batch_size": 5}
    whole = list(events(tiny("bert"), tmp_path / "whole", task, strategy=strategy, **more))
    wanted = bytes_of(done(whole).folder)
    borders = [
        sum(isinstance(event, Step) for event in whole[:place])
        for place, event in enumerate(whole)
        if isinstance(event, Note) and event.text.startswith("stage ") and not event.text.startswith("stage 1")
    ]
    assert len(borders) == len(done(whole).record["stages"]) - 1 > 0
    last = tmp_path / "stopped"
    for number, border in enumerate(borders, 2):
        for taken in (0, 0, 1):  # stopped where the stage begins, twice, and in its first steps
            run = events(tiny("bert"), last, task, strategy=strategy, **more)
            for event in run:
                if isinstance(event, Note) and event.text.startswith(f"stage {number} of") and not taken:
                    break
                if isinstance(event, Step) and event.number > border:
                    break
            assert isinstance(run, Generator)
            run.close()
            found, skipped = checkpoint.latest(last)
            assert found is not None
            assert skipped == []
            counters = found.state["counters"]
            assert counters["stage"] == number - 1
            assert counters["number"] >= border + taken
            assert bool(found.optimiser) == bool(taken)
    assert bytes_of(finished(events(tiny("bert"), last, task, strategy=strategy, **more)).folder) == wanted
    for border in borders:
        dead, live = (tmp_path / f"{name}-{border}" for name in ("dead", "live"))
        for event in events(tiny("bert"), live, task, strategy=strategy, **more):
            if isinstance(event, Step) and event.number == border + 1:
                shutil.copytree(live, dead)  # what a killed process leaves
                break
        assert bytes_of(finished(events(tiny("bert"), dead, task, strategy=strategy, **more)).folder) == wanted


@pytest.mark.parametrize(("strategy", "best"), [("head-then-full", True), ("gradual-2", False)])
def test_a_stage_begins_with_the_best_weights_so_far_or_the_last(
    strategy: str, best: bool, tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, enter, seen = Trainer.train, Trainer.enter, list[bool]()

    def spoilt(trainer: Trainer, taken_up: checkpoint.Checkpoint | None = None) -> Iterator[Event]:
        yield from train(trainer, taken_up)
        with torch.no_grad():
            for _, weights in trainer.trained():
                weights.add_(0.1)

    def watched(trainer: Trainer, stage: int) -> None:
        wanted = {name: weights.clone() for name, weights in trainer.best_weights.items()}
        enter(trainer, stage)
        now = dict(trainer.network.named_parameters())
        seen.append(all(torch.equal(now[name], wanted[name]) for name in wanted))
        assert set(trainer.best_weights) == {name for name, _ in trainer.trained()}

    monkeypatch.setattr(Trainer, "train", spoilt)
    monkeypatch.setattr(Trainer, "enter", watched)
    run(tiny, tmp_path / "run", strategy)
    assert set(seen) == {best}


def test_the_best_weights_may_lie_in_an_earlier_stage(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that only later stages trained is then that of the base model, and nobody is told that it did not move."""
    enter = Trainer.enter

    def unbeatable(trainer: Trainer, stage: int) -> None:
        enter(trainer, stage)
        if stage:
            trainer.best["rank"] = math.inf

    monkeypatch.setattr(Trainer, "enter", unbeatable)
    said = run(tiny, tmp_path / "run", "head-then-full")
    result = done(said)
    assert result.record["best"]["step"] <= result.record["stages"][0]["steps"]
    proof = result.record["freeze_proof"]
    assert (proof["trained_tensors_unmoved"], proof["frozen_tensors"]) == ([], 0)
    base = dict(network_of(tiny("bert")).named_parameters())
    moved = [
        name
        for name, weights in result.artifact.network.named_parameters()
        if not torch.equal(weights, base[name]) and "classifier" not in name and "pooler" not in name
    ]
    assert moved == []


def test_patience_ends_a_stage_and_not_the_run(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    said = run(tiny, tmp_path / "run", "head-then-full", training__head_learning_rate=1e-9)
    stages = done(said).record["stages"]
    assert any(isinstance(event, Note) and event.text.startswith("stopped: no better") for event in said)
    assert stages[0]["steps"] == 3 * 5  # the first epoch was the best, and two were waited for
    assert stages[1]["steps"] == 2 * 5
    begins = [event for event in said if isinstance(event, Begin)]
    assert [(event.steps, event.epochs) for event in begins] == [(30, 6), (25, 5)]


@pytest.mark.parametrize("strategy", ["gradual-2", "head-then-full"])
def test_a_plan_counts_stages(strategy: str, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    config = configured(tiny("bert"), tmp_path / "run", strategy=strategy)
    foreseen = plan(config, data_of(config))
    (first, *_) = [
        event for event in events(tiny("bert"), tmp_path / "run", strategy=strategy) if isinstance(event, Begin)
    ]
    assert (foreseen.steps, foreseen.epochs) == (first.steps, first.epochs)
    assert (foreseen.states > 0) == (strategy == "head-then-full")  # stages of one epoch keep none
    assert ("one epoch each" in foreseen.kept) == (strategy == "gradual-2")
    assert foreseen.seconds == pytest.approx(sum(foreseen.parts.values()), abs=0.01)


@pytest.mark.parametrize("strategy", ["full", "last-1", "gradual-2", "head-then-full"])
def test_flops_are_those_of_what_was_run(strategy: str, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    config = configured(tiny("bert"), tmp_path / "run", strategy=strategy)
    result = done(list(events(tiny("bert"), tmp_path / "run", strategy=strategy)))
    record, depth = result.record, 3
    assert json.loads((result.folder / "run.json").read_text())["flops"] == record["flops"]
    data = data_of(config)
    tokenizer = result.artifact.tokenizer
    lengths = {name: [len(one.windows[0]) for one in tokenizer.encode(part)] for name, part in data.splits.items()}
    training = validation = 0.0
    for stage in record["stages"]:
        name = stage["name"]
        layers = {"full": None, "head": 0}[name] if name in ("full", "head") else int(name.removeprefix("last-"))
        network = network_of(tiny("bert"), layers=layers)
        cut = network.frozen_layers
        kept = cut > 0 and (stage["name"] == strategy or stage["steps"] > 5)
        epochs = stage["steps"] / 5
        work, judged = (flops.forward(network, lengths[name]) for name in ("train", "validation"))
        assert (work.below > 0) == (cut > 0)
        assert (work.above > 0) == (cut < depth)
        training += work.training(epochs, kept=kept)
        validation += judged.above * stage["evaluations"] + judged.below * (1 if kept else stage["evaluations"])
    assert record["flops"]["training"] == pytest.approx(training)
    assert record["flops"]["validation"] == pytest.approx(validation)
    assert record["memory"]["process"] > 1e7


# ---------------------------------------------------------------------------------------------------------------------
# Strategies of other packages.


@dataclass
class Staged(Strategy):
    """Stages by name: `staged-head-last1`."""

    argument: str

    def apply(self, network: Network) -> None:
        network.train_last(None)

    def defaults(self, **_: Any) -> strategies.Defaults:
        return strategies.Defaults(batch_size=5, epochs=1, learning_rate=1e-3)

    def stages(self, network: Network, *, examples: int, batch_size: int) -> Sequence[Stage]:
        assert (examples, batch_size) == (15, 3)
        known = [strategies.find(name.replace("last", "last-")) for name in self.argument.split("-") if name]
        return [Stage(f"stage of {one}", one.apply, epochs=1) for one in known]


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("staged", "tests.training.test_stages:Staged", strategies.GROUP)
    monkeypatch.setattr(strategies, "entry_points", lambda group: [point] if group == strategies.GROUP else [])


@pytest.mark.usefixtures("offered")
def test_stages_of_another_package(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    said = run(tiny, tmp_path / "run", "staged-head-last1-full")
    assert [stage["steps"] for stage in done(said).record["stages"]] == [5, 5, 5]
    part = run(tiny, tmp_path / "part", "staged-head-last2")
    proof = done(part).record["freeze_proof"]
    assert proof["frozen_tensors"] > 0
    assert proof["frozen_tensors_moved"] == proof["trained_tensors_unmoved"] == []


@pytest.mark.usefixtures("offered")
def test_stages_that_can_not_be(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"'stage of Layers\(last=1\)' freezes what trained in the one before it \(stock"
    ):
        run(tiny, tmp_path / "shrinking", "staged-full-last1")
    with pytest.raises(ConfigError, match="strategy: staged has no stage, so nothing would train"):
        run(tiny, tmp_path / "empty", "staged")


def test_a_training_may_diverge_in_any_stage(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    with pytest.raises(Diverged, match=r"step (6|7|8): the loss is"):
        run(tiny, tmp_path / "run", "gradual", training__learning_rate=1e30)
