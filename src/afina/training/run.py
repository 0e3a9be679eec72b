"""Configuration to fine-tuned model: the assembly, and the policies around the loop.

`stream` is a generator of events; the command line draws them, `afina.train` lets them pass.
"""

from __future__ import annotations

import hashlib
import math
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from .. import inference
from ..artifact import Artifact
from ..config import Config, TrainingConfig, dump
from ..data.parts import Data, read_data
from ..errors import ConfigError, TrainingError
from ..inference import Evaluation
from ..metrics.scores import higher_is_better
from ..model import cache, flops
from ..model import network as networks
from ..model.encoder import check_length
from ..model.families import locate
from ..model.network import Network
from ..model.vocabulary import distinct
from ..records import Example
from ..tasks.base import Array, Task
from ..text.encoding import Encoder, load_tokenizer
from . import rundir, strategy
from .loop import Material, Step, material, steps, targeted

CACHE_SHARE = 0.25
"""Share of the free memory that kept states may take."""
KEPT = ("train", "validation")
"""Parts of the data that are run more than once."""


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


Event = Note | Begin | Step | Scored | Done


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
    """Fine-tune, one event at a time.

    Args:
        config: Checked configuration.
        data: What `read_data` gave, when it was called already.

    Raises:
        InputError: configuration, data or model can't be used; before any training.
        TrainingError: the run failed.
    """
    clock = Clock()
    folder = Path(config.out) if config.out else rundir.default_folder(config.task, config.strategy, config.seed)
    rundir.check(folder)
    with clock.part("read"):
        data = data or read_data(config)
    yield from map(Note, data.notes)

    task = data.task
    if config.training.threads:
        torch.set_num_threads(config.training.threads)
    with clock.part("load"):
        network, encoder = assemble(config, task)
    folder.mkdir(parents=True, exist_ok=True)
    with clock.part("tokenise"):
        parts = {name: encoded(encoder, task, examples) for name, examples in data.parts.items()}
    parts["train"] = targeted(parts["train"], task)
    gold = {name: held(task, part) for name, part in parts.items()}
    yield from map(Note, length_notes(parts, gold, task, encoder.max_length))

    training = strategy.resolve(
        config.training,
        config.strategy,
        examples=len(data.parts["train"]),
        width=network.trunk.width,
        device=network.device,
    )
    config = config.model_copy(
        update={
            "training": training,
            "out": str(folder),
            "options": task.options.model_dump(mode="json"),
            "model": config.model.model_copy(update={"max_length": encoder.max_length}),
        }
    )
    (folder / rundir.CONFIG).write_text(dump(config), encoding="utf-8")
    rundir.write_json(folder / rundir.DATA, data.record())
    before = digests(network)
    network.narrow([*distinct(parts["train"].windows), encoder.pad])
    yield Note(decided(config, network))

    if network.cut_at:
        yield from keep_states(network, parts, before, config, encoder.pad, clock)
    metric = training.metric or next(iter(task.metrics))
    trainer = Trainer(network, task, parts, training, encoder.pad, config.seed, metric, clock, folder)
    yield from trainer.run()

    speed = speed_of(trainer, parts["train"], clock)
    yield Note(speed.pop("says"))
    rows = network.vocabulary.rows.numel() if network.vocabulary else None
    network.widen()
    proof = prove(network, before, rows)
    if proof["trained_tensors_unmoved"]:
        yield Note(f"these weights train and did not move: {', '.join(proof['trained_tensors_unmoved'])}")
    with clock.part("validate"):
        task = task.tune(parts["validation"].examples, parts["validation"].features, trainer.logits)
    network.fold_scale()
    artifact = Artifact(task, encoder, network, config.model.head, config.model.name)
    with clock.part("evaluate"):
        scores = {name: judged(artifact, parts[name], folder, name) for name in ("validation", "test") if name in parts}
    with clock.part("save"):
        artifact.save(folder / rundir.MODEL)
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
    rundir.write_json(folder / rundir.RUN, record)
    yield Done(folder, artifact, scores["validation"], scores.get("test"), record)


