"""The training loop as an iterator of steps. Its consumer logs, evaluates, saves and stops."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

import numpy as np
import torch

from ..errors import Diverged
from ..model.network import Network
from ..work import out_of_memory
from .captured import Captured
from .events import Step
from .objective import Objective, Unit
from .staging import computed, longest_window, pieces

AHEAD = 500
"""Number of steps that are looked at for the shapes of their micro-batches."""


def epoch_batches(n: int, size: int, *, seed: int, epoch: int) -> list[list[int]]:
    """The batches of one epoch: a random permutation of range(n) in parts of `size`; the last may be shorter.

    The order does not depend on lengths, which would bias the steps. It is a pure function of the arguments, so that a
    resumed run sees the same order.
    """
    order = np.random.Generator(np.random.Philox(key=[seed, epoch])).permutation(n)
    return [order[i : i + size].tolist() for i in range(0, n, size)]


@dataclass(frozen=True, slots=True)
class Launched:
    """A step that a device was given; on a GPU it may still be computing.

    Attributes:
        step: What is known of the step without waiting for it: all but loss and norm.
        figures: Loss, norm of the gradient, and 1 where one of them is not finite. [3]
        ready: The event after which `figures` are there; None where they are.
        batch: The step's examples.
    """

    step: Step
    figures: torch.Tensor
    ready: torch.cuda.Event | None
    batch: Sequence[int]


class Steps(Iterator[Step]):
    """The steps of a training as they are read, each after up to `lag` later ones were launched.

    A GPU computes while the host prepares the next step, so a loss is read a step later there: waiting for it at once
    would leave the GPU without work. A step that is not finite updates nothing, nor does one launched after it.

    Args:
        launches: Launches one step each time it is asked.
        objective: Knows where examples come from, for messages.
        lag: Number of steps that may be launched before a step is read. Before an epoch ends all are read.
        captured: What is freed at the end.
    """

    def __init__(
        self,
        launches: Generator[Launched, None, None],
        objective: Objective,
        *,
        lag: int,
        captured: Captured | None = None,
    ) -> None:
        self.launches = launches
        self.objective = objective
        self.lag = lag
        self.captured = captured
        self.waiting: deque[Launched] = deque()

    def __next__(self) -> Step:
        """The next step.

        Raises:
            Diverged: loss or gradient is not finite; names the step and the rows.
        """
        while not self.waiting or (len(self.waiting) <= self.lag and not self.waiting[-1].step.last):
            launched = next(self.launches, None)
            if launched is None:
                break
            self.waiting.append(launched)
        if not self.waiting:
            self.close()
            raise StopIteration
        return self.read(self.waiting.popleft())

    def settle(self) -> Iterator[Step]:
        """The steps that were launched and not read: after them the weights are those of the last step."""
        while self.waiting:
            yield self.read(self.waiting.popleft())

    def read(self, launched: Launched) -> Step:
        """Wait for a step. If it is not finite, it was the last one, and those after it count for nothing."""
        if launched.ready is not None:
            launched.ready.synchronize()
        loss, norm, bad = launched.figures.tolist()
        if bad:
            self.close()
            where = self.objective.where(launched.batch)
            raise Diverged(not_finite(where, launched.step.number, loss=loss, norm=norm))
        return replace(launched.step, loss=loss, grad_norm=norm)

    def close(self) -> None:
        """Launch and read no more."""
        self.waiting.clear()
        self.launches.close()
        if self.captured is not None:
            self.captured.drop()


def steps(
    network: Network,
    objective: Objective,
    *,
    optimiser: torch.optim.Optimizer,
    factor: Callable[[int], float],
    epochs: int,
    batch_size: int,
    clip: float | None,
    micro_tokens: int,
    seed: int,
    done: int = 0,
    first_step: int = 0,
    first_epoch: int = 0,
    lag: int | None = None,
    captured: Captured | None = None,
) -> Steps:
    """Train, one step of the optimiser at a time. Order and dropout are pure functions of seed and step.

    Args:
        network: A network whose trainable part is chosen.
        objective: The loss and its examples.
        optimiser: Optimiser of the trainable parameters. The learning rates of its groups are the peaks.
        factor: Factor on the learning rates by step of this stretch, from 0.
        epochs: Number of passes over the data.
        batch_size: Number of examples of a step.
        clip: Largest norm of the gradient.
        micro_tokens: Number of tokens, padding included, that go through the encoder at once.
        seed: Seed of order and dropout.
        done: Number of steps of the whole training that were taken before.
        first_step, first_epoch: Numbers of steps and of epochs of the whole training before this stretch.
        lag: Number of steps launched before one is read, which takes a fused optimiser; by default 1 on a CUDA GPU.
        captured: Captures the passes of the steps after the first.
    """
    lag = int(network.device.type == "cuda") if lag is None else lag
    bad = torch.zeros((), device=network.device) if lag else None
    peaks, first = [group["lr"] for group in optimiser.param_groups], max(done, first_step)
    order = Order(objective.examples, batch_size, epochs, seed, first_step, first_epoch)

    def launches() -> Generator[Launched, None, None]:
        most = micro_tokens
        for number, epoch, last, batch in order.steps(done):
            network.train()
            network.refresh()  # a captured pass does not do it
            for group, peak in zip(optimiser.param_groups, peaks, strict=True):
                group["lr"] = peak * factor(number - first_step)
            capturing = captured if number > first else None
            if capturing is not None:
                capturing.expect(partial(coming, objective, order, number), left=order.end - number)
            total, count, tokens, places, most = with_backoff(
                network, objective, objective.units(batch, number), micro_tokens=most, seed=step_seed(seed, number),
                captured=capturing,
            )  # fmt: skip
            kept = capturing is not None and bool(capturing.recordings)
            figures = moved(optimiser, total, count=count, clip=clip, bad=bad, kept=kept)
            rate = float(optimiser.param_groups[0]["lr"])
            step = Step(number + 1, epoch, last, math.nan, rate, math.nan, tokens, places, most)
            yield Launched(step, *on_host(figures), batch)

    return Steps(launches(), objective, lag=lag, captured=captured)


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a training's examples, a pure function of its attributes.

    Attributes:
        examples: Number of examples.
        batch_size: Number of examples of a step.
        epochs: Number of passes over them.
        seed: The seed.
        first_step: Number of the first step.
        first_epoch: Number of the first epoch.
    """

    examples: int
    batch_size: int
    epochs: int
    seed: int
    first_step: int = 0
    first_epoch: int = 0

    @property
    def end(self) -> int:
        """Number of the step after the last."""
        return self.first_step + math.ceil(self.examples / self.batch_size) * self.epochs

    def steps(self, done: int = 0) -> Iterator[tuple[int, int, bool, list[int]]]:
        """Number from 0, epoch, whether it is the epoch's last, and examples of each step that is left."""
        number = self.first_step
        for epoch in range(self.first_epoch, self.first_epoch + self.epochs):
            batches = epoch_batches(self.examples, self.batch_size, seed=self.seed, epoch=epoch)
            for batch in batches:
                if number >= done:
                    yield number, epoch, batch is batches[-1], batch
                number += 1


