"""Encoder and head as one module from batches to logits. Everything below the cut is frozen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from ..compute import Compute
from ..errors import ConfigError
from ..records import Batch, States, Window
from ..text.buckets import Rectangle, Row
from ..text.layouts import Layout, Packed, Padded
from . import heads, vocabulary
from .backbone import Backbone, load_stock, pool, resize
from .families import Source, locate
from .views import replaced


class Network(nn.Module):
    """An encoder with a head on it.

    Args:
        stock: A stock model with its native head, or a base model when `head` is given.
        head: A head on a base model; None for the native head of the stock model.
        outputs: Width of the logits.
        new: Names of the stock weights that the loaded folder did not hold.
        scale: Factor and shift that turn the head's outputs into the user's scale.
        compute: Device and arithmetic; the weights are moved to the device.
        packing: Whether windows are packed without padding where device and family allow it.
        pad: Vocabulary id of padding; by default that of the stock model.
    """

    def __init__(
        self,
        stock: Any,
        head: nn.Module | None,
        *,
        outputs: int,
        new: list[str],
        scale: tuple[float, float] = (1.0, 0.0),
        compute: Compute = Compute(),  # noqa: B008 - frozen
        packing: bool = True,
        pad: int | None = None,
    ) -> None:
        super().__init__()
        self.stock = stock
        self.native = head is None
        self.head = heads.Native(stock) if head is None else head
        self.to(compute.device)
        self.backbone = Backbone(stock.base_model, compute.dtype)
        self.pooling = str(self.head.pooling)
        self.outputs = outputs
        self.new = new
        self.scale = scale
        self.compute = compute
        self.packing = packing
        self.pad = int(stock.config.pad_token_id or 0) if pad is None else pad
        self.widest = max(part.in_features for part in stock.base_model.modules() if isinstance(part, nn.Linear))
        self.vocabulary: vocabulary.Vocabulary | None = None
        self.train_last(None)

    @property
    def layout(self) -> Layout:
        """Layout of the windows: packed for families whose attention accepts window lengths, else padded."""
        packs, device = self.packing and self.backbone.family.packs, self.device
        if device.type == "cpu":
            shared = self.frozen_layers > 0
            return Packed(self.pad, device, shared=shared, widest=self.widest) if packs else Padded(self.pad, device)
        if packs and not self.shut:
            return Row(self.pad, device)
        return Rectangle(self.pad, device, widest=self.backbone.positions)

    @property
    def shut(self) -> str:
        """Why windows can't be packed on this GPU; nothing where they can."""
        return self.backbone.shut(self.device, self.compute.dtype)

    @property
    def prunes(self) -> bool:
        """Whether the last layer is computed for first tokens only, which are all that the head reads."""
        return self.pooling == "first" and self.top[1] is not None and self.layout.prunes

    def collate(self, windows: Sequence[Window], *, host: bool = False) -> Batch:
        """Collate windows into a batch for this network: on its device, or on the host, from where it will be sent."""
        layout: Any = self.layout
        batch: Batch = (replace(layout, device="cpu") if host else layout).collate(windows)
        return batch

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return next(self.parameters()).device

    def train_last(self, layers: int | None) -> None:
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
        # In tuples, so that torch does not register these views as children: the stock model owns the weights.
        self.views: tuple[nn.Module, ...] = (
            self.backbone.split_at(self.frozen_layers) if 0 < self.frozen_layers < depth else ()
        )
        top = self.views[1] if self.views else self.backbone.whole
        self.top: tuple[Any, ...] = (top, self.backbone.without_last(top) if self.backbone.family.prunes else None)
        self.requires_grad_(False)
        for module in self.trained:
            module.requires_grad_(True)
        if not self.native and isinstance(getattr(base, "pooler", None), nn.Module):
            base.pooler.requires_grad_(False)  # no head reads the pooler's output

    def train_nothing(self) -> None:
        """From here on it answers, as one that was loaded does: in the same products of matrices, to the same bits."""
        self.train_last(None)
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> Network:
        """Set training mode for what trains. Frozen parts stay in evaluation mode, without dropout."""
        super().train(False)
        for module in self.trained if mode else ():
            module.train()
        if self.vocabulary is not None:
            self.vocabulary.train(mode)
        if self.backbone.casts is not None:
            self.backbone.casts.follow()
        self.training = mode
        return self

    def restrict_vocabulary(self, ids: Iterable[int]) -> None:
        """Where the embeddings train, train only the given rows of the vocabulary: those that training texts use."""
        embeddings = vocabulary.find(self.backbone.base)
        if embeddings is None or not embeddings[1].weight.requires_grad:
            return
        path, embedding = embeddings
        embedding.weight.requires_grad_(False)
        self.vocabulary = vocabulary.Vocabulary(embedding, ids)
        self.top = tuple(replaced(part, path, self.vocabulary) if part is not None else None for part in self.top)

    def restore_vocabulary(self) -> None:
        """Write the trained rows back into the vocabulary and undo `restrict_vocabulary`.

        What is trainable stays what it was: a strategy may train less of a layer than the whole.
        """
        if self.vocabulary is not None:
            trained = {name for name, parameter in self.named_parameters() if parameter.requires_grad}
            (whole,) = self.vocabulary.whole
            self.vocabulary.write()
            self.vocabulary = None
            self.train_last(self.trainable_layers)
            for name, parameter in self.named_parameters():
                parameter.requires_grad_(name in trained or parameter is whole.weight)

    def refresh(self) -> None:
        """Let the layers compute with the present weights. Every pass does it, where they have changed since the last.

        A fused optimiser does not count up its changes (torch 2.13); who calls one says so to
        `torch.autograd.graph.increment_version`.
        """
        if self.backbone.casts is not None:
            self.backbone.casts.refresh()

    @property
    def state_dtype(self) -> torch.dtype:
        """Type of the states at the cut: that of the layers; fp32 for one vector a window, which a mean may be."""
        pooled = self.frozen_layers == self.backbone.depth and self.pooling != "tokens"
        return torch.float32 if pooled else self.compute.dtype

    def autocast(self) -> AbstractContextManager[Any]:
        """The context of the layers. Families that don't pack mix types of their own, so that torch must cast there."""
        return self.compute.autocast(mixed=not self.backbone.family.packs)

    @torch.no_grad()
    def lower(self, batch: Batch) -> States:
        """States at the cut, which training does not change. They are pooled when only the head trains."""
        self.refresh()
        with self.autocast():
            if self.frozen_layers == self.backbone.depth:
                states = self.upper(batch, multiple=self.layout.multiple(len(batch.lengths)))
            else:
                states = States(self.backbone.run(self.views[0], batch))
        return replace(states, vectors=states.vectors.to(self.state_dtype))

    def upper(self, batch: Batch, states: torch.Tensor | None = None, *, multiple: int = 1) -> States:
        """The states that the head takes, from those at the cut or, where nothing is cut, from the batch itself.

        Args:
            batch: Windows.
            states: States at the cut, where there is one. [n, d]
            multiple: The number of rows whose multiple products are filled up to where only first tokens are computed.
        """
        whole, pruned = self.top
        if self.prunes and batch.positions is not None:
            return States(self.backbone.run_first(pruned, batch, states, multiple=multiple), pooled=True)
        return pool(States(self.backbone.run(whole, batch, states)), batch, self.pooling)

    def vectors(self, batch: Batch, states: States | None = None) -> torch.Tensor:
        """What the head reads of a batch, in fp32: a row for each window or for each token. [B, d] or [n, d]

        Args:
            batch: The windows.
            states: States of the windows at the cut, where they are known already.
        """
        self.refresh()
        with self.autocast():
            if self.frozen_layers == 0:
                states = self.upper(batch)
            else:
                states = states or self.lower(batch)
                if self.frozen_layers < self.backbone.depth:
                    states = self.upper(batch, states.vectors.to(self.compute.dtype))
        with self.compute.autocast():
            return pool(states, batch, self.pooling).vectors.float()

    def decode(self, vectors: torch.Tensor) -> torch.Tensor:
        """Logits of some rows of what `vectors` gives, from a head that reads each row alone. [m, d] -> [m, outputs]"""
        with self.compute.autocast():
            logits: torch.Tensor = self.head(vectors)
        return logits

    def forward(self, batch: Batch, states: States | None = None) -> torch.Tensor:
        """Logits of the windows or tokens of a batch in fp32, which the head computes in. [B, outputs] or [n, outputs]

        Args:
            batch: The windows.
            states: States of the windows at the cut, where they are known already.
        """
        vectors = self.vectors(batch, states)
        with self.compute.autocast():
            # A head with its own loss scores whole windows, so it needs their lengths, and no padding.
            logits: torch.Tensor = (
                self.head(batch.real(vectors, pooled=self.pooling != "tokens"), batch.lengths)
                if self.criterion
                else self.head(vectors)
            )
        return logits

    @property
    def criterion(self) -> Callable[..., tuple[torch.Tensor, torch.Tensor]] | None:
        """The head's own loss, (logits, targets, lengths) -> sum, count; None where the task's loss is used."""
        criterion: Callable[..., tuple[torch.Tensor, torch.Tensor]] | None = getattr(self.head, "criterion", None)
        return criterion

    def layer_of(self, name: str) -> int:
        """Height of a parameter: 0 for embeddings and shared tables, i + 1 for layer i, depth + 1 for the head."""
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
        """Fold the user's scale into the last layer, so that the stock class predicts in that scale too."""
        if self.scale != (1.0, 0.0) and heads.rescale(
            self.head, outputs=self.outputs, factor=self.scale[0], shift=self.scale[1]
        ):
            self.scale = (1.0, 0.0)


