"""The settings of a training, complete, and in one line."""

from __future__ import annotations

from dataclasses import dataclass

from ..config import Config
from ..model.network import Network
from ..printing import many
from ..tasks.base import Task


@dataclass(frozen=True, slots=True)
class Recipe:
    """Complete settings of a training. Names and units are those of the settings under `training`.

    Attributes:
        batch_size: Number of examples per step, accumulation included.
        metric: The validation metric that chooses the best epoch.
        seed: Seed of order and dropout.
        diverged: What a training that has diverged does: `stop` or `warn`.
        keep: Which weights are kept: those of the `best` evaluation, or the `last` ones.
        graphs: Whether passes are captured as CUDA graphs on a GPU that can.
        evaluate_every: Epochs between two evaluations, or a share of one below 1.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    head_learning_rate: float | None
    layer_decay: float
    schedule: str
    warmup: float
    weight_decay: float
    clip: float | None
    patience: int | None
    evaluate_every: float
    checkpointing: bool
    micro_tokens: int
    checkpoint_every: float
    metric: str
    seed: int
    diverged: str = "stop"
    keep: str = "best"
    graphs: bool = True

    @property
    def parts(self) -> int:
        """Number of evaluations in an epoch that has any."""
        return max(1, round(1 / self.evaluate_every))

    def evaluates(self, epoch: int, taken: int, steps: int) -> bool:
        """Whether an evaluation follows a step. One always follows the last step of all.

        Args:
            epoch: Number of the step's epoch, from 0.
            taken: Number of steps of the epoch up to this one.
            steps: Number of steps of an epoch.
        """
        if self.evaluate_every < 1:
            return taken * self.parts // steps > (taken - 1) * self.parts // steps
        return taken == steps and (not (epoch + 1) % self.evaluate_every or epoch + 1 == self.epochs)


def recipe_of(config: Config, task: Task) -> Recipe:
    """The training recipe of a complete configuration."""
    training = config.training
    return Recipe(
        epochs=training.epochs or 1,
        batch_size=(training.batch_size or 1) * training.accumulation,
        learning_rate=training.learning_rate or 0.0,
        head_learning_rate=training.head_learning_rate,
        layer_decay=training.layer_decay,
        schedule=training.schedule or "linear",
        warmup=training.warmup,
        weight_decay=training.weight_decay,
        clip=training.clip,
        patience=training.patience,
        evaluate_every=training.evaluate_every or 1,
        checkpointing=training.checkpointing,
        micro_tokens=training.micro_tokens or 1,
        checkpoint_every=training.checkpoint_every,
        metric=training.metric or next(iter(task.metrics)),
        seed=config.seed,
        diverged=training.diverged,
        keep=training.keep,
        graphs=training.graphs,
    )


def decided(recipe: Recipe, network: Network, *, strategy: str) -> str:
    """The most important settings, in one line."""
    trained = sum(p.numel() for p in network.parameters() if p.requires_grad)
    total = sum(p.numel() for name, p in network.named_parameters() if not name.startswith("vocabulary."))
    head = f", head {recipe.head_learning_rate:g}" if recipe.head_learning_rate else ""
    patience = f", patience {recipe.patience}" if recipe.patience else ""
    rows = " (of the vocabulary, the rows that the training texts use)" if network.vocabulary else ""
    return (
        f"strategy {strategy}: {trained:,} of {total:,} parameters train{rows}; learning rate "
        f"{recipe.learning_rate:g}{head}, {many(recipe.epochs, 'epoch')}{patience}, batch size {recipe.batch_size}, "
        f"seed {recipe.seed}"
    )