# ---------------------------------------------------------------------------------------------------------------------
# Model and training.


def assemble(config: Config, task: Task) -> tuple[Network, Encoder]:
    """The network with its trainable part chosen, and the encoder of texts.

    Raises:
        ModelError: the model can't be loaded, or the strategy does not suit it.
        ConfigError: the head can't serve the task, or the length is more than the model has.
    """
    settings = config.model
    source, local = locate(settings.name)
    tokenizer = load_tokenizer(source, local=local)
    network = networks.build(
        settings.name, task.head, per=task.per, head=settings.head,
        dropout=settings.dropout, head_dropout=settings.head_dropout, seed=config.seed,
    )  # fmt: skip
    network.to(best_device())
    network.packing = config.training.packing
    network.freeze(strategy.free_layers(config.strategy, network))
    if network.criterion and "weights" in task.facts:
        raise ConfigError("options.class_weights: this head has a loss of its own, which knows no weights; use another")
    return network, Encoder(tokenizer, check_length(settings.max_length, network.trunk.config, tokenizer))


def encoded(encoder: Encoder, task: Task, examples: Sequence[Example]) -> Material:
    """Examples as material for the encoder."""
    return material(examples, encoder.encode(examples, slides=task.slides))


def length_notes(
    parts: Mapping[str, Material], gold: Mapping[str, Mapping[str, int]], task: Task, limit: int
) -> list[str]:
    """What the length limit and the borders of tokens cost, part by part; nothing is cut in silence."""
    notes = [
        f"{name}: {count['held']:,} of {count['all']:,} gold {task.items} lie whole in the windows"
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


def held(task: Task, part: Material) -> dict[str, int]:
    """How many gold items a part has, and how many of them its windows can express."""
    pairs = zip(part.examples, part.features, strict=True)
    counts = [task.held(example, one.windows) for example, one in pairs]
    return {"all": sum(one for one, _ in counts), "held": sum(one for _, one in counts)}


def best_device() -> torch.device:
    """A CUDA or Apple GPU where there is one, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps") if torch.backends.mps.is_available() else torch.device("cpu")


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
    network: Network, parts: dict[str, Material], digests: Mapping[str, str], config: Config, pad: int, clock: Clock
) -> Iterator[Note]:
    """Give the parts that are run more than once their states below the cut; what that takes is said before."""
    store = store_of(config.training)
    yield Note(f"frozen part: {store.plan(sum(cache.size(network, parts[name].windows) for name in KEPT))}")
    for name in KEPT:
        windows = parts[name].windows
        with clock.part("frozen part"):
            states = store.states(
                network, windows, digests, pad=pad, budget=config.training.micro_tokens or 1, model=config.model.name
            )
        parts[name] = replace(parts[name], cache=states)
        store = replace(store, memory=max(0.0, store.memory - cache.size(network, windows)))


def store_of(training: TrainingConfig) -> cache.Store:
    """Where states may be kept, and how much of them."""
    memory = CACHE_SHARE * free_memory() if training.cache_memory is None else training.cache_memory * 1e9
    return cache.Store(cache.default_folder(), memory, training.cache_disk * 1e9)


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
    """Consumes the loop: logs, evaluates after each epoch, keeps the best weights, stops."""

    network: Network
    task: Task
    parts: dict[str, Material]
    training: TrainingConfig
    pad: int
    seed: int
    metric: str
    clock: Clock
    folder: Path
    number: int = 0
    tokens: int = 0
    padded: int = 0
    best: dict[str, Any] = field(default_factory=dict)
    logits: Sequence[Sequence[Array]] = ()

    def run(self) -> Iterator[Event]:
        """Train to the end and leave the best weights in the network."""
        training, data = self.training, self.parts["train"]
        batch = (training.batch_size or 1) * training.accumulation
        epochs, every = training.epochs or 1, training.evaluate_every or 1
        planned = math.ceil(len(data.examples) / batch) * epochs
        yield Begin(planned, epochs, self.metric)
        if training.checkpointing:
            self.network.stock.gradient_checkpointing_enable({"use_reentrant": False})
        loop = steps(
            self.network, self.task, data, strategy.optimiser(self.network, training),
            strategy.schedule(training.schedule or "linear", steps=planned, warmup=training.warmup),
            epochs=epochs, batch_size=batch, clip=training.clip, micro_tokens=training.micro_tokens or 1, pad=self.pad,
            seed=self.seed, autocast=arithmetic(training.precision, self.network.device),
        )  # fmt: skip
        stale, weights = 0, []
        trained = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        with (
            closing(loop),
            (self.folder / rundir.STEPS).open("w", encoding="utf-8") as log,
            (self.folder / rundir.EVALUATIONS).open("w", encoding="utf-8") as evaluations,
        ):
            while True:
                with self.clock.part("train"), flushed_denormals():
                    step = next(loop, None)
                if step is None:
                    break
                self.number, self.tokens, self.padded = (
                    step.number,
                    self.tokens + step.tokens,
                    self.padded + step.padded,
                )
                rundir.append(log, asdict(step))
                yield step
                done = step.epoch + 1
                if not step.last or (done % every and done < epochs):
                    continue
                with self.clock.part("validate"):
                    scored = self.validate(step)
                rundir.append(evaluations, asdict(scored))
                stale = 0 if scored.best else stale + every
                if scored.best:
                    weights = [parameter.detach().clone() for parameter in trained]
                yield scored
                if training.patience and stale >= training.patience:
                    yield Note(f"stopped: no better {self.metric} in {stale} epochs")
                    break
        with torch.no_grad():
            for parameter, kept in zip(trained, weights, strict=True):
                parameter.copy_(kept)
        if training.checkpointing:
            self.network.stock.gradient_checkpointing_disable()

    def validate(self, step: Step) -> Scored:
        """Score the validation data, and note the best.

        Raises:
            TrainingError: the validation metric has no value.
        """
        part = self.parts["validation"]
        logits = inference.window_logits(self.network, part.windows, pad=self.pad, cache=part.cache)
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
                "epoch": step.epoch + 1,
                "step": step.number,
                "metric": self.metric,
                "value": value,
                "rank": rank,
            }
        return Scored(step.epoch + 1, step.number, metrics, better)


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


def judged(artifact: Artifact, part: Material, folder: Path, name: str) -> Evaluation:
    """Score one part with the final model, and write its predictions down."""
    logits = inference.window_logits(artifact.network, part.windows, pad=artifact.encoder.pad)
    predictions = inference.decode(artifact.task, part.examples, part.features, logits)
    with (folder / rundir.PREDICTIONS).open("a", encoding="utf-8") as file:
        for example, prediction in zip(part.examples, predictions, strict=True):
            rundir.append(file, {"part": name, "place": example.place, "target": example.target, **prediction})
    return inference.evaluate(artifact.task, part.examples, predictions, part.features)


def speed_of(trainer: Trainer, part: Material, clock: Clock) -> dict[str, Any]:
    """How fast the training was, beside what the machine can do."""
    network = trainer.network
    seconds = clock.seconds.get("train", 0.0)
    epochs = trainer.tokens / max(1, sum(map(len, part.windows)))
    done = flops.work(network, [len(window) for window in part.windows])
    # States that are kept were computed outside `train`.
    rate = (3 * done.above + (done.below if part.cache is None else 0)) * epochs / max(seconds, 1e-9)
    peak = flops.peak(network.device, arithmetic(trainer.training.precision, network.device))
    tokens, padding = trainer.tokens / max(seconds, 1e-9), 1 - trainer.tokens / max(1, trainer.padded)
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


def digests(network: Network) -> dict[str, str]:
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
    after = digests(network)
    trained = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    moved = {name for name in after if after[name] != before[name]}
    if moved - trained:
        raise TrainingError(f"frozen weights moved: {', '.join(sorted(moved - trained)[:5])}; please report this")
    if not moved:
        raise TrainingError("no weight moved in training; is the learning rate 0?")
    sizes = {name: parameter.numel() for name, parameter in network.named_parameters()}
    unused = 0
    if rows is not None:
        table = network.trunk.base.get_input_embeddings().weight  # type: ignore[operator]
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
