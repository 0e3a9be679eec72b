"""Inspection of model folders before transformers opens them: a model is data, within bounds.

A folder from somebody else can name code to import, point to files elsewhere, or request more memory than there is.
Entries that do so are refused by name. Everything else passes, because the configurations on the hub hold many
harmless entries that a list of allowed ones would miss.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import ModelError, printable

CONFIG, WEIGHTS, INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"
HEAD = "head.safetensors"
TOKENIZER = "tokenizer_config.json"
ENCODER = "encoder"
"""Sub-folder of the encoder where the head is not the family's own: a plain model folder for whoever wants it alone."""
OWN_TYPE = "afina, to be opened by afina.load; its folder 'encoder' is the stock encoder without the head"
"""The `model_type` of such a model. No other program knows it, so none loads the encoder under a head without weights.
It says what to do, since transformers prints it when it refuses."""
READ = frozenset((
    CONFIG, WEIGHTS, INDEX, TOKENIZER, "afina.json", HEAD, "generation_config.json", "tokenizer.json",
    "special_tokens_map.json", "added_tokens.json", "vocab.txt", "vocab.json", "merges.txt", "bpe.codes", "tekken.json",
    "spiece.model", "spm.model", "sentencepiece.bpe.model", "tokenizer.model", "tiktoken.model", "chat_template.jinja",
))  # fmt: skip
"""Names of the files that afina or transformers opens."""
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")
CONVERT = (
    'where you trust its origin, convert it once, in its folder: python -c "import torch; from safetensors.torch '
    "import save_file; held = torch.load('pytorch_model.bin', weights_only=True); "
    "save_file({name: one.clone() for name, one in held.items()}, 'model.safetensors', {'format': 'pt'})\""
)

LARGEST_JSON = 16_000_000
"""Largest size of a configuration, in bytes. A hundred thousand labels fit."""
LARGEST_VOCABULARY = 256_000_000
"""Largest size of a tokenizer's file, in bytes. That of XLM-R has 17 million."""
DEEPEST = 32
LABELS = 100_000
SIZES = {
    "vocab_size": 4_000_000, "max_position_embeddings": 1_000_000, "type_vocab_size": 10_000,
    "num_labels": LABELS, "_num_labels": LABELS, "num_hidden_layers": 1_000, "n_layers": 1_000,
    "num_attention_heads": 10_000, "n_heads": 10_000, "hidden_size": 100_000, "dim": 100_000, "d_model": 100_000,
    "embedding_size": 100_000, "intermediate_size": 1_000_000, "hidden_dim": 1_000_000,
}  # fmt: skip
"""Upper bounds of sizes, beyond those of any encoder. The weights show whether they fit their description."""

FORBIDDEN = {
    "auto_map": "names code to import",
    "custom_pipelines": "names code to import",
    "trust_remote_code": "asks for code to be imported",
    "quantization_config": "has the weights read by another library",
    "compression_config": "has the weights read by another library",
    "kernel_config": "names code to load",
    "use_kernels": "has code loaded",
    "configuration_files": "leads to another configuration",
    "transformers_weights": "leads to other weights",
    "extra_files": "leads to other files",
    "extra_config_files": "leads to other files",
    "fast_tokenizer_files": "leads to another tokenizer",
    "init_inputs": "is passed on to a constructor",
    "attribute_map": "renames other entries",
    "_auto_class": "has code copied",
}
"""Configuration entries that choose which code runs or which files are read. Empty ones are harmless."""
IMPLEMENTATION = re.compile(r"(attn|experts)_implementation")
STOCK_ATTENTION = ("eager", "sdpa")
"""Attention implementations of transformers and torch. Any other name loads a package or a kernel from the hub."""


