"""What the frozen states of a model are worth: a linear head on the states of every layer and of every pooling.

The encoder runs once over each split, whatever the number of layers. Texts are pooled as they come (`model/layers.py`);
of tasks about tokens, the states of labelled tokens are taken. Vectors to learn from are kept up to `ROOM`, those to
score go as soon as they are scored. Each head is fitted until it has converged (`probes`), with the strength that has
the lowest loss on the validation data.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .. import inference
from ..assembly import EncodedDataset, open_network, to_dataset, with_targets
from ..config import Config
from ..data.identity import identity
from ..metrics.kinds import Array
from ..model.families import locate
from ..model.layers import POOLINGS, own_pooling, pooled_layers, token_layers
from ..model.network import Network
from ..tasks.base import Task
from ..training import score_tables
from ..training.objective import Measure
from ..training.score_tables import Scored
from ..work import Work
from .probes import Probe, path
from .study import Study

NATIVE = "native"
TOKENS = "tokens"
ROOM = 512e6
"""Bytes of vectors that are kept to learn from, and as many to choose with."""
PIECE = 64e6
"""Bytes of vectors that are scored at once."""
PASSES = 0.8
"""About what passes of the encoder take of all the time."""
FOLDER = "measured"
"""Where the tables of scores lie, in the folder of the study."""
Place = tuple[str, int]
"""A pooling and a depth."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """The vectors of some examples at every depth.

    Attributes:
        data: The examples.
        table: A row a window or, for tasks about tokens, a token. [depth + 1, poolings, n, d]
        own: What the encoder's own pooler gives, where it has one. [n, d]
    """

    data: EncodedDataset
    table: torch.Tensor
    own: torch.Tensor | None = None

    def at(self, place: Place) -> torch.Tensor:
        """The vectors of a pooling at a depth. [n, d]"""
        pooling, depth = place
        if pooling == NATIVE and self.own is not None:
            return self.own
        return self.table[depth, 0 if pooling == TOKENS else POOLINGS.index(pooling)]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A chosen head.

    Attributes:
        probe: The head.
        task: The task, with thresholds for this head where it has any.
        loss: Loss on the validation data.
    """

    probe: Probe
    task: Task
    loss: float


