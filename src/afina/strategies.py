"""What of a model trains, and with which settings unless the user says otherwise.

A strategy is named `KIND` or `KIND-ARGUMENT`: `full`, `head`, `last-2`, `gradual`. Other packages offer kinds under the
entry-point group `afina.strategies`; a kind is called with its argument (empty without one) and returns a `Strategy`.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Literal

from .errors import ConfigError, ModelError, printable
from .printing import many

if TYPE_CHECKING:
    from .model.network import Network

GROUP = "afina.strategies"
LAST = re.compile(r"last-([1-9][0-9]*)", re.ASCII)
HEAD_THEN = "head-then-"
GRADUAL = re.compile(r"gradual(?:-([1-9][0-9]*))?", re.ASCII)
OWN = ("full", "head", "last-N", "head-then-full", "head-then-last-N", "gradual")
"""The strategies of this file, in the form in which they are written."""
LAYERED = ("last-N", "head-then-last-N", "gradual")
"""Those of them that need layers with weights of their own."""
FULL_STEPS = 600
"""Fine-tuning of layers takes at least about this many steps: on small data three epochs are too few
(Mosbach et al. 2021; Zhang et al. 2021)."""
MOST_EPOCHS = 20
HEAD_EPOCHS, HEAD_STEPS = 200, 3000
"""A head trains for at most so many epochs or steps, whichever is more; in truth until it has converged."""
HEAD_PATIENCE, HEAD_PATIENT_STEPS = 10, 500
"""It has converged when so many epochs or steps, whichever is more, bring no better validation score."""
HEAD_EVALUATION_STEPS = 25
"""On few examples its epochs are too short to evaluate after each."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """Settings that a strategy decides when the user leaves them open; names and units are those of `training`."""

    batch_size: int
    epochs: int
    learning_rate: float
    schedule: str = "linear"
    patience: int | None = None
    evaluate_every: int = 1


@dataclass(frozen=True, slots=True)
class Rates:
    """Learning rates with which something can be trained.

    Attributes:
        lowest: Below it, the weights hardly move in a training of the usual length.
        usual: What is tried first.
        highest: Beyond it, trainings diverge, or end with one answer for every input.
    """

    lowest: float
    usual: float
    highest: float


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of a training in which the same parameters train.

    What trains in a stage trains in all later ones, so that what is frozen is always that of the base model.

    Attributes:
        name: What trains, for people: `head`, `last-2`, `full`.
        apply: Chooses what trains, as `Strategy.apply` does.
        epochs, schedule, patience, evaluate_every: Settings of `training` in this stage; None for those of the run. A
            stage ends early where its patience does. Warm-up and schedule are those of each stage.
        head_learning_rate: The same for the head, where the user left it open; None for the rate of everything else.
        from_best: Whether the stage begins with the best weights so far, rather than with the last ones.
    """

    name: str
    apply: Callable[[Network], None]
    epochs: int | None = None
    schedule: str | None = None
    patience: int | None = None
    evaluate_every: float | None = None
    head_learning_rate: float | None = None
    from_best: bool = False


class Strategy(ABC):
    """The whole contract of a strategy."""

    @abstractmethod
    def apply(self, network: Network) -> None:
        """Choose what trains, be it in the last stage alone.

        Raises:
            ConfigError: the model has not what the strategy names.
            ModelError: the model's family can't be trained in this way.
        """

    @abstractmethod
    def defaults(self, *, examples: int, width: int, batch_size: int | None, accumulation: int) -> Defaults:
        """Settings for an amount of data and a size of model.

        Args:
            examples: Number of training examples.
            width: Width of the encoder's states.
            batch_size: Examples of a micro-step, where the user said so.
            accumulation: Micro-steps of a step.
        """

    def stages(self, network: Network, *, examples: int, batch_size: int) -> Sequence[Stage]:
        """The stages of a training, in order; by default one, in which all trains that `apply` chose.

        The settings of a run, such as its epochs, are those of the last stage.

        Args:
            network: The network, to which the strategy was applied.
            examples: Number of training examples.
            batch_size: Examples of a step.
        """
        return [Stage("", self.apply)]

    def rates(self, part: Literal["encoder", "head"], *, width: int) -> Rates | None:
        """The learning rates that the encoder or the head bears; None, the default, where nothing is known of it.

        A run warns at its start of rates outside.

        Args:
            part: What has the rate.
            width: Width of the encoder's states.
        """
        return None

    def merge(self, network: Network) -> None:  # noqa: B027 - nothing is what most strategies add
        """Make what the strategy added to the network a part of it, before it is saved. Nothing by default."""


