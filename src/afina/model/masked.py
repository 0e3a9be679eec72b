"""Masked language models: an encoder with the family's own decoder over the vocabulary, and their folders.

The decoder shares its weights with the embedding of the tokens. It runs for some tokens only, which changes nothing:
it reads each token alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..compute import Compute
from ..disk import settle
from ..errors import ModelError
from ..text.tokenization import Tokenizer
from .backbone import load_config, load_stock, quiet, resize
from .families import Source
from .network import Network

AUTO_CLASS = "AutoModelForMaskedLM"


def build(
    source: Source,
    *,
    tokenizer: Tokenizer,
    compute: Compute,
    dropout: float | None = None,
    packing: bool = True,
    seed: int = 0,
    enlarge: bool = False,
) -> Network:
    """A network whose logits are over the vocabulary. `Network.new` names the weights of its head that are new.

    Args:
        source: A located model.
        tokenizer: Its tokenizer.
        compute: Device and arithmetic.
        dropout: Dropout rate of the encoder; None for that of the model.
        packing: Whether windows are packed without padding where device and family allow it.
        seed: Seed of the new weights.
        enlarge: Whether tokens without a row in the embedding get one.

    Raises:
        ModelError: the model can't be loaded, its family has no such head, or there is no mask token with a row.
    """
    mask = mask_of(tokenizer, source)
    torch.manual_seed(seed)
    stock, new = load_stock(source, AUTO_CLASS, {}, dropout=dropout)
    if enlarge:
        resize(stock, max(tokenizer.rows, mask + 1))
    rows = int(stock.config.vocab_size)
    if mask >= rows:
        raise ModelError(
            f"model: the embedding of {source.path} has no row for the mask token, the number {mask:,} of {rows:,}; "
            "--set model.resize=true trains it with one"
        )
    return Network(stock, None, outputs=rows, new=new, compute=compute, packing=packing, pad=tokenizer.pad)


def mask_of(tokenizer: Tokenizer, source: Source) -> int:
    """Vocabulary id of the mask token.

    Raises:
        ModelError: the tokenizer has none.
    """
    mask = tokenizer.pretrained.mask_token_id
    if mask is None:
        raise ModelError(
            f"model: the tokenizer of {source.path} has no mask token, so it was made for another kind of model; "
            "adapt a masked language model (`afina models`)"
        )
    return int(mask)


@torch.no_grad()
def begin_at(network: Network, chances: torch.Tensor) -> bool:
    """Give a new decoder the logarithms of the tokens' frequencies as its bias. False where it has no bias.

    It then knows from its first step on what else it would learn first, through the encoder: which tokens are common.

    Args:
        network: From `build`.
        chances: A positive share for each token; they sum to 1. [V]
    """
    decoder: Any = network.stock.get_output_embeddings()
    if getattr(decoder, "bias", None) is None:
        return False
    decoder.bias.copy_(chances.log())
    return True


def detects(source: Source) -> bool:
    """Whether a model is a discriminator of ELECTRA's, which was trained to find replaced tokens and saw no mask."""
    names = load_config(source.path, local=source.local).architectures or []
    return "ElectraForPreTraining" in names


def pooler_of(source: Source, network: Network) -> nn.Module | None:
    """The pooler that a folder has weights for and a stock masked language model leaves out; None where there is none.

    Heads of some families read it, and so it is saved beside the masked language model.
    """
    if isinstance(getattr(network.backbone.base, "pooler", None), nn.Module):
        return None
    with torch.random.fork_rng(devices=[]):
        base, new = load_stock(source, "AutoModel", {})
    pooler = getattr(base, "pooler", None)
    return pooler if isinstance(pooler, nn.Module) and not new else None


def save(network: Network, folder: Path, *, tokenizer: Tokenizer, pooler: nn.Module | None) -> None:
    """Write a folder that stock classes load. It must not exist.

    Args:
        network: From `build`.
        folder: Where to.
        tokenizer: Tokenizer of the model.
        pooler: From `pooler_of`.
    """
    folder.mkdir(parents=True)
    base: Any = network.backbone.base
    if pooler is not None:
        base.pooler = pooler
    with quiet():
        network.stock.save_pretrained(folder)
    if pooler is not None:
        base.pooler = None
    tokenizer.pretrained.save_pretrained(folder)
    settle(folder)
