"""Estimates of a run before it begins: tokens, FLOPs, time, memory and disk space."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from .. import strategies
from ..assembly import kept_splits, state_store
from ..config import Config
from ..data.parts import Data
from ..model import flops
from ..model.states import StoragePlan, states_size
from ..printing import Block, Shown, Table, duration, many
from .divergence import rate_warnings, rates_of
from .events import Note
from .loop import epoch_batches
from .recipe import Recipe, recipe_of
from .run import Prepared, Ready, prepare, used_rows
from .speed import evaluations
from .stages import Leg, begin, legs_of
from .trial import Trial, attempt, baseline_seconds

TRACE = 34
"""Values that a layer keeps for its backward pass, per token and unit of width (Korthikanti et al. 2022, eq. 1)."""


AS_IT_GOES = "computed as it goes, since its stages have one epoch each"
NAMED = {
    "frozen part": "frozen part", "train": "training", "validate": "validation", "evaluate": "final scores",
    "baseline": "baselines", "save": "saving",
}  # fmt: skip
"""Parts of the expected time by the name that a person reads; the others come before."""


@dataclass(frozen=True, slots=True, repr=False)
class Plan(Shown):
    """Estimates for a run that has not begun. `print` shows them in words, and a notebook a table.

    Attributes:
        examples: Number of training examples.
        windows: Number of training windows.
        tokens: Number of tokens of one epoch.
        padded_tokens: Number of tokens of one epoch if every step were padded to its longest window.
        steps: Number of steps of the optimiser.
        epochs: Largest number of epochs.
        flops: FLOPs of the whole run without early stopping.
        peak: Measured peak of matrix products, in FLOP/s.
        seconds: Expected seconds of the whole command without early stopping: the sum of `parts`.
        parts: Expected seconds by part. `start` (the program and reading the data), `check`, `load`, `tokenise` and
            `hash` were measured as they went; the others follow from a few steps on real examples (`training.trial`).
        memory: Peak memory of training in bytes, in addition to that of Python and torch.
        states: Bytes of kept states.
        kept: Where the states are kept, as a message; empty where nothing is frozen.
        disk: Bytes of the run's folder and the kept states.
        warnings: What the run would warn of before it trains.
        shared: Whether all kept states stay on the disk, where other runs with the same frozen part find them.
    """

    examples: int
    windows: int
    tokens: int
    padded_tokens: int
    steps: int
    epochs: int
    flops: float
    peak: float
    seconds: float
    parts: dict[str, float]
    memory: float
    states: int
    kept: str
    disk: float
    warnings: tuple[str, ...] = ()
    shared: bool = False

    def __repr__(self) -> str:
        return f"Plan({many(self.examples, 'example')}, {self.scheduled}, about {duration(self.seconds)})"

    @property
    def scheduled(self) -> str:
        """Steps and epochs in words."""
        return f"{many(self.steps, 'step')} in {many(self.epochs, 'epoch')}"

    @property
    def groups(self) -> dict[str, float]:
        """The parts of the expected time, as few as a person wants to read."""
        named = {what: self.parts[name] for name, what in NAMED.items() if name in self.parts}
        return {"start, data and model": self.seconds - sum(named.values()), **named}

    def blocks(self) -> Iterator[Block]:
        """One table, and warnings."""
        avoided = 1 - self.tokens / self.padded_tokens
        rows = [
            ["training examples", f"{self.examples:,}"],
            ["windows", f"{self.windows:,}"],
            ["tokens an epoch", f"{self.tokens:,} ({avoided:.0%} less than padded batches)"],
            ["steps", self.scheduled],
            ["arithmetic", f"{self.flops / 1e12:,.2f} TFLOP"],
            ["this machine", f"{self.peak / 1e9:,.0f} GFLOP/s in matrix products"],
            ["expected time", f"about {duration(self.seconds)}"],
            *([f"  {what}", duration(seconds)] for what, seconds in self.groups.items()),
            ["memory", f"about {self.memory / 1e6:,.0f} MB, beside Python and torch"],
            ["frozen part", self.kept or "nothing is frozen"],
            ["disk", f"about {self.disk / 1e6:,.0f} MB"],
        ]
        yield Table(["", "before early stopping"], rows)
        yield from (f"warning: {warning}" for warning in self.warnings)


def plan(config: Config, data: Data, *, begun: float | None = None, ready: Ready | None = None) -> Plan:
    """Estimate a run from its configuration and data.

    The model is loaded and the data are encoded. A few steps are taken and thrown away, to see how fast they are.

    Args:
        config: Checked configuration.
        data: Its data.
        begun: When the run began, in the time of `time.perf_counter`; by default now.
        ready: What was done for these data before.

    Raises:
        InputError: configuration, data or model can't be used.
    """
    begun = time.perf_counter() if begun is None else begun
    stage = prepare(config, data, ready=ready)
    warnings = []
    while True:
        try:
            event = next(stage)
        except StopIteration as end:
            prepared: Prepared = end.value
            break
        if isinstance(event, Note) and event.level == "warning":
            warnings.append(event.text)
    parts = {"start": time.perf_counter() - begun - sum(prepared.clock.seconds.values()), **prepared.clock.seconds}
    config, network = prepared.config, prepared.network
    rates = rates_of(strategies.find(config.strategy), recipe_of(config, prepared.task), network)
    warnings += rate_warnings(rates, strategy=config.strategy, width=network.backbone.width)
    with prepared.compute.active():
        return replace(figures(prepared, parts), warnings=tuple(warnings))


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a stage of a run will take.

    Attributes:
        steps: Number of steps.
        epochs: Number of epochs.
        flops: FLOPs of its steps, its evaluations and its frozen part.
        seconds: Expected seconds by part.
        memory: Bytes of the optimiser and of what a step keeps for its backward pass.
        states: Bytes of kept states.
        storage: Where they will lie.
        trial: How fast its parts went on a few examples.
        kept: Whether states at the cut are kept.
        frozen: Whether it has a frozen part.
    """

    steps: int
    epochs: int
    flops: float
    seconds: dict[str, float]
    memory: float
    states: int
    storage: StoragePlan
    trial: Trial
    kept: bool
    frozen: bool


