"""A fine-tuned model as one object: a plain Hugging Face folder plus `afina.json`.

config.json model.safetensors tokenizer.json ...   what every Hugging Face tool loads
afina.json                                         task, options, facts, head, lengths: what they don't know
head.safetensors                                   only when the head is not the family's own
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file

from .config import validated
from .errors import ModelError, printable
from .model import network as networks
from .model.encoder import check_length, quiet
from .model.families import locate
from .model.network import Network
from .tasks.base import Task, find
from .text.encoding import Encoder, load_tokenizer

FORMAT = 1
"""Version of `afina.json`. A change that older code can't read counts up."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """Everything that answers: the task, the way texts become tokens, and the network.

    Attributes:
        task: With its facts.
        encoder: Tokenizer and length.
        network: Encoder and head.
        head: Name of the head.
        base: Name of the model that was fine-tuned.
    """

    task: Task
    encoder: Encoder
    network: Network
    head: str
    base: str

    def save(self, folder: Path) -> None:
        """Write the folder. It must not exist."""
        folder.mkdir(parents=True)
        need = self.task.head
        if self.head != "native":
            save_file(self.network.head.state_dict(), folder / "head.safetensors")
        with quiet():
            self.network.stock.save_pretrained(folder)
        self.encoder.tokenizer.save_pretrained(folder)
        about = {
            "format": FORMAT,
            "afina": version("afina"),
            "task": self.task.name,
            "options": self.task.options.model_dump(mode="json"),
            "facts": dict(self.task.facts),
            "head": self.head,
            "stock": need.stock if self.head == "native" else None,
            "max_length": self.encoder.max_length,
            "scale": list(self.network.scale),
            "base": self.base,
        }
        about["files"] = {file.name: sha256(file) for file in sorted(folder.iterdir())}
        (folder / "afina.json").write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def load(path: str | Path) -> Artifact:
    """A fine-tuned model: a run of afina's, its `model` folder, or any stock folder or hub id with a fine-tuned head.

    Raises:
        ModelError: nothing loadable is there, a weight is missing, or the head is of a kind that afina has no task for.
    """
    source, local = locate(str(path))
    file = Path(source) / "afina.json"
    about = read_about(file) if local and file.is_file() else about_stock(source, local)
    verify(Path(source), about.get("files") or {})
    kind = find(about["task"])
    task = kind(validated(kind.Options, about["options"], f"{file}: options"), about["facts"])
    network = networks.build(source, task.head, per=task.per, head=about["head"])
    network.scale = (about["scale"][0], about["scale"][1])
    if about["head"] != "native":
        load_head(network, Path(source) / "head.safetensors")
    elif network.new:
        raise ModelError(
            f"{path}: the head has no weights here ({network.new[0]} is missing), so it was not fine-tuned; "
            "`afina train` does that"
        )
    network.requires_grad_(False)
    network.eval()
    tokenizer = load_tokenizer(source, local=local)
    length = check_length(about["max_length"], network.trunk.config, tokenizer)
    return Artifact(task, Encoder(tokenizer, length), network, about["head"], about["base"])


def sha256(file: Path) -> str:
    """Of a file's bytes."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def verify(folder: Path, sums: Mapping[str, str]) -> None:
    """See that the files are those that were saved.

    Raises:
        ModelError: one is missing, is a link, leaves the folder, or has other bytes.
    """
    for name, digest in sums.items():
        file = folder / name
        if Path(name).name != name or file.is_symlink() or not file.is_file():
            raise ModelError(f"{file}: missing, or not a plain file of this folder; the model is not as it was saved")
        if sha256(file) != digest:
            raise ModelError(
                f"{file}: not the bytes that were saved (SHA-256 differs); copy the model again or, if the file was "
                'changed on purpose, remove its line under "files" in afina.json'
            )


def load_head(network: Network, file: Path) -> None:
    """Weights of a head of ours.

    Raises:
        ModelError: the file is missing or does not fit.
    """
    try:
        network.head.load_state_dict(load_file(file))
    except (OSError, RuntimeError) as error:
        raise ModelError(f"{file}: the head can't be loaded: {error}") from error


def read_about(file: Path) -> dict[str, Any]:
    """`afina.json`.

    Raises:
        ModelError: it is not readable, or of a newer format.
    """
    try:
        about: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if about["format"] > FORMAT:
            raise ModelError(
                f"{file}: written by afina {about.get('afina')} in format {about['format']}; "
                f"this version reads up to {FORMAT}: pip install -U afina"
            )
        return {**about, "facts": about["facts"], "options": about["options"], "head": about["head"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{file}: damaged: {error!r}") from error


def about_stock(source: str, local: bool) -> dict[str, Any]:
    """What `afina.json` would say of a stock model that somebody else fine-tuned, from its `config.json`.

    Raises:
        ModelError: it has no head that a task of ours can use.
    """
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(source, local_files_only=local, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise ModelError(f"model: {printable(source)} can't be loaded: {error}") from error
    names = config.architectures or []
    task, facts = stock_task(names[0] if names else "", config)
    need = {"format": FORMAT, "task": task, "options": {}, "facts": facts, "head": "native", "max_length": None}
    return {**need, "scale": [1.0, 0.0], "base": source}


def stock_task(architecture: str, config: Any) -> tuple[str, dict[str, Any]]:
    """Name and facts of the task that a stock head serves.

    Raises:
        ModelError: none of ours.
    """
    labels = [config.id2label[i] for i in sorted(config.id2label)]
    if architecture.endswith("ForSequenceClassification"):
        if config.problem_type == "multi_label_classification":
            return "multilabel", {"labels": labels}
        if config.num_labels == 1 or config.problem_type == "regression":
            return "regression", {}
        return "classification", {"labels": labels}
    if architecture.endswith("ForTokenClassification"):
        entities = "O" in labels
        types = sorted({label.partition("-")[2] for label in labels if "-" in label}) if entities else labels
        return "tokens", {
            "kind": "entities" if entities else "plain",
            "types": types,
            "tags": labels,
            "common": labels[0],
        }
    if architecture.endswith("ForQuestionAnswering"):
        return "answers", {"no_answer": False}
    raise ModelError(
        f"model: {architecture or 'a model without a head'} is not a fine-tuned model that afina has a task for"
    )
