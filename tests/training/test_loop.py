"""The loop: every example once an epoch, the same step whatever memory there is, and no step that is not finite."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from afina.assembly import encode_dataset, with_targets
from afina.errors import TrainingError
from afina.model.network import Network
from afina.records import Example
from afina.training import checkpoint, loop
from afina.training.events import Done, Note
from afina.training.loop import Steps, epoch_batches, moved
from afina.training.objective import Objective, Supervised, Unit
from afina.training.optimisation import make_optimiser, parameter_groups
from tests.arithmetic import close, near
from tests.networks import network_of, staged, task_of, tokenizer_of
from tests.runs import PAIRS, bytes_of, done, events, events_of, finished


@given(n=st.integers(0, 200), size=st.integers(1, 50), seed=st.integers(0, 2**32 - 1), epoch=st.integers(0, 100))
def test_an_epoch_draws_every_example_once(n: int, size: int, seed: int, epoch: int) -> None:
    batches = epoch_batches(n, size, seed=seed, epoch=epoch)
    assert sorted(i for batch in batches for i in batch) == list(range(n))
    assert all(len(batch) == size for batch in batches[:-1])
    assert batches == epoch_batches(n, size, seed=seed, epoch=epoch)


def test_epochs_and_seeds_differ() -> None:
    orders = [epoch_batches(50, 50, seed=seed, epoch=epoch)[0] for seed in (0, 1) for epoch in (0, 1)]
    assert all(one != other for one, other in combinations(orders, 2))


def test_draws_do_not_follow_the_order_of_the_file() -> None:
    """First places of many epochs are spread evenly: mean within four standard errors."""
    firsts = [epoch_batches(1000, 1000, seed=0, epoch=epoch)[0][0] for epoch in range(400)]
    assert abs(np.mean(firsts) - 499.5) < 4 * 1000 / np.sqrt(12 * 400)


# ---------------------------------------------------------------------------------------------------------------------
# A step.

LABELS = {"lovely": "a", "awful": "b", "fine": "c"}
EXAMPLES = [
    Example(f"a {word} {thing}", target=label, place=f"x:{word} {thing}")
    for word, label in LABELS.items()
    for thing in ("film", "cat")
]


def made(folder: Path, **settings: Any) -> tuple[Network, Supervised]:
    task = task_of()
    data = with_targets(encode_dataset(tokenizer_of(folder), task, EXAMPLES), task)
    return network_of(folder, task, **settings), Supervised(task, data)


def steps_of(network: Network, objective: Supervised, *, lr: float = 0.1, **more: Any) -> Steps:
    """Two epochs in batches of four, by plain gradient descent at a rate that falls by half each step."""
    optimiser = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=lr)
    settings = {"epochs": 2, "batch_size": 4, "clip": None, "micro_tokens": 1000, "seed": 3, **more}
    return loop.steps(network, objective, optimiser=optimiser, factor=lambda number: 0.5**number, **settings)


def gradient_by_hand(network: Network, objective: Supervised, batch: list[int]) -> tuple[float, list[torch.Tensor]]:
    """Mean loss and its gradient, in one piece."""
    units = objective.units(batch, 0)
    inputs = network.collate([window for unit in units for window in unit.windows])
    total, count = objective.loss(network, inputs, staged(objective, units, inputs))
    torch.autograd.backward(total / count)
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    gradients = [parameter.grad.clone() for parameter in parameters if parameter.grad is not None]
    assert len(gradients) == len(parameters)
    network.zero_grad()
    return float((total / count).detach()), gradients


@pytest.mark.parametrize("micro_tokens", [1000, 6])
def test_a_step_is_one_of_the_optimiser_and_says_what_it_did(micro_tokens: int, tiny: Callable[[str], Path]) -> None:
    network, objective = made(tiny("bert"), dropout=0.0, head_dropout=0.0)
    first = epoch_batches(6, 4, seed=3, epoch=0)[0]
    loss, gradients = gradient_by_hand(network, objective, first)
    norm = math.sqrt(sum(float(gradient.square().sum()) for gradient in gradients))
    before = [parameter.detach().clone() for parameter in network.parameters()]
    stream = steps_of(network, objective, lr=0.05, micro_tokens=micro_tokens)
    step = next(stream)
    assert (step.number, step.epoch, step.last, step.micro_tokens) == (1, 0, False, micro_tokens)
    assert step.loss == near(loss)
    assert step.grad_norm == near(norm, rel=1e-4)
    assert step.learning_rate == pytest.approx(0.05)
    assert step.tokens == sum(objective.data.lengths[i] for i in first) <= step.padded_tokens
    for old, gradient, new in zip(before, gradients, network.parameters(), strict=True):
        close(new, old - 0.05 * gradient, rtol=1e-4)
    assert not any(parameter.grad.any() for parameter in network.parameters() if parameter.grad is not None)
    stream.close()


def test_steps_are_numbered_over_the_run_and_say_where_an_epoch_ends(tiny: Callable[[str], Path]) -> None:
    steps = list(steps_of(*made(tiny("bert"), layers=1)))
    assert [(step.number, step.epoch, step.last) for step in steps] == [
        (1, 0, False), (2, 0, True), (3, 1, False), (4, 1, True),
    ]  # fmt: skip
    assert [step.learning_rate for step in steps] == pytest.approx([0.1, 0.05, 0.025, 0.0125])


def test_a_gradient_is_clipped_to_the_norm_that_was_asked_for(tiny: Callable[[str], Path]) -> None:
    moved = []
    for clip in (None, 1e-4):
        network, objective = made(tiny("bert"), layers=0, dropout=0.0, head_dropout=0.0)
        before = [parameter.detach().clone() for parameter in network.head.parameters()]
        step = next(steps_of(network, objective, lr=1.0, clip=clip))
        pairs = zip(before, network.head.parameters(), strict=True)
        moved.append((step.grad_norm, math.sqrt(sum(float((a - b.detach()).square().sum()) for a, b in pairs))))
    (norm, whole), (again, clipped) = moved
    assert norm == near(again)
    assert norm == near(whole, rel=1e-4)
    assert norm > 1e-4
    assert clipped == pytest.approx(1e-4, rel=1e-2)


@pytest.mark.cpu("on a GPU the same bits come again in strict mode alone, in which whole runs are tried")
@pytest.mark.parametrize("done", [1, 2, 3])
def test_steps_that_were_taken_before_are_not_taken_again(done: int, tiny: Callable[[str], Path]) -> None:
    """Order, dropout and learning rate are functions of seed and step: going on gives the same bits."""
    whole, objective = made(tiny("bert"), layers=1, dropout=0.3)
    parts, _ = made(tiny("bert"), layers=1, dropout=0.3)
    steps = list(steps_of(whole, objective))
    stream = steps_of(parts, objective)
    first = [next(stream) for _ in range(done)]
    stream.close()
    torch.rand(11)
    assert [*first, *steps_of(parts, objective, done=done)] == steps
    for (name, one), (_, other) in zip(whole.named_parameters(), parts.named_parameters(), strict=True):
        assert torch.equal(one, other), name


# ---------------------------------------------------------------------------------------------------------------------
# Losses that are read later, as on a GPU.


def adamw_steps(network: Network, objective: Supervised, **more: Any) -> Steps:
    """Three epochs of two steps by the optimiser that trainings use."""
    optimiser = make_optimiser(parameter_groups(network, learning_rate=1e-2, weight_decay=0.1))
    settings = {"epochs": 3, "batch_size": 4, "clip": 1e-2, "micro_tokens": 1000, "seed": 3, **more}
    return loop.steps(network, objective, optimiser=optimiser, factor=lambda number: 1 / (number + 1), **settings)


@pytest.mark.parametrize("clip", [None, 1e-2])
def test_reading_later_changes_no_step(clip: float | None, tiny: Callable[[str], Path]) -> None:
    """Where nothing is read in a step the optimiser divides the gradients, so the last bits may be others."""
    runs = []
    for lag in (0, 1, 2):
        network, objective = made(tiny("bert"), dropout=0.3)
        runs.append((list(adamw_steps(network, objective, lag=lag, clip=clip)), list(network.parameters())))
    (now, weights), (later, others), (latest, same) = runs
    assert later == latest
    assert all(torch.equal(one, other) for one, other in zip(others, same, strict=True))
    for one, other in zip(now, later, strict=True):
        exact = {"loss": 0.0, "grad_norm": 0.0}
        assert asdict(one) | exact == asdict(other) | exact
        assert (one.loss, one.grad_norm) == pytest.approx((other.loss, other.grad_norm), rel=1e-4)
    for weight, changed in zip(weights, others, strict=True):
        torch.testing.assert_close(weight, changed, atol=1e-5, rtol=1e-4)


def test_a_step_is_launched_before_the_one_before_it_is_read_but_at_the_end_of_an_epoch(
    tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, launched = loop.moved, []

    def counted(*arguments: Any, **more: Any) -> torch.Tensor:
        launched.append(True)
        return real(*arguments, **more)

    monkeypatch.setattr(loop, "moved", counted)
    stream = adamw_steps(*made(tiny("bert"), layers=0), batch_size=2, epochs=2, lag=1)
    assert [(step.number, step.last, len(launched)) for step in stream] == [
        (1, False, 2), (2, False, 3), (3, True, 3), (4, False, 5), (5, False, 6), (6, True, 6),
    ]  # fmt: skip


def test_steps_that_were_launched_can_be_read_without_another(tiny: Callable[[str], Path]) -> None:
    network, objective = made(tiny("bert"), layers=1, dropout=0.3)
    stream = adamw_steps(network, objective, lag=1)
    steps = [next(stream), *stream.settle()]
    assert [step.number for step in steps] == [1, 2]
    assert list(stream.settle()) == []
    weights = [parameter.detach().clone() for parameter in network.parameters()]
    other, _ = made(tiny("bert"), layers=1, dropout=0.3)
    again = adamw_steps(other, objective, lag=1)
    assert [next(again), next(again)] == steps
    assert all(torch.equal(one, two) for one, two in zip(weights, other.parameters(), strict=True))
    stream.close()
    assert list(stream) == list(stream.settle()) == []


@pytest.mark.parametrize("what", ["loss", "gradient"])
def test_a_step_that_is_not_finite_updates_nothing_nor_do_those_launched_after_it(
    what: str, tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The third of six, seen when the fourth was launched."""
    real, asked = loop.gradients, []

    def spoiled(network: Network, *arguments: Any, **more: Any) -> Any:
        total, *rest = real(network, *arguments, **more)
        asked.append(True)
        if len(asked) == 3 and what == "gradient":
            next(p.grad for p in network.parameters() if p.grad is not None)[0] = math.nan
        return total * (math.inf if len(asked) == 3 and what == "loss" else 1.0), *rest

    monkeypatch.setattr(loop, "gradients", spoiled)
    network, objective = made(tiny("bert"), layers=1)
    optimiser = make_optimiser(parameter_groups(network, learning_rate=1e-2, weight_decay=0.1))
    stream = loop.steps(
        network, objective, optimiser=optimiser, factor=lambda _: 1.0, epochs=1, batch_size=1, clip=1.0,
        micro_tokens=1000, seed=3, lag=1,
    )  # fmt: skip
    next(stream)  # the second is launched
    weights = [parameter.detach().clone() for parameter in network.parameters()]
    assert next(stream).number == 2
    rows = objective.where(epoch_batches(6, 1, seed=3, epoch=0)[2])
    with pytest.raises(TrainingError, match=r"step 3: the loss is .* and the norm of its gradient") as caught:
        next(stream)
    assert f"The step's rows: {rows[0]}. " in str(caught.value)
    assert len(asked) == 4
    assert all(torch.equal(one, two) for one, two in zip(weights, network.parameters(), strict=True))
    assert {float(state["step"]) for state in optimiser.state.values()} == {2.0}
    assert all(bool(state["exp_avg"].isfinite().all()) for state in optimiser.state.values())
    assert list(stream) == list(stream.settle()) == []