@dataclass(frozen=True)
class Frozen:
    """The measurement of a study's frozen states.

    Attributes:
        study: The study.
        name: Name of the measurement.
        settings: Settings of a trial by path that say what is read.
        every: Whether every depth is measured, or the last one alone.
        seconds: Seconds by part of the work.
    """

    study: Study
    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    every: bool = True
    seconds: dict[str, float] = field(default_factory=dict)

    def compute(self) -> Work[dict[str, Any]]:
        """Measure, and write the tables of scores. Returns JSON values; seconds are under `seconds`."""
        config = self.study.configured(self.settings)
        data = self.study.data_for(config)
        encoded = self.study.encoded(config)
        network, task = opened(self.study, config, data.task), data.task
        if task.level == "token":
            task = task.fit_tokens(encoded["train"].examples, encoded["train"].features)
            encoded["train"] = with_targets(encoded["train"], task)
        parts = {name: some(network, part, task) for name, part in encoded.items() if name != "test"}
        total = sum(map(weight, [*parts.values(), *([encoded["test"]] if "test" in encoded else [])]))
        done = 0.0
        kept: dict[str, Vectors] = {}
        for name, part in parts.items():
            share = PASSES * weight(part) / total
            kept[name] = yield from self.timed("pass", scaled(gathered(network, part, task), done, share))
            done += share
        fitted = yield from self.timed("heads", scaled(self.heads(network, task, kept), done, 1 - PASSES))
        done += 1 - PASSES
        tables = {"validation": self.scored(fitted, kept.pop("validation"))}
        kept.clear()
        if "test" in encoded:
            tables["test"] = yield from self.timed(
                "test", scaled(self.tested(network, task, encoded["test"], fitted), done, 1 - done)
            )
            parts["test"] = encoded["test"]
        self.write(parts, tables)
        return self.record(network, encoded, parts, fitted, tables)

    def timed(self, name: str, work: Work[Any]) -> Work[Any]:
        """Work whose seconds are counted."""
        start = time.perf_counter()
        result = yield from work
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start
        return result

    def heads(self, network: Network, task: Task, kept: Mapping[str, Vectors]) -> Work[dict[Place, Fitted]]:
        """The head of each pooling and depth."""
        train, held = kept["train"], kept["validation"]
        depth = network.backbone.depth
        kinds = (TOKENS,) if task.level == "token" else POOLINGS
        places = [(kind, layer) for layer in (range(depth + 1) if self.every else [depth]) for kind in kinds]
        places += [] if train.own is None else [(NATIVE, depth)]
        targets = targets_of(task, train.data)
        measure = Measure.of(task, held.data)
        found = {}
        for number, place in enumerate(places):
            vectors = train.at(place)
            vectors = by_example(vectors, train.data) if task.level == "example" else vectors
            found[place] = chosen(task, path(task, vectors, targets), held, place, measure)
            yield (number + 1) / len(places)
        return found

    def scored(self, fitted: Mapping[Place, Fitted], vectors: Vectors) -> dict[Place, dict[str, Array]]:
        """The score table of each head on some examples."""
        found = {}
        for place, one in fitted.items():
            data = vectors.data
            logits = logits_of(one.task, one.probe, vectors.at(place), data)
            predictions = inference.decode(one.task, data.examples, features=data.features, logits=logits)
            found[place] = inference.table_of(one.task, data.examples, predictions=predictions)
        return found

    def tested(
        self, network: Network, task: Task, data: EncodedDataset, fitted: Mapping[Place, Fitted]
    ) -> Work[dict[Place, dict[str, Array]]]:
        """The same on any number of examples, some at a time."""
        found: dict[Place, list[dict[str, Array]]] = {place: [] for place in fitted}
        done = 0.0
        for piece in pieces(network, data, task):
            share = weight(piece) / weight(data)
            vectors = yield from scaled(gathered(network, piece, task), done, share)
            done += share
            for place, table in self.scored(fitted, vectors).items():
                found[place].append(table)
        return {
            place: {name: np.concatenate([one[name] for one in tables]) for name in tables[0]}
            for place, tables in found.items()
        }

    # What is kept.

    @property
    def file(self) -> Path:
        """The file of the tables of scores."""
        return self.study.folder / FOLDER / f"{self.name.replace(' ', '-')}.safetensors"

    def write(
        self, parts: Mapping[str, EncodedDataset], tables: Mapping[str, Mapping[Place, dict[str, Array]]]
    ) -> None:
        """Write the tables of scores."""
        self.file.parent.mkdir(exist_ok=True)
        splits: dict[str, Scored] = {}
        for name, found in tables.items():
            examples = parts[name].examples
            ids = np.array([identity(one) for one in examples], np.uint64)
            groups = inference.clusters(self.study.task, examples)
            splits |= {key(name, place): Scored(table, ids, groups) for place, table in found.items()}
        score_tables.write(self.file, splits)

    def read(self, split: str, place: Place) -> Scored:
        """The scored examples of a split by the head of a pooling at a depth.

        Raises:
            ConfigError: the file is missing or damaged.
        """
        return score_tables.read(self.file, key(split, place))

    def record(
        self,
        network: Network,
        encoded: Mapping[str, EncodedDataset],
        parts: Mapping[str, EncodedDataset],
        fitted: Mapping[Place, Fitted],
        tables: Mapping[str, Mapping[Place, dict[str, Array]]],
    ) -> dict[str, Any]:
        """What is kept of it as JSON."""
        metric = self.study.score
        return {
            "depth": network.backbone.depth,
            "examples": {name: len(part.examples) for name, part in parts.items()},
            "of": {name: len(part.examples) for name, part in encoded.items()},
            "heads": [
                {
                    "pooling": place[0],
                    "layer": place[1],
                    "strength": one.probe.strength,
                    "loss": one.loss,
                    "validation": float(metric(tables["validation"][place])),
                }
                for place, one in fitted.items()
            ],
            "seconds": dict(self.seconds),
        }


def key(split: str, place: Place) -> str:
    """The name of a table in the file of scores."""
    return f"{split} {place[0]} {place[1]}"


def opened(study: Study, config: Config, task: Task) -> Network:
    """The encoder of a study, of which nothing trains."""
    model = config.model
    network = open_network(
        locate(model.name), task, tokenizer=study.tokenizer(config), compute=study.compute, head="linear",
        packing=config.training.packing, seed=config.seed, random=model.weights == "random",
    )  # fmt: skip
    network.train_last(0)
    return network


# ---------------------------------------------------------------------------------------------------------------------
# Vectors.


def gathered(network: Network, data: EncodedDataset, task: Task) -> Work[Vectors]:
    """The vectors of some examples at every depth; of examples with targets, the tokens that the loss knows alone."""
    if task.level == "example":
        table = yield from pooled_layers(network, data.windows)
        return Vectors(data, table, own_pooling(network, table[-1, 0]))
    places = labelled(task, data) if data.targets else [np.arange(n) for n in data.lengths]
    table = yield from token_layers(network, data.windows, places)
    return Vectors(data, table[:, None])