def build(
    name: str | Source,
    spec: Any,
    *,
    level: str,
    head: str = "native",
    dropout: float | None = None,
    head_dropout: float | None = None,
    seed: int = 0,
    compute: Compute = Compute(),  # noqa: B008 - frozen
    packing: bool = True,
    pad: int | None = None,
    rows: int = 0,
    random: bool = False,
) -> Network:
    """Build the network of a task from the name of a model.

    Args:
        name: `minilm`, a folder or a hub id, or its `Source` where it has been located already.
        spec: The task's `HeadSpec`.
        level: The task's `level`: example or token.
        head: `native`, or the name of another head.
        dropout: Dropout rate of the encoder; None for that of the model.
        head_dropout: Dropout rate of the head; None for that of the model.
        seed: Seed of the new weights.
        compute: Device and arithmetic.
        packing: Whether windows are packed without padding where device and family allow it.
        pad: Vocabulary id of padding; by default that of the stock model.
        rows: Number of rows that the embedding has at least.
        random: Whether all weights are new, as the stock class initialises them, and none is read.

    Raises:
        ModelError: the model can't be loaded.
        ConfigError: the head can't serve the task.
    """
    source = locate(name) if isinstance(name, str) else name
    torch.manual_seed(seed)
    how: dict[str, Any] = {"dropout": dropout, "head_dropout": head_dropout, "random": random}
    own: nn.Module | None = None
    if head == "native":
        stock, new = load_stock(source, spec.auto_class, {"num_labels": spec.outputs, **spec.config}, **how)
    else:
        if head == "crf" and not spec.tags:
            raise ConfigError("model.head: crf scores sequences of tags, which only the task `tokens` has")
        stock, new = load_stock(source, "AutoModel", {}, **how)
        rate = getattr(stock.config, "hidden_dropout_prob", 0.1) if head_dropout is None else head_dropout
        torch.manual_seed(seed)
        own = heads.make(head, width=stock.config.hidden_size, outputs=spec.outputs, dropout=float(rate), level=level)
    resize(stock, rows)
    network = Network(
        stock, own, outputs=spec.outputs, new=new, scale=spec.scale, compute=compute, packing=packing, pad=pad
    )
    if head_dropout is not None:
        for module in network.head.modules():
            if isinstance(module, nn.Dropout):
                module.p = head_dropout
    return network
