"""The consumer of the loop evaluates, keeps the best weights, stops, and loses nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import asdict, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from afina import inference
from afina.assembly import encode_dataset, with_targets
from afina.model.network import Network
from afina.records import Batch, Example
from afina.training import checkpoint, loop, rundir
from afina.training import trainer as trainers
from afina.training.events import Begin, Done, Note, Scored, Step
from afina.training.goals import Labelled
from afina.training.loop import steps
from afina.training.objective import Measure
from afina.training.recipe import Recipe
from afina.training.speed import evaluations
from afina.training.trainer import Clock, Trainer
from tests.arithmetic import ON_CPU, near
from tests.networks import network_of, task_of, tokenizer_of
from tests.runs import bytes_of, done, events, events_of, finished, stopped


@pytest.mark.usefixtures("same_bytes")
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
        assert poorer.validation.metrics[name] == near(value, abs=1e-6) or value != value


def test_the_best_epoch_is_kept_and_patience_stops(setting: dict[str, Any]) -> None:
    """A rate that ruins the model after a good start: the saved score is the best one seen."""
    said = events_of({**setting, "training.epochs": 12, "training.patience": 2, "training.schedule": "constant"})
    scored = [event for event in said if isinstance(event, Scored)]
    record = done(said).record
    best = max(event.metrics["accuracy"] for event in scored)
    assert record["best"]["value"] == best
    assert record["validation"]["metrics"]["accuracy"] == pytest.approx(best)
    equal = [event for event in scored if event.metrics["accuracy"] == best]
    assert record["best"]["epoch"] == min(equal, key=lambda event: event.loss).epoch
    first = equal[0]
    assert len(scored) == min(12, first.epoch + 2)


# ---------------------------------------------------------------------------------------------------------------------
# A trainer by itself.

LABELS = {"lovely": "a", "awful": "b", "fine": "c"}
EXAMPLES = [Example(f"a {word} {thing}", target=label) for word, label in LABELS.items() for thing in ("film", "cat")]
RECIPE = Recipe(
    epochs=4, batch_size=4, learning_rate=1e-2, head_learning_rate=None, layer_decay=1.0, schedule="constant",
    warmup=0.0, weight_decay=0.0, clip=1.0, patience=None, evaluate_every=1, checkpointing=False, micro_tokens=1000,
    checkpoint_every=math.inf, metric="accuracy", seed=5,
)  # fmt: skip


def made(model: Path, folder: Path, **more: Any) -> Trainer:
    """A trainer on six examples, two steps an epoch."""
    task = task_of()
    data = with_targets(encode_dataset(tokenizer_of(model), task, EXAMPLES), task)
    folder.mkdir(exist_ok=True)
    splits = {"train": data, "validation": data}
    network = network_of(model, task, layers=2)
    return Trainer(network, Labelled(task, splits), splits, replace(RECIPE, **more), folder, {"a": 1}, Clock())


def scores(monkeypatch: pytest.MonkeyPatch, values: list[float]) -> None:
    """Let evaluations come out so, one after the other."""
    said = iter(values)
    monkeypatch.setattr(inference, "score", lambda task, table: {"accuracy": next(said)})


def weights_of(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {name: parameter.detach().clone() for name, parameter in trainer.trained()}


def test_what_a_trainer_says_and_in_which_order(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    trainer = made(tiny("bert"), tmp_path / "run", evaluate_every=3)
    said = list(trainer.run())
    begin = said[0]
    assert isinstance(begin, Begin)
    assert (begin.steps, begin.epochs, begin.metric) == (8, 4, "accuracy")
    assert begin.seconds is not None
    assert begin.seconds > 0
    assert [type(event) for event in said[1:]] == [*[Step] * 6, Scored, *[Step] * 2, Scored]  # the last epoch is scored
    assert [(event.epoch, event.step) for event in said if isinstance(event, Scored)] == [(3, 6), (4, 8)]
    assert (trainer.number, trainer.epoch, trainer.evaluations) == (8, 3, 2)
    assert trainer.tokens == 4 * sum(trainer.splits["train"].lengths) <= trainer.padded_tokens
    assert trainer.tokens < trainer.padded_tokens or not ON_CPU  # rows are filled up there
    run = rundir.RunFolder(trainer.folder)
    assert [line["number"] for line in run.steps()] == list(range(1, 9))
    assert [line["epoch"] for line in run.evaluations()] == [3, 4]
    assert set(trainer.clock.seconds) == {"train", "validate"}


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        (0.5, [(0.5, 1), (1, 2), (1.5, 3), (2, 4)]),
        (0.1, [(0.5, 1), (1, 2), (1.5, 3), (2, 4)]),  # a step is the least
        (0.9, [(1, 2), (2, 4)]),
    ],
)
def test_evaluations_within_epochs(
    every: float, expected: list[tuple[float, int]], tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    trainer = made(tiny("bert"), tmp_path / "run", epochs=2, evaluate_every=every)
    said = list(trainer.run())
    scored = [event for event in said if isinstance(event, Scored)]
    assert [(event.epoch, event.step) for event in scored] == expected
    steps = [event.loss for event in said if isinstance(event, Step)]
    last = [0, *(step for _, step in expected)]
    assert [event.training_loss for event in scored] == [
        sum(steps[begin:end]) / (end - begin) for begin, end in pairwise(last)
    ]
    lines = list(rundir.RunFolder(trainer.folder).evaluations())
    assert [line["epoch"] for line in lines] == [epoch for epoch, _ in expected]


@given(steps=st.integers(1, 40), parts=st.integers(1, 50), epochs=st.integers(1, 4))
def test_evaluations_lie_evenly_in_an_epoch(steps: int, parts: int, epochs: int) -> None:
    recipe = replace(RECIPE, epochs=epochs, evaluate_every=1 / parts)
    due = [taken for taken in range(1, steps + 1) if recipe.evaluates(0, taken, steps)]
    assert due[-1] == steps
    assert len(due) == min(steps, parts)
    gaps = [end - begin for begin, end in pairwise([0, *due])]
    assert max(gaps) - min(gaps) <= 1
    assert evaluations(recipe) == epochs * parts


def test_patience_counts_shares_of_epochs(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores(monkeypatch, [0.5, *[0.1] * 30])
    said = list(made(tiny("bert"), tmp_path / "run", epochs=9, batch_size=1, evaluate_every=1 / 3, patience=2).run())
    assert [event.epoch for event in said if isinstance(event, Scored)] == [
        0.3333,
        0.6667,
        1,
        1.3333,
        1.6667,
        2,
        2.3333,
    ]
    assert said[-1] == Note("stopped: no better accuracy in 2 epochs")


@pytest.mark.cpu("on a GPU the same bits come again in strict mode alone, in which whole runs are tried")
@pytest.mark.parametrize("after", [3, 4, 7])
def test_a_run_goes_on_in_the_middle_of_an_epoch(after: int, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    more = {"epochs": 3, "batch_size": 1, "evaluate_every": 0.5}
    whole = [event for event in made(tiny("bert"), tmp_path / "whole", **more).run() if isinstance(event, Scored)]
    stopped = made(tiny("bert"), tmp_path / "run", **more)
    run, before = stopped.run(), []
    assert isinstance(run, Generator)
    while stopped.number < after:
        event = next(run)
        before += [event] if isinstance(event, Scored) else []
    run.close()
    found, _ = checkpoint.latest(stopped.folder)
    assert found is not None
    resumed = made(tiny("bert"), tmp_path / "run", **more)
    rest = [event for event in resumed.run(found) if isinstance(event, Scored)]
    assert [*before, *rest] == whole
    assert [event.step for event in whole] == [3, 6, 9, 12, 15, 18]


def losses(monkeypatch: pytest.MonkeyPatch, values: list[float]) -> None:
    """Let the losses of evaluations come out so, one after the other."""
    said = iter(values)
    monkeypatch.setattr(Measure, "loss", lambda self, logits, scale=None: next(said) if scale else math.log(3))


@pytest.mark.parametrize("third", [0.7, 0.8, math.inf, math.nan])
def test_the_first_of_the_best_is_put_back(
    third: float, tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores(monkeypatch, [0.2, 0.5, 0.5, 0.1])
    losses(monkeypatch, [0.6, 0.7, third, 0.1])
    trainer, seen = made(tiny("bert"), tmp_path / "run"), []
    for event in trainer.run():
        if isinstance(event, Scored):
            seen.append((event.best, weights_of(trainer)))
    assert [best for best, _ in seen] == [True, True, False, False]
    assert (trainer.best["epoch"], trainer.best["value"]) == (2, 0.5)
    for name, weights in weights_of(trainer).items():
        assert torch.equal(weights, seen[1][1][name])
        assert not torch.equal(weights, seen[3][1][name])


def test_logits_of_a_best_epoch_before_a_resumption_are_those_of_its_vocabulary_too(
    tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    """An evaluation after the best one has written other rows into the whole table."""
    trainer = made(tiny("bert"), tmp_path / "run")
    network, windows = trainer.network, trainer.splits["validation"].windows
    network.train_last(None)
    network.restrict_vocabulary({int(i) for window in windows for i in window.ids})
    trainer.best_weights = {name: weights + 0.1 * torch.randn_like(weights) for name, weights in trainer.trained()}
    network.train()
    inference.window_logits(network, windows)
    list(trainer.restore_best())
    logits = [rows[0] for rows in trainer.logits]
    network.restore_vocabulary()
    for one, other in zip(logits, inference.window_logits(network, windows), strict=True):
        assert (one == other).all()


def test_the_last_weights_are_kept_where_they_are_asked_for(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    settings: dict[str, Any] = {"training__learning_rate": 0.05, "training__epochs": 6, "training__patience": 6}
    best = finished(events(tiny("bert"), tmp_path / "best", **settings)).record
    run = events(tiny("bert"), tmp_path / "last", training__keep="last", **settings)
    stopped(run, after=7)
    last = finished(events(tiny("bert"), tmp_path / "last", training__keep="last", **settings)).record
    scores = [line["metrics"][best["best"]["metric"]] for line in rundir.RunFolder(tmp_path / "last").evaluations()]
    assert best["best"]["value"] == max(scores)
    assert last["best"]["step"] == last["steps"]
    assert last["best"]["value"] == scores[-1]
    assert last["best"]["rank"] == max(scores)  # what patience compares with


def test_between_equal_scores_the_lower_loss_is_the_best_and_patience_goes_on(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores(monkeypatch, [0.5, *[0.9] * 30])
    losses(monkeypatch, [0.1, math.nan, *[0.5 - 1e-6 * i for i in range(30)]])
    trainer = made(tiny("bert"), tmp_path / "run", epochs=30, patience=4)
    said = list(trainer.run())
    scored = [event for event in said if isinstance(event, Scored)]
    assert [event.epoch for event in scored] == [1, 2, 3, 4, 5, 6]
    assert all(event.best for event in scored)
    assert (trainer.best["epoch"], trainer.best["loss"]) == (6, scored[-1].loss)
    assert said[-1] == Note("stopped: no better accuracy in 4 epochs")


def test_one_epoch_is_singular(tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scores(monkeypatch, [0.5, 0.5])
    assert list(made(tiny("bert"), tmp_path / "run", patience=1).run())[-1] == Note(
        "stopped: no better accuracy in 1 epoch"
    )


def test_losses_are_logged_with_every_evaluation(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    trainer = made(tiny("bert"), tmp_path / "run", evaluate_every=2)
    said = list(trainer.run())
    steps = [event.loss for event in said if isinstance(event, Step)]
    scored = [event for event in said if isinstance(event, Scored)]
    assert [event.training_loss for event in scored] == [sum(steps[:4]) / 4, sum(steps[4:]) / 4]
    lines = list(rundir.RunFolder(trainer.folder).evaluations())
    assert [(line["loss"], line["training_loss"]) for line in lines] == [(e.loss, e.training_loss) for e in scored]
    network, data = trainer.network.eval(), trainer.splits["validation"]
    with torch.no_grad():  # the best weights are there again
        logits = network(network.collate(data.windows)).float().cpu()
    expected = torch.nn.functional.cross_entropy(logits, torch.tensor([int(target) for target in data.targets]))
    assert trainer.best["loss"] == near(float(expected), abs=1e-5)


def test_a_metric_without_a_value_is_the_worst_there_is(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores(monkeypatch, [math.nan, -0.5, math.nan, -0.2])
    trainer = made(tiny("bert"), tmp_path / "run")
    assert [event.best for event in trainer.run() if isinstance(event, Scored)] == [True, True, False, True]
    assert trainer.best["value"] == -0.2


def test_patience_counts_epochs_and_not_evaluations(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores(monkeypatch, [0.5, *[0.1] * 9])
    said = list(made(tiny("bert"), tmp_path / "run", epochs=20, evaluate_every=2, patience=4).run())
    assert [event.epoch for event in said if isinstance(event, Scored)] == [2, 4, 6]
    assert said[-1] == Note("stopped: no better accuracy in 4 epochs")


def test_a_lower_loss_is_the_better_one(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = iter([0.7, 0.9, 0.4, 0.5])
    monkeypatch.setattr(inference, "score", lambda task, table: {"log_loss": next(values)})
    trainer = made(tiny("bert"), tmp_path / "run", metric="log_loss")
    assert [event.best for event in trainer.run() if isinstance(event, Scored)] == [True, False, True, False]
    assert (trainer.best["value"], trainer.best["rank"]) == (0.4, -0.4)


@pytest.mark.cpu("on a GPU the same bits come again in strict mode alone, in which whole runs are tried")
@pytest.mark.parametrize("after", [1, 2, 5])
def test_closing_leaves_a_checkpoint_from_which_the_state_comes_back(
    after: int, tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    whole = made(tiny("bert"), tmp_path / "whole")
    list(whole.run())
    stopped = made(tiny("bert"), tmp_path / "run")
    run = stopped.run()
    assert isinstance(run, Generator)
    while stopped.number < after:
        next(run)
    run.close()
    found, _ = checkpoint.latest(stopped.folder)
    assert found is not None
    assert found.state["counters"]["number"] == after
    assert found.state["fingerprint"] == {"a": 1}
    resumed = made(tiny("bert"), tmp_path / "run")
    steps = [event.number for event in resumed.run(found) if isinstance(event, Step)]
    assert steps == list(range(after + 1, 9))
    assert resumed.earlier_tokens == stopped.tokens > 0
    assert (resumed.tokens, resumed.best) == (whole.tokens, whole.best)
    for name, weights in weights_of(whole).items():
        assert torch.equal(weights, weights_of(resumed)[name]), name


def test_a_checkpoint_is_written_as_often_as_asked_for(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for every, expected in ((0.0, list(range(1, 9))), (math.inf, [])):
        saved: list[int] = []
        monkeypatch.setattr(checkpoint, "save", lambda folder, step, _, saved=saved: saved.append(step))
        list(made(tiny("bert"), tmp_path / "run", checkpoint_every=every).run())
        assert saved == expected


def test_a_clock_adds_up_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 1.0, 5.0, 7.0, 8.0, 8.5])
    monkeypatch.setattr("time.perf_counter", lambda: next(times))
    clock = Clock()
    with clock.part("train"):
        pass
    with pytest.raises(ZeroDivisionError), clock.part("train"):
        _ = 1 / 0
    with clock.part("save"):
        pass
    assert clock.seconds == {"train": 3.0, "save": 0.5}


# ---------------------------------------------------------------------------------------------------------------------
# Losses that are read a step later, as on a GPU.


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps are read when the next one was launched."""
    monkeypatch.setattr(trainers, "steps", partial(steps, lag=1))


