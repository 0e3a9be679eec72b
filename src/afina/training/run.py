"""A run, from configuration to fine-tuned model, in three stages: prepare, fit, conclude.

Each stage is a generator of events that returns the input of the next stage; `stream` runs all three. Closing a
generator while it trains leaves a checkpoint.
"""

from __future__ import annotations

import glob
import shutil
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from .. import assembly, disk, strategies
from ..assembly import (
    EncodedDataset,
    coverage,
    encode_gradually,
    kept_splits,
    parameter_hashes,
    state_store,
    to_dataset,
    with_targets,
)
from ..compute import Compute, choose
from ..config import Config, dump
from ..data.parts import Data, read_data
from ..devices import count_anew
from ..errors import ConfigError
from ..model.families import EMBEDDED, locate
from ..model.network import Network
from ..model.states import StateStore, states_size
from ..model.vocabulary import distinct
from ..quality.findings import Finding
from ..quality.lengths import length_findings
from ..quality.report import audit, in_a_line, warning_lines
from ..quality.tokenizers import summary, tokenizer_findings
from ..records import Features
from ..tasks.base import Task
from ..text.tokenization import Tokenizer
from . import checkpoint, rundir
from .conclude import conclude
from .divergence import rate_warnings, rates_of
from .events import Event, Note, Progress, with_progress
from .goals import Labelled
from .pace import Pace
from .recipe import decided, recipe_of
from .resume import NEUTRAL, as_begun, fingerprint_of, resume, threads_for
from .stages import Leg, begin, legs_of, stretch_of
from .trainer import Clock, Trainer

PREDICTION = 1000
"""Bytes that the prediction and the scores of an example take on the disk, and often less."""


@dataclass(frozen=True, slots=True, repr=False)
class Prepared:
    """Everything that training needs.

    Attributes:
        config: The complete configuration.
        data: The examples by split.
        task: The fitted task.
        tokenizer: Tokenizer of the model.
        network: The base model with a new head. Its trainable part is chosen.
        splits: The encoded examples by split; `train` has targets.
        coverage: Number of gold items by split, and by the reason why they can't be predicted.
        compute: Device and arithmetic of the network.
        hashes: Hashes of the network's parameters.
        findings: Findings about the data.
        clock: Seconds by part of the work.
    """

    config: Config
    data: Data
    task: Task
    tokenizer: Tokenizer
    network: Network
    splits: dict[str, EncodedDataset]
    coverage: dict[str, Counter[str]]
    compute: Compute
    hashes: dict[str, str]
    findings: Sequence[Finding] = ()
    clock: Clock = field(default_factory=Clock)

    def __repr__(self) -> str:
        return f"Prepared({self.data!r})"


@dataclass(frozen=True, slots=True)
class Ready:
    """What was done before for the same examples and need not be done again.

    Attributes:
        features: By split, the features of each example.
        tokenizer: The tokenizer that made them.
    """

    features: Mapping[str, Sequence[Features]]
    tokenizer: Tokenizer


@dataclass(frozen=True, slots=True)
class Trained:
    """A finished training.

    Attributes:
        prepared: Input of the training.
        trainer: Final state of the training; the network has the best weights.
    """

    prepared: Prepared
    trainer: Trainer


def stream(config: Config, data: Data | None = None, *, ready: Ready | None = None) -> Generator[Event, None, None]:
    """Fine-tune, one event at a time. The last event is `Done`.

    An unfinished run in the folder `out` is resumed from its last checkpoint.

    Args:
        config: Validated configuration.
        data: Data from `read_data`, where they have been read already.
        ready: What was done for these data before; nothing is told about them then.

    Raises:
        InputError: configuration, data or model can't be used, or differ from those of the unfinished run. It is raised
            before training.
        TrainingError: the run failed.
    """
    folder = rundir.folder_of(config.out, task=config.task, strategy=config.strategy, seed=config.seed)
    clock = Clock()
    with clock.part("read"):
        data = data or read_data(config)
    yield from map(Note, data.notes)
    with rundir.locked(folder):
        begun = as_begun(config, folder)
        compute, notes = threads_for(folder, chosen(begun))
        yield from map(Note, notes)
        prepared = yield from prepare(begun, data, compute=compute, clock=clock, ready=ready)
        trained = yield from fit(prepared, folder)
        done = yield from conclude(trained, folder)
        yield done


# ---------------------------------------------------------------------------------------------------------------------
# Prepare.