def coming(objective: Objective, order: Order, number: int) -> Iterator[list[Unit]]:
    """The units of a step and of those after it, as many as are looked at for their shapes."""
    return (objective.units(batch, step) for step, _, _, batch in islice(order.steps(number), AHEAD))


def on_host(figures: torch.Tensor) -> tuple[torch.Tensor, torch.cuda.Event | None]:
    """A copy in host memory, which a GPU makes when it comes to it, and the event after which it is there."""
    if figures.device.type != "cuda":
        return figures, None
    copied = figures.to("cpu", non_blocking=True)  # into pinned memory
    ready = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
    ready.record()
    return copied, ready


def moved(
    optimiser: torch.optim.Optimizer,
    total: torch.Tensor,
    *,
    count: torch.Tensor,
    clip: float | None,
    bad: torch.Tensor | None = None,
    kept: bool = False,
) -> torch.Tensor:
    """Take a step with the gradients that are there, and clear them.

    Args:
        optimiser: Over the trainable parameters, whose gradients are those of a sum.
        total: Summed loss of the step.
        count: Number (or weight) of its items.
        clip: Largest norm of the gradient of the mean.
        bad: For a step that is read later: 0, and 1 from the first step on that is not finite. The optimiser, a fused
            one, reads it on the device. None asks the device at once.
        kept: Whether gradients stay where they are, as 0, for graphs that add to them.

    Returns:
        Mean loss, norm of its gradient before clipping, and 1 where they, or those of an earlier step, are not finite:
        nothing is updated then. [3]
    """
    parameters = [p for group in optimiser.param_groups for p in group["params"] if p.grad is not None]
    gradients = [p.grad for p in parameters]
    norm = torch.nn.utils.get_total_norm(gradients) / count
    wrong = torch.isfinite(norm + total).logical_not().float()
    # One pass over the gradients does both: the mean over the items, and the clipping.
    scale = 1.0 / count if clip is None else torch.clamp(clip / (norm + 1e-6), max=1.0) / count
    if bad is not None:  # the optimiser's own pass is that one
        wrong = torch.maximum(bad, wrong, out=bad)
        optimiser.found_inf, optimiser.grad_scale = bad, (1.0 / scale).float()  # type: ignore[attr-defined]
    figures = torch.stack([(total / count).float(), norm.float(), wrong])
    if bad is None:
        if bool(wrong):
            return figures
        torch._foreach_mul_(gradients, scale)
    optimiser.step()
    # A fused optimiser does not count its changes, by which copies of weights in another type know that they are old.
    torch.autograd.graph.increment_version(parameters)
    optimiser.zero_grad(set_to_none=not kept)
    return figures