def inspect(folder: Path) -> Path:
    """Inspect the files of a model folder without running, following or allocating anything that they ask for.

    Returns:
        The folder that holds configuration, weights and tokenizer: the given one or, under a head that is not the
        family's own, that of the encoder.

    Raises:
        ModelError: a file is a link out of the folder, not a plain file, too large or damaged; a configuration names
            code or absurd sizes; or the weights are pickles.
    """
    home = repository(folder)
    inspect_files(folder, home)
    tree = read_json(folder / CONFIG)
    check_config(tree, str(folder / CONFIG))
    encoder = folder / ENCODER if tree.get("model_type") == OWN_TYPE else folder
    if encoder == folder and (folder / ENCODER / CONFIG).is_file() and (folder / HEAD).is_file():
        found = printable(tree.get("model_type"), 40)
        raise ModelError(f"{folder / CONFIG}: model_type {found} is none of afina's; copy the model again")
    if encoder != folder:
        if not (encoder / CONFIG).is_file():
            raise ModelError(f"{encoder / CONFIG}: missing; copy the model again, with its sub-folder")
        inspect_files(encoder, home)
        check_config(read_json(encoder / CONFIG), str(encoder / CONFIG))
    if (encoder / TOKENIZER).exists():
        check_entries(read_json(encoder / TOKENIZER), str(encoder / TOKENIZER))
    for file in (*weight_files(encoder), folder / HEAD):
        if file.exists():
            shapes(file)
    return encoder


def inspect_files(folder: Path, home: Path) -> None:
    """See that what lies in a folder are plain files of bounded size that stay inside its home.

    Raises:
        ModelError: one is a link out of the folder, not a plain file, or too large; or the folder is an adapter.
    """
    for entry in sorted(folder.iterdir()):
        if entry.is_symlink() and not Path(os.path.realpath(entry)).is_relative_to(home):
            raise ModelError(f"{entry}: a link that leaves the folder; put the file itself in its place")
        if entry.name not in READ and entry.suffix != ".safetensors":
            continue
        if not entry.is_file():
            raise ModelError(f"{entry}: not a plain file; put the file itself in its place, or remove it")
        if entry.suffix != ".safetensors" and entry.stat().st_size > LARGEST_VOCABULARY:
            raise ModelError(f"{entry}: {entry.stat().st_size:,} bytes, more than any tokenizer's file has")
    if (folder / "adapter_config.json").exists():
        raise ModelError(
            f"{folder / 'adapter_config.json'}: an adapter, which afina would leave out; merge it into the model "
            "(merge_and_unload of peft) and save that, or remove the file"
        )


def repository(folder: Path) -> Path:
    """The folder that must hold a model's files: itself or, in a Hugging Face cache, the whole repository.

    A snapshot in that cache is a folder of links into the `blobs` folder of the repository.
    """
    real = folder.resolve()
    cached = real.parent.name == "snapshots" and real.parent.parent.name.startswith("models--")
    return real.parent.parent if cached else real


def read_json(file: Path) -> dict[str, Any]:
    """Read a JSON object of bounded size.

    Raises:
        ModelError: the file can't be read, is too large, or holds something else.
    """
    try:
        size = file.stat().st_size
        if size > LARGEST_JSON:
            raise ModelError(f"{file}: {size:,} bytes; at most {LARGEST_JSON:,} are read")
        tree = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{file}: damaged: {error}; copy or download the model again") from error
    if not isinstance(tree, dict):
        raise ModelError(f"{file}: damaged: expected an object, found {printable(tree)}; copy or download it again")
    return tree


def check_config(tree: Mapping[str, Any], where: str) -> None:
    """Check that a `config.json` describes a model, and names no code.

    Raises:
        ModelError: the configuration names code, other files, or sizes that no encoder has.
    """
    check_entries(tree, where)
    for name, most in SIZES.items():
        size = tree.get(name)
        if size is not None and not (isinstance(size, int) and 0 <= size <= most):
            raise ModelError(f"{where}: {name}: expected a whole number from 0 to {most:,}, found {printable(size)}")
    for name in ("id2label", "label2id"):
        labels = tree.get(name) or {}
        if not isinstance(labels, dict) or any(isinstance(label, (dict, list)) for label in labels.values()):
            raise ModelError(f"{where}: {name}: expected labels and their numbers, found {printable(labels)}")
        if len(labels) > LABELS:
            raise ModelError(f"{where}: {name}: {len(labels):,} labels; at most {LABELS:,} are read")
    for name in ("dtype", "torch_dtype"):
        kind = tree.get(name)
        if kind is not None and not re.fullmatch(r"b?float\d+\w*", str(kind)):
            raise ModelError(f"{where}: {name}: {printable(kind)} is not a type of weights; float32 is")


