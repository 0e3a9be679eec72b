"""Encoder and head as one module: Batch -> logits, with everything below the cut frozen."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import nn

from ..errors import ConfigError
from ..records import Batch, States, Window
from ..text.layouts import collate
from . import heads, vocabulary
from .backbone import Backbone, load_stock, reduce, replaced

FILLED, LONG = 32, 512
"""Tokens that a packed row is filled up to a multiple of, and from how many on where it need not be."""


class Network(nn.Module):
    """An encoder with a head on it.

    Args:
        stock: A stock model: with its native head, or a base model when `head` is given.
        head: A head of ours (or of the user's) on a base model; None for the stock model's own.
        outputs: Width of the logits.
        new: Names of the stock weights that were not in the loaded folder.
        scale: Factor and shift that turn the head's outputs into the user's scale.
    """

    def __init__(
        self,
        stock: Any,
        head: nn.Module | None,
        *,
        outputs: int,
        new: list[str],
        scale: tuple[float, float] = (1.0, 0.0),
    ) -> None:
        super().__init__()
        self.stock = stock
        self.native = head is None
        self.head = heads.Native(stock) if head is None else head
        self.backbone = Backbone(stock.base_model)
        self.pooling = str(self.head.pooling)
        self.outputs = outputs
        self.new = new
        self.scale = scale
        self.packing = True
        self.vocabulary: vocabulary.Vocabulary | None = None
        self.freeze(None)

    @property
    def packs(self) -> bool:
        """Whether batches are packed into rows without padding: on a CPU, for families that can be."""
        return self.packing and self.backbone.family.packs and self.device.type == "cpu"

    def multiple(self, tokens: int) -> int:
        """What a packed row of so many tokens is filled up to a multiple of.

        Matrix products give a row the same bits whatever its neighbours, but for the last few rows of a thread. Where
        states are kept and shared, rows are filled up, so that they don't depend on the company of a window. Long rows
        without gradients are filled up too: tensors of fewer sizes find room where others were, and a process that
        predicts needs 60 MB less.
        """
        if self.frozen_layers:
            return math.lcm(FILLED, 8 * torch.get_num_threads())
        return FILLED if tokens > LONG and not self.training else 1

    def collate(self, windows: Sequence[Window], pad: int) -> Batch:
        """Windows as a batch for this network."""
        multiple = self.multiple(sum(map(len, windows)))
        return collate(windows, pad=pad, device=self.device, packed=self.packs, multiple=multiple)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    def freeze(self, layers: int | None) -> None:
        """Choose what trains: everything (None), or the last `layers` layers and the head (0: the head alone).

        Raises:
            ModelError: the model's layers can't be told apart (ALBERT).
        """
        depth = self.backbone.depth
        self.trainable_layers = layers
        self.frozen_layers = 0 if layers is None else depth - layers
        base = self.backbone.base
        self.trained: list[nn.Module] = [base, self.head]
        if layers is not None:
            upper = list(self.backbone.layers or [])[depth - layers :] if layers else []
            norm = [base.get_submodule(self.backbone.family.norm)] if layers and self.backbone.family.norm else []
            self.trained = [*upper, *norm, self.head]
        # In tuples, so that torch does not list these views as children: the stock model owns the weights.
        self.views: tuple[nn.Module, ...] = (
            self.backbone.cut(self.frozen_layers) if 0 < self.frozen_layers < depth else ()
        )
        top = self.views[1] if self.views else self.backbone.whole
        self.top: tuple[Any, ...] = (top, self.backbone.without_last(top) if self.backbone.family.prunes else None)
        self.requires_grad_(False)
        for module in self.trained:
            module.requires_grad_(True)
        if not self.native and isinstance(getattr(base, "pooler", None), nn.Module):
            base.pooler.requires_grad_(False)  # nothing reads it

    def train(self, mode: bool = True) -> Network:
        """Training mode for what trains; what is frozen stays in evaluation mode, without dropout."""
        super().train(False)
        for module in self.trained if mode else ():
            module.train()
        if self.vocabulary is not None:
            self.vocabulary.train(mode)
        self.training = mode
        return self

    def restrict_vocabulary(self, ids: Iterable[int]) -> None:
        """Where the whole model trains, train only these rows of the vocabulary: those that the training texts use."""
        found = vocabulary.find(self.backbone.base)
        if found is None or not found[1].weight.requires_grad:
            return
        path, embedding = found
        embedding.weight.requires_grad_(False)
        self.vocabulary = vocabulary.Vocabulary(embedding, ids)
        self.top = tuple(replaced(part, path, self.vocabulary) if part is not None else None for part in self.top)

    def restore_vocabulary(self) -> None:
        """Put the trained rows back into the vocabulary; the network is as before `narrow`."""
        if self.vocabulary is not None:
            self.vocabulary.write()
            self.vocabulary = None
            self.freeze(self.trainable_layers)

    @torch.no_grad()
    def lower(self, batch: Batch) -> States:
        """States at the cut, which no training changes; reduced to what the head reads when only the head trains.

        Always in fp32, so that they are the same whether they are kept or computed anew.
        """
        with torch.autocast(self.device.type, enabled=False):
            if self.frozen_layers == self.backbone.depth:
                return self.upper(batch)
            return States(self.backbone.run(self.views[0], batch), batch.lengths)

    def upper(self, batch: Batch, states: torch.Tensor | None = None) -> States:
        """What the head reads, from the states at the cut or, where nothing is cut, from the batch itself."""
        whole, pruned = self.top
        if self.pooling == "first" and pruned is not None and batch.positions is not None:
            return States(self.backbone.run_first(pruned, batch, states), batch.lengths, pooled=True)
        return reduce(States(self.backbone.run(whole, batch, states), batch.lengths), self.pooling)

    def forward(self, batch: Batch, states: States | None = None) -> torch.Tensor:
        """Logits of the windows or tokens of a batch. [B, outputs] or [n, outputs]

        Args:
            batch: Windows.
            states: Their states at the cut, when they are already known.
        """
        if self.frozen_layers == 0:
            states = self.upper(batch)
        else:
            states = states or self.lower(batch)
            if self.frozen_layers < self.backbone.depth:
                states = self.upper(batch, states.vectors)
        vectors = reduce(states, self.pooling).vectors
        # A head with a loss of its own judges whole windows, so it is told where they end.
        logits: torch.Tensor = self.head(vectors, batch.lengths) if self.criterion else self.head(vectors)
        return logits

    @property
    def criterion(self) -> Callable[..., tuple[torch.Tensor, torch.Tensor]] | None:
        """The loss that the head brings, or None where the task's serves: (logits, targets, lengths) -> sum, count."""
        found: Callable[..., tuple[torch.Tensor, torch.Tensor]] | None = getattr(self.head, "criterion", None)
        return found

    def layer_of(self, name: str) -> int:
        """How far up a parameter sits: 0 embeddings and shared tables, i + 1 layer i, depth + 1 head."""
        depth = self.backbone.depth
        if name.startswith("vocabulary."):
            return 0
        if any(parameter is self.get_parameter(name) for parameter in self.head.parameters()):
            return depth + 1
        path = self.backbone.family.layers
        if path and f".{path}." in f".{name}":
            return int(f".{name}".split(f".{path}.", 1)[1].split(".")[0]) + 1
        norm = self.backbone.family.norm
        return depth if norm and f".{norm}." in f".{name}" else 0

    def fold_scale(self) -> None:
        """Put the user's scale into the last layer, so that the stock class answers in it too."""
        if self.scale != (1.0, 0.0) and heads.rescale(self.head, self.outputs, *self.scale):
            self.scale = (1.0, 0.0)


def build(
    name: str,
    spec: Any,
    *,
    level: str,
    head: str = "native",
    dropout: float | None = None,
    head_dropout: float | None = None,
    seed: int = 0,
) -> Network:
    """A network for a task, from a model's name.

    Args:
        name: `minilm`, a folder, or a hub id.
        need: The task's `HeadNeed`.
        per: The task's `per`: example or token.
        head: `native`, or the name of another head.
        dropout: Override of the encoder's dropout.
        head_dropout: Override of the head's dropout.
        seed: Of the new weights.

    Raises:
        ModelError: the model can't be loaded.
        ConfigError: the head can't serve the task.
    """
    torch.manual_seed(seed)
    rates = {"dropout": dropout, "head_dropout": head_dropout}
    if head == "native":
        settings = {"num_labels": spec.outputs, **spec.config}
        stock, new = load_stock(name, spec.auto_class, settings, **rates)
        network = Network(stock, None, outputs=spec.outputs, new=new, scale=spec.scale)
    else:
        if head == "crf" and spec.auto_class != "AutoModelForTokenClassification":
            raise ConfigError("model.head: crf scores sequences of tags, which only the task `tokens` has")
        stock, new = load_stock(name, "AutoModel", {}, **rates)
        rate = getattr(stock.config, "hidden_dropout_prob", 0.1) if head_dropout is None else head_dropout
        torch.manual_seed(seed)
        own = heads.make(head, width=stock.config.hidden_size, outputs=spec.outputs, dropout=float(rate), level=level)
        network = Network(stock, own, outputs=spec.outputs, new=new, scale=spec.scale)
    if head_dropout is not None:
        for module in network.head.modules():
            if isinstance(module, nn.Dropout):
                module.p = head_dropout
    return network