@dataclass(frozen=True, slots=True)
class Layers(Strategy):
    """The last layers and the head train, or the whole model: `full` and `last-N`.

    Attributes:
        last: Number of the last layers that train; None for all of them and the embeddings.
    """

    last: int | None

    @property
    def name(self) -> str:
        """How the strategy is written."""
        return "full" if self.last is None else f"last-{self.last}"

    def apply(self, network: Network) -> None:
        backbone = network.backbone
        if self.last is not None and backbone.layers is None:
            raise ModelError(
                f"strategy: last-{self.last} means nothing for {backbone.config.model_type}: "
                f"{backbone.family.note or 'unknown layout'}"
            )
        if self.last is not None and self.last > backbone.depth:
            layers = f"{many(backbone.depth, 'layer')} (last-1 to last-{backbone.depth})"
            raise ConfigError(f"strategy: last-{self.last} asked for, but the model has {layers}")
        network.train_last(self.last)

    def defaults(self, *, examples: int, width: int, batch_size: int | None, accumulation: int) -> Defaults:
        batch = batch_size or (32 if examples >= 640 else 16)
        steps = math.ceil(examples / (batch * accumulation))
        epochs = min(MOST_EPOCHS, max(3, math.ceil(FULL_STEPS / steps)))
        return Defaults(batch, epochs, usual_rate(width))

    def rates(self, part: Literal["encoder", "head"], *, width: int) -> Rates | None:
        if part == "head":
            return HEAD_RATES
        usual = usual_rate(width)
        return Rates(min(usual, HEAD_RATES.usual) / 100, usual, min(5 * usual, HEAD_RATES.highest))


@dataclass(frozen=True, slots=True)
class Head(Strategy):
    """The head alone trains, until it has converged: `head`."""

    def apply(self, network: Network) -> None:
        network.train_last(0)

    def defaults(self, *, examples: int, width: int, batch_size: int | None, accumulation: int) -> Defaults:
        batch = batch_size or 32
        steps = math.ceil(examples / (batch * accumulation))
        return Defaults(
            batch,
            epochs=max(HEAD_EPOCHS, math.ceil(HEAD_STEPS / steps)),
            learning_rate=HEAD_RATES.usual,
            schedule="constant",
            patience=max(HEAD_PATIENCE, math.ceil(HEAD_PATIENT_STEPS / steps)),
            evaluate_every=math.ceil(HEAD_EVALUATION_STEPS / steps),
        )

    def rates(self, part: Literal["encoder", "head"], *, width: int) -> Rates | None:
        return HEAD_RATES if part == "head" else None


@dataclass(frozen=True, slots=True)
class HeadThen(Strategy):
    """The head alone until it has converged, then the layers too: `head-then-full` and `head-then-last-N`.

    A head that knows nothing distorts good features in the first steps; one that fits them does not, which helps most
    where the test data differ from the training data (Kumar et al. 2022, "LP-FT").

    Attributes:
        layers: What trains after the head alone.
    """

    layers: Layers

    def apply(self, network: Network) -> None:
        self.layers.apply(network)

    def defaults(self, *, examples: int, width: int, batch_size: int | None, accumulation: int) -> Defaults:
        return self.layers.defaults(examples=examples, width=width, batch_size=batch_size, accumulation=accumulation)

    def stages(self, network: Network, *, examples: int, batch_size: int) -> Sequence[Stage]:
        return [
            head_stage(examples=examples, width=network.backbone.width, batch_size=batch_size),
            Stage(self.layers.name, self.apply, from_best=True),
        ]

    def rates(self, part: Literal["encoder", "head"], *, width: int) -> Rates | None:
        return self.layers.rates(part, width=width)


