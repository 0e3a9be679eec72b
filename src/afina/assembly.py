"""A model, its tokenizer and the data as it sees them, put together for whoever trains, plans, checks or studies."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import accumulate, chain, pairwise

import psutil
import torch

from .compute import CPU, Compute
from .devices import free_memory
from .errors import ConfigError
from .model import network as networks
from .model.backbone import check_length, check_rows, load_config
from .model.families import Source, locate
from .model.network import Network
from .model.pretrained import load_tokenizer
from .model.states import StateStore, states_folder
from .model.tables import KeptStates
from .printing import many
from .records import Example, Features, Window
from .tasks.base import Array, Task
from .text.tokenization import CHUNK, Tokenizer, chunks
from .work import Work, drain

MEMORY_SHARE = 0.25
"""Share of the free memory that kept states may take unless the user says otherwise."""


@dataclass(frozen=True, slots=True, repr=False)
class EncodedDataset:
    """Encoded examples, ready to train on or to score.

    Attributes:
        examples: As read.
        features: Their windows.
        windows: The windows of all examples in one list.
        owners: For each example, the positions of its windows [start, end).
        targets: One a unit of training, as `task.encode_target` gives them: an example, or a window of a token task.
            Empty for what is only scored.
        kept: States of the windows at the network's cut, when they are kept.
    """

    examples: Sequence[Example]
    features: Sequence[Features]
    windows: Sequence[Window]
    owners: Sequence[tuple[int, int]]
    targets: Sequence[Array] = ()
    kept: KeptStates | None = None

    def __repr__(self) -> str:
        counts = many(len(self.examples), "example"), many(len(self.windows), "window")
        return f"EncodedDataset({', '.join(counts)}, {many(sum(self.lengths), 'token')})"

    @property
    def lengths(self) -> list[int]:
        """Number of tokens of each window."""
        return [len(window) for window in self.windows]


def to_dataset(examples: Sequence[Example], features: Sequence[Features]) -> EncodedDataset:
    """Examples and their features side by side, to score."""
    owners = list(pairwise(accumulate((len(feature.windows) for feature in features), initial=0)))
    return EncodedDataset(examples, features, [window for feature in features for window in feature.windows], owners)


def with_targets(data: EncodedDataset, task: Task) -> EncodedDataset:
    """The same data with its targets, to train on."""
    pairs = list(zip(data.examples, data.features, strict=True))
    if task.level == "example":
        targets = [task.encode_target(example, feature.windows[0]) for example, feature in pairs]
    else:
        targets = [task.encode_target(example, window) for example, feature in pairs for window in feature.windows]
    return replace(data, targets=targets)


def encode_dataset(tokenizer: Tokenizer, task: Task, examples: Sequence[Example]) -> EncodedDataset:
    """Examples as the model sees them."""
    return drain(encode_gradually(tokenizer, task, examples))


def encode_gradually(tokenizer: Tokenizer, task: Task, examples: Sequence[Example]) -> Work[EncodedDataset]:
    """The same, some examples at a time."""
    features: list[Features] = []
    for chunk in chunks(examples, CHUNK):
        features += tokenizer.encode(task.presented(chunk), slides=task.slides)
        yield len(features) / len(examples)
    return to_dataset(examples, features)


def coverage(task: Task, data: EncodedDataset) -> Counter[str]:
    """How many gold items can't be predicted, by reason; those that can be under the empty text."""
    pairs = zip(data.examples, data.features, strict=True)
    return Counter(chain.from_iterable(task.coverage(example, feature.windows) for example, feature in pairs))


def coverage_line(task: Task, counts: Counter[str]) -> str:
    """How many gold items can be predicted, and why the others can't."""
    others = [f"{count:,} {reason}" for reason, count in counts.most_common() if reason]
    return f"{counts['']:,} of {counts.total():,} gold {task.unit} can be predicted" + (
        f"; not those {', '.join(others)}" if others else ""
    )


def open_tokenizer(name: str | Source, *, max_length: int | None = None, resize: bool = False) -> Tokenizer:
    """The tokenizer of a model, without the model's weights.

    Args:
        name: `minilm`, a folder, or a hub id; or where that is, when it was located before.
        max_length: Number of tokens of a window at most; None for as many as the model has room for.
        resize: Whether tokens without a row in the model's embedding are to get one (`open_network` does that).

    Raises:
        ModelError: tokenizer or configuration can't be loaded, or a token has no row.
        ConfigError: the length is more than the model has.
    """
    source, local = locate(name) if isinstance(name, str) else name
    pretrained, config = load_tokenizer(source, local=local), load_config(source, local=local)
    tokenizer = Tokenizer(pretrained, check_length(max_length, config, pretrained))
    if not resize:
        check_rows(config, tokenizer, source)
    return tokenizer


def open_network(
    name: str | Source,
    task: Task,
    *,
    tokenizer: Tokenizer,
    compute: Compute,
    head: str = "native",
    dropout: float | None = None,
    head_dropout: float | None = None,
    packing: bool = True,
    seed: int = 0,
    random: bool = False,
) -> Network:
    """A network for a task, all of it trainable; the arguments are those of `network.build`.

    Every token has a row in its embedding: new ones, where the tokenizer has more tokens than the model.

    Raises:
        ModelError: the model can't be loaded.
        ConfigError: the head can't serve the task.
    """
    network = networks.build(
        name, task.head, level=task.level, head=head, dropout=dropout, head_dropout=head_dropout, seed=seed,
        compute=compute, packing=packing, pad=tokenizer.pad, rows=tokenizer.rows, random=random,
    )  # fmt: skip
    if network.criterion and task.weighted:
        raise ConfigError("options.class_weights: this head has a loss of its own, which knows no weights; use another")
    return network


def parameter_hashes(network: Network) -> dict[str, str]:
    """A hash of every parameter's bytes, by name; computed in several threads, the largest parameters first."""
    named = dict(network.named_parameters())
    order = sorted(named, key=lambda name: -named[name].numel())
    with ThreadPoolExecutor(network.compute.threads or torch.get_num_threads()) as pool:
        hashes = dict(zip(order, pool.map(lambda name: parameter_hash(named[name]), order), strict=True))
    return {name: hashes[name] for name in named}


def parameter_hash(parameter: torch.Tensor) -> str:
    """blake2b of a parameter's bytes, which are not copied where they lie on the CPU."""
    content = parameter.detach().cpu().contiguous().view(torch.uint8).numpy()
    return hashlib.blake2b(content.data).hexdigest()


def kept_splits(splits: Collection[str], *, saved: bool) -> list[str]:
    """Those of the splits that are computed more than once, so that keeping their states pays.

    The test data are computed once a run. But a run whose model is not kept is one of many on the same data, and those
    read what the first of them kept.

    Args:
        splits: Names of the splits of a run.
        saved: Whether its model is kept.
    """
    return [name for name in ("train", "validation", "test") if name in splits and not (saved and name == "test")]


def state_store(*, memory: float | None, disk: float, device: torch.device = CPU) -> StateStore:
    """Where states may be kept, and how much of them.

    On a GPU they share its memory with the activations and the optimiser, so that they never take more than a share.

    Args:
        memory: In GB, of a GPU's memory and of the machine's; None for a quarter of what is free.
        disk: In GB.
        device: Device of the network.
    """
    asked = math.inf if memory is None else memory * 1e9
    room = MEMORY_SHARE * psutil.virtual_memory().available if memory is None else asked
    return StateStore(states_folder(), room, disk * 1e9, gpu=min(asked, MEMORY_SHARE * free_memory(device)))
