"""A training in stages: what each trains and for how long, and what it took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..assembly import EncodedDataset
from ..errors import ConfigError, printable
from ..model import flops
from ..model.network import Network
from ..strategies import Stage, Strategy
from .recipe import Recipe

if TYPE_CHECKING:
    from .trainer import Trainer


@dataclass(frozen=True, slots=True)
class Leg:
    """A stage of a run, with everything decided.

    Attributes:
        name: What trains.
        apply: Chooses it.
        recipe: Settings of the stage.
        from_best: Whether it begins with the best weights so far.
    """

    name: str
    apply: Callable[[Network], None]
    recipe: Recipe
    from_best: bool

    @property
    def repeats(self) -> bool:
        """Whether it computes the frozen part of an example more than once, so that keeping its states pays."""
        return self.recipe.epochs > 1 or self.recipe.evaluate_every < 1


def legs_of(strategy: Strategy, recipe: Recipe, network: Network, *, name: str, examples: int) -> list[Leg]:
    """The stages of a run.

    Args:
        strategy: The strategy, which was applied to the network.
        recipe: Settings of the run, which are those of its last stage.
        network: The network.
        name: Name of the strategy.
        examples: Number of training examples.

    Raises:
        ConfigError: there are none.
    """
    stages = strategy.stages(network, examples=examples, batch_size=recipe.batch_size)
    if not stages:
        raise ConfigError(f"strategy: {name} has no stage, so nothing would train")
    return [Leg(stage.name or name, stage.apply, recipe_in(stage, recipe), stage.from_best) for stage in stages]


def recipe_in(stage: Stage, recipe: Recipe) -> Recipe:
    """The settings of a stage: its own, and else those of the run. A rate that the user gave the head stays."""
    own: dict[str, Any] = {
        name: value
        for name in ("epochs", "schedule", "patience", "evaluate_every")
        if (value := getattr(stage, name)) is not None
    }
    return replace(recipe, **own, head_learning_rate=recipe.head_learning_rate or stage.head_learning_rate)


def begin(leg: Leg, network: Network, *, ids: list[int], first: bool) -> None:
    """Choose what trains in a stage.

    Args:
        leg: The stage.
        network: The network, as the stage before left it.
        ids: The rows of the vocabulary that training texts use.
        first: Whether no stage of this process came before.

    Raises:
        ConfigError: the stage freezes what trained before.
    """
    network.restore_vocabulary()
    before = trainable(network)
    leg.apply(network)
    gone = sorted(before - trainable(network))
    if gone and not first:
        raise ConfigError(
            f"strategy: stage {printable(leg.name)} freezes what trained in the one before it ({gone[0]}); a stage "
            "must train all that the one before it trained, since what is frozen has to be that of the base model"
        )
    network.restrict_vocabulary(ids)


def trainable(network: Network) -> set[str]:
    """Names of the parameters that train."""
    return {name for name, parameter in network.named_parameters() if parameter.requires_grad}


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a stage of a training did.

    Attributes:
        name: What trained.
        steps: Number of its steps.
        tokens: Number of real tokens of these.
        evaluations: Number of evaluations on the validation data.
        parameters: Number of parameters that trained; of the vocabulary, those of the rows that training texts use.
        training: FLOPs of its steps.
        frozen: FLOPs of computing the states at the cut of the training data, where they are kept; once, even where an
            earlier run had left them on the disk.
        validation: FLOPs of its evaluations, with those of the frozen part.
    """

    name: str
    steps: int
    tokens: int
    evaluations: int
    parameters: int
    training: float
    frozen: float
    validation: float


def stretch_of(trainer: Trainer, name: str) -> Stretch:
    """What the present stage did up to now.

    Args:
        trainer: The trainer.
        name: Name of the stage.
    """
    network, earlier = trainer.network, trainer.done[: trainer.stage]
    train, validation = trainer.splits["train"], trainer.splits["validation"]
    tokens = trainer.tokens - sum(one.tokens for one in earlier)
    evaluations = trainer.evaluations - sum(one.evaluations for one in earlier)
    work, judged = flops.forward(network, train.lengths), flops.forward(network, validation.lengths)
    epochs = tokens / max(1, sum(train.lengths))
    return Stretch(
        name,
        steps=trainer.number - trainer.first_step,
        tokens=tokens,
        evaluations=evaluations,
        parameters=sum(weights.numel() for _, weights in trainer.trained()),
        training=(3 * work.above + once(work.below, train, kept=0)) * epochs,
        frozen=once(0, train, kept=work.below),
        validation=judged.above * evaluations + once(judged.below * evaluations, validation, kept=judged.below),
    )


def once(recomputed: float, data: EncodedDataset, *, kept: float) -> float:
    """One of two numbers: that for states at the cut that are kept, or for those that are recomputed each time."""
    return recomputed if data.kept is None else kept