def prepare(
    config: Config,
    data: Data,
    *,
    compute: Compute | None = None,
    clock: Clock | None = None,
    ready: Ready | None = None,
) -> Generator[Event, None, Prepared]:
    """Report findings about the data, load the model, and encode the data.

    Args:
        config: Validated configuration.
        data: Data from `read_data`.
        compute: Device and arithmetic; None for those that the configuration names.
        clock: Counter of the seconds.
        ready: What was done for these data before; nothing is told about them then.

    Raises:
        ModelError: the model can't be loaded, or the strategy does not suit it.
        ConfigError: the head can't serve the task, or the length exceeds that of the model.
    """
    compute = compute or chosen(config)
    return compute.running(prepared_by(config, data, compute=compute, clock=clock or Clock(), ready=ready))


def chosen(config: Config) -> Compute:
    """The configured device and arithmetic."""
    asked = config.training
    return choose(precision=asked.precision, threads=asked.threads, device=asked.device, strict=asked.strict)


def prepared_by(
    config: Config, data: Data, *, compute: Compute, clock: Clock, ready: Ready | None = None
) -> Generator[Event, None, Prepared]:
    """The work of `prepare`, on the chosen device."""
    task = data.task
    findings: list[Finding] = []
    if ready is None:
        with clock.part("check"):
            findings += audit(task, data.given, left_out=data.left_out)
            lines = warning_lines(findings)
        for line in lines:
            yield Note(line, "warning")
    strategy = strategies.find(config.strategy)
    with clock.part("load"):
        tokenizer, network = opened(config, task, compute=compute, ready=ready)
        strategy.apply(network)
    if config.model.weights == "random":
        yield Note(f"model.weights random: every weight is drawn by seed {config.seed}, and nothing is pre-trained")
    if ready is None:
        with clock.part("check"):
            told = tokenizer_findings(task, data.given, tokenizer=tokenizer)
        findings += told
        yield from (Note(*line) for line in summary(told))
    splits: dict[str, EncodedDataset] = {}
    for name, examples in data.splits.items():
        with clock.part("tokenise"):
            if ready:
                splits[name] = to_dataset(examples, ready.features[name])
            else:
                work = encode_gradually(tokenizer, task, examples)
                splits[name] = yield from with_progress(f"tokens of {name}", work)
    task = data.task.fit_tokens(splits["train"].examples, splits["train"].features)
    if task.found != data.task.found:
        yield Note(f"found in the tokens: {', '.join(f'{name} = {value}' for name, value in task.found.items())}")
    splits["train"] = with_targets(splits["train"], task)
    covered = {name: coverage(task, part) for name, part in splits.items()}
    for name, part in splits.items() if ready is None else ():
        told = length_findings(task, part.examples, tokenizer=tokenizer, name=name, features=part.features)
        findings += told
        yield from length_notes(told)
    config = settled(config, data, tokenizer=tokenizer, strategy=strategy, network=network)
    with clock.part("hash"):
        hashes = parameter_hashes(network)
    network.restrict_vocabulary(used_rows(splits["train"], tokenizer))
    return Prepared(config, data, task, tokenizer, network, splits, covered, compute, hashes, findings, clock)


def opened(config: Config, task: Task, *, compute: Compute, ready: Ready | None = None) -> tuple[Tokenizer, Network]:
    """The tokenizer, unless it is known, and the network that a configuration names."""
    model, source = config.model, locate(config.model.name)
    known = ready.tokenizer if ready else None
    tokenizer = known or assembly.open_tokenizer(source, max_length=model.max_length, resize=model.resize)
    network = assembly.open_network(
        source, task, tokenizer=tokenizer, compute=compute, head=model.head, dropout=model.dropout,
        head_dropout=model.head_dropout, packing=config.training.packing, seed=config.seed,
        random=model.weights == "random",
    )  # fmt: skip
    return tokenizer, network


def used_rows(train: EncodedDataset, tokenizer: Tokenizer) -> list[int]:
    """The rows of the vocabulary that training texts use."""
    return [*distinct(train.windows), tokenizer.pad]


