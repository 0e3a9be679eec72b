"""Linear heads on frozen vectors, fitted until they have converged: quick, without randomness, by the task's own loss.

    mean loss(x W + b) + |W|^2 d / (2 s m)

with m standardised vectors x of width d. The strength s is the variance that the logits have under the Gaussian prior
that this penalty stands for, so that the same strengths suit every width and amount of data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch

from ..metrics.kinds import Array
from ..tasks.base import Task

STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""From the strongest penalty, under which a head is nearly constant, to one that hardly matters."""
ITERATIONS = 50
"""Iterations of the solver at most. Each strength begins where the one before ended."""
TOLERANCE = 1e-5
"""Change of the loss in an iteration at which it has converged. Much less changes no score, and doubles the time."""
CURVATURE = 0.25
"""About the second derivative of a loss by a logit: p (1 - p) at most, in a logistic regression."""
SMALLEST = 1e-5
"""A column whose deviation is a smaller part of the largest value says nothing: it is rounding, as that of the
embedding of [CLS], which is the same in every text."""


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A linear head on vectors as they are.

    Attributes:
        weight: [d, k]
        bias: [k]
        strength: Its strength.
    """

    weight: torch.Tensor
    bias: torch.Tensor
    strength: float

    def logits(self, vectors: torch.Tensor) -> Array:
        """Logits of vectors. [n, d] -> [n, k]"""
        logits: Array = (vectors @ self.weight + self.bias).numpy()
        return logits


def path(
    task: Task, vectors: torch.Tensor, targets: torch.Tensor, *, strengths: Sequence[float] = STRENGTHS
) -> Iterator[Probe]:
    """Linear heads of rising strength, each made when it is asked for.

    Args:
        task: Fitted; it says the loss and the number of logits, k.
        vectors: In fp32. [m, d]
        targets: Their targets, as the loss takes them. [m] or [m, ...]
        strengths: In rising order.
    """
    mean, deviation = vectors.mean(dim=0), vectors.std(dim=0, correction=0)
    scale = torch.where(deviation > SMALLEST * vectors.abs().max(), 1 / deviation, 0.0)
    standard = (vectors - mean) * scale
    rows, width = vectors.shape
    # In the directions of the covariance, each scaled by its curvature, the solver takes half the iterations.
    variances, directions = torch.linalg.eigh(standard.T @ standard / rows)
    turned = standard @ directions
    weight = torch.zeros(width, task.head.outputs)
    bias = torch.zeros(task.head.outputs, requires_grad=True)
    for strength in strengths:
        penalty = width / (strength * rows)
        steps = (CURVATURE * variances.clamp_min(0) + penalty).rsqrt()[:, None]
        free = (weight / steps).requires_grad_()

        def objective(free: torch.Tensor = free, steps: torch.Tensor = steps, penalty: float = penalty) -> torch.Tensor:
            own = steps * free
            total, count = task.loss(turned @ own + bias, targets)
            return total / count + penalty / 2 * own.square().sum()

        minimise(objective, (free, bias))
        weight = (steps * free).detach()
        plain = directions @ weight * scale[:, None]
        yield Probe(plain, (bias - mean @ plain).detach(), strength)


def minimise(objective: Callable[[], torch.Tensor], parameters: Sequence[torch.Tensor]) -> None:
    """Minimise a convex function of tensors, in place: L-BFGS with strong Wolfe steps (Nocedal, Wright 2006, 7.2)."""
    solver = torch.optim.LBFGS(
        list(parameters), max_iter=ITERATIONS, history_size=10, tolerance_grad=10 * TOLERANCE,
        tolerance_change=TOLERANCE, line_search_fn="strong_wolfe",
    )  # fmt: skip

    def closure() -> torch.Tensor:
        solver.zero_grad()
        with torch.enable_grad():
            value = objective()
            value.backward()  # type: ignore[no-untyped-call]
        return value

    solver.step(closure)  # type: ignore[no-untyped-call]
