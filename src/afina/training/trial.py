"""A few steps and evaluations on real examples, taken to see how fast they are, and thrown away."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from .. import inference
from ..assembly import EncodedDataset, to_dataset, with_targets
from ..baselines import baselines
from ..devices import wait
from ..model import flops
from ..model.network import Network
from ..model.states import kept_states
from ..records import Prediction
from ..tasks.base import Task
from ..work import drain
from . import optimisation
from .captured import capture
from .loop import epoch_batches, steps
from .objective import Supervised
from .recipe import Recipe, recipe_of
from .run import Prepared

SECONDS = 1.0
"""About as long may a step of the trial take; of a large model it has fewer examples for that."""
STEPS = 4
"""Number of steps of the trial, of which the median counts without the first, which warms up."""
SMALL, LARGE = 50, 400
"""Examples of each split on which the baselines are tried."""
FEW, MORE, ALL = 20, 60, 1000
"""Resamples of two short bootstraps, from which the time of a whole one follows."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Seconds of parts of a training on a few examples.

    Attributes:
        data: The examples, labelled.
        predictions: Predictions of them.
        step: Seconds of a step on them.
        evaluation: Seconds to score them, without intervals.
        frozen: Seconds of the frozen layers on them; 0 where their states are not kept.
    """

    data: EncodedDataset
    predictions: Sequence[Prediction]
    step: float
    evaluation: float
    frozen: float

    def times(self, network: Network, part: EncodedDataset, *, above: int, below: int) -> float:
        """How many times the work of the trial a pass over a split is: in FLOPs, or in examples where there are none.

        Args:
            network: The network.
            part: The split.
            above: Forward passes that the work above the cut is worth.
            below: The same below the cut.
        """
        here, there = (flops.forward(network, data.lengths) for data in (part, self.data))
        work = above * there.above + below * there.below
        if not work:
            return len(part.examples) / len(self.data.examples)
        return (above * here.above + below * here.below) / work

    def intervals(self, task: Task, count: int) -> float:
        """Seconds that the intervals of so many examples take, from bootstraps of few resamples."""
        rows = [i % len(self.predictions) for i in range(count)]
        examples, predictions = [self.data.examples[i] for i in rows], [self.predictions[i] for i in rows]
        seconds = []
        for resamples in (FEW, MORE):
            start = time.perf_counter()
            inference.evaluate(task, examples, predictions=predictions, resamples=resamples)
            seconds.append(time.perf_counter() - start)
        few, more = seconds
        return few + max(0.0, more - few) / (MORE - FEW) * (ALL - FEW)


def baseline_seconds(prepared: Prepared) -> float:
    """Seconds that the baselines take on all examples: those of a first time on a few, and for each example more."""
    sizes = [len(part.examples) for part in prepared.splits.values()]
    seconds = []
    for count in (SMALL, SMALL, LARGE):
        few = {name: first(part, count) for name, part in prepared.splits.items()}
        start = time.perf_counter()
        drain(baselines(prepared.task, few))
        seconds.append(time.perf_counter() - start)
    cold, warm, large = seconds
    tried = [sum(min(size, count) for size in sizes) for count in (SMALL, LARGE)]
    each = max(0.0, large - warm) / max(1, tried[1] - tried[0])
    return cold + each * (sum(sizes) - tried[0])


def first(part: EncodedDataset, count: int) -> EncodedDataset:
    """The first examples of a split."""
    return to_dataset(part.examples[:count], part.features[:count])


def attempt(prepared: Prepared, *, kept: bool, peak: float) -> Trial:
    """Train and score on some of the training examples.

    Args:
        prepared: A run; its network is trained a little.
        kept: Whether states at the cut will be kept.
        peak: Peak of matrix products, in FLOP/s.
    """
    network, task, recipe = prepared.network, prepared.task, recipe_of(prepared.config, prepared.task)
    data = some(prepared, recipe, room=SECONDS * peak)
    frozen = 0.0
    if kept:
        start = time.perf_counter()
        data = replace(data, kept=kept_states(network, data.windows))
        wait(network.device)
        frozen = time.perf_counter() - start
    step = step_seconds(network, task, data, recipe=recipe)
    start = time.perf_counter()
    logits = inference.window_logits(network, data.windows, kept=data.kept)
    predictions = inference.decode(task, data.examples, features=data.features, logits=logits)
    inference.score(task, inference.table_of(task, data.examples, predictions=predictions))
    evaluation = time.perf_counter() - start
    return Trial(data, predictions, step, evaluation, frozen)


def some(prepared: Prepared, recipe: Recipe, *, room: float) -> EncodedDataset:
    """The examples of the first step, or as many of them as there is room for, in FLOPs of a step; one at least."""
    train = prepared.splits["train"]
    batch = epoch_batches(len(train.examples), recipe.batch_size, seed=recipe.seed, epoch=0)[0]
    chosen: list[int] = []
    for i in batch:
        lengths = [length for j in (*chosen, i) for length in train.lengths[slice(*train.owners[j])]]
        work = flops.forward(prepared.network, lengths)
        if chosen and 3 * work.above + work.below > room:
            break
        chosen.append(i)
    return with_targets(
        to_dataset([train.examples[i] for i in chosen], [train.features[i] for i in chosen]), prepared.task
    )


def step_seconds(network: Network, task: Task, data: EncodedDataset, *, recipe: Recipe) -> float:
    """Seconds of a step on all of some examples: the median of a few."""
    if recipe.checkpointing:
        network.stock.gradient_checkpointing_enable({"use_reentrant": False})
    objective = Supervised(task, data)
    loop = steps(
        network,
        objective,
        # Rates so low that the weights stay what they are.
        optimiser=optimisation.make_optimiser(optimisation.parameter_groups(network, learning_rate=1e-12)),
        factor=lambda _: 1.0,
        epochs=STEPS,
        batch_size=len(data.examples),
        clip=recipe.clip,
        micro_tokens=recipe.micro_tokens,
        seed=recipe.seed,
        captured=capture(network, objective, recipe, notes=[], least=1),
    )
    with closing(loop):
        ends = [time.perf_counter() for _ in loop]
    return median(end - start for start, end in pairwise(ends))
