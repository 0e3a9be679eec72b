"""Captured passes give what plain ones give, are few, and give way to plain ones where they can't be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import masking_utils

from afina.assembly import encode_dataset, with_targets
from afina.compute import Compute
from afina.model import attention
from afina.model.network import Network
from afina.model.states import kept_states
from afina.records import Batch, Example
from afina.text.buckets import Rectangle
from afina.training import captured as captures
from afina.training import trainer as trainers
from afina.training.captured import Captured, Graphs, Result, capture
from afina.training.events import Note
from afina.training.loop import Steps, steps
from afina.training.objective import Supervised
from afina.training.optimisation import make_optimiser, parameter_groups
from afina.training.recipe import Recipe
from afina.training.staging import pieces
from tests.networks import network_of, task_of, tokenizer_of
from tests.recorders import Recorder
from tests.training.test_trainer import RECIPE
from tests.training.test_trainer import made as trainer_of

THINGS = ["cat", "film", "room", "lovely film of the cat", "song about a dog and a cat in a very fine room", "dog"]
EXAMPLES = [
    Example(f"a {word} {thing}", target=label, place=f"{word} {thing}")
    for word, label in (("lovely", "a"), ("awful", "b"), ("fine", "c"))
    for thing in THINGS
]


@pytest.fixture(autouse=True)
def static(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of a few shapes and dropout of torch's own, as on a GPU."""
    layout = property(lambda self: Rectangle(self.pad, self.device, widest=self.backbone.positions))
    monkeypatch.setattr(Network, "layout", layout)
    monkeypatch.setattr(attention.Dropout, "forward", torch.nn.Dropout.forward)
    monkeypatch.setattr(masking_utils, "is_tracing", lambda *_: True)  # as where a GPU captures


def made(folder: Path, *, layers: int | None = None, **more: Any) -> tuple[Network, Supervised]:
    task = task_of()
    data = with_targets(encode_dataset(tokenizer_of(folder), task, EXAMPLES), task)
    settings = {"dropout": 0.2, "head_dropout": 0.2, "compute": Compute(), **more}
    return network_of(folder, task, layers=layers, **settings), Supervised(task, data)


def steps_of(network: Network, objective: Supervised, captured: Captured | None = None, **more: Any) -> Steps:
    """Eight steps of four or two examples, in pieces of at most 64 places."""
    optimiser = make_optimiser(parameter_groups(network, learning_rate=1e-2, weight_decay=0.1))
    settings = {
        "factor": lambda number: 1 / (number + 1), "epochs": 2, "batch_size": 5, "clip": 1.0, "micro_tokens": 64,
        "seed": 3, "lag": 1, **more,
    }  # fmt: skip
    return steps(network, objective, optimiser=optimiser, captured=captured, **settings)


def captured_of(
    network: Network, objective: Supervised, recorder: Recorder | None = None, *, least: int = 1, **more: Any
) -> tuple[Captured, Recorder, list[Note]]:
    recorder = recorder or Recorder()
    notes: list[Note] = []
    return Captured(network, objective, recorder, notes=notes, least=least, **more), recorder, notes


