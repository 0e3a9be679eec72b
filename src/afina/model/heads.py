"""Heads map states to logits: the family's native head, or a linear one on [CLS], the mean or the maximum of tokens.

Other packages offer heads as an `nn.Module` under the entry-point group `afina.heads`. Such a class is called with
`width`, `outputs` and `dropout`, maps [m, width] to [m, outputs], and declares its input in the attribute `pooling`:
`first`, `mean`, `max` or `tokens`. A head may bring its own loss, as `CRF` does, in a method `criterion(logits,
targets, lengths)`. Its `forward` then takes the lengths of the windows after the vectors.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

import torch
from torch import nn

from ..errors import ConfigError, printable
from .crf import CRF
from .views import replaced

GROUP = "afina.heads"
POOLINGS = {"linear": "first", "mean": "mean", "max": "max"}
MOST_TAGS = 2_000
"""Largest number of tags of a CRF, which keeps a number for each pair of them."""


class Linear(nn.Module):
    """A linear layer h W + b without a pooler (SLP3, "Masked Language Models"). [m, width] -> [m, outputs]

    The loss or the decoder applies the softmax.
    """

    def __init__(self, width: int, outputs: int, *, dropout: float, pooling: str) -> None:
        super().__init__()
        self.pooling = pooling
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(width, outputs)
        nn.init.normal_(self.out.weight, std=0.02)  # BERT's initialisation (Devlin et al. 2019, released code)
        nn.init.zeros_(self.out.bias)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.out(self.dropout(vectors))
        return logits


class Native(nn.Module):
    """A stock model's own head: the stock class with its encoder replaced by a pass-through.

    The stock class sees a pooled vector as a sequence of one token, and many tokens as one sequence. This runs every
    family's own code, so that the saved folder gives the same logits in the stock class.
    """

    def __init__(self, stock: Any) -> None:
        super().__init__()
        base = stock.base_model
        shell = replaced(stock, stock.base_model_prefix, Given(base))
        self.pooling = stock_pooling(stock)
        self.shell = [shell]  # in a list, so that torch does not register it: the stock model owns the weights
        self.parts = nn.ModuleDict(
            {name: part for name, part in stock.named_children() if name != stock.base_model_prefix}
        )
        if isinstance(getattr(base, "pooler", None), nn.Module):
            self.parts["pooler"] = base.pooler

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        if self.pooling == "tokens":
            output = self.shell[0](inputs_embeds=vectors[None], return_dict=True)
            if "start_logits" in output:
                return torch.stack((output.start_logits[0], output.end_logits[0]), dim=-1)
            return output.logits[0]  # type: ignore[no-any-return]
        return self.shell[0](inputs_embeds=vectors[:, None], return_dict=True).logits  # type: ignore[no-any-return]


def stock_pooling(stock: Any) -> str:
    """The pooling that the head of a stock class expects: one vector per sequence, or every token."""
    if not type(stock).__name__.endswith("ForSequenceClassification"):
        return "tokens"
    return "mean" if getattr(stock.config, "classifier_pooling", "cls") == "mean" else "first"


class Given(nn.Module):
    """Replaces a base model whose states are given, and runs its pooler where there is one."""

    def __init__(self, base: nn.Module) -> None:
        super().__init__()
        self.pooler: Any = base.pooler if isinstance(getattr(base, "pooler", None), nn.Module) else None
        self.activation: Any = getattr(base, "pooler_activation", None)

    def forward(self, *_: Any, inputs_embeds: torch.Tensor, **__: Any) -> Any:
        from transformers.modeling_outputs import BaseModelOutputWithPooling

        if self.pooler is None:
            return BaseModelOutputWithPooling(last_hidden_state=inputs_embeds)
        if self.activation is not None:  # ALBERT stores the two steps of its pooler separately
            pooled = self.activation(self.pooler(inputs_embeds[:, 0]))
        else:
            pooled = self.pooler(inputs_embeds)
        return BaseModelOutputWithPooling(last_hidden_state=inputs_embeds, pooler_output=pooled)


def names() -> list[str]:
    """Names of all heads: the native one, those of afina, and those of other packages."""
    return ["native", *POOLINGS, "crf", *sorted(point.name for point in entry_points(group=GROUP))]


def make(name: str, *, width: int, outputs: int, dropout: float, level: str) -> nn.Module:
    """Make a head other than the family's native one.

    Args:
        name: `linear`, `mean`, `max`, `crf`, or an entry point of `afina.heads`.
        width: Width of the encoder's states.
        outputs: Numbers an example or a token.
        dropout: Rate before the last layer.
        level: `example` or `token`; for a token task our heads read every token.

    Raises:
        ConfigError: there is no such head, or its pooling does not suit the task.
    """
    if name in POOLINGS:
        if level == "token" and name != "linear":
            raise ConfigError(
                f"model.head: {name} gives one vector a text, but this task needs one a token; use linear or native"
            )
        return Linear(width, outputs, dropout=dropout, pooling="tokens" if level == "token" else POOLINGS[name])
    if name == "crf":
        if outputs > MOST_TAGS:
            raise ConfigError(
                f"model.head: crf scores pairs of tags, at most {MOST_TAGS:,} squared, not {outputs:,}; use linear"
            )
        return CRF(width, outputs, dropout)
    points = entry_points(group=GROUP, name=name)
    if not points:
        raise ConfigError(f"model.head: {printable(name)} is not a head; there are: {', '.join(names())}")
    (point, *_) = points
    head: nn.Module = point.load()(width=width, outputs=outputs, dropout=dropout)
    pooling = getattr(head, "pooling", None)
    if pooling not in (("tokens",) if level == "token" else ("first", "mean", "max")):
        raise ConfigError(
            f"model.head: {name} reads {printable(pooling)}, which this task (one answer a {level}) can't give"
        )
    return head


@torch.no_grad()
def rescale(head: nn.Module, *, outputs: int, factor: float, shift: float) -> bool:
    """Scale and shift the outputs of a head by changing its last linear layer. False where it has none.

    (h W + b) f + s = h (f W) + (f b + s)
    """
    layers = [module for module in head.modules() if isinstance(module, nn.Linear) and module.out_features == outputs]
    if not layers or layers[-1].bias is None:
        return False
    layers[-1].weight.mul_(factor)
    layers[-1].bias.mul_(factor).add_(shift)
    return True