def test_what_is_said_is_the_same_when_losses_are_read_later(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = list(made(tiny("bert"), tmp_path / "now", batch_size=2).run())
    monkeypatch.setattr(trainers, "steps", partial(steps, lag=1))
    later = list(made(tiny("bert"), tmp_path / "later", batch_size=2).run())
    assert [type(event) for event in now] == [type(event) for event in later]
    for one, other in zip(now, later, strict=True):
        if isinstance(one, Step) and isinstance(other, Step):
            exact = {"loss": 0.0, "grad_norm": 0.0}
            assert asdict(one) | exact == asdict(other) | exact
            assert one.loss == pytest.approx(other.loss, rel=1e-4)
        if isinstance(one, Scored) and isinstance(other, Scored):
            assert (one.step, one.best) == (other.step, other.best)
            assert one.metrics == pytest.approx(other.metrics, rel=1e-4, nan_ok=True)
            assert one.training_loss == pytest.approx(other.training_loss, rel=1e-4)
    logs = [[line["number"] for line in rundir.RunFolder(tmp_path / name).steps()] for name in ("now", "later")]
    assert logs[0] == logs[1] == list(range(1, 13))


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("after", range(1, 13))
def test_a_run_that_is_closed_saves_the_step_that_was_launched(
    after: int, tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    """Three steps an epoch: the one that is launched is counted, logged and saved; at an epoch's end there is none."""
    whole = made(tiny("bert"), tmp_path / "whole", batch_size=2)
    list(whole.run())
    stopped = made(tiny("bert"), tmp_path / "run", batch_size=2)
    run = stopped.run()
    assert isinstance(run, Generator)
    while stopped.number < after:
        next(run)
    run.close()
    found, _ = checkpoint.latest(stopped.folder)
    assert found is not None
    assert found.state["counters"]["number"] == stopped.number == after + (after % 3 != 0)
    assert [line["number"] for line in rundir.RunFolder(stopped.folder).steps()] == list(range(1, stopped.number + 1))
    resumed = made(tiny("bert"), tmp_path / "run", batch_size=2)
    assert [e.number for e in resumed.run(found) if isinstance(e, Step)] == list(range(stopped.number + 1, 13))
    assert (resumed.tokens, resumed.best) == (whole.tokens, whole.best)
    for name, weights in weights_of(whole).items():
        assert torch.equal(weights, weights_of(resumed)[name]), name


@pytest.mark.usefixtures("later")
def test_a_checkpoint_between_steps_holds_all_that_were_launched(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = made(tiny("bert"), tmp_path / "plain", batch_size=2)
    said = [event.number for event in plain.run() if isinstance(event, Step)]
    saved: list[tuple[int, dict[str, torch.Tensor]]] = []
    monkeypatch.setattr(
        checkpoint, "save", lambda _, step, kept: saved.append((step, {n: t.clone() for n, t in kept.weights.items()}))
    )
    trainer = made(tiny("bert"), tmp_path / "run", batch_size=2, checkpoint_every=0)
    assert [event.number for event in trainer.run() if isinstance(event, Step)] == said
    assert [step for step, _ in saved] == [2, 3, 5, 6, 8, 9, 11, 12]
    monkeypatch.undo()
    monkeypatch.setattr(trainers, "steps", partial(steps, lag=1))
    for step, weights in saved[:3]:
        closed = made(tiny("bert"), tmp_path / f"closed-{step}", batch_size=2)
        run = closed.run()
        assert isinstance(run, Generator)
        while closed.number < step - (step % 3 == 2):
            next(run)
        run.close()
        assert closed.number == step
        assert all(torch.equal(weights[name], now) for name, now in weights_of(closed).items())


@pytest.mark.usefixtures("later")
def test_a_launched_step_that_is_not_finite_is_not_saved(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closed after the first step, when the second was launched: it will be taken again, and be the error."""
    real, asked = loop.gradients, []

    def spoiled(*arguments: Any, **more: Any) -> Any:
        asked.append(True)
        total, *rest = real(*arguments, **more)
        return total * (math.nan if len(asked) == 2 else 1.0), *rest

    monkeypatch.setattr(loop, "gradients", spoiled)
    trainer = made(tiny("bert"), tmp_path / "run", batch_size=2)
    run = trainer.run()
    assert isinstance(run, Generator)
    while trainer.number < 1:
        next(run)
    run.close()
    found, _ = checkpoint.latest(trainer.folder)
    assert found is not None
    assert (len(asked), found.state["counters"]["number"]) == (2, 1)
    assert all(bool(weights.isfinite().all()) for weights in found.weights.values())