def same(one: Network, other: Network) -> bool:
    """Whether two networks have the same weights, bit by bit."""
    return all(torch.equal(x, y) for x, y in zip(one.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("layers", [None, 1, 0])
def test_captured_steps_are_plain_ones_bit_by_bit(
    layers: int | None, precision: Any, tiny: Callable[[str], Path]
) -> None:
    """Several shapes, several pieces a step; what each pass does is what it did when it was recorded."""
    compute = Compute(precision=precision)
    plain, objective = made(tiny("bert"), layers=layers, compute=compute)
    expected = list(steps_of(plain, objective))
    network, objective = made(tiny("bert"), layers=layers, compute=compute)
    captured, recorder, notes = captured_of(network, objective)
    assert list(steps_of(network, objective, captured)) == expected
    assert same(plain, network)
    (note,) = notes
    assert note.level == "info", note
    assert recorder.recorded >= 3
    assert recorder.replayed > recorder.recorded + len(expected)
    assert recorder.freed == 1
    assert not captured.recordings
    assert all(parameter.grad is None for parameter in network.parameters())
    assert note.text.startswith(
        f"captured {recorder.recorded} shapes of micro-batches as CUDA graphs, 100% of those to come: "
    )
    assert note.text.endswith(" s, 1 MB")


def test_rows_of_the_vocabulary_and_kept_states_are_captured_too(tiny: Callable[[str], Path]) -> None:
    for layers in (None, 1):
        runs = []
        for recorder in (None, Recorder()):
            network, objective = made(tiny("bert"), layers=layers)
            if layers is None:
                network.restrict_vocabulary({i for window in objective.data.windows for i in window.ids.tolist()} | {0})
            else:
                kept = kept_states(network, objective.data.windows)
                objective = replace(objective, data=replace(objective.data, kept=kept))
            captured = captured_of(network, objective, recorder)[0] if recorder else None
            runs.append((list(steps_of(network, objective, captured)), network))
        (expected, plain), (found, network) = runs
        assert found == expected
        assert same(plain, network)


def test_dropout_is_new_in_every_step_and_the_same_for_the_same_seed(tiny: Callable[[str], Path]) -> None:
    def losses(seed: int) -> list[float]:
        network, objective = made(tiny("bert"), dropout=0.5)
        captured, _, _ = captured_of(network, objective)
        still = {"factor": lambda _: 0.0, "batch_size": 18, "epochs": 4, "micro_tokens": 10_000}
        return [step.loss for step in steps_of(network, objective, captured, **still, seed=seed)]

    first = losses(3)
    assert len(set(first)) == 4
    assert losses(3) == first
    assert not set(losses(4)) & set(first)


# ---------------------------------------------------------------------------------------------------------------------
# What is recorded.


def test_the_most_frequent_shapes_are_recorded_and_the_largest_first(tiny: Callable[[str], Path]) -> None:
    network, objective = made(tiny("bert"))
    plain, _ = made(tiny("bert"))
    expected = list(steps_of(plain, objective))
    captured, recorder, notes = captured_of(network, objective, most=2)
    stream = steps_of(network, objective, captured)
    found = [next(stream), next(stream)]
    assert len(captured.recordings) == recorder.recorded == 2
    sizes = [recording.piece.batch.ids.numel() for recording in captured.recordings.values()]
    assert sizes == sorted(sizes, reverse=True)
    assert [*found, *stream] == expected
    assert same(plain, network)
    assert "captured 2 shapes" in notes[0].text
    assert "100%" not in notes[0].text


def test_a_shape_that_comes_too_seldom_is_not_recorded(tiny: Callable[[str], Path]) -> None:
    network, objective = made(tiny("bert"))
    captured, recorder, notes = captured_of(network, objective, least=1000)
    list(steps_of(network, objective, captured))
    assert (recorder.recorded, notes) == (0, [])


def test_how_often_a_shape_comes_is_reckoned_from_the_next_steps(tiny: Callable[[str], Path]) -> None:
    network, objective = made(tiny("bert"))
    captured, _, _ = captured_of(network, objective, least=20)
    units = objective.units(range(2), 0)
    for left, expected in ((10, 0), (20, 1), (500, 1)):  # two steps of one shape were looked at
        captured.expect(lambda: [units, units], left=left)
        groups, share = captured.plan(1000)
        assert (len(groups), share) == (expected, expected)


def test_recordings_are_made_anew_when_something_else_trains(tiny: Callable[[str], Path]) -> None:
    """As a strategy may that unfreezes layers later: the head trains from the fourth step on."""
    runs = []
    for capturing in (False, True):
        network, objective = made(tiny("bert"), layers=1)
        head = list(network.head.parameters())
        captured, recorder, _ = captured_of(network, objective)
        stream = steps_of(network, objective, captured if capturing else None, lag=0)
        for parameter in head:
            parameter.requires_grad_(False)
        before = [parameter.detach().clone() for parameter in head]
        found = [next(stream) for _ in range(3)]
        assert all(torch.equal(one, other) for one, other in zip(before, head, strict=True))
        for parameter in head:
            parameter.requires_grad_(True)
        found += list(stream)
        assert not any(torch.equal(one, other) for one, other in zip(before, head, strict=True))
        assert recorder.freed == (2 if capturing else 0)
        runs.append((found, network))
    assert runs[0][0] == runs[1][0]
    assert same(runs[0][1], runs[1][1])


class Reduced(Supervised):
    """Stages targets of another shape for some examples, which an objective shouldn't."""

    def stage(self, units: Any, batch: Batch) -> dict[str, torch.Tensor]:
        staged = super().stage(units, batch)
        odd = len(units[0].windows[0]) % 2 == 1
        return {name: one[:-1] if odd and len(units) > 1 else one for name, one in staged.items()}

    def loss(
        self, network: Network, batch: Batch, staged: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        logits = network(batch, None)[: len(staged["targets"])]
        return self.task.loss(logits, staged["targets"])


def test_a_piece_that_does_not_fit_is_computed_as_it_is(tiny: Callable[[str], Path]) -> None:
    network, objective = made(tiny("bert"))
    plain, _ = made(tiny("bert"))
    odd = Reduced(objective.task, objective.data)
    captured, recorder, _ = captured_of(network, odd)
    stream = steps_of(network, odd, captured)
    found = [next(stream), next(stream)]
    fits = {
        bool(captured.find(piece))
        for unit in odd.units(range(18), 0)
        for piece in pieces(network, odd, [unit, unit], micro_tokens=1000)
        if piece.batch.shape in captured.recordings
    }
    assert fits == {False, True}
    assert [*found, *stream] == list(steps_of(plain, odd))
    assert same(plain, network)
    assert recorder.replayed


# ---------------------------------------------------------------------------------------------------------------------
# What can't be recorded.


class Refusing(Recorder):
    """Refuses to record from some number on."""

    def __init__(self, error: Exception, *, after: int = 0) -> None:
        super().__init__()
        self.error = error
        self.after = after

    def record(self, function: Callable[[], Result]) -> Callable[[], Result]:
        if self.recorded == self.after:
            function()
            raise self.error
        return super().record(function)


@pytest.mark.parametrize("after", [0, 2])
def test_a_capture_that_fails_is_given_up_with_a_word(after: int, tiny: Callable[[str], Path]) -> None:
    network, objective = made(tiny("bert"))
    plain, _ = made(tiny("bert"))
    refusing = Refusing(ValueError("no such operation\n and more"), after=after)
    captured, recorder, notes = captured_of(network, objective, refusing)
    assert list(steps_of(network, objective, captured)) == list(steps_of(plain, objective))
    assert same(plain, network)
    assert notes == [Note("steps are not captured as CUDA graphs, and take longer: no such operation", "warning")]
    assert (recorder.recorded, recorder.freed) == (after, after > 0)


class Counting(Supervised):
    """A loss that depends on how often it was asked, or on a number of the device."""

    how = "python"

    def loss(
        self, network: Network, batch: Batch, staged: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        loss, count = Supervised.loss(self, network, batch, staged)
        if self.how == "lengths":
            return loss * len(batch.lengths), count
        if self.how == "host":
            return loss * float(count), count
        CALLS.append(True)
        return loss * (1 + 0.1 * len(CALLS)), count


CALLS: list[bool] = []


@pytest.mark.parametrize(
    ("how", "reason"),
    [("python", "a graph gave loss "), ("lengths", "a graph gave loss 0 "), ("host", "operation not permitted")],
)
def test_what_python_decides_in_a_pass_is_found_out(
    how: str, reason: str, tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Counting, "how", how)
    network, objective = made(tiny("bert"))
    counting = Counting(objective.task, objective.data)
    captured, _, notes = captured_of(network, counting)
    list(steps_of(network, counting, captured))
    (note,) = notes
    assert note.level == "warning"
    assert f"and take longer: {reason}" in note.text


# ---------------------------------------------------------------------------------------------------------------------
# Memory.


def close(one: Network, other: Network) -> None:
    """Other pieces give other roundings, and other dropout: there is none in these tests."""
    for x, y in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(x, y, atol=2e-3, rtol=1e-2)


def without_dropout(folder: Path) -> tuple[Network, Supervised]:
    return made(folder, dropout=0.0, head_dropout=0.0)


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory. Tried"), RuntimeError("capture was invalidated")]
)
def test_memory_that_runs_out_in_a_capture_takes_smaller_pieces(error: Exception, tiny: Callable[[str], Path]) -> None:
    """The end of a broken capture may raise an error of its own."""
    network, objective = without_dropout(tiny("bert"))
    plain, _ = without_dropout(tiny("bert"))
    if not isinstance(error, torch.OutOfMemoryError):
        error.__context__ = MemoryError()

    class Once(Refusing):
        def record(self, function: Callable[[], Result]) -> Callable[[], Result]:
            try:
                return super().record(function)
            finally:
                self.after = -1

    captured, recorder, notes = captured_of(network, objective, Once(error))
    found = list(steps_of(network, objective, captured))
    assert [step.micro_tokens for step in found] == [64, *[32] * 7]
    assert recorder.replayed
    assert [note.level for note in notes] == ["info"]
    list(steps_of(plain, objective))
    close(plain, network)


class Exhausted(Recorder):
    """Memory runs out in the n-th replay."""

    def __init__(self, *, at: int) -> None:
        super().__init__()
        self.at = at

    def record(self, function: Callable[[], Result]) -> Callable[[], Result]:
        replay = super().record(function)

        def poor() -> Result:
            if self.replayed + 1 == self.at:
                self.at = -1
                raise torch.OutOfMemoryError("CUDA out of memory. Tried")
            return replay()

        return poor


def test_memory_that_runs_out_in_a_captured_step_takes_the_same_step_in_smaller_pieces(
    tiny: Callable[[str], Path],
) -> None:
    network, objective = without_dropout(tiny("bert"))
    plain, _ = without_dropout(tiny("bert"))
    list(steps_of(plain, objective))
    captured, counted, _ = captured_of(*without_dropout(tiny("bert")))
    list(steps_of(captured.network, objective, captured))
    captured, recorder, notes = captured_of(network, objective, Exhausted(at=counted.recorded + 6))
    found = list(steps_of(network, objective, captured))
    sizes = [step.micro_tokens for step in found]
    assert sizes == sorted(sizes, reverse=True)
    assert (sizes[0], sizes[-1]) == (64, 32)
    assert recorder.freed == 2
    assert [note.level for note in notes] == ["info", "info"]
    assert all(parameter.grad is None for parameter in network.parameters())
    close(plain, network)


def test_where_pieces_can_be_no_smaller_steps_are_no_longer_captured(tiny: Callable[[str], Path]) -> None:
    network, objective = made(tiny("bert"))
    plain, _ = made(tiny("bert"))
    refusing = Refusing(torch.OutOfMemoryError("CUDA out of memory. Tried"))
    captured, _, notes = captured_of(network, objective, refusing)
    smallest: dict[str, Any] = {"batch_size": 1, "micro_tokens": 1}
    assert list(steps_of(network, objective, captured, **smallest)) == list(steps_of(plain, objective, **smallest))
    assert same(plain, network)
    assert notes == [Note("steps are not captured as CUDA graphs, and take longer: memory ran out", "warning")]


# ---------------------------------------------------------------------------------------------------------------------
# In a training, and on a GPU.


def test_a_training_says_what_it_captured_and_does_the_same(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = []
    for name in ("plain", "captured"):

        def chosen(network: Network, objective: Any, recipe: Recipe, *, notes: list[Note], name: str = name) -> Any:
            return Captured(network, objective, Recorder(), notes=notes, least=1) if name == "captured" else None

        monkeypatch.setattr(trainers, "capture", chosen)
        monkeypatch.setattr(trainers, "steps", partial(steps, lag=1))
        trainer = trainer_of(tiny("bert"), tmp_path / name)
        runs.append((list(trainer.run()), trainer))
    ((_, *plain), one), ((_, *found), other) = runs
    assert [event for event in found if not isinstance(event, Note)] == plain
    (note,) = (event for event in found if isinstance(event, Note))
    assert found.index(note) == 0  # passes are captured before the second step, which is launched by then
    assert same(one.network, other.network)


def test_only_a_gpu_captures(tiny: Callable[[str], Path]) -> None:
    assert capture(*made(tiny("bert")), RECIPE, notes=[]) is None


@pytest.mark.parametrize(
    ("static", "checkpointing", "reason"),
    [
        (True, True, "gradient checkpointing computes layers again"),
        (False, False, "the loss of this head or task asks the host"),
    ],
)
def test_what_can_not_be_captured_is_said_at_once(
    static: bool, checkpointing: bool, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(captures, "Graphs", lambda _: Recorder())
    network: Any = SimpleNamespace(device=torch.device("cuda"), zero_grad=lambda set_to_none: None)
    objective: Any = SimpleNamespace(static=lambda _: static)
    notes: list[Note] = []
    captured = capture(network, objective, replace(RECIPE, checkpointing=checkpointing), notes=notes)
    assert captured is not None
    assert captured.off
    assert notes == [Note(f"steps are not captured as CUDA graphs, and take longer: {reason}")]
    objective = SimpleNamespace(static=lambda _: True)
    assert capture(network, objective, RECIPE, notes=notes)
    assert capture(network, objective, replace(RECIPE, graphs=False), notes=notes) is None
    assert len(notes) == 1


def test_graphs_share_a_pool_and_a_stream_that_is_left_even_where_a_capture_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a pretended `torch.cuda`, which says what it is asked for."""
    said: list[str] = []

    class Stream:
        def __init__(self, name: Any) -> None:
            self.name = name

        def wait_stream(self, other: Stream) -> None:
            said.append(f"{self.name} waits for {other.name}")

    class Context:
        def __init__(self, *words: Any, **more: Any) -> None:
            self.words = ", ".join([*map(str, words), *(f"{name}={value}" for name, value in more.items())])

        def __enter__(self) -> None:
            said.append(f"enter {self.words}")

        def __exit__(self, *_: object) -> None:
            said.append(f"leave {self.words}")

    class Graph:
        def replay(self) -> None:
            said.append("replay")

        def reset(self) -> None:
            said.append("reset")

        def __str__(self) -> str:
            return "graph"

    usual, free = Stream("usual"), iter([9, 7, 6, 6])
    names = {
        "Stream": lambda _: Stream("aside"), "CUDAGraph": Graph, "graph": Context, "graph_pool_handle": lambda: "pool",
        "empty_cache": lambda: None, "mem_get_info": lambda _: (next(free), 9), "device": lambda _: nullcontext(),
        "stream": lambda stream: Context(stream.name), "current_stream": lambda: usual, "synchronize": lambda _: None,
    }  # fmt: skip
    for name, value in names.items():
        monkeypatch.setattr(torch.cuda, name, value)
    monkeypatch.setattr(Stream, "__str__", lambda self: self.name)
    graphs = Graphs(torch.device("cuda"))
    result = torch.ones(()), torch.ones(())
    replay = graphs.record(lambda: result)
    block = "graph, pool=pool, stream=aside, capture_error_mode=thread_local"
    entered = ["aside waits for usual", "enter aside", f"enter {block}"]
    left = [f"leave {block}", "leave aside", "usual waits for aside"]
    assert said == [*entered, *left]
    assert replay() is result
    assert said.pop() == "replay"
    assert graphs.size == 2
    said.clear()

    def broken() -> Result:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        graphs.record(broken)
    assert said == [*entered, *left]
    said.clear()
    graphs.free()
    assert said == ["reset"]
    assert (graphs.graphs, graphs.pool, graphs.size) == ([], None, 0)
