"""Probabilities of logits, and the temperature that makes them honest (Guo et al. 2017).

Logits are divided by one number T before the softmax or the sigmoid. T > 1 makes a model less sure and T < 1 surer.
What it says stays the same, because the order of the logits does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .kinds import Array

FEWEST = 50
"""Fewest rows to which a temperature is fitted."""
FEWEST_WRONG = 5
"""Fewest errors among them: without an error, the likelihood grows for ever as T falls to 0."""
COLDEST, HOTTEST = 0.05, 20.0
"""Bounds of a temperature. A model that is no better than chance would get an infinite one."""
GRID = 25
"""Temperatures that are tried before the best of them is refined."""
GOLDEN = (math.sqrt(5) - 1) / 2
SMALLEST = float(np.finfo(np.float64).tiny)


def softmax(logits: Array, temperature: float = 1.0) -> Array:
    """Softmax of logits / temperature over the last axis, in the precision of the logits."""
    scaled = logits / temperature if temperature != 1.0 else logits
    shifted = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    result: Array = shifted / shifted.sum(axis=-1, keepdims=True)
    return result


def sigmoid(logits: Array, temperature: float = 1.0) -> Array:
    """1 / (1 + exp(-x / temperature)), without overflow."""
    return np.exp(-np.logaddexp(0, -logits.astype(np.float64) / temperature))


def tempered(probabilities: Array, temperature: float) -> Array:
    """What `softmax` gives at a temperature, from what it gives at 1; zeros stay zeros. [..., k]"""
    if temperature == 1.0:
        return probabilities
    largest = probabilities.max(axis=-1, keepdims=True, initial=SMALLEST)
    powers = (probabilities / largest) ** (1 / temperature)
    result: Array = powers / powers.sum(axis=-1, keepdims=True)
    return result


def moved_threshold(threshold: float, temperature: float, *, before: float = 1.0) -> float:
    """The threshold that gives the labels at a temperature that another gave at the temperature before.

    It is sigmoid(logit(threshold) before / temperature); 0, 1 and whatever lies beyond stay.
    """
    if not 0 < threshold < 1 or temperature == before:
        return threshold
    logit = math.log(threshold) - math.log1p(-threshold)
    return float(sigmoid(np.array(logit * before), temperature))


@dataclass(frozen=True, slots=True)
class LabelledLogits:
    """Logits beside what is right, to fit a temperature to and to score one on.

    Attributes:
        logits: One row an item; -inf where a row has fewer than others. [m, k]
        gold: What is right, by `kind`.
        kind: `one`: the number of the right label [m]. `several`: whether each label is there, bool [m, k]. `first`:
            whether the label with the largest logit is right, bool [m], where the right one may be absent.
    """

    logits: Array
    gold: Array
    kind: Literal["one", "several", "first"] = "one"

    def __len__(self) -> int:
        return len(self.gold)

    @property
    def wrong(self) -> int:
        """Number of errors: rows whose largest logit is not the right one; for `several`, of labels."""
        if self.kind == "several":
            return int(((self.logits > 0) != self.gold).sum())
        if self.kind == "first":
            return int((~self.gold).sum())
        return int((self.logits.argmax(axis=1) != self.gold).sum())

    def log_loss(self, temperature: float = 1.0) -> float:
        """Mean negative log-likelihood in nats, of rows or, for `several`, of labels; nan without rows.

        For `first` it is that of "the first is right" under the probability of the first.
        """
        if not len(self):
            return math.nan
        if self.kind == "several":
            signed = np.where(self.gold, -1.0, 1.0) * self.logits.astype(np.float64) / temperature
            return float(np.logaddexp(0, signed).mean())
        scaled = self.logits.astype(np.float64) / temperature
        shifted = scaled - scaled.max(axis=1, keepdims=True)
        total = np.exp(shifted).sum(axis=1)  # at least 1, the largest logit's part
        if self.kind == "one":
            return float((np.log(total) - shifted[np.arange(len(self)), self.gold]).mean())
        rest = np.maximum(total - 1, SMALLEST)
        return float((np.log(total) - np.where(self.gold, 0.0, np.log(rest))).mean())

    def squared_error(self, temperature: float = 1.0) -> float:
        """Brier score: for `one` the mean of sum_k (p_k - y_k)^2 (Brier 1950), else the mean of (p - y)^2."""
        if not len(self):
            return math.nan
        if self.kind == "several":
            return float(np.square(sigmoid(self.logits, temperature) - self.gold).mean())
        probabilities = softmax(self.logits.astype(np.float64), temperature)
        if self.kind == "first":
            return float(np.square(probabilities.max(axis=1) - self.gold).mean())
        squares = np.square(probabilities).sum(axis=1)  # (p_g - 1)^2 + sum of the others' p^2
        return float((squares + 1 - 2 * probabilities[np.arange(len(self)), self.gold]).mean())


@dataclass(frozen=True, slots=True)
class Fitted:
    """A temperature.

    Attributes:
        temperature: The temperature; 1 where none could be fitted.
        reason: Why none could be; empty where one was.
    """

    temperature: float
    reason: str = ""


def fit_temperature(labelled: LabelledLogits) -> Fitted:
    """The temperature with the smallest log loss, to four digits after the point.

    Its logarithm is searched, on a grid and then by golden sections. For `one` and `several` the log loss is convex in
    1 / T, so that there is one minimum. The same logits give the same temperature, and so do logits that differ in
    their last bits.

    Args:
        labelled: Logits that the model gives on data that did not train it.
    """
    if len(labelled) < FEWEST:
        return Fitted(1.0, f"{len(labelled)} of the at least {FEWEST} that a temperature needs")
    if labelled.wrong < FEWEST_WRONG:
        return Fitted(1.0, f"{labelled.wrong} wrong of the at least {FEWEST_WRONG} that a temperature needs to see")
    grid = np.linspace(math.log(COLDEST), math.log(HOTTEST), GRID)
    losses = [labelled.log_loss(math.exp(at)) for at in grid]
    best = int(np.argmin(losses))
    low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, GRID - 1)])
    while high - low > 1e-7:
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        if labelled.log_loss(math.exp(left)) <= labelled.log_loss(math.exp(right)):
            high = right
        else:
            low = left
    return Fitted(round(math.exp((low + high) / 2), 4))
