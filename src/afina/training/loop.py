"""The training loop as a generator of steps. Its consumer logs, evaluates, saves and stops."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence

import numpy as np
import torch

from ..errors import TrainingError
from ..model.network import Network
from ..work import out_of_memory
from .events import Step
from .objective import Objective, Unit


def epoch_batches(n: int, size: int, *, seed: int, epoch: int) -> list[list[int]]:
    """The batches of one epoch: a random permutation of range(n) in parts of `size`; the last may be shorter.

    The order does not depend on lengths, which would bias the steps. It is a pure function of the arguments, so that a
    resumed run sees the same order.
    """
    order = np.random.Generator(np.random.Philox(key=[seed, epoch])).permutation(n)
    return [order[i : i + size].tolist() for i in range(0, n, size)]


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
) -> Generator[Step, None, None]:
    """Train, one step of the optimiser at a time. Order and dropout are pure functions of seed and step.

    Args:
        network: A network whose trainable part is chosen.
        objective: The loss and its examples.
        optimiser: Optimiser of the trainable parameters. The learning rates of its groups are the peaks.
        factor: Factor on the learning rates by step, from 0.
        epochs: Number of passes over the data.
        batch_size: Number of examples of a step.
        clip: Largest norm of the gradient.
        micro_tokens: Number of tokens, padding included, that go through the encoder at once.
        seed: Seed of order and dropout.
        done: Number of steps taken by an earlier run, which are skipped.

    Raises:
        TrainingError: loss or gradient is not finite; names the step and the rows.
    """
    peaks = [group["lr"] for group in optimiser.param_groups]
    number = 0
    for epoch in range(epochs):
        batches = epoch_batches(objective.examples, batch_size, seed=seed, epoch=epoch)
        for place, batch in enumerate(batches):
            if number < done:
                number += 1
                continue
            network.train()
            for group, peak in zip(optimiser.param_groups, peaks, strict=True):
                group["lr"] = peak * factor(number)
            units = objective.units(batch, number)
            total, count, tokens, places, micro_tokens = with_backoff(
                network, objective, units, micro_tokens=micro_tokens, seed=step_seed(seed, number)
            )
            norm = moved(optimiser, total, count=count, clip=clip)
            if not math.isfinite(norm + float(total)):
                raise TrainingError(not_finite(objective.where(batch), number, loss=float(total / count), norm=norm))
            number += 1
            last = place == len(batches) - 1
            yield Step(
                number, epoch, last,
                loss=float(total / count),
                learning_rate=float(optimiser.param_groups[0]["lr"]),
                grad_norm=norm,
                tokens=tokens,
                padded_tokens=places,
                micro_tokens=micro_tokens,
            )  # fmt: skip


def moved(optimiser: torch.optim.Optimizer, total: torch.Tensor, *, count: torch.Tensor, clip: float | None) -> float:
    """Take a step with the gradients that are there, and clear them.

    Args:
        optimiser: Over the trainable parameters, whose gradients are those of a sum.
        total: Summed loss of the step.
        count: Number (or weight) of its items.
        clip: Largest norm of the gradient of the mean.

    Returns:
        Norm of that gradient before clipping. Nothing is updated where it, or the loss, is not finite.
    """
    gradients = [p.grad for group in optimiser.param_groups for p in group["params"] if p.grad is not None]
    norm = torch.nn.utils.get_total_norm(gradients) / count
    if not bool(torch.isfinite(norm + total)):
        return float(norm)
    # One pass over the gradients does both: the mean over the items, and the clipping.
    scale = 1.0 / count if clip is None else torch.clamp(clip / (norm + 1e-6), max=1.0) / count
    torch._foreach_mul_(gradients, scale)
    optimiser.step()
    # A fused optimiser does not count its changes, by which copies of weights in another type know that they are old.
    torch.autograd.graph.increment_version([p for group in optimiser.param_groups for p in group["params"]])
    optimiser.zero_grad(set_to_none=True)
    return float(norm)


def with_backoff(
    network: Network, objective: Objective, units: Sequence[Unit], *, micro_tokens: int, seed: int
) -> tuple[torch.Tensor, torch.Tensor, int, int, int]:
    """What `gradients` gives, in smaller pieces when memory runs out: sums of losses make the division invisible.

    Returns:
        What `gradients` returns, and the number of tokens that went through the encoder at once.
    """
    longest = max(map(longest_window, units))
    while True:
        torch.manual_seed(seed)
        try:
            return *gradients(network, objective, units, micro_tokens=micro_tokens), micro_tokens
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error) or micro_tokens <= longest:
                raise
            network.zero_grad(set_to_none=True)
            micro_tokens = max(longest, micro_tokens // 2)


def gradients(
    network: Network, objective: Objective, units: Sequence[Unit], *, micro_tokens: int
) -> tuple[torch.Tensor, torch.Tensor, int, int]:
    """Gradients of the summed loss of some units, left in the parameters.

    Returns:
        Summed loss, number (or weight) of items, number of real tokens, number of places computed.
    """
    total = count = torch.zeros((), device=network.device)
    tokens = places = 0
    lengths = [longest_window(unit) for unit in units]
    for group in network.layout.split(lengths, micro_tokens, [len(unit.windows) for unit in units]):
        chosen = [units[i] for i in group]
        inputs = network.collate([window for unit in chosen for window in unit.windows])
        staged = {name: one.to(network.device) for name, one in objective.stage(chosen, inputs).items()}
        loss, weight = objective.loss(network, inputs, staged)
        loss.backward()  # type: ignore[no-untyped-call]
        total, count = total + loss.detach(), count + weight
        tokens, places = tokens + inputs.tokens, places + inputs.ids.numel()
    return total, count, tokens, places


def longest_window(unit: Unit) -> int:
    """Number of tokens of a unit's longest window."""
    return max(map(len, unit.windows))


def step_seed(seed: int, number: int) -> int:
    """The seed of a step's dropout."""
    return int(np.random.SeedSequence((seed, number)).generate_state(1, np.uint64)[0] >> 1)


def not_finite(where: Sequence[str], number: int, *, loss: float, norm: float) -> str:
    """The message about a step that went wrong."""
    places = ", ".join(where[:8]) + (" ..." if len(where) > 8 else "")
    return (
        f"step {number + 1}: the loss is {loss} and the norm of its gradient {norm}; nothing was updated. "
        f"The step's rows: {places}. A lower learning rate (training.learning_rate) is the usual cure; "
        "weights that are not finite in the loaded model are the other cause"
    )
