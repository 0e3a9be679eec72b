"""Steps on a GPU: graphs give what plain passes give, dropout is new in each, and nothing is read on the host."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from afina.assembly import encode_dataset, with_targets
from afina.compute import Compute
from afina.errors import TrainingError
from afina.model.network import Network
from afina.training import loop
from afina.training.captured import Captured, Graphs, capture
from afina.training.events import Note, Step
from afina.training.loop import Steps, steps
from afina.training.objective import Supervised
from afina.training.optimisation import make_optimiser, parameter_groups
from tests.networks import network_of, task_of, tokenizer_of
from tests.training.test_captured import EXAMPLES
from tests.training.test_trainer import RECIPE

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="CUDA graphs need a GPU with CUDA")


@pytest.fixture(autouse=True)
def own_random_state() -> Iterator[None]:
    with torch.random.fork_rng():
        yield


def made(folder: Path, precision: Any = "fp32", *, layers: int | None = None, rate: float = 0.1) -> Any:
    compute = Compute(torch.device("cuda"), precision)
    task = task_of()
    data = with_targets(encode_dataset(tokenizer_of(folder), task, EXAMPLES), task)
    network = network_of(folder, task, layers=layers, compute=compute, dropout=rate, head_dropout=rate)
    return network, Supervised(task, data)


def steps_of(network: Network, objective: Supervised, captured: Captured | None = None, **more: Any) -> Steps:
    optimiser = make_optimiser(parameter_groups(network, learning_rate=1e-3, weight_decay=0.1))
    settings = {"epochs": 4, "batch_size": 6, "clip": 1.0, "micro_tokens": 300, "seed": 3, **more}
    return steps(network, objective, optimiser=optimiser, factor=lambda _: 1.0, captured=captured, **settings)


def captured_of(network: Network, objective: Supervised) -> tuple[Captured, list[Note]]:
    notes: list[Note] = []
    captured = capture(network, objective, RECIPE, notes=notes, least=1)
    assert captured is not None
    return captured, notes


@pytest.mark.parametrize("family", ["bert", "modernbert", "distilbert", "deberta-v2"])
@pytest.mark.parametrize("layers", [None, 1])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_graphs_give_what_plain_passes_give(
    precision: str, layers: int | None, family: str, tiny: Callable[[str], Path]
) -> None:
    plain, objective = made(tiny(family), precision, layers=layers)
    expected = list(steps_of(plain, objective))
    network, _ = made(tiny(family), precision, layers=layers)
    captured, notes = captured_of(network, objective)
    found = list(steps_of(network, objective, captured))
    assert [note.level for note in notes] == ["info"], notes
    bound = 5e-2 if precision == "bf16" else 1e-3
    for one, other in zip(expected, found, strict=True):
        assert (one.number, one.tokens, one.padded_tokens) == (other.number, other.tokens, other.padded_tokens)
        assert one.loss == pytest.approx(other.loss, rel=bound)
        assert one.grad_norm == pytest.approx(other.grad_norm, rel=4 * bound)


def losses(folder: Path, *, seed: int) -> list[float]:
    """Of four steps over the same examples, with weights that don't move."""
    network, objective = made(folder, rate=0.5)
    captured, notes = captured_of(network, objective)
    optimiser = make_optimiser(parameter_groups(network, learning_rate=0.0))
    stream = steps(
        network, objective, optimiser=optimiser, factor=lambda _: 1.0, epochs=4, batch_size=len(EXAMPLES), clip=None,
        micro_tokens=10_000, seed=seed, captured=captured,
    )  # fmt: skip
    found = [step.loss for step in stream]
    assert [note.level for note in notes] == ["info"], notes
    return found


def test_dropout_is_new_in_every_replay_and_the_same_for_the_same_seed(tiny: Callable[[str], Path]) -> None:
    first, again, other = (losses(tiny("bert"), seed=seed) for seed in (3, 3, 4))
    assert min(abs(one - two) for i, one in enumerate(first) for two in first[:i]) > 1e-4
    assert first == pytest.approx(again, rel=1e-5)
    assert first != pytest.approx(other, rel=1e-4)


@pytest.mark.parametrize("capturing", [True, False])
def test_a_step_is_launched_without_waiting_for_the_gpu(capturing: bool, tiny: Callable[[str], Path]) -> None:
    network, objective = made(tiny("bert"), "bf16")
    captured = captured_of(network, objective)[0] if capturing else None
    stream = steps_of(network, objective, captured, epochs=10)
    for _ in range(4):
        next(stream)
    list(stream.settle())
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(6):
            next(stream.launches)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    stream.close()


def test_a_loss_that_is_not_finite_updates_nothing(
    tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked = loop.gradients, []

    def spoiled(*arguments: Any, **more: Any) -> Any:
        total, *rest = real(*arguments, **more)
        asked.append(True)
        return total * (math.nan if len(asked) == 5 else 1.0), *rest

    monkeypatch.setattr(loop, "gradients", spoiled)
    network, objective = made(tiny("bert"))
    stream, seen = steps_of(network, objective, captured_of(network, objective)[0], batch_size=3), list[Step]()
    with pytest.raises(TrainingError, match="step 5: the loss is nan"):
        seen.extend(stream)
    assert len(seen) == 4
    assert all(bool(parameter.isfinite().all()) for parameter in network.parameters())


def test_memory_comes_back(tiny: Callable[[str], Path]) -> None:
    network, objective = made(tiny("bert"))
    list(steps_of(network, objective, epochs=1))
    before = torch.cuda.memory_allocated()
    captured, _ = captured_of(network, objective)
    stream = steps_of(network, objective, captured)
    for _ in range(4):
        next(stream)
    assert isinstance(captured.recorder, Graphs)
    assert captured.recorder.graphs
    stream.close()
    del stream
    assert torch.cuda.memory_allocated() <= before + 8 * sum(p.nbytes for p in network.parameters())
    assert not captured.recorder.graphs