def labelled(task: Task, data: EncodedDataset) -> list[Array]:
    """The positions in each window of the tokens that the loss knows."""
    return [np.flatnonzero(known(task, np.asarray(target))) for target in data.targets]


def known(task: Task, target: Array) -> Array:
    """Which tokens of a window the loss knows. [n]"""
    if task.ignored is None:
        return np.ones(len(target), bool)
    shut: Array = (target == task.ignored).reshape(len(target), -1).all(axis=1)
    return ~shut


def targets_of(task: Task, data: EncodedDataset) -> torch.Tensor:
    """Targets of the vectors to learn from."""
    if task.level == "example":
        return torch.from_numpy(np.stack(data.targets))
    rows = [np.asarray(target)[places] for target, places in zip(data.targets, labelled(task, data), strict=True)]
    return torch.from_numpy(np.concatenate(rows))


def by_example(vectors: torch.Tensor, data: EncodedDataset) -> torch.Tensor:
    """The mean of the vectors of each example's windows, whose logits are averaged. [windows, d] -> [examples, d]"""
    if len(data.windows) == len(data.examples):
        return vectors
    sizes = torch.tensor([end - start for start, end in data.owners])
    return torch.segment_reduce(vectors, "mean", lengths=sizes, axis=0, unsafe=True)


def weight(data: EncodedDataset) -> int:
    """What the pass over some examples takes: their tokens."""
    return max(1, sum(data.lengths))


def scaled(work: Work[Any], start: float, share: float) -> Work[Any]:
    """Work that is a part of a longer one."""
    while True:
        try:
            yield start + share * next(work)
        except StopIteration as end:
            return end.value


def bytes_of(network: Network, data: EncodedDataset, task: Task) -> float:
    """Bytes that the vectors of an example take, on average."""
    layers = (network.backbone.depth + 1) * network.backbone.width * 4
    if task.level == "example":
        return layers * len(POOLINGS) * len(data.windows) / len(data.examples)
    return layers * sum(data.lengths) / len(data.examples)


def some(network: Network, data: EncodedDataset, task: Task) -> EncodedDataset:
    """The examples to learn from or to choose with: all, or as many of them, drawn at random, as there is room for."""
    most = max(1, int(ROOM / bytes_of(network, data, task)))
    if most >= len(data.examples):
        return data
    return subset(data, np.sort(np.random.default_rng(0).permutation(len(data.examples))[:most]).tolist(), task)


def pieces(network: Network, data: EncodedDataset, task: Task) -> Iterator[EncodedDataset]:
    """The examples to score, some at a time."""
    size = max(1, int(PIECE / bytes_of(network, data, task)))
    for start in range(0, len(data.examples), size):
        yield subset(data, range(start, min(start + size, len(data.examples))), task)


def subset(data: EncodedDataset, indices: Sequence[int], task: Task) -> EncodedDataset:
    """Some of the examples, with their targets where they have any."""
    part = to_dataset([data.examples[i] for i in indices], [data.features[i] for i in indices])
    return with_targets(part, task) if data.targets else part


# ---------------------------------------------------------------------------------------------------------------------
# Heads.


def chosen(task: Task, heads: Iterator[Probe], held: Vectors, place: Place, measure: Measure) -> Fitted:
    """The head with the lowest loss on the validation data, sought until it rises, with the thresholds that suit it."""
    best: Probe | None = None
    least, own = math.inf, []
    for head in heads:
        logits = logits_of(task, head, held.at(place), held.data)
        loss = measure.loss(inference.by_example(held.data.features, logits), scale=task.head.scale)
        if best is not None and not loss < least:
            break
        best, least, own = head, loss, logits
    if best is None:
        raise ValueError("there are no strengths to try")
    data = held.data
    task = task.fit_thresholds(data.examples, features=data.features, logits=inference.by_example(data.features, own))
    return Fitted(best, task, least)


def logits_of(task: Task, head: Probe, vectors: torch.Tensor, data: EncodedDataset) -> list[Array]:
    """Logits of each window in the user's scale. [k] or [n, k] each"""
    factor, shift = task.head.scale
    logits = head.logits(vectors) * np.float32(factor) + np.float32(shift)
    return np.split(logits, np.cumsum(data.lengths)[:-1]) if task.level == "token" else list(logits)
