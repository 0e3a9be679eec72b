"""A fine-tuned model as one object: a plain Hugging Face folder plus `afina.json`.

config.json model.safetensors tokenizer.json ...   what every Hugging Face tool loads
afina.json                                         task, options, what was fitted, head, length: what they don't know

Under a head that is not the family's own, no other tool gives the model's answers, and none may load it as if it did:

config.json                                        a type of model that only afina knows
encoder/                                           config.json model.safetensors tokenizer.json ... of the encoder alone
head.safetensors afina.json
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from . import devices
from .about import FILE, FORMAT, About, describe, digest, home_of, task_of, written
from .compute import Compute, Precision, bf16_pays, choose
from .disk import settle, sha256
from .errors import ConfigError, ModelError
from .model import network as networks
from .model.backbone import check_length, check_rows, quiet
from .model.families import Source, locate
from .model.folder import CONFIG, ENCODER, HEAD, OWN_TYPE, READ
from .model.network import Network
from .model.pretrained import load_tokenizer
from .printing import many
from .tasks.base import Task
from .text.tokenization import Tokenizer

logger = logging.getLogger("afina")


@dataclass(frozen=True, slots=True, repr=False)
class Artifact:
    """Everything that answers: the task, the way texts become tokens, and the network.

    Attributes:
        task: Fitted.
        tokenizer: Turns texts into windows of tokens.
        network: Encoder and head.
        head: Name of the head.
        base: Name of the model that was fine-tuned.
    """

    task: Task
    tokenizer: Tokenizer
    network: Network
    head: str
    base: str

    def __repr__(self) -> str:
        return f"Artifact({self.described})"

    @property
    def described(self) -> str:
        """Task, labels and base model, in words."""
        labels = f", {many(len(self.task.labels), 'label')}" if self.task.labels else ""
        return f"{self.task.name}{labels}, fine-tuned from {self.base}"

    def save(self, folder: Path) -> None:
        """Write the folder. It must not exist."""
        spec = self.task.head
        encoder = folder if self.head == "native" else folder / ENCODER
        encoder.mkdir(parents=True)
        if self.head != "native":
            save_file(self.network.head.state_dict(), folder / HEAD)
            (folder / CONFIG).write_text(json.dumps({"model_type": OWN_TYPE}, indent=2) + "\n", encoding="utf-8")
        with quiet():
            self.network.stock.save_pretrained(encoder)
        self.tokenizer.pretrained.save_pretrained(encoder)
        about = {
            "format": FORMAT,
            "afina": version("afina"),
            "task": self.task.name,
            "options": self.task.options.model_dump(mode="json"),
            "fitted": dict(self.task.fitted),
            "head": self.head,
            "auto_class": spec.auto_class if self.head == "native" else None,
            "max_length": self.tokenizer.max_length,
            "scale": list(self.network.scale),
            "precision": self.network.compute.precision,
            "trained_on": self.network.compute.device.type,
            "packing": self.network.packing,
            "base": self.base,
        }
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        about["files"] = {file.relative_to(folder).as_posix(): sha256(file) for file in files}
        about["sha256"] = digest(about)
        (folder / FILE).write_text(written(about), encoding="utf-8")
        settle(folder)


def load(path: str | Path, *, device: str = "auto", precision: Precision = "auto") -> Artifact:
    """A fine-tuned model: a run of afina's, its `model` folder, or any stock folder or hub id with a fine-tuned head.

    Args:
        path: Where it is.
        device: Where it is to compute, as for `compute.choose`; whatever it was trained on.
        precision: The arithmetic; `auto` is `own_precision`.

    Raises:
        ModelError: nothing loadable is there, a weight is missing, or the head is of a kind that afina has no task for.
        ConfigError: the device is not there.
    """
    devices.check(device)
    source = locate(str(path))
    about = describe(source)
    file = home_of(Path(source.path)) / FILE
    if about.files is not None:
        verify(file.parent, about.files)
    place = devices.find(device)
    compute = choose(precision=own_precision(about, place) if precision == "auto" else precision, device=str(place))
    try:
        with compute.active():
            return restore(about, source, compute=compute)
    except ConfigError as error:  # not a setting of the user's, but an entry of the model's
        where = file if source.local and file.exists() else source.path
        raise ModelError(f"{where}: {error}") from error


def own_precision(about: About, place: torch.device) -> Literal["fp32", "bf16"]:
    """The arithmetic that a model answers in: that of its training.

    But what a GPU trained in bf16 answers in fp32 on a CPU that computes bf16 more slowly, many times so where the
    processor lacks the instructions. Probabilities then differ by what bf16 rounds, in their third digit.
    """
    moved = about.trained_on != "cpu" and place.type == "cpu"
    if moved and about.precision == "bf16" and not bf16_pays("cpu"):
        logger.info(
            "trained in bf16 on a GPU; this CPU is faster in fp32, and answers in it "
            "(afina.load with precision='bf16' answers in bf16)"
        )
        return "fp32"
    return about.precision


def restore(about: About, source: Source, *, compute: Compute) -> Artifact:
    """The model that `afina.json` describes.

    Raises:
        ModelError: the description and the weights don't fit together.
        ConfigError: an entry of the description is impossible.
    """
    task = task_of(about)
    pretrained = load_tokenizer(source.path, local=source.local)
    pad = int(pretrained.pad_token_id or 0)
    network = networks.build(
        source, task.head, level=task.level, head=about.head, compute=compute, packing=about.packing, pad=pad
    )
    network.scale = about.scale
    if about.head != "native":
        load_head(network, home_of(Path(source.path)) / HEAD)
    elif network.new:
        raise ModelError(
            f"{source.path}: the head has no weights here ({network.new[0]} is missing), so it was not fine-tuned; "
            "`afina train` does that"
        )
    check_finite(network, source.path)
    network.train_nothing()
    config = network.backbone.config
    tokenizer = Tokenizer(pretrained, check_length(about.max_length, config, pretrained))
    check_rows(config, tokenizer, source.path)
    return Artifact(task, tokenizer, network, about.head, about.base)


def check_finite(network: Network, source: str) -> None:
    """See that every weight is a finite number.

    Raises:
        ModelError: one is infinite, or not a number.
    """
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point() and tensor.numel() and not torch.stack(tensor.aminmax()).isfinite().all():
            raise ModelError(f"{source}: the weights {name} are not all finite numbers; copy or train the model again")


def verify(folder: Path, sums: Mapping[str, str]) -> None:
    """See that the files are those that were saved.

    Args:
        folder: The model.
        sums: SHA-256 of each file but afina.json, by its path in the folder.

    Raises:
        ModelError: one is missing, leaves the folder, has other bytes, or came later.
    """
    cure = 'copy the model again or, if that is on purpose, remove the entries "files" and "sha256" from afina.json'
    for name, expected in sums.items():
        file = folder / name
        if name.removeprefix(f"{ENCODER}/") != file.name or not file.is_file():
            raise ModelError(f"{file}: missing, or not a plain file of this folder; {cure}")
        if sha256(file) != expected:
            raise ModelError(f"{file}: not the bytes that were saved (SHA-256 differs); {cure}")
    for file in [*folder.iterdir(), *(folder / ENCODER).glob("*")]:
        path = file.relative_to(folder).as_posix()
        if file.name in READ and path not in (*sums, "afina.json"):
            raise ModelError(f"{file}: not there when the model was saved; {cure}")


def load_head(network: Network, file: Path) -> None:
    """Weights of a head of ours.

    Raises:
        ModelError: the file is missing or does not fit.
    """
    try:
        network.head.load_state_dict(load_file(file))
    except (OSError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{file}: the head can't be loaded: {error}") from error