def settled(
    config: Config, data: Data, *, tokenizer: Tokenizer, strategy: strategies.Strategy, network: Network
) -> Config:
    """The configuration with all open settings decided, and with absolute paths."""
    given = config.training
    defaults = strategy.defaults(
        examples=len(data.splits["train"]),
        width=network.backbone.width,
        batch_size=given.batch_size,
        accumulation=given.accumulation,
    )
    decided = {"micro_tokens": network.compute.micro_tokens, **asdict(defaults)}
    training = {name: value for name, value in decided.items() if getattr(given, name) is None}
    if given.precision == "auto":
        training["precision"] = network.compute.precision
    return config.model_copy(
        update={
            "training": given.model_copy(update=training),
            "options": data.task.options.model_dump(mode="json"),
            "model": config.model.model_copy(
                update={"max_length": tokenizer.max_length, "name": absolute(config.model.name)}
            ),
            "data": config.data.model_copy(
                update={name: absolute(value) for name in data.splits if (value := getattr(config.data, name))}
            ),
        }
    )


def absolute(name: str) -> str:
    """The absolute path of an existing file or a pattern. Other names, such as those of models, are unchanged."""
    is_path = name != EMBEDDED and (Path(name).exists() or glob.has_magic(name))
    return str(Path(name).absolute()) if is_path else name


def length_notes(findings: Sequence[Finding]) -> Iterator[Note]:
    """Notes on what the length limit and token boundaries cost, so that no truncation is silent."""
    for finding in findings:
        if finding.severity == "warning":
            yield Note(in_a_line(finding), "warning")
        elif finding.code == "coverage":
            yield Note(finding.message)


# ---------------------------------------------------------------------------------------------------------------------
# Fit.


def fit(prepared: Prepared, folder: Path) -> Generator[Event, None, Trained]:
    """Train in the locked folder of a run, or resume the training there.

    Args:
        prepared: Result of `prepare`. Its network is trained in place.
        folder: Folder of the run.

    Raises:
        ConfigError: the disk has no room, or the inputs differ from those of the unfinished run.
        TrainingError: the loss is not finite, or something can't be written.
    """
    return prepared.compute.running(fitted_in(prepared, folder))


def fitted_in(prepared: Prepared, folder: Path) -> Generator[Event, None, Trained]:
    """The work of `fit`, where the process is set up for it."""
    config, network = prepared.config.model_copy(update={"out": str(folder)}), prepared.network
    scored = sum(len(prepared.data.splits.get(name, ())) for name in ("validation", "test"))
    count_anew(network.device)
    check_room(folder, network, scored=scored, saved=config.training.save == "on")
    fingerprint = fingerprint_of(
        config.model_dump(mode="json", exclude={"out": True, "data": True, "training": NEUTRAL}),
        prepared.data.splits,
        parameter_hashes=prepared.hashes,
        compute=prepared.compute,
    )
    taken_up, notes = resume(folder, fingerprint)
    yield from map(Note, notes)
    with checkpoint.writing(folder, folder):
        disk.write(folder / rundir.CONFIG, dump(config).encode())
        rundir.write_json(folder / rundir.DATA, prepared.data.record())
        rundir.write_json(folder / rundir.CHECK, [asdict(finding) for finding in prepared.findings])
        if config.data.on_bad_row == "quarantine":
            rundir.quarantine(folder, prepared.data.left_out)
        (folder / rundir.STEPS).touch()
    recipe = recipe_of(config, prepared.task)
    yield from device_notes(prepared.compute)
    yield Note(decided(recipe, network, strategy=config.strategy))
    strategy = strategies.find(config.strategy)
    rates = rates_of(strategy, recipe, network)
    for warning in rate_warnings(rates, strategy=config.strategy, width=network.backbone.width):
        yield Note(warning, "warning")
    splits, clock = prepared.splits, Clock(dict(prepared.clock.seconds))
    goal, pace = Labelled(prepared.task, splits), Pace.of(prepared.compute)
    trainer = Trainer(network, goal, splits, recipe, folder, fingerprint, clock, rates, pace=pace)
    legs = legs_of(strategy, recipe, network, name=config.strategy, examples=len(splits["train"].examples))
    start = taken_up.state["counters"].get("stage", 0) if taken_up else 0
    for number in range(start, len(legs)):
        here = taken_up if number == start else None
        yield from entered(prepared, trainer, legs, number=number, fresh=here is None)
        yield from trainer.train(here)
        trainer.done.append(stretch_of(trainer, legs[number].name))
    yield from trainer.restore_best()
    return Trained(replace(prepared, config=config), trainer)