def head_stage(*, examples: int, width: int, batch_size: int) -> Stage:
    """The head alone, as the strategy `head` trains it."""
    head = Head()
    asked = head.defaults(examples=examples, width=width, batch_size=batch_size, accumulation=1)
    return Stage(
        "head",
        head.apply,
        epochs=asked.epochs,
        schedule=asked.schedule,
        patience=asked.patience,
        evaluate_every=asked.evaluate_every,
        head_learning_rate=asked.learning_rate,
    )


@dataclass(frozen=True, slots=True)
class Gradual(Strategy):
    """The head for an epoch, then one more layer from the top each epoch, then everything: `gradual`, `gradual-N`.

    It is the gradual unfreezing of ULMFiT (Howard and Ruder 2018, section 3.3); `gradual-2` unfreezes two layers at
    once. Every stage has its own warm-up and schedule.

    Attributes:
        step: Number of layers that an epoch unfreezes.
    """

    step: int = 1

    def apply(self, network: Network) -> None:
        if network.backbone.layers is None:
            note = network.backbone.family.note or "unknown layout"
            raise ModelError(f"strategy: gradual means nothing for {network.backbone.config.model_type}: {note}")
        network.train_last(None)

    def defaults(self, *, examples: int, width: int, batch_size: int | None, accumulation: int) -> Defaults:
        return Layers(None).defaults(examples=examples, width=width, batch_size=batch_size, accumulation=accumulation)

    def stages(self, network: Network, *, examples: int, batch_size: int) -> Sequence[Stage]:
        layers = [Layers(last) for last in range(self.step, network.backbone.depth + 1, self.step)]
        return [
            Stage("head", Head().apply, epochs=1, head_learning_rate=HEAD_RATES.usual),
            *(Stage(some.name, some.apply, epochs=1) for some in layers),
            Stage("full", self.apply),
        ]

    def rates(self, part: Literal["encoder", "head"], *, width: int) -> Rates | None:
        return Layers(None).rates(part, width=width)


HEAD_RATES = Rates(1e-5, 1e-3, 5e-2)
"""A head on frozen states bears more than an encoder; at 0.1 its loss is above its start for long stretches."""


def usual_rate(width: int) -> float:
    """The learning rate for layers of an encoder of this width.

    The narrower an encoder, the higher the rate it needs: 2e-5 at width 1024, 5e-5 at 768, 2e-4 at 384 are the values
    that the literature and bench/RESULTS.md settle on, close to 2e-5 * (1024 / width)^2.3.
    """
    return float(f"{2e-5 * (1024 / width) ** 2.3:.0e}")


def names() -> list[str]:
    """The strategies that there are, in the form in which they are written."""
    return [*OWN, *sorted(point.name for point in entry_points(group=GROUP))]


def expected() -> str:
    """The names that there are, for a message."""
    *most, final = names()
    return f"expected {', '.join(most)} or {final} (for example last-2)"


def is_known(name: str) -> bool:
    """Whether there is a strategy of that name. Those of other packages are not loaded for it."""
    return own(name) is not None or offered(name) is not None


def own(name: str) -> Strategy | None:
    """The strategy of that name, where it is one of these."""
    if name == "head":
        return Head()
    if name == "full":
        return Layers(None)
    if last := LAST.fullmatch(name):
        return Layers(int(last[1]))
    if gradual := GRADUAL.fullmatch(name):
        return Gradual(int(gradual[1] or 1))
    then = own(name.removeprefix(HEAD_THEN)) if name.startswith(HEAD_THEN) else None
    return HeadThen(then) if isinstance(then, Layers) else None


def find(name: str) -> Strategy:
    """The strategy of that name.

    Raises:
        ConfigError: there is none.
    """
    if (known := own(name)) is not None:
        return known
    point = offered(name)
    if point is None:
        raise ConfigError(f"strategy: {expected()}, found {printable(name)}")
    kind: Callable[[str], Strategy] = point.load()
    return kind(name[len(point.name) + 1 :])


def offered(name: str) -> EntryPoint | None:
    """Another package's offer for a name, which is that of its kind or begins with it and a hyphen."""
    points = sorted(entry_points(group=GROUP), key=lambda point: -len(point.name))
    return next((point for point in points if name == point.name or name.startswith(f"{point.name}-")), None)
