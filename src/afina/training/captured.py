"""Micro-batches captured as CUDA graphs: one launch for a forward and backward pass that takes thousands by itself.

A graph repeats kernels on the addresses they were recorded with. So each shape of micro-batches has tensors of its own
that a piece is copied into, gradients stay where they are and are set to 0 between steps, and everything that Python
decides is as it was in the first pass. What a graph gives is compared with a plain pass over other examples before it
is used. Dropout draws from torch's generator, whose seed and offset a graph reads at each replay: a step's masks are a
pure function of its seed.

Which shapes will come is known before the training, for order and lengths are. The most frequent ones are captured
after the first step, when the optimiser's moments have their memory; other shapes are computed as they are. Copies of
weights in another arithmetic are brought up to date outside of the graphs: once a step, and not once a micro-batch.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import torch

from ..model.network import Network
from ..printing import many
from ..work import out_of_memory
from .events import Note
from .objective import Objective, Unit
from .recipe import Recipe
from .staging import Piece, computed, divided

Result = tuple[torch.Tensor, torch.Tensor]
MOST = 24
"""Largest number of graphs. Each holds some megabytes beside the pool that all share."""
LEAST = 8
"""A shape that is expected less often than this is not captured: that takes as long as a few plain passes."""
CLOSE = 0.01
"""Largest relative difference between what a graph gives and a plain pass with the same dropout."""


class Recorder(Protocol):
    """Records what a function computes on a device, so that it can be computed again without Python."""

    def warm(self, function: Callable[[], Result]) -> Result:
        """Compute a function where `record` would, but don't record it: kernels are loaded, and libraries get room."""

    def record(self, function: Callable[[], Result]) -> Callable[[], Result]:
        """Record a function. What is returned computes it again, on the tensors that it read, into the same results."""

    def free(self) -> None:
        """Free all that was recorded, and its memory."""

    @property
    def size(self) -> int:
        """Bytes of memory that the recordings hold."""