def figures(prepared: Prepared, parts: Mapping[str, float]) -> Plan:
    """Estimate a prepared run.

    Args:
        prepared: The run; its network is trained a little.
        parts: Seconds that preparing it took, by part.
    """
    config, network, splits = prepared.config, prepared.network, prepared.splits
    recipe, strategy = recipe_of(config, prepared.task), strategies.find(config.strategy)
    train = splits["train"]
    longest = [max(train.lengths[start:end]) for start, end in train.owners]
    legs = legs_of(strategy, recipe, network, name=config.strategy, examples=len(train.examples))
    peak, stages = flops.peak(network.compute), list[Estimate]()
    for leg in legs:
        if len(legs) > 1:
            begin(leg, network, ids=used_rows(train, prepared.tokenizer), first=not stages)
        stages.append(estimate(prepared, leg, alone=len(legs) == 1, peak=peak))
    largest = max(stages, key=lambda stage: stage.states)
    seconds = Counter({**parts, **end_seconds(prepared, stages[-1])})
    for stage in stages:
        seconds.update(stage.seconds)
    weights = 4.0 * sum(parameter.numel() for parameter in network.stock.parameters())
    whole = [flops.forward(network, splits[name].lengths) for name in set(splits) - {"train"}]
    return Plan(
        examples=len(train.examples),
        windows=len(train.windows),
        tokens=sum(train.lengths),
        padded_tokens=sum(
            max(longest[i] for i in drawn) * sum(train.owners[i][1] - train.owners[i][0] for i in drawn)
            for drawn in epoch_batches(len(train.examples), recipe.batch_size, seed=recipe.seed, epoch=0)
        ),
        steps=sum(stage.steps for stage in stages),
        epochs=sum(stage.epochs for stage in stages),
        # Everything is scored once more at the end.
        flops=sum(stage.flops for stage in stages) + sum(scored.below + scored.above for scored in whole),
        peak=peak,
        seconds=sum(seconds.values()),
        parts={name: round(value, 3) for name, value in seconds.items()},
        memory=weights + max(stage.memory for stage in stages),
        states=largest.states,
        kept=str(largest.storage) if largest.states else AS_IT_GOES if stages[0].frozen else "",
        disk=weights * (config.training.save == "on")
        + sum(stage.states for stage in stages if stage.storage.on_disk and stage.kept),
        shared=any(stage.kept for stage in stages) and all(stage.storage.on_disk for stage in stages if stage.kept),
    )


