"""An adaptation, from configuration to model folder: continued masked-language training on texts without labels.

It lies in a folder as any run does, and is locked, resumed and watched as any run is.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from .. import assembly, disk, strategies
from ..assembly import EncodedDataset, parameter_hashes
from ..compute import Compute, choose
from ..data.parts import Data, read_data
from ..model import masked
from ..model.families import Source, locate
from ..model.network import Network
from ..printing import many
from ..quality.findings import Finding
from ..quality.report import audit, warning_lines
from ..quality.tokenizers import summary, tokenizer_findings
from ..tasks.base import Task
from ..text.tokenization import Tokenizer
from ..training import checkpoint, rundir
from ..training.divergence import rate_warnings, rates_of
from ..training.events import Adapted, Event, Note, with_progress
from ..training.pace import Pace
from ..training.recipe import Recipe, decided
from ..training.resume import NEUTRAL, as_begun, fingerprint_of, resume, threads_for
from ..training.run import absolute, check_room, device_notes
from ..training.trainer import Clock, Trainer
from .conclude import conclude
from .config import AdaptConfig, dump, tree_of
from .corpus import check_texts, cut_gradually, distinct, frequencies
from .goal import Adapting, goal_of, objective_of
from .masking import Masking

STRATEGY = "full"
"""Everything trains: the decoder shares its weights with the embeddings, below all layers."""


@dataclass(frozen=True, slots=True, repr=False)
class Prepared:
    """Everything that an adaptation needs.

    Attributes:
        config: The complete configuration.
        data: The texts by split, each once.
        tokenizer: Tokenizer of the model.
        network: The model with its decoder.
        pooler: What heads of the family read and the masked language model has not, to be saved beside it.
        splits: The windows of the texts.
        compute: Device and arithmetic.
        hashes: Hashes of the network's parameters.
        findings: Findings about the data.
        clock: Seconds by part of the work.
    """

    config: AdaptConfig
    data: Data
    tokenizer: Tokenizer
    network: Network
    pooler: nn.Module | None
    splits: dict[str, EncodedDataset]
    compute: Compute
    hashes: dict[str, str]
    findings: Sequence[Finding] = ()
    clock: Clock = field(default_factory=Clock)

    def __repr__(self) -> str:
        return f"Prepared({self.data!r})"


def folder_of(config: AdaptConfig) -> Path:
    """The folder of an adaptation."""
    return rundir.folder_of(config.out, task="adapt", strategy=STRATEGY, seed=config.seed)


def stream(config: AdaptConfig, data: Data | None = None) -> Generator[Event, None, None]:
    """Adapt, one event at a time. The last event is `Adapted`.

    An unfinished run in the folder `out` is resumed from its last checkpoint.

    Args:
        config: Validated configuration.
        data: Data from `read_data`, where they have been read already.

    Raises:
        InputError: configuration, data or model can't be used, or differ from those of the unfinished run. It is raised
            before training.
        TrainingError: the run failed.
    """
    folder, clock = folder_of(config), Clock()
    with clock.part("read"):
        data = data or read_data(config)
    yield from map(Note, data.notes)
    with rundir.locked(folder):
        begun = as_begun(config, folder)
        asked = begun.training
        found = choose(precision=asked.precision, threads=asked.threads, device=asked.device, strict=asked.strict)
        compute, notes = threads_for(folder, found)
        yield from map(Note, notes)
        done = yield from compute.running(adapted(begun, data, folder, compute=compute, clock=clock))
        yield done


def adapted(
    config: AdaptConfig, data: Data, folder: Path, *, compute: Compute, clock: Clock
) -> Generator[Event, None, Adapted]:
    """The work of `stream`, on the chosen device and in the locked folder."""
    prepared = yield from prepare(config, data, compute=compute, clock=clock)
    trainer, goal, before = yield from fit(prepared, folder)
    return (
        yield from conclude(
            trainer, goal, folder, before=before, tokenizer=prepared.tokenizer, pooler=prepared.pooler,
            share=prepared.config.masking.share,
        )
    )  # fmt: skip


def prepare(config: AdaptConfig, data: Data, *, compute: Compute, clock: Clock) -> Generator[Event, None, Prepared]:
    """Report findings about the texts, load the model, and cut the texts into windows.

    Args:
        config: Validated configuration.
        data: Data from `read_data`.
        compute: Device and arithmetic.
        clock: Counter of the seconds.

    Raises:
        ModelError: the model can't be loaded, or can't predict masked tokens.
        ConfigError: the length exceeds that of the model, or no text has a token.
    """
    task, model = data.task, config.model
    with clock.part("check"):
        findings = audit(task, data.given, left_out=data.left_out)
        lines = warning_lines(findings)
    for line in lines:
        yield Note(line, "warning")
    texts = {name: distinct(examples) for name, examples in data.splits.items()}
    for name, examples in texts.items():
        if repeats := len(data.splits[name]) - len(examples):
            yield Note(f"{name}: {many(repeats, 'text')} left out that stand there already")
    data = replace(data, splits=texts)
    with clock.part("load"):
        source = locate(model.name)
        tokenizer = assembly.open_tokenizer(source, max_length=model.max_length, resize=model.resize)
        network = masked.build(
            source, tokenizer=tokenizer, compute=compute, dropout=model.dropout, packing=config.training.packing,
            seed=config.seed, enlarge=model.resize,
        )  # fmt: skip
        strategies.find(STRATEGY).apply(network)
        pooler = masked.pooler_of(source, network)
    yield from head_notes(network, source)
    with clock.part("check"):
        told = tokenizer_findings(task, data.given, tokenizer=tokenizer)
    yield from (Note(*line) for line in summary(told))
    splits: dict[str, EncodedDataset] = {}
    for name, examples in texts.items():
        with clock.part("tokenise"):
            splits[name] = yield from with_progress(f"tokens of {name}", cut_gradually(tokenizer, examples))
        check_texts(name, splits[name])
        part = splits[name]
        counts = many(len(part.examples), "text"), many(len(part.windows), "window"), many(sum(part.lengths), "token")
        yield Note(f"{name}: {', '.join(counts)}")
    if network.new:
        masked.begin_at(network, torch.from_numpy(frequencies(splits["train"], network.outputs)))
    config = settled(config, data.task, splits, tokenizer=tokenizer, network=network)
    with clock.part("hash"):
        hashes = parameter_hashes(network)
    return Prepared(config, data, tokenizer, network, pooler, splits, compute, hashes, [*findings, *told], clock)


def head_notes(network: Network, source: Source) -> Iterator[Note]:
    """Notes on where the decoder comes from."""
    if not network.new:
        yield Note("masked-language head: the model's own")
        return
    yield Note(
        "masked-language head: new, over the model's own embeddings, since the folder has none; what its loss falls by "
        "is in part the head's own learning"
    )
    if masked.detects(source):
        yield Note(
            "this model is a discriminator of ELECTRA's: it was trained to find replaced tokens and has never seen the "
            "mask token; the generator of the same size is the better one to adapt",
            "warning",
        )


def settled(
    config: AdaptConfig, task: Task, splits: Mapping[str, EncodedDataset], *, tokenizer: Tokenizer, network: Network
) -> AdaptConfig:
    """The configuration with all open settings decided, and with absolute paths."""
    given = config.training
    defaults = strategies.find(STRATEGY).defaults(
        examples=len(splits["train"].windows),
        width=network.backbone.width,
        batch_size=given.batch_size,
        accumulation=given.accumulation,
    )
    decisions = {"micro_tokens": network.compute.micro_tokens, **asdict(defaults)}
    training = {name: value for name, value in decisions.items() if getattr(given, name) is None}
    if given.precision == "auto":
        training["precision"] = network.compute.precision
    places = {name: absolute(value) for name in splits if (value := getattr(config.data, name))}
    model = {"max_length": tokenizer.max_length, "name": absolute(config.model.name)}
    return config.model_copy(
        update={
            "training": given.model_copy(update=training),
            "model": config.model.model_copy(update=model),
            "data": config.data.model_copy(update=places),
            "text": task.options.text,
            "pair": task.options.pair,
        }
    )


def fit(prepared: Prepared, folder: Path) -> Generator[Event, None, tuple[Trainer, Adapting, list[dict[str, Any]]]]:
    """Train in the locked folder of a run, or resume the training there.

    Returns:
        The training, whose network has the best weights; its goal; and what the model made of the validation texts
        before.

    Raises:
        ConfigError: the disk has no room, or the inputs differ from those of the unfinished run.
        TrainingError: the loss is not finite or has left its start for good, or something can't be written.
    """
    config, network = prepared.config.model_copy(update={"out": str(folder)}), prepared.network
    check_room(folder, network)
    tree = tree_of(config)
    settings = {name: value for name, value in tree.items() if name not in ("out", "data")}
    settings["training"] = {name: value for name, value in tree["training"].items() if name not in NEUTRAL}
    fingerprint = fingerprint_of(
        settings, prepared.data.splits, parameter_hashes=prepared.hashes, compute=prepared.compute
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
    recipe = recipe_of(config)
    yield from device_notes(prepared.compute)
    yield Note(decided(recipe, network, strategy=STRATEGY))
    rates = rates_of(strategies.find(STRATEGY), recipe, network)
    for warning in rate_warnings(rates, strategy=STRATEGY, width=network.backbone.width):
        yield Note(warning, "warning")
    goal, clock = goal_in(prepared, recipe), Clock(dict(prepared.clock.seconds))
    with clock.part("validate"):
        before = yield from with_progress("validation", goal.measure(network))
    goal = replace(goal, before=sum(one["nats"] for one in before) / sum(one["hidden"] for one in before))
    yield Note(f"before: validation loss {goal.before:.4f}")
    pace = Pace.of(prepared.compute)
    trainer = Trainer(network, goal, prepared.splits, recipe, folder, fingerprint, clock, rates, pace=pace)
    yield from trainer.run(taken_up)
    return trainer, goal, before


def recipe_of(config: AdaptConfig) -> Recipe:
    """The training recipe of a complete configuration."""
    training = config.training
    return Recipe(
        epochs=training.epochs or 1,
        batch_size=(training.batch_size or 1) * training.accumulation,
        learning_rate=training.learning_rate or 0.0,
        head_learning_rate=None,
        layer_decay=1.0,
        schedule=training.schedule or "linear",
        warmup=training.warmup,
        weight_decay=training.weight_decay,
        clip=training.clip,
        patience=training.patience,
        evaluate_every=training.evaluate_every or 1,
        checkpointing=training.checkpointing,
        micro_tokens=training.micro_tokens or 1,
        checkpoint_every=training.checkpoint_every,
        metric="loss",
        seed=config.seed,
        diverged=training.diverged,
        graphs=False,
    )


def goal_in(prepared: Prepared, recipe: Recipe) -> Adapting:
    """The goal of an adaptation. The masks of the validation texts are those of the split's seed: runs of several
    seeds predict the same tokens.
    """
    config, network, tokenizer = prepared.config, prepared.network, prepared.tokenizer
    asked = config.masking
    ids = [i for i in range(min(network.outputs, len(tokenizer.pretrained))) if i not in tokenizer.special]
    masking = Masking(
        tokenizer.pretrained.mask_token_id, np.array(ids, np.int32), config.seed, asked.share, asked.mask_token,
        asked.random_token,
    )  # fmt: skip
    objective = objective_of(
        prepared.splits["train"], masking, whole_word=asked.whole_word, batch_size=recipe.batch_size
    )
    return goal_of(
        prepared.data.task, objective, prepared.splits["validation"],
        replace(masking, seed=config.data.split_seed), whole_word=asked.whole_word,
    )  # fmt: skip