@pytest.mark.parametrize("kept", [False, True])
def test_a_step_on_a_gpu_reads_nothing_on_the_host(kept: bool) -> None:
    """On tensors that know only that they would be on a GPU, a look from the host is an error."""
    with FakeTensorMode():
        device = torch.device("cuda")
        weights = [torch.nn.Parameter(torch.empty(4, 3, device=device)) for _ in range(3)]
        optimiser = make_optimiser([{"params": weights}])
        total, count = (torch.empty((), device=device) for _ in range(2))

        def step(bad: torch.Tensor | None) -> torch.Tensor:
            for parameter in weights:
                parameter.grad = torch.empty(4, 3, device=device)
            return moved(optimiser, total, count=count, clip=1.0, bad=bad, kept=kept)

        assert step(torch.zeros((), device=device)).device.type == "cuda"
        assert all((parameter.grad is not None) is kept for parameter in weights)
        with pytest.raises(DataDependentOutputException):
            step(None)


def test_what_follows_the_weights_sees_that_a_fused_optimiser_changed_them() -> None:
    weights = torch.nn.Parameter(torch.ones(3))
    weights.grad, version = torch.ones(3), weights._version
    moved(make_optimiser([{"params": [weights]}]), torch.ones(()), count=torch.ones(()), clip=None)
    assert weights._version > version