class Graphs:
    """CUDA graphs that share one pool of memory, for no two of them run at the same time.

    Args:
        device: A CUDA GPU.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self.graphs: list[torch.cuda.CUDAGraph] = []
        self.pool: Any = None
        self.size = 0

    @contextmanager
    def aside(self) -> Iterator[None]:
        """A stream of their own, after what was queued before, and before what is queued later. It is left even where
        a capture fails."""
        with torch.cuda.device(self.device):
            usual = torch.cuda.current_stream()
            self.stream.wait_stream(usual)
            try:
                with torch.cuda.stream(self.stream):
                    yield
            finally:
                usual.wait_stream(self.stream)

    def warm(self, function: Callable[[], Result]) -> Result:
        with self.aside():
            return function()

    def record(self, function: Callable[[], Result]) -> Callable[[], Result]:
        graph, self.pool = torch.cuda.CUDAGraph(), self.pool or torch.cuda.graph_pool_handle()
        torch.cuda.empty_cache()
        before = torch.cuda.mem_get_info(self.device)[0]
        # Other threads of the program may go on using the GPU: `thread_local`.
        context = torch.cuda.graph(graph, pool=self.pool, stream=self.stream, capture_error_mode="thread_local")
        with self.aside(), context:
            results = function()
        self.graphs.append(graph)
        self.size += max(0, before - torch.cuda.mem_get_info(self.device)[0])

        def replay() -> Result:
            graph.replay()
            return results

        return replay

    def free(self) -> None:
        if self.graphs:
            torch.cuda.synchronize(self.device)
        for graph in self.graphs:
            graph.reset()
        self.graphs, self.pool, self.size = [], None, 0
        torch.cuda.empty_cache()


@dataclass(frozen=True, slots=True)
class Recording:
    """A pass that was recorded for a shape.

    Attributes:
        piece: The tensors that it reads, on the device.
        replay: Computes it again.
    """

    piece: Piece
    replay: Callable[[], Result]

    def fits(self, piece: Piece) -> bool:
        """Whether a piece has the shapes of the tensors. It should; the objective of others may not keep its word."""
        return [one.shape for one in piece.tensors] == [one.shape for one in self.piece.tensors]

    def run(self, piece: Piece) -> Result:
        """Compute another piece of this shape."""
        for buffer, one in zip(self.piece.tensors, piece.tensors, strict=True):
            buffer.copy_(one.pin_memory() if buffer.device.type == "cuda" else one, non_blocking=True)
        return self.replay()


class Captured:
    """The recorded passes of a training, by shape.

    Args:
        network: The network that trains.
        objective: The loss and its examples.
        recorder: What records.
        notes: Takes what a person should know.
        most: Largest number of shapes.
        least: How often a shape must come.
    """

    def __init__(
        self,
        network: Network,
        objective: Objective,
        recorder: Recorder,
        *,
        notes: list[Note],
        most: int = MOST,
        least: int = LEAST,
    ) -> None:
        self.network = network
        self.objective = objective
        self.recorder = recorder
        self.notes = notes
        self.most = most
        self.least = least
        self.recordings: dict[Hashable, Recording] = {}
        self.made_for: Hashable = None
        self.coming: Callable[[], Iterable[Sequence[Unit]]] = tuple
        self.left = 0
        self.off = False

    def expect(self, coming: Callable[[], Iterable[Sequence[Unit]]], *, left: int) -> None:
        """Say what is to come, before a step is taken.

        Args:
            coming: Gives the units of the next steps; it is asked only where something is to be recorded.
            left: Number of all steps to come.
        """
        self.coming, self.left = coming, left

    def prepare(self, micro_tokens: int) -> None:
        """Record the usual shapes of what is to come, unless they are recorded. Gradients that are there are cleared.

        They are recorded anew when other parameters train, or pieces have another size. Where it fails, steps are
        computed as they are from here on.

        Args:
            micro_tokens: Number of tokens that go through the encoder at once.

        Raises:
            MemoryError: memory ran out. Nothing is recorded then.
        """
        wanted = (micro_tokens, *((weights.data_ptr(), weights.requires_grad) for weights in self.network.parameters()))
        if self.off or wanted == self.made_for:
            return
        self.drop()
        self.made_for, start = wanted, time.perf_counter()
        groups, share = self.plan(micro_tokens)
        try:
            for group in groups:
                self.recordings[group[0].batch.shape] = self.record(group[0], group[-1])
        except Exception as error:  # code of others is recorded, too, and may raise anything
            self.drop()
            if any(out_of_memory(one) for one in chain(error)):
                raise MemoryError("memory ran out while a step was captured") from error
            self.give_up(str(error).splitlines()[0] if str(error) else type(error).__name__)
            return
        zero(self.network)
        if groups:
            self.notes.append(
                Note(
                    f"captured {many(len(groups), 'shape')} of micro-batches as CUDA graphs, {share:.0%} of those to "
                    f"come: {time.perf_counter() - start:.1f} s, {self.recorder.size / 1e6:,.0f} MB"
                )
            )

    def plan(self, micro_tokens: int) -> tuple[list[list[Piece]], float]:
        """One or two micro-batches of each shape to record, largest first: those after it find their room in its own.

        Args:
            micro_tokens: Number of tokens that go through the encoder at once.

        Returns:
            The micro-batches, and the share of all that have these shapes.
        """
        counts: Counter[Hashable] = Counter()
        examples: dict[Hashable, list[Piece]] = {}
        looked = 0
        for units in self.coming():
            looked += 1
            for chosen, batch in divided(self.network, units, micro_tokens=micro_tokens):
                counts[batch.shape] += 1
                if counts[batch.shape] <= 2:
                    examples.setdefault(batch.shape, []).append(Piece(batch, self.objective.stage(chosen, batch)))
        usual = [shape for shape, count in counts.most_common(self.most) if count * self.left >= self.least * looked]
        groups = sorted((examples[shape] for shape in usual), key=lambda group: -group[0].batch.ids.numel())
        return groups, sum(counts[shape] for shape in usual) / max(1, counts.total())

    def record(self, first: Piece, other: Piece) -> Recording:
        """Record the pass over a piece, and see whether it gives what a plain pass over another one gives.

        Raises:
            RuntimeError: it doesn't.
        """
        network, objective, device = self.network, self.objective, self.network.device
        plain = self.figures(lambda: self.recorder.warm(lambda: computed(network, objective, other.on(device))))
        own = first.on(device)
        # Its lengths are those of one piece: whatever reads them shows now.
        own = Piece(replace(own.batch.with_tensors(copies(own.batch.tensors())), lengths=()), copies(own.staged))
        recording = Recording(own, self.recorder.record(lambda: computed(network, objective, own)))
        again = self.figures(lambda: recording.run(other))
        if not all(abs(one - two) <= CLOSE * abs(two) for one, two in zip(again, plain, strict=True)):
            loss, _, norm = again
            raise RuntimeError(
                f"a graph gave loss {loss:.6g} and norm {norm:.6g}, a plain pass {plain[0]:.6g} and {plain[2]:.6g}"
            )
        return recording

    def figures(self, compute: Callable[[], Result]) -> list[float]:
        """Loss, weight and norm of the gradient of a pass, under one and the same dropout."""
        zero(self.network)
        torch.manual_seed(0)
        loss, weight = compute()
        gradients = [weights.grad for weights in self.network.parameters() if weights.grad is not None]
        return torch.stack([loss.float(), weight.float(), torch.nn.utils.get_total_norm(gradients)]).tolist()

    def find(self, piece: Piece) -> Recording | None:
        """The recording that computes a piece, if there is one."""
        recording = self.recordings.get(piece.batch.shape)
        return recording if recording is not None and recording.fits(piece) else None

    def give_up(self, reason: str, level: Literal["info", "warning"] = "warning") -> None:
        """Record nothing more."""
        self.drop()
        self.off = True
        self.notes.append(Note(f"steps are not captured as CUDA graphs, and take longer: {reason}", level))

    def drop(self) -> None:
        """Free everything, with the gradients that the recordings add to."""
        self.recordings.clear()
        self.recorder.free()
        self.made_for = None
        self.network.zero_grad(set_to_none=True)


def capture(
    network: Network, objective: Objective, recipe: Recipe, *, notes: list[Note], least: int = LEAST
) -> Captured | None:
    """What captures the steps of a training: on a CUDA GPU, where all that a step depends on is in tensors.

    Args:
        network: The network.
        objective: The loss and its examples.
        recipe: Settings of the training.
        notes: Takes what a person should know.
        least: How often a shape must come to be captured.
    """
    if network.device.type != "cuda" or not recipe.graphs:
        return None
    captured = Captured(network, objective, Graphs(network.device), notes=notes, least=least)
    if recipe.checkpointing:
        captured.give_up("gradient checkpointing computes layers again", "info")
    elif not objective.static(network):
        captured.give_up("the loss of this head or task asks the host", "info")
    return captured


def copies(tensors: Any) -> dict[str, torch.Tensor]:
    """Copies that nothing else holds."""
    return {name: one.clone() for name, one in tensors.items()}


def zero(network: Network) -> None:
    """Set the gradients that are there to 0, where they are."""
    gradients = [weights.grad for weights in network.parameters() if weights.grad is not None]
    if gradients:
        torch._foreach_zero_(gradients)


def chain(error: BaseException | None) -> Iterator[Exception]:
    """An error and those during whose handling it was raised: the end of a broken capture hides what broke it."""
    while error is not None:
        if isinstance(error, Exception):
            yield error
        error = error.__cause__ or error.__context__