def check_entries(tree: Mapping[str, Any], where: str) -> None:
    """Check that no entry of a configuration, at any depth, chooses code or other files.

    Raises:
        ModelError: an entry does, or the configuration is too deep.
    """
    for name, value in entries(tree, where):
        reason = FORBIDDEN.get(name) if value else None
        if IMPLEMENTATION.search(name) and not (value is None or value is True or value in (False, *STOCK_ATTENTION)):
            reason = "names code to load"
        if name.startswith("__") and name != "__type":  # `__type` is the kind of a token in a tokenizer's configuration
            reason = "stands for a part of Python"
        if reason:
            raise ModelError(
                f"{where}: the entry {printable(name)} {reason}, and a model is data; "
                "if the model needs no code of its own, remove the entry"
            )


def entries(tree: Mapping[str, Any], where: str) -> Iterator[tuple[str, Any]]:
    """Every entry of a JSON tree with its name, at any depth. Labels are the user's words, so they are skipped.

    Raises:
        ModelError: the tree is too deep.
    """
    open_nodes: list[tuple[Any, int]] = [(tree, 1)]
    while open_nodes:
        node, depth = open_nodes.pop()
        if depth > DEEPEST:
            raise ModelError(f"{where}: nested in more than {DEEPEST} levels; this is no configuration")
        if isinstance(node, dict):
            yield from node.items()
            open_nodes += ((value, depth + 1) for name, value in node.items() if name not in ("id2label", "label2id"))
        elif isinstance(node, list):
            open_nodes += ((value, depth + 1) for value in node)


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a model's weights: a single file, or the files that the index names.

    Raises:
        ModelError: there are none, or the index names files outside the folder.
    """
    if (folder / WEIGHTS).exists():
        return [folder / WEIGHTS]
    if not (folder / INDEX).exists():
        pickles = sorted(entry.name for entry in folder.iterdir() if entry.suffix in PICKLES)
        if pickles:
            raise ModelError(
                f"{folder / pickles[0]}: a pickle, which can run code when it is opened, and the only weights here; "
                f"afina reads {WEIGHTS}: {CONVERT}"
            )
        raise ModelError(f"model: {printable(str(folder))} holds no {WEIGHTS}, so it has no weights; copy it again")
    names = read_json(folder / INDEX).get("weight_map")
    if not isinstance(names, dict) or not names:
        raise ModelError(f"{folder / INDEX}: damaged: it names no files; copy or download it again")
    for name in names.values():
        if not isinstance(name, str) or Path(name).name != name or not name.endswith(".safetensors"):
            raise ModelError(f"{folder / INDEX}: {printable(name)} is not a safetensors file of this folder")
        if not (folder / name).is_file():
            raise ModelError(f"{folder / name}: missing, and {INDEX} names it; copy or download it again")
    return [folder / name for name in sorted(set(names.values()))]


def shapes(file: Path) -> dict[str, list[int]]:
    """Names and shapes of the tensors in a safetensors file, read from its header.

    Raises:
        ModelError: the file can't be read, or its header does not match it.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="numpy") as tensors:
            return {name: tensors.get_slice(name).get_shape() for name in tensors.keys()}  # noqa: SIM118 - not a dict
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{file}: damaged: {error}; copy or download it again") from error


def count_weights(folder: Path) -> int:
    """Number of weights in the weight files of a model."""
    return sum(math.prod(shape) for file in weight_files(folder) for shape in shapes(file).values())
