"""Configuration to fine-tuned model: the assembly, and the policies around the loop.

`stream` is a generator of events; the command line draws them, `afina.train` lets them pass.
"""

from __future__ import annotations

import glob
import hashlib
import json
import math
import platform
import shutil
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import torch

from .. import disk, inference
from ..artifact import Artifact
from ..config import Config, ModelConfig, TrainingConfig, dump
from ..data.parts import Data, read_data
from ..errors import ConfigError, TrainingError
from ..inference import Evaluation
from ..metrics.scores import higher_is_better
from ..model import flops
from ..model import network as networks
from ..model.backbone import best_device, check_length, load_config
from ..model.families import EMBEDDED, locate
from ..model.network import Network
from ..model.states import StateStore, states_folder, states_size
from ..model.vocabulary import distinct
from ..records import Example, Features
from ..tasks.base import Array, Task
from ..text.layouts import Work, drain
from ..text.tokenization import CHUNK, Tokenizer, chunks, load_tokenizer
from . import checkpoint, rundir, strategies
from .loop import EncodedDataset, Step, steps, to_dataset, with_targets

CACHE_SHARE = 0.25
"""Share of the free memory that kept states may take."""
FREE = {"cache_memory", "cache_disk", "checkpoint_every"}
"""Training settings that don't change what comes out."""
COUNTERS = ("number", "epoch", "tokens", "padded", "stale", "due", "micro", "evaluations")
"""What a checkpoint keeps of the trainer's own state."""
KEPT = ("train", "validation")
"""Parts of the data that are run more than once."""
BEAT = 1.0
"""Seconds between two words of a part of the work that has no steps; a stop is heard as often."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Note:
    """Something the run decided or found, in one line."""

    text: str


@dataclass(frozen=True, slots=True)
class Begin:
    """Training starts.

    Attributes:
        steps: Steps at most.
        epochs: Epochs at most.
        metric: The validation metric that chooses the best epoch.
    """

    steps: int
    epochs: int
    metric: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long part of the work has come that has no steps.

    Attributes:
        what: Its name.
        share: What is done of it, from 0 to 1.
    """

    what: str
    share: float


@dataclass(frozen=True, slots=True)
class Scored:
    """An evaluation on the validation data.

    Attributes:
        epoch: Finished epochs.
        step: Finished steps.
        metrics: Name to value.
        best: Whether it is the best so far.
    """

    epoch: int
    step: int
    metrics: dict[str, float]
    best: bool


@dataclass(frozen=True, slots=True)
class Done:
    """The run is over, and everything is on disk.

    Attributes:
        folder: Of the run.
        artifact: The fine-tuned model.
        validation: Scores of the best epoch on the validation data.
        test: Scores on the test data, when there are any.
        record: What `run.json` holds.
    """

    folder: Path
    artifact: Artifact
    validation: Evaluation
    test: Evaluation | None
    record: dict[str, Any]


Event = Note | Begin | Step | Progress | Scored | Done


