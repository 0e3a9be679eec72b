"""Learning rates that can't work: warned of at the start, and stopped when the loss has left its start for good."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from ..model.network import Network
from ..strategies import Rates, Strategy
from .recipe import Recipe
from .rundir import RunFolder, go_on

WINDOW = 50
"""Steps over which a loss must be far above its start. A shorter training is never stopped."""
FACTOR = 3.0
"""How far: so many times the loss at the start. Trainings that learn stay at 1 or below. A head with 100 times the
usual rate still learned something and came to 2.6; trainings that had diverged came to between 4 and 200."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A learning rate of a training.

    Attributes:
        name: What it is called in a message.
        value: The rate.
        flag: What sets it on the command line, up to the value.
        rates: The rates that the strategy bears; None where they are not known.
    """

    name: str
    value: float
    flag: str
    rates: Rates | None

    @property
    def too_high(self) -> bool:
        """Whether it is beyond what the strategy bears."""
        return self.rates is not None and self.value > self.rates.highest

    @property
    def too_low(self) -> bool:
        """Whether it moves nothing."""
        return self.rates is not None and self.value < self.rates.lowest

    @property
    def usual(self) -> str:
        """The flag with the usual rate."""
        return f"{self.flag}{self.rates.usual:g}" if self.rates else self.lower

    @property
    def lower(self) -> str:
        """The flag with a rate that is lower: the usual one, or a tenth where that is lower still."""
        return f"{self.flag}{min(self.value / 10, self.rates.usual if self.rates else self.value):g}"


def rates_of(strategy: Strategy, recipe: Recipe, network: Network) -> list[Rate]:
    """The learning rates of a training at their highest: of the encoder's upper end where it trains, and of the head.

    `layer_decay` only lowers the rate from layer to layer, so the upper end has the highest.
    """
    depth, width = network.backbone.depth, network.backbone.width
    heights = {network.layer_of(name) for name, weights in network.named_parameters() if weights.requires_grad}
    own = Rate("learning rate", recipe.learning_rate, "--learning-rate ", strategy.rates("encoder", width=width))
    if not heights - {depth + 1}:
        own = Rate(own.name, own.value, own.flag, strategy.rates("head", width=width))
    if recipe.head_learning_rate is None:
        return [own]
    flag = "--set training.head_learning_rate="
    head = Rate("learning rate of the head", recipe.head_learning_rate, flag, strategy.rates("head", width=width))
    return [own, head] if heights - {depth + 1} else [head]


def rate_warnings(rates: Sequence[Rate], *, strategy: str, width: int) -> Iterator[str]:
    """A line for each rate that is far too high or far too low."""
    for rate in rates:
        if rate.rates is None or not (rate.too_high or rate.too_low):
            continue
        much, effect = ("low", "below, weights hardly move")
        if rate.too_high:
            much, effect = "high", "beyond, trainings diverge or end with one answer for every input"
        yield (
            f"{rate.name} {rate.value:g} is far too {much} for strategy {strategy} and an encoder of width {width}: "
            f"rates from {rate.rates.lowest:g} to {rate.rates.highest:g} train it; {effect}. Usual: {rate.usual}"
        )


@dataclass
class Watch:
    """Sees whether a training has diverged.

    It has where the median loss of the last `WINDOW` steps is more than `FACTOR` times the loss of its start, which is
    the higher one of the first step's, before anything was updated, and that of logits that are all 0 (ln k for one of
    k labels, 1 for standardised numbers). The median ignores single steps with outliers, and a loss that falls back
    within the window. During warm-up the rate still rises, so what is lost then is lost. A loss that starts at or below
    0 has no such scale, and is not watched.

    Attributes:
        start: Loss of logits that are all 0.
        recent: Losses of the last steps.
        first: Loss of the first step.
        diverged: Whether it was seen to have diverged, which is said once.
    """

    start: float = 0.0
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    first: float | None = None
    diverged: bool = False

    def add(self, loss: float) -> bool:
        """Add the loss of a step. Whether the training is seen to have diverged, for the first time."""
        self.first = loss if self.first is None else self.first
        self.recent.append(loss)
        if self.diverged or len(self.recent) < WINDOW or self.now <= FACTOR * self.reference or self.reference <= 0:
            return False
        self.diverged = True
        return True

    @property
    def reference(self) -> float:
        """The loss of the start."""
        return max(self.start, self.first or self.start)

    @property
    def now(self) -> float:
        """Median loss of the last steps."""
        return median(self.recent)

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps, in JSON values: a resumed run sees the same in the same step, and says it again."""
        return {"recent": list(self.recent), "first": self.first}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up the state of a checkpoint."""
        self.recent.extend(state.get("recent", ()))
        self.first = state.get("first")


def what_happened(watch: Watch, rates: Sequence[Rate], *, number: int) -> str:
    """A training that has diverged, in words."""
    values = ", ".join(f"{rate.name} {rate.value:g}" for rate in rates)
    return (
        f"step {number}: the training has diverged: the loss went from {watch.reference:.3g} at the start to "
        f"{watch.now:.3g}, the median of the last {WINDOW} steps ({values})"
    )


def cures(rates: Sequence[Rate]) -> str:
    """The flags that set rates which work: those of the rates that are too high, or of all."""
    return " ".join(rate.lower for rate in [rate for rate in rates if rate.too_high] or rates)


def warning_message(watch: Watch, rates: Sequence[Rate], *, number: int) -> str:
    """The warning of a training that goes on all the same."""
    return f"{what_happened(watch, rates, number=number)}; it goes on (training.diverged=warn). Try {cures(rates)}"


def stop_message(watch: Watch, rates: Sequence[Rate], *, number: int, folder: Path) -> str:
    """Why a training stops, what to try, and what lies on the disk."""
    again = f"{go_on(folder)} --set training.diverged=warn goes on all the same"
    left = (
        f"{folder} holds its logs and a checkpoint from before; {again}"
        if RunFolder(folder).has_checkpoint
        else f"{folder} holds its logs and no checkpoint; --set training.diverged=warn goes on all the same"
    )
    return (
        f"{what_happened(watch, rates, number=number)}. The same command with {cures(rates)} --overwrite begins anew. "
        f"{left}"
    )