# ---------------------------------------------------------------------------------------------------------------------
# What goes wrong.


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("CUDA out of memory. Tried"), torch.OutOfMemoryError("x")]
)
def test_a_lack_of_memory_takes_the_same_step_in_smaller_pieces(
    error: Exception, tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked = loop.gradients, []

    def poor(
        network: Network, objective: Objective, units: Sequence[Unit], *, micro_tokens: int, captured: None = None
    ) -> Any:
        asked.append(micro_tokens)
        if len(asked) >= 3 and micro_tokens > 16:
            raise error
        return real(network, objective, units, micro_tokens=micro_tokens)

    monkeypatch.setattr(loop, "gradients", poor)
    more: dict[str, Any] = {"training__micro_tokens": 64, "model__dropout": 0, "model__head_dropout": 0}
    run = list(events(tiny("bert"), tmp_path / "poor", **more))
    assert any(isinstance(event, Note) and "memory ran out in step 3: at most 16" in event.text for event in run)
    monkeypatch.undo()
    plain = finished(events(tiny("bert"), tmp_path / "plain", **more))
    poorer = run[-1]
    assert isinstance(poorer, Done)
    assert asked[:5] == [64, 64, 64, 32, 16]
    assert poorer.record["steps"] == plain.record["steps"]
    for (name, one), (_, other) in zip(
        poorer.artifact.network.named_parameters(), plain.artifact.network.named_parameters(), strict=True
    ):
        close(one, other, atol=2e-3, rtol=1e-2, msg=name)


def test_other_errors_are_not_taken_for_a_lack_of_memory(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(loop, "gradients", broken)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        list(events(tiny("bert"), tmp_path / "run"))


@pytest.mark.usefixtures("same_bytes")
def test_a_gradient_that_is_not_finite_names_its_rows_and_spoils_no_checkpoint(
    interrupted: Path, tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In step 9, the fourth of the second epoch."""
    whole = finished(events(tiny("bert"), tmp_path / "whole"))
    real = loop.gradients

    def spoiled(
        network: Network, objective: Objective, units: Sequence[Unit], *, micro_tokens: int, captured: None = None
    ) -> Any:
        result = real(network, objective, units, micro_tokens=micro_tokens)
        if [unit.places[0] for unit in units] == rows:  # each example is one window
            next(p.grad for p in network.parameters() if p.grad is not None)[0] = math.nan
        return result

    rows = epoch_batches(len(PAIRS), 3, seed=1, epoch=1)[3]
    monkeypatch.setattr(loop, "gradients", spoiled)
    with pytest.raises(TrainingError, match=r"step 9: the loss is [\d.]+ and the norm of its gradient nan") as caught:
        list(events(tiny("bert"), interrupted))
    places = str(caught.value).partition("The step's rows: ")[2].partition(". ")[0].split(", ")
    assert [int(place.rpartition(" ")[2]) - 1 for place in places] == rows
    found, skipped = checkpoint.latest(interrupted)
    assert found is not None
    assert skipped == []
    assert found.state["counters"]["number"] == 8
    assert found.state["best"]["step"] == 5
    assert all(bool(tensor.isfinite().all()) for tensor in (*found.weights.values(), *found.best.values()))
    monkeypatch.undo()
    finished(events(tiny("bert"), interrupted))
    assert bytes_of(interrupted) == bytes_of(whole.folder)


def test_a_loss_that_is_not_finite_stops_and_names_the_rows(setting: dict[str, Any]) -> None:
    with pytest.raises(TrainingError, match=r"step \d+: the loss is .*train\.csv:\d+") as caught:
        events_of({**setting, "training.learning_rate": 1e30, "training.clip": None, "training.epochs": 10})
    assert "learning rate" in str(caught.value)


@pytest.mark.usefixtures("same_bytes")
def test_accumulation_is_a_larger_batch(setting: dict[str, Any], tmp_path: Path) -> None:
    one = done(events_of({**setting, "training.batch_size": 4, "training.accumulation": 2})).folder
    other = done(events_of({**setting, "training.batch_size": 8, "out": str(tmp_path / "b")})).folder
    assert (one / "model/model.safetensors").read_bytes() == (other / "model/model.safetensors").read_bytes()