@dataclass
class Clock:
    """Seconds by part of the work."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count what happens inside towards `name`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def stream(config: Config, data: Data | None = None) -> Iterator[Event]:
    """Fine-tune, one event at a time. Closing the stream while it trains leaves a checkpoint.

    A folder (`out`) that holds an unfinished run is taken up where its last checkpoint was written.

    Args:
        config: Checked configuration.
        data: What `read_data` gave, when it was called already.

    Raises:
        InputError: configuration, data or model can't be used, or are not those that the run was begun with; before any
            training.
        TrainingError: the run failed.
    """
    clock = Clock()
    folder = Path(config.out) if config.out else rundir.default_folder(config.task, config.strategy, config.seed)
    rundir.check(folder)
    with clock.part("read"):
        data = data or read_data(config)
    yield from map(Note, data.notes)
    if config.training.threads:
        torch.set_num_threads(config.training.threads)
    if config.training.precision != "fp32":  # TF32 for what autocast leaves in fp32 on a GPU: frozen layers
        torch.backends.cuda.matmul.allow_tf32 = True
    with clock.part("load"):
        network, tokenizer = assemble(config, data.task)
    with rundir.locked(folder):
        yield from begin(config, data, network, tokenizer, folder, clock)


def begin(
    config: Config, data: Data, network: Network, tokenizer: Tokenizer, folder: Path, clock: Clock
) -> Iterator[Event]:
    """The run in its folder, which is ours alone, with nothing wrong as far as that can be seen beforehand."""
    task = data.task
    parts: dict[str, EncodedDataset] = {}
    for name, examples in data.parts.items():
        with clock.part("tokenise"):
            parts[name] = yield from with_progress(f"tokens of {name}", encoding(tokenizer, task, examples))
    parts["train"] = with_targets(parts["train"], task)
    gold = {name: held(task, part) for name, part in parts.items()}
    yield from map(Note, length_notes(parts, gold, task, tokenizer.max_length))

    training = strategies.resolve(
        config.training,
        config.strategy,
        examples=len(data.parts["train"]),
        width=network.backbone.width,
        device=network.device,
    )
    config = config.model_copy(
        update={
            "training": training,
            "out": str(folder),
            "options": task.options.model_dump(mode="json"),
            "model": config.model.model_copy(
                update={"max_length": tokenizer.max_length, "name": absolute(config.model.name)}
            ),
            "data": config.data.model_copy(
                update={name: absolute(value) for name in data.parts if (value := getattr(config.data, name))}
            ),
        }
    )
    before = parameter_hashes(network)
    network.restrict_vocabulary([*distinct(parts["train"].windows), tokenizer.pad])
    check_room(folder, network)
    begun = begun_with(config, data, before)
    taken_up = take_up(folder, begun)
    yield from map(Note, taken_up[1])
    with checkpoint.writing(folder, folder):
        disk.write(folder / rundir.CONFIG, dump(config).encode())
        rundir.write_json(folder / rundir.DATA, data.record())
        rundir.write_json(folder / rundir.CHECK, [asdict(one) for one in data.findings])
        if config.data.on_bad_row == "quarantine":
            rundir.quarantine(folder, data.left_out)
        (folder / rundir.STEPS).touch()
    yield Note(decided(config, network))

    if network.frozen_layers:
        yield from keep_states(network, parts, before, config, tokenizer.pad, clock)
    metric = training.metric or next(iter(task.metrics))
    trainer = Trainer(network, task, parts, training, tokenizer.pad, config.seed, metric, clock, folder, begun)
    yield from trainer.run(taken_up[0])
    try:
        done = yield from conclude(trainer, config, tokenizer, before, gold)
    except GeneratorExit:
        trainer.save()
        raise
    yield done


def conclude(
    trainer: Trainer,
    config: Config,
    tokenizer: Tokenizer,
    before: Mapping[str, str],
    gold: Mapping[str, Mapping[str, int]],
) -> Generator[Event, None, Done]:
    """The best weights to a model that is proved, scored and saved.

    Args:
        trainer: When the training is over.
        config: Of the run, complete.
        encoder: Of the texts.
        before: Hashes of the network's parameters before the training.
        gold: Gold items by part, all of them and those that lie whole in the windows.

    Raises:
        TrainingError: a frozen weight moved, or something can't be written.
    """
    network, task, parts, folder, clock = trainer.network, trainer.task, trainer.parts, trainer.folder, trainer.clock
    speed = speed_of(trainer, parts["train"], clock)
    yield Note(speed.pop("says"))
    rows = network.vocabulary.rows.numel() if network.vocabulary else None
    network.restore_vocabulary()
    proof = prove(network, before, rows)
    if proof["trained_tensors_unmoved"]:
        yield Note(f"these weights train and did not move: {', '.join(proof['trained_tensors_unmoved'])}")
    with clock.part("validate"):
        task = task.fit_thresholds(parts["validation"].examples, parts["validation"].features, trainer.logits)
    network.fold_scale()
    artifact = Artifact(task, tokenizer, network, config.model.head, config.model.name)
    scores: dict[str, Evaluation] = {}
    for name in ("validation", "test"):
        if name in parts:
            with clock.part("evaluate"):
                scores[name] = yield from judged(artifact, parts[name], folder, name)
    model = folder / rundir.MODEL
    with clock.part("save"), checkpoint.writing(model, folder, sum(p.nbytes for p in network.parameters())):
        artifact.save(disk.aside(model))
        disk.aside(model).rename(model)
    record = {
        "status": "done",
        "validation": asdict(scores["validation"]),
        "test": asdict(scores["test"]) if "test" in scores else None,
        "gold": gold,
        "best": trainer.best,
        "steps": trainer.number,
        "parameters": proof["parameters"],
        "freeze_proof": proof,
        "tokens": trainer.tokens,
        "padded_tokens": trainer.padded,
        "speed": speed,
        "seconds": {name: round(value, 3) for name, value in clock.seconds.items()},
        "machine": machine(),
    }
    with checkpoint.writing(folder / rundir.RUN, folder):
        rundir.write_json(folder / rundir.RUN, record)
        disk.sync(folder)
    disk.remove(folder / rundir.CHECKPOINTS)
    return Done(folder, artifact, scores["validation"], scores.get("test"), record)


def with_progress(what: str, work: Work[T]) -> Generator[Progress, None, T]:
    """Do something long, and say now and then how far it is: what it says is where it can be stopped."""
    said = time.monotonic()
    with closing(work):
        while True:
            try:
                share = next(work)
            except StopIteration as end:
                result: T = end.value
                return result
            if time.monotonic() - said >= BEAT:
                yield Progress(what, share)
                said = time.monotonic()


def check_room(folder: Path, network: Network) -> None:
    """See that the disk has room for what the run will write.

    Raises:
        ConfigError: it has not.
    """
    model = sum(p.nbytes for name, p in network.named_parameters() if not name.startswith("vocabulary."))
    # The weights, two moments of each, and the best weights; the older checkpoint goes when the newer is complete.
    one = 4 * sum(p.nbytes for p in network.parameters() if p.requires_grad)
    there = sum(file.stat().st_size for file in (folder / rundir.CHECKPOINTS).rglob("*") if file.is_file())
    needed, free = one + max(one, model) - there, shutil.disk_usage(folder).free
    if free < needed:
        raise ConfigError(
            f"out: {folder}: the run needs {needed / 1e6:,.1f} MB for checkpoints and the model, and "
            f"{free / 1e6:,.1f} MB are free; make room, or give a folder on another disk (--out)"
        )


# ---------------------------------------------------------------------------------------------------------------------
# Model and training.


def absolute(name: str) -> str:
    """A path that means the same from everywhere; names of models and patterns of files that aren't there stay."""
    is_path = name != EMBEDDED and (Path(name).exists() or glob.has_magic(name))
    return str(Path(name).absolute()) if is_path else name


