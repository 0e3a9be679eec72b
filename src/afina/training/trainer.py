"""The consumer of the training loop: it logs, evaluates, keeps the best weights, stops and writes checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from ..assembly import EncodedDataset
from ..errors import Diverged, TrainingError
from ..metrics.scores import higher_is_better
from ..model.network import Network
from ..printing import many
from . import checkpoint, optimisation, rundir
from .captured import capture
from .divergence import Rate, Watch, stop_message, warning_message
from .events import Begin, Event, Note, Progress, Scored, Step, with_progress
from .goals import Goal, Logits
from .loop import Steps, steps
from .pace import Pace
from .recipe import Recipe
from .speed import expected_seconds
from .stages import Stretch, stretch_of

COUNTERS = (
    "number", "epoch", "tokens", "padded_tokens", "epochs_without_improvement", "evaluation_due", "micro_tokens",
    "evaluations", "summed_loss", "summed_steps", "stage", "first_step", "first_epoch", "best_names",
)  # fmt: skip
"""Attributes of the trainer that a checkpoint keeps."""


@dataclass
class Clock:
    """Seconds by part of the work."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the time of the context towards `name`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


@dataclass(repr=False)
class Trainer:
    """A training and its state, which is consistent whenever an event is yielded.

    On a GPU a step may have been launched when the one before it is yielded. It is read before anything is evaluated or
    saved.

    Attributes:
        network: Network whose trainable part is chosen. At the end it has the best weights.
        goal: What is optimised, and what evaluations say.
        splits: The splits `train` and `validation`.
        recipe: Settings of the training.
        folder: Folder of the run.
        fingerprint: Fingerprint of the inputs, which must be the same when the run is resumed.
        clock: Counter of the seconds.
        rates: The learning rates, for messages about a training that has diverged.
        watch: What sees whether the training has diverged.
        pace: What sees whether the steps have become slow.
        number: Number of finished steps.
        epoch: Epoch of the last step, from 0.
        tokens: Number of real tokens that went through the encoder.
        padded_tokens: Number of places computed for them.
        earlier_tokens: Number of tokens that went through before the run was resumed.
        earlier_flops: FLOPs of the steps before that.
        epochs_without_improvement: Number of epochs since the metric was better than before.
        evaluation_due: Whether an evaluation precedes the next step that is launched.
        evaluations: Number of evaluations, and of lines in their log.
        summed_loss: Sum of the losses of the steps since the last evaluation.
        summed_steps: Number of those steps.
        micro_tokens: Number of tokens that go through the encoder at once.
        best: The best evaluation so far; empty before the first.
        best_weights: Trainable weights at the best evaluation, by name.
        logits: Logits of the validation data at the best evaluation, by example; empty in a resumed run.
        notes: What was noticed in a step and not said yet.
        stage: Number of the present stage, from 0.
        first_step: Number of steps in the stages before.
        first_epoch: Number of epochs in the stages before; one that was not finished counts, too.
        later_epochs: Largest number of epochs in the stages after it.
        done: What the stages before did.
        best_names: Names of what trained in the stages up to the best evaluation.
    """

    network: Network
    goal: Goal
    splits: Mapping[str, EncodedDataset]
    recipe: Recipe
    folder: Path
    fingerprint: dict[str, Any]
    clock: Clock
    rates: Sequence[Rate] = ()
    watch: Watch = field(default_factory=Watch)
    pace: Pace = field(default_factory=Pace)
    number: int = 0
    epoch: int = 0
    tokens: int = 0
    padded_tokens: int = 0
    earlier_tokens: int = 0
    earlier_flops: float = 0.0
    epochs_without_improvement: float = 0
    evaluation_due: bool = False
    evaluations: int = 0
    summed_loss: float = 0.0
    summed_steps: int = 0
    micro_tokens: int = 0
    best: dict[str, Any] = field(default_factory=dict)
    best_weights: checkpoint.Tensors = field(default_factory=dict)
    logits: Logits = ()
    notes: list[Note] = field(default_factory=list)
    stage: int = 0
    first_step: int = 0
    first_epoch: int = 0
    later_epochs: int = 0
    done: list[Stretch] = field(default_factory=list)
    best_names: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"Trainer({self.folder}: step {self.number:,}, epoch {self.epoch + 1})"

    @cached_property
    def epoch_steps(self) -> int:
        """Number of steps of an epoch."""
        return math.ceil(self.goal.objective.examples / self.recipe.batch_size)

    @property
    def finished_epochs(self) -> float:
        """Number of finished epochs, with the finished share of one under way; a whole number at its end."""
        here = self.number - self.first_step
        taken = here - (self.epoch - self.first_epoch) * self.epoch_steps
        return self.epoch + 1 if taken == self.epoch_steps else round(self.first_epoch + here / self.epoch_steps, 4)

    @property
    def computed(self) -> float:
        """FLOPs of all steps."""
        present = [stretch_of(self, "")] if len(self.done) <= self.stage else []
        return sum(stretch.training for stretch in [*self.done, *present])

    def enter(self, stage: int) -> None:
        """Begin another stage, for which the network's trainable part is chosen. Counters count through."""
        self.stage = stage
        self.first_epoch, self.first_step = math.ceil(self.finished_epochs), self.number
        self.epochs_without_improvement = 0
        # What trains from here on has not moved since the best evaluation, for it had never moved.
        self.best_weights |= {
            name: weights.detach().clone() for name, weights in self.trained() if name not in self.best_weights
        }

    def run(self, taken_up: checkpoint.Checkpoint | None = None) -> Iterator[Event]:
        """Train to the end and leave the best weights in the network; the arguments are those of `train`."""
        yield from self.train(taken_up)
        yield from self.restore_best()

    def train(self, taken_up: checkpoint.Checkpoint | None = None) -> Iterator[Event]:
        """Train to the end of the present stage.

        Args:
            taken_up: Checkpoint of this stage to resume from.

        Raises:
            Diverged: the loss is not finite, or has left its start for good.
            TrainingError: a checkpoint can't be written.
        """
        recipe, objective = self.recipe, self.goal.objective
        planned = self.epoch_steps * recipe.epochs
        optimiser = optimisation.make_optimiser(
            optimisation.parameter_groups(
                self.network,
                learning_rate=recipe.learning_rate,
                head_learning_rate=recipe.head_learning_rate,
                layer_decay=recipe.layer_decay,
                weight_decay=recipe.weight_decay,
            )
        )
        self.micro_tokens = recipe.micro_tokens
        self.watch.start = self.goal.start(self.network)
        if taken_up:
            self.restore(taken_up, optimiser)
        left = 1 - (self.number - self.first_step) / planned
        expected = None if self.later_epochs else expected_seconds(self.network, self.splits, recipe, left=left)
        epochs = self.first_epoch + recipe.epochs + self.later_epochs
        steps_in_all = self.first_step + planned + self.later_epochs * self.epoch_steps
        yield Begin(steps_in_all, epochs, recipe.metric, expected)
        if recipe.checkpointing:
            self.network.stock.gradient_checkpointing_enable({"use_reentrant": False})
        loop = steps(
            self.network,
            objective,
            optimiser=optimiser,
            factor=optimisation.schedule(recipe.schedule, steps=planned, warmup=recipe.warmup),
            epochs=recipe.epochs,
            batch_size=recipe.batch_size,
            clip=recipe.clip,
            micro_tokens=self.micro_tokens,
            seed=recipe.seed,
            done=self.number,
            first_step=self.first_step,
            first_epoch=self.first_epoch,
            captured=capture(self.network, objective, recipe, notes=self.notes),
        )
        with closing(loop):
            try:
                yield from self.consume(loop, optimiser)
            except GeneratorExit:  # the consumer stops the run: everything up to the last step is saved
                with suppress(TrainingError):  # a step that is not finite has updated nothing; it will be taken again
                    for step in loop.settle():
                        self.count(step)
                if self.number:
                    self.save(optimiser)
                raise
        if recipe.checkpointing:
            self.network.stock.gradient_checkpointing_disable()

    def consume(self, loop: Steps, optimiser: torch.optim.Optimizer) -> Iterator[Event]:
        """Consume the steps of the loop. Nothing is evaluated or saved while a step is launched and not read."""
        recipe = self.recipe
        saved = time.monotonic()
        while True:
            if self.evaluation_due:
                for step in loop.settle():
                    yield from self.take(step)
                with self.clock.part("validate"):
                    scored = yield from self.validate()
                self.log(rundir.EVALUATIONS, scored)
                self.evaluation_due, self.evaluations = False, self.evaluations + 1
                self.summed_loss, self.summed_steps = 0.0, 0
                if scored.best:
                    self.best_weights = {name: weights.detach().clone() for name, weights in self.trained()}
                    self.best_names = list(self.best_weights)
                yield scored
            # Shares of an epoch do not add up to the last bit.
            if recipe.patience and self.epochs_without_improvement >= recipe.patience - 1e-6:
                waited = many(round(self.epochs_without_improvement), "epoch")
                yield Note(f"stopped: no better {recipe.metric} in {waited}")
                return
            if time.monotonic() - saved >= recipe.checkpoint_every and self.number:
                for step in loop.settle():
                    yield from self.take(step)
                self.save(optimiser)
                saved = time.monotonic()
            with self.clock.part("train"):
                following = next(loop, None)
            if following is None:
                return
            yield from self.take(following)

    def take(self, step: Step) -> Iterator[Event]:
        """Count a step, and say what it brought.

        Raises:
            Diverged: the loss has left its start for good.
            TrainingError: the log can't be written.
        """
        shrunk = step.micro_tokens < self.micro_tokens
        diverged = self.count(step)
        while self.notes:
            yield self.notes.pop(0)
        if shrunk:
            most = many(self.micro_tokens, "token")
            yield Note(f"memory ran out in step {step.number}: at most {most} at once from here on", "warning")
        if diverged:
            if self.recipe.diverged == "stop":
                raise Diverged(stop_message(self.watch, self.rates, number=step.number, folder=self.folder))
            yield Note(warning_message(self.watch, self.rates, number=step.number), "warning")
        yield from self.pace.notes(step, self.clock.seconds["train"], self.folder)
        yield step

    def count(self, step: Step) -> bool:
        """Count and log a step. Whether the training is seen to have diverged, for the first time."""
        self.number, self.epoch, self.micro_tokens = step.number, step.epoch, step.micro_tokens
        self.tokens, self.padded_tokens = self.tokens + step.tokens, self.padded_tokens + step.padded_tokens
        # A step that was launched before an evaluation is taken before it, too.
        epoch, number = step.epoch - self.first_epoch, step.number - self.first_step
        due = self.recipe.evaluates(epoch, number - epoch * self.epoch_steps, self.epoch_steps)
        self.evaluation_due = self.evaluation_due or due
        self.summed_loss, self.summed_steps = self.summed_loss + step.loss, self.summed_steps + 1
        self.log(rundir.STEPS, step)
        return self.watch.add(step.loss)

    def later_names(self) -> set[str]:
        """Names of the parameters that train, but for those that did up to the best evaluation."""
        names = {name for name, _ in self.trained()} - set(self.best_names)
        if "vocabulary.rows" in names and self.network.vocabulary is not None:
            (whole,) = self.network.vocabulary.whole
            names |= {name for name, weights in self.network.named_parameters() if weights is whole.weight}
        return names

    def restore_best(self) -> Iterator[Event]:
        """Restore the best weights, and compute their logits of the validation data where they are not known."""
        self.put(self.best_weights)
        if not self.logits:
            try:
                self.logits = yield from with_progress("validation", self.goal.logits(self.network))
            except GeneratorExit:
                self.save()
                raise

    def log(self, name: str, record: Step | Scored) -> None:
        """Append a record to a log of the run.

        Raises:
            TrainingError: the log can't be written.
        """
        with checkpoint.writing(self.folder / name, self.folder):
            rundir.append(self.folder / name, asdict(record))

    def trained(self) -> list[tuple[str, torch.nn.Parameter]]:
        """The trainable parameters and their names."""
        return [(name, parameter) for name, parameter in self.network.named_parameters() if parameter.requires_grad]

    @torch.no_grad()
    def put(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Give the trainable parameters other values, from whatever device they are on."""
        for name, parameter in self.trained():
            parameter.copy_(weights[name])
        if self.network.vocabulary is not None:
            self.network.vocabulary.stale = True

    def save(self, optimiser: torch.optim.Optimizer | None = None, *, over: bool = True) -> None:
        """Write a checkpoint of the current state.

        Args:
            optimiser: The optimiser, while a stage trains.
            over: Whether training is over where there is none, so that only the best weights matter; else a stage is
                about to begin.

        Raises:
            TrainingError: the checkpoint can't be written.
        """
        weights, moments = self.best_weights, {}
        if optimiser is not None or not over:
            weights = {name: parameter.detach().contiguous() for name, parameter in self.trained()}
        if optimiser is not None:
            moments = checkpoint.optimiser_state(optimiser, {p: name for name, p in self.trained()})
        counters = {name: getattr(self, name) for name in COUNTERS}
        state = {
            "counters": rundir.finite(counters),
            "best": rundir.finite(self.best),
            "fingerprint": self.fingerprint,
            "watch": self.watch.state(),
            "stages": [asdict(stretch) for stretch in self.done],
        }
        with self.clock.part("checkpoint"):
            checkpoint.save(self.folder, self.number, checkpoint.Checkpoint(state, weights, moments, self.best_weights))

    def restore(self, taken_up: checkpoint.Checkpoint, optimiser: torch.optim.Optimizer) -> None:
        """Restore the state of a checkpoint."""
        self.put(taken_up.weights)
        checkpoint.restore_optimiser(optimiser, {p: name for name, p in self.trained()}, taken_up.optimiser)
        for name, value in taken_up.state["counters"].items():
            setattr(self, name, value)
        self.done = [Stretch(**stretch) for stretch in taken_up.state.get("stages", ())[: self.stage]]
        self.earlier_tokens, self.earlier_flops = self.tokens, self.computed
        self.watch.restore(taken_up.state.get("watch", {}))
        self.best = dict(taken_up.state["best"])
        if self.best and self.best["rank"] is None:  # the metric was not defined
            self.best |= {"rank": -math.inf, "value": math.nan}
        if self.best and self.best.get("loss") is None:  # it was not finite
            self.best["loss"] = math.nan
        self.best_weights = {name: tensor.to(self.network.device) for name, tensor in taken_up.best.items()}

    def validate(self) -> Generator[Progress, None, Scored]:
        """Score the validation data, and remember the best evaluation.

        The metric decides, and between equal values the lower loss. Patience counts epochs without a better value of
        the metric: a loss can fall for ever by less and less, so a lower one alone does not prolong the training.
        """
        metric = self.recipe.metric
        judged = yield from with_progress("validation", self.goal.judge(self.network))
        loss, value = judged.loss, judged.metrics[metric]
        sign = 1 if higher_is_better(metric) else -1
        # An undefined metric (such as the correlation of constant predictions) ranks below every value.
        rank = sign * value if math.isfinite(value) else -math.inf
        higher = not self.best or rank > self.best["rank"]
        best = higher or (rank == self.best["rank"] and finite(loss) < finite(self.best["loss"]))
        best = best or self.recipe.keep == "last"
        if best:
            self.logits = judged.logits
            self.best = {
                "epoch": self.finished_epochs,
                "step": self.number,
                "metric": metric,
                "value": value,
                "rank": rank if higher else self.best["rank"],
                "loss": loss,
            }
        every = self.recipe.evaluate_every
        waited = self.epochs_without_improvement + (every if every >= 1 else 1 / self.recipe.parts)
        self.epochs_without_improvement = 0 if higher else waited
        training_loss = self.summed_loss / self.summed_steps if self.summed_steps else math.nan
        return Scored(self.finished_epochs, self.number, judged.metrics, best, loss, training_loss)


def finite(loss: float) -> float:
    """A loss that can be compared: infinite where it is not a number."""
    return math.inf if math.isnan(loss) else loss