def with_backoff(
    network: Network,
    objective: Objective,
    units: Sequence[Unit],
    *,
    micro_tokens: int,
    seed: int,
    captured: Captured | None = None,
) -> tuple[torch.Tensor, torch.Tensor, int, int, int]:
    """What `gradients` gives, in smaller pieces when memory runs out: sums of losses make the division invisible.

    Args:
        network: The network.
        objective: The loss.
        units: The step's units.
        micro_tokens: Number of tokens that go through the encoder at once.
        seed: Seed of the step's dropout.
        captured: What captures passes; those that were captured are freed before a step is divided.

    Returns:
        What `gradients` returns, and the number of tokens that went through the encoder at once.
    """
    longest = max(map(longest_window, units))
    while True:
        try:
            if captured is not None:
                captured.prepare(micro_tokens)
            seed_step(seed, network.device)
            found = gradients(network, objective, units, micro_tokens=micro_tokens, captured=captured)
            return *found, micro_tokens
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            network.zero_grad(set_to_none=True)
            if micro_tokens > longest:
                micro_tokens = max(longest, micro_tokens // 2)
            elif captured is None or captured.off:
                raise
            else:
                captured.give_up("memory ran out")
                continue
            if captured is not None:
                captured.drop()


def seed_step(seed: int, device: torch.device) -> None:
    """Seed what draws the dropout of a step.

    On a CPU, its generator alone: `torch.manual_seed` also leaves a call for every device that was never used, with
    the stack of whoever made it, which takes time and memory at each step.
    """
    if device.type == "cpu":
        torch.default_generator.manual_seed(seed)
    else:
        torch.manual_seed(seed)


def gradients(
    network: Network,
    objective: Objective,
    units: Sequence[Unit],
    *,
    micro_tokens: int,
    captured: Captured | None = None,
) -> tuple[torch.Tensor, torch.Tensor, int, int]:
    """Gradients of the summed loss of some units, left in the parameters.

    Returns:
        Summed loss, number (or weight) of items, number of real tokens, number of places computed.
    """
    total = count = torch.zeros((), device=network.device)
    tokens = places = 0
    for piece in pieces(network, objective, units, micro_tokens=micro_tokens):
        recording = captured.find(piece) if captured is not None else None
        loss, weight = recording.run(piece) if recording else computed(network, objective, piece.on(network.device))
        total, count = total + loss, count + weight
        tokens, places = tokens + piece.batch.tokens, places + piece.batch.ids.numel()
    return total, count, tokens, places


def step_seed(seed: int, number: int) -> int:
    """The seed of a step's dropout."""
    return int(np.random.SeedSequence((seed, number)).generate_state(1, np.uint64)[0] >> 1)


def not_finite(where: Sequence[str], number: int, *, loss: float, norm: float) -> str:
    """The message about a step that went wrong."""
    places = ", ".join(where[:8]) + (" ..." if len(where) > 8 else "")
    return (
        f"step {number}: the loss is {loss} and the norm of its gradient {norm}; nothing was updated. "
        f"The step's rows: {places}. A lower learning rate (training.learning_rate) is the usual cure; "
        "weights that are not finite in the loaded model are the other cause"
    )