def begun_with(config: Config, data: Data, parameter_hashes: Mapping[str, str]) -> dict[str, Any]:
    """What decides the outcome of a run, to compare when it is taken up."""
    examples = {}
    for name, part in data.parts.items():
        lines = "\n".join(repr((one.text, one.pair, one.target, one.words)) for one in part)
        examples[name] = hashlib.sha256(lines.encode("utf-8", "surrogatepass")).hexdigest()
    settings = config.model_dump(mode="json", exclude={"out": True, "data": True, "training": FREE})
    return {
        "settings": settings,
        "examples": examples,
        "model": hashlib.sha256(json.dumps(parameter_hashes, sort_keys=True).encode()).hexdigest(),
        "machine": {**machine(), "system": platform.system()},
    }


def take_up(folder: Path, begun: Mapping[str, Any]) -> tuple[checkpoint.Checkpoint | None, list[str]]:
    """The checkpoint to go on from, if there is one, and what to say about it; sweeps what a dead run left half done.

    Raises:
        ConfigError: the run was begun with something else, and the differences are listed; or a log is damaged.
    """
    found, notes = checkpoint.latest(folder)
    half_done = (rundir.MODEL, rundir.PREDICTIONS)
    if found is None:
        rundir.sweep(folder, *half_done, rundir.STEPS, rundir.EVALUATIONS)
        return None, [f"skipped: {note}" for note in notes]
    then = found.state["begun"]
    differ = checkpoint.differences(without(then, "machine"), without(begun, "machine"))
    if differ:
        raise ConfigError(
            [
                f"out: {folder} holds a run that was begun with something else; give another folder, or undo this:",
                *differ,
            ]
        )
    counters = found.state["counters"]
    logs = {rundir.STEPS: counters["number"], rundir.EVALUATIONS: counters["evaluations"]}
    kept = {name: rundir.kept(folder / name, lines) for name, lines in logs.items()}
    rundir.sweep(folder, *half_done)
    for name, content in kept.items():
        disk.write(folder / name, content)
    notes = [f"skipped: {note}" for note in notes]
    moved = checkpoint.differences(then["machine"], begun["machine"])
    if moved:
        notes.append(f"the last bits may differ from a run without a stop: {'; '.join(moved)}")
    return found, [*notes, f"taken up after step {counters['number']}"]