def entered(
    prepared: Prepared, trainer: Trainer, legs: Sequence[Leg], *, number: int, fresh: bool
) -> Generator[Event, None, None]:
    """Begin a stage: choose what trains, and keep the states of what does not. Closing it leaves a checkpoint.

    Args:
        prepared: The run.
        trainer: Its trainer.
        legs: Its stages.
        number: Number of the stage, from 0.
        fresh: Whether the stage begins; else it is taken up.
    """
    leg, network, config = legs[number], trainer.network, prepared.config
    if leg.from_best and fresh:
        trainer.put(trainer.best_weights)
    if len(legs) > 1:
        begin(leg, network, ids=used_rows(prepared.splits["train"], prepared.tokenizer), first=not trainer.done)
        strategy = strategies.find(config.strategy)
        trainer.recipe, trainer.rates = leg.recipe, rates_of(strategy, leg.recipe, network)
        trainer.later_epochs = sum(later.recipe.epochs for later in legs[number + 1 :])
        trainer.pace = Pace.of(prepared.compute, seconds=trainer.clock.seconds.get("train", 0.0))
    if fresh and number:
        trainer.enter(number)
    try:
        if len(legs) > 1:
            shown = decided(leg.recipe, network, strategy=leg.name).removeprefix("strategy ")
            yield Note(f"stage {number + 1} of {len(legs)}, {shown}")
        splits = prepared.splits
        if network.frozen_layers and (len(legs) == 1 or leg.repeats):
            asked = config.training
            store = state_store(memory=asked.cache_memory, disk=asked.cache_disk, device=network.device)
            splits = yield from keep_states(prepared, store, clock=trainer.clock)
    except GeneratorExit:
        if fresh and number:
            trainer.save(over=False)
        raise
    trainer.splits, trainer.goal = splits, Labelled(prepared.task, splits)


def device_notes(compute: Compute) -> Iterator[Note]:
    """Notes on where the run computes, and in what arithmetic."""
    yield Note(compute.described)
    if compute.emulates:
        yield Note(
            "training.precision: this GPU has no units for bf16 and computes it slowly; what was begun in bf16 goes on "
            "in it, and a new run is faster in fp32",
            "warning",
        )
    elif compute.prefers_fp32:
        yield Note("training.precision: this CPU is faster in fp32 than in bf16, as measured; auto would take fp32")


def keep_states(
    prepared: Prepared, store: StateStore, *, clock: Clock
) -> Generator[Note | Progress, None, dict[str, EncodedDataset]]:
    """The splits, with the states at the cut of those that are computed more than once. Their size is noted first."""
    network, splits, saved = prepared.network, dict(prepared.splits), prepared.config.training.save == "on"
    sizes = {name: states_size(network, splits[name].windows) for name in kept_splits(splits, saved=saved)}
    yield Note(f"frozen part: {store.plan(sum(sizes.values()))}")
    for name, size in sizes.items():
        with clock.part("frozen part"):
            states = yield from with_progress(
                f"frozen part of {name}",
                store.states(network, splits[name].windows, prepared.hashes, model=prepared.config.model.name),
            )
        if states is None and store.plan(size).kept:
            yield Note(
                f"{store.folder}: can't be written, or is full: the states of {name} are recomputed every epoch",
                "warning",
            )
        splits[name] = replace(splits[name], kept=states)
        store = store.after(states)
    return splits


def check_room(folder: Path, network: Network, *, scored: int = 0, saved: bool = True) -> None:
    """Check that the disk has room for what the run will write.

    Args:
        folder: Folder of the run.
        network: What is trained.
        scored: Number of examples whose predictions and scores will be kept.
        saved: Whether the model will be kept.

    Raises:
        ConfigError: the disk has too little room.
    """
    model_size = sum(p.nbytes for name, p in network.named_parameters() if not name.startswith("vocabulary."))
    model_size = model_size if saved else 0
    # Weights, two moments of each, and best weights. An older checkpoint is removed once the newer one is complete.
    checkpoint_size = 4 * sum(p.nbytes for p in network.parameters() if p.requires_grad)
    existing = sum(file.stat().st_size for file in (folder / rundir.CHECKPOINTS).rglob("*") if file.is_file())
    needed = checkpoint_size + max(checkpoint_size, model_size) + PREDICTION * scored - existing
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ConfigError(
            f"out: {folder}: the run needs {needed / 1e6:,.1f} MB for checkpoints{' and the model' * saved}, and "
            f"{free / 1e6:,.1f} MB are free; make room, or give a folder on another disk (--out)"
        )