def estimate(prepared: Prepared, leg: Leg, *, alone: bool, peak: float) -> Estimate:
    """Estimate a stage, in which the network's trainable part is chosen.

    Args:
        prepared: The run.
        leg: The stage.
        alone: Whether it is the only one.
        peak: Peak of matrix products, in FLOP/s.
    """
    network, splits, recipe = prepared.network, prepared.splits, leg.recipe
    train, width, asked = splits["train"], network.backbone.width, prepared.config.training
    store = state_store(memory=asked.cache_memory, disk=asked.cache_disk, device=network.device)
    cut = network.frozen_layers and (alone or leg.repeats)
    states = (
        sum(states_size(network, splits[name].windows) for name in kept_splits(splits, saved=asked.save == "on"))
        if cut
        else 0
    )
    storage = store.plan(states)
    kept = storage.kept and states > 0
    judged = flops.forward(network, splits["validation"].lengths)
    times = evaluations(recipe)
    total = flops.forward(network, train.lengths).training(recipe.epochs, kept=kept)
    total += judged.above * times + judged.below * (1 if kept else times)
    trained = sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
    layers = network.backbone.depth - network.frozen_layers
    row = min(recipe.micro_tokens, sum(sorted(train.lengths)[-recipe.batch_size :]))
    squares = network.backbone.config.num_attention_heads * 2 * max(train.lengths)
    trace = row * layers * (TRACE * width + squares) * 4
    trial = attempt(prepared, kept=kept, peak=peak)
    return Estimate(
        steps=math.ceil(len(train.examples) / recipe.batch_size) * recipe.epochs,
        epochs=recipe.epochs,
        flops=total,
        seconds=stage_seconds(prepared, recipe, trial, kept=kept),
        memory=16.0 * trained + trace + (states if storage.on_gpu or storage.in_memory else 0),
        states=states,
        storage=storage,
        trial=trial,
        kept=kept,
        frozen=network.frozen_layers > 0,
    )


def stage_seconds(prepared: Prepared, recipe: Recipe, trial: Trial, *, kept: bool) -> dict[str, float]:
    """Expected seconds of a stage, by part.

    Args:
        prepared: The run.
        recipe: Settings of the stage.
        trial: How fast its parts went on a few examples.
        kept: Whether states at the cut are kept.
    """
    network, splits = prepared.network, prepared.splits
    below = 0 if kept else 1
    once = trial.evaluation * trial.times(network, splits["validation"], above=1, below=below)
    seconds = {
        "train": recipe.epochs * trial.step * trial.times(network, splits["train"], above=3, below=below),
        "validate": evaluations(recipe) * once,
    }
    if kept:
        lasting = kept_splits(splits, saved=prepared.config.training.save == "on")
        passes = sum(trial.times(network, splits[name], above=0, below=1) for name in lasting)
        seconds["frozen part"] = trial.frozen * passes
    return seconds


def end_seconds(prepared: Prepared, last: Estimate) -> dict[str, float]:
    """Expected seconds of what follows the training, by part.

    Args:
        prepared: The run.
        last: Its last stage.
    """
    network, trial = prepared.network, last.trial
    parts, saved = {"evaluate": 0.0}, prepared.config.training.save == "on"
    for name in set(prepared.splits) - {"train"}:
        part = prepared.splits[name]
        seconds = trial.evaluation * trial.times(network, part, above=1, below=0 if last.kept else 1)
        frozen = trial.frozen * trial.times(network, part, above=0, below=1)
        # Without a model to save, validation logits and states are known.
        scoring = frozen + seconds if saved else seconds * (name != "validation")
        parts["evaluate"] += scoring + trial.intervals(prepared.task, len(part.examples))
    if prepared.config.training.baseline == "on":
        parts["baseline"] = baseline_seconds(prepared)
    # Of every parameter the hash once more, and its bytes written and summed, which takes about as long.
    parts["save"] = prepared.clock.seconds["hash"] * (2 if saved else 1)
    return parts