def without(tree: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A dict less one entry."""
    return {key: value for key, value in tree.items() if key != name}


def assemble(config: Config, task: Task) -> tuple[Network, Tokenizer]:
    """The network with its trainable part chosen, and the encoder of texts.

    Raises:
        ModelError: the model can't be loaded, or the strategy does not suit it.
        ConfigError: the head can't serve the task, or the length is more than the model has.
    """
    settings = config.model
    tokenizer = text_tokenizer(settings)
    network = networks.build(
        settings.name, task.head, level=task.level, head=settings.head,
        dropout=settings.dropout, head_dropout=settings.head_dropout, seed=config.seed,
    )  # fmt: skip
    network.to(best_device())
    network.packing = config.training.packing
    network.freeze(strategies.trainable_layers(config.strategy, network))
    if network.criterion and "weights" in task.fitted:
        raise ConfigError("options.class_weights: this head has a loss of its own, which knows no weights; use another")
    return network, tokenizer


def text_tokenizer(settings: ModelConfig) -> Tokenizer:
    """The encoder of texts alone, without the model's weights.

    Raises:
        ModelError: tokenizer or configuration can't be loaded.
        ConfigError: the length is more than the model has.
    """
    source, local = locate(settings.name)
    pretrained = load_tokenizer(source, local=local)
    return Tokenizer(pretrained, check_length(settings.max_length, load_config(source, local=local), pretrained))


def encoded(tokenizer: Tokenizer, task: Task, examples: Sequence[Example]) -> EncodedDataset:
    """Examples as material for the encoder."""
    return drain(encoding(tokenizer, task, examples))


def encoding(tokenizer: Tokenizer, task: Task, examples: Sequence[Example]) -> Work[EncodedDataset]:
    """Encode examples, some at a time."""
    features: list[Features] = []
    for chunk in chunks(examples, CHUNK):
        features += tokenizer.encode(chunk, slides=task.slides)
        yield len(features) / len(examples)
    return to_dataset(examples, features)


def length_notes(
    parts: Mapping[str, EncodedDataset], gold: Mapping[str, Mapping[str, int]], task: Task, limit: int
) -> list[str]:
    """What the length limit and the borders of tokens cost, part by part; nothing is cut in silence."""
    notes = [
        f"{name}: {count['held']:,} of {count['all']:,} gold {task.unit} lie whole in the windows"
        for name, count in gold.items()
        if count["all"]
    ]
    for name, part in parts.items():
        cuts = [one.cut for one in part.features if one.cut]
        if cuts:
            share = 100 * len(cuts) / len(part.examples)
            notes.append(
                f"{name}: {len(cuts)} texts ({share:.1f} %) are longer than {limit} tokens and lose {sum(cuts)} tokens"
            )
    return notes


def held(task: Task, part: EncodedDataset) -> dict[str, int]:
    """How many gold items a part has, and how many of them its windows can express."""
    pairs = zip(part.examples, part.features, strict=True)
    counts = [task.coverage(example, one.windows) for example, one in pairs]
    return {"all": sum(one for one, _ in counts), "held": sum(one for _, one in counts)}


def arithmetic(precision: str, device: torch.device) -> torch.dtype | None:
    """Type for autocast: bf16 where a GPU has it or where it is asked for, else None for fp32."""
    if precision == "auto":
        return torch.bfloat16 if device.type == "cuda" and torch.cuda.is_bf16_supported() else None
    return torch.bfloat16 if precision == "bf16" else None


def decided(config: Config, network: Network) -> str:
    """The settings that matter, in one line."""
    training = config.training
    trained = sum(p.numel() for p in network.parameters() if p.requires_grad)
    total = sum(p.numel() for name, p in network.named_parameters() if not name.startswith("vocabulary."))
    head = f", head {training.head_learning_rate:g}" if training.head_learning_rate else ""
    patience = f", patience {training.patience}" if training.patience else ""
    rows = " (of the vocabulary, the rows that the training texts use)" if network.vocabulary else ""
    return (
        f"strategy {config.strategy}: {trained:,} of {total:,} parameters train{rows}; learning rate "
        f"{training.learning_rate:g}{head}, {training.epochs} epochs{patience}, batch size "
        f"{(training.batch_size or 1) * training.accumulation}, seed {config.seed}"
    )


def keep_states(
    network: Network,
    parts: dict[str, EncodedDataset],
    parameter_hashes: Mapping[str, str],
    config: Config,
    pad: int,
    clock: Clock,
) -> Iterator[Note | Progress]:
    """Give the parts that are run more than once their states below the cut; what that takes is said before."""
    store = store_of(config.training)
    yield Note(f"frozen part: {store.plan(sum(states_size(network, parts[name].windows) for name in KEPT))}")
    for name in KEPT:
        windows = parts[name].windows
        needed, budget = states_size(network, windows), inference.at_once(network)
        with clock.part("frozen part"):
            states = yield from with_progress(
                f"frozen part of {name}",
                store.states(network, windows, parameter_hashes, pad=pad, budget=budget, model=config.model.name),
            )
        if states is None and needed <= max(store.memory, store.disk):
            yield Note(f"{store.folder}: can't be written, or is full: the states of {name} are recomputed every epoch")
        parts[name] = replace(parts[name], kept=states)
        store = replace(store, memory=max(0.0, store.memory - needed))


def store_of(training: TrainingConfig) -> StateStore:
    """Where states may be kept, and how much of them."""
    memory = CACHE_SHARE * free_memory() if training.cache_memory is None else training.cache_memory * 1e9
    return StateStore(states_folder(), memory, training.cache_disk * 1e9)


def free_memory() -> float:
    """Bytes of memory that are free, as far as the system tells."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return float(line.split()[1]) * 1024
    except OSError:
        pass
    return 4e9


@dataclass
class Trainer:
    """Consumes the loop: logs, evaluates after each epoch, keeps the best weights, stops, writes checkpoints."""

    network: Network
    task: Task
    parts: dict[str, EncodedDataset]
    training: TrainingConfig
    pad: int
    seed: int
    metric: str
    clock: Clock
    folder: Path
    begun: dict[str, Any]
    """What the run was begun with; a run that is taken up must agree."""
    number: int = 0
    epoch: int = 0
    tokens: int = 0
    padded: int = 0
    stale: int = 0
    earlier: int = 0
    """Tokens that went through before the run was taken up."""
    due: bool = False
    """Whether an evaluation comes before the next step."""
    evaluations: int = 0
    """How many there were, which is the number of lines in their log."""
    micro: int = 0
    best: dict[str, Any] = field(default_factory=dict)
    kept: checkpoint.Tensors = field(default_factory=dict)
    """The trained weights at the best evaluation, by name."""
    logits: Sequence[Sequence[Array]] = ()

    def run(self, taken_up: checkpoint.Checkpoint | None = None) -> Iterator[Event]:
        """Train to the end and leave the best weights in the network.

        Args:
            taken_up: Where to go on.

        Raises:
            TrainingError: the loss is not finite, or a checkpoint can't be written.
        """
        training, data = self.training, self.parts["train"]
        batch = (training.batch_size or 1) * training.accumulation
        planned = math.ceil(len(data.examples) / batch) * (training.epochs or 1)
        optimiser = strategies.optimiser(self.network, training)
        self.micro = training.micro_tokens or 1
        if taken_up:
            self.restore(taken_up, optimiser)
        yield Begin(planned, training.epochs or 1, self.metric)
        if training.checkpointing:
            self.network.stock.gradient_checkpointing_enable({"use_reentrant": False})
        loop = steps(
            self.network, self.task, data, optimiser,
            strategies.schedule(training.schedule or "linear", steps=planned, warmup=training.warmup),
            epochs=training.epochs or 1, batch_size=batch, clip=training.clip, micro_tokens=self.micro, pad=self.pad,
            seed=self.seed, autocast=arithmetic(training.precision, self.network.device), done=self.number,
        )  # fmt: skip
        with closing(loop):
            try:
                yield from self.consume(loop, optimiser)
            except GeneratorExit:  # whoever looks on wants to stop: everything up to this step is kept
                if self.number:
                    self.save(optimiser)
                raise
        with torch.no_grad():
            for name, parameter in self.trained():
                parameter.copy_(self.kept[name])
        if not self.logits:
            part = self.parts["validation"]
            work = inference.compute_logits(self.network, part.windows, pad=self.pad, kept=part.kept)
            try:
                logits = yield from with_progress("validation", work)
            except GeneratorExit:
                self.save()
                raise
            self.logits = inference.by_example(part.features, logits)
        if training.checkpointing:
            self.network.stock.gradient_checkpointing_disable()

    def consume(self, loop: Iterator[Step], optimiser: torch.optim.Optimizer) -> Iterator[Event]:
        """Step after step. Whenever something is given out, the state is whole."""
        training = self.training
        epochs, every = training.epochs or 1, training.evaluate_every or 1
        saved = time.monotonic()
        while True:
            if self.due:
                with self.clock.part("validate"):
                    scored = yield from self.validate()
                self.log(rundir.EVALUATIONS, scored)
                self.due, self.evaluations = False, self.evaluations + 1
                self.stale = 0 if scored.best else self.stale + every
                if scored.best:
                    self.kept = {name: parameter.detach().clone() for name, parameter in self.trained()}
                yield scored
            if training.patience and self.stale >= training.patience:
                yield Note(f"stopped: no better {self.metric} in {self.stale} epochs")
                return
            if time.monotonic() - saved >= training.checkpoint_every and self.number:
                self.save(optimiser)
                saved = time.monotonic()
            with self.clock.part("train"), flushed_denormals():
                step = next(loop, None)
            if step is None:
                return
            self.number, self.epoch = step.number, step.epoch
            self.tokens, self.padded = self.tokens + step.tokens, self.padded + step.padded
            self.due = step.last and (not (step.epoch + 1) % every or step.epoch + 1 == epochs)
            self.log(rundir.STEPS, step)
            if step.micro_tokens < self.micro:
                self.micro = step.micro_tokens
                yield Note(f"memory ran out in step {step.number}: at most {self.micro} tokens at once from here on")
            yield step

    def log(self, name: str, record: Step | Scored) -> None:
        """Write a line to a log of the run.

        Raises:
            TrainingError: it can't be written.
        """
        with checkpoint.writing(self.folder / name, self.folder):
            rundir.append(self.folder / name, asdict(record))

    def trained(self) -> list[tuple[str, torch.nn.Parameter]]:
        """What trains, by name."""
        return [(name, parameter) for name, parameter in self.network.named_parameters() if parameter.requires_grad]

    def save(self, optimiser: torch.optim.Optimizer | None = None) -> None:
        """Write a checkpoint of this moment.

        Args:
            optimiser: None when the training is over, so that nothing but the best weights counts.

        Raises:
            TrainingError: it can't be written.
        """
        weights, moments = self.kept, {}
        if optimiser is not None:
            weights = {name: parameter.detach().contiguous() for name, parameter in self.trained()}
            moments = checkpoint.optimiser_state(optimiser, {p: name for name, p in self.trained()})
        counters = {name: getattr(self, name) for name in COUNTERS}
        state = {"counters": rundir.finite(counters), "best": rundir.finite(self.best), "begun": self.begun}
        with self.clock.part("checkpoint"):
            checkpoint.save(self.folder, self.number, checkpoint.Checkpoint(state, weights, moments, self.kept))

    def restore(self, taken_up: checkpoint.Checkpoint, optimiser: torch.optim.Optimizer) -> None:
        """Put everything back to where a checkpoint was written."""
        with torch.no_grad():
            for name, parameter in self.trained():
                parameter.copy_(taken_up.weights[name])
        if self.network.vocabulary is not None:
            self.network.vocabulary.stale = True
        checkpoint.restore_optimiser(optimiser, {p: name for name, p in self.trained()}, taken_up.optimiser)
        for name, value in taken_up.state["counters"].items():
            setattr(self, name, value)
        self.earlier = self.tokens
        self.best = dict(taken_up.state["best"])
        if self.best and self.best["rank"] is None:  # a metric without a value
            self.best |= {"rank": -math.inf, "value": math.nan}
        self.kept = {name: tensor.to(self.network.device) for name, tensor in taken_up.best.items()}

    def validate(self) -> Generator[Progress, None, Scored]:
        """Score the validation data, and note the best.

        Raises:
            TrainingError: the validation metric has no value.
        """
        part = self.parts["validation"]
        work = inference.compute_logits(self.network, part.windows, pad=self.pad, kept=part.kept)
        logits = yield from with_progress("validation", work)
        predictions = inference.decode(self.task, part.examples, part.features, logits)
        metrics = inference.score(self.task, inference.table_of(self.task, part.examples, predictions))
        value = metrics[self.metric]
        sign = 1 if higher_is_better(self.metric) else -1
        # A metric without a value (a correlation of constant predictions) is the worst there is, never the best.
        rank = sign * value if math.isfinite(value) else -math.inf
        better = not self.best or rank > self.best["rank"]
        if better:
            self.logits = inference.by_example(part.features, logits)
            self.best = {
                "epoch": self.epoch + 1,
                "step": self.number,
                "metric": self.metric,
                "value": value,
                "rank": rank,
            }
        return Scored(self.epoch + 1, self.number, metrics, better)


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Numbers too small to be normal count as 0 inside, since processors are slow with them.

    It is a state of the whole process, and the caller's own arithmetic must not see it.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def judged(artifact: Artifact, part: EncodedDataset, folder: Path, name: str) -> Generator[Progress, None, Evaluation]:
    """Score one part with the final model, and write its predictions down."""
    work = inference.compute_logits(artifact.network, part.windows, pad=artifact.tokenizer.pad)
    logits = yield from with_progress(f"scores of {name}", work)
    predictions = inference.decode(artifact.task, part.examples, part.features, logits)
    lines = [
        {"part": name, "place": example.place, "target": example.target, **prediction}
        for example, prediction in zip(part.examples, predictions, strict=True)
    ]
    with checkpoint.writing(folder / rundir.PREDICTIONS, folder):
        rundir.append(folder / rundir.PREDICTIONS, *lines)
    return inference.evaluate(artifact.task, part.examples, predictions, part.features)


def speed_of(trainer: Trainer, part: EncodedDataset, clock: Clock) -> dict[str, Any]:
    """How fast the training was, beside what the machine can do."""
    network = trainer.network
    seconds = clock.seconds.get("train", 0.0)
    mine = trainer.tokens - trainer.earlier
    epochs = mine / max(1, sum(map(len, part.windows)))
    done = flops.forward(network, [len(window) for window in part.windows])
    # States that are kept were computed outside `train`.
    rate = (3 * done.above + (done.below if part.kept is None else 0)) * epochs / max(seconds, 1e-9)
    peak = flops.peak(network.device, arithmetic(trainer.training.precision, network.device))
    tokens, padding = mine / max(seconds, 1e-9), 1 - trainer.tokens / max(1, trainer.padded)
    says = f"speed: {tokens:,.0f} tokens a second, {padding:.0%} padding"
    if done.above:
        says += f", {rate / peak:.0%} of this machine's {peak / 1e9:,.0f} GFLOP/s in matrix products"
    return {
        "says": says,
        "tokens_per_second": round(tokens, 1),
        "padding": round(padding, 4),
        "flops_per_second": round(rate),
        "peak_flops_per_second": round(peak),
        "share_of_peak": round(rate / peak, 3),
    }


# ---------------------------------------------------------------------------------------------------------------------
# The freeze proof.


def parameter_hashes(network: Network) -> dict[str, str]:
    """A hash of every parameter's bytes."""
    return {
        name: hashlib.blake2b(parameter.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes()).hexdigest()
        for name, parameter in network.named_parameters()
    }


def prove(network: Network, before: Mapping[str, str], rows: int | None = None) -> dict[str, Any]:
    """That every frozen tensor is bit-equal to the base model's, and that every trainable one has moved.

    Args:
        network: After training.
        before: Hashes of its parameters before.
        rows: Numbers in the rows of the vocabulary that trained, where not all of them did.

    Raises:
        TrainingError: a frozen tensor moved, or nothing that trains did.
    """
    after = parameter_hashes(network)
    trained = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    moved = {name for name in after if after[name] != before[name]}
    if moved - trained:
        raise TrainingError(f"frozen weights moved: {', '.join(sorted(moved - trained)[:5])}; please report this")
    if not moved:
        raise TrainingError("no weight moved in training; is the learning rate 0?")
    sizes = {name: parameter.numel() for name, parameter in network.named_parameters()}
    unused = 0
    if rows is not None:
        table = network.backbone.base.get_input_embeddings().weight  # type: ignore[operator]
        unused = table.numel() - rows
    return {
        "frozen_tensors": len(after) - len(trained),
        "frozen_tensors_moved": [],
        "trained_tensors": len(trained),
        "trained_tensors_unmoved": sorted(trained - moved),
        "parameters": {
            "trained": sum(sizes[name] for name in trained) - unused,
            "frozen": sum(size for name, size in sizes.items() if name not in trained) + unused,
        },
    }


def machine() -> dict[str, Any]:
    """What the run ran on."""
    from importlib.metadata import version

    packages = ("afina", "torch", "transformers", "numpy")
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else platform.machine(),
        "threads": torch.get_num_threads(),
        "versions": {name: version(name) for name in packages},
    }
