"""The states of all layers from one pass of the encoder, reduced as they arise: no layer's tokens are kept.

Depth 0 is what the embeddings give to the first layer, depth i what layer i gives to the next one, and the last depth
what the encoder gives, final normalisation included: the `hidden_states` of a stock model. Each is taken at the door of
the layer above, so that whatever a family does between two layers belongs to the lower one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from ..errors import ModelError
from ..records import Batch, States, Window
from ..work import Work, run_with_backoff
from .backbone import Backbone, pool
from .heads import Given
from .network import Network
from .tables import Array

POOLINGS = ("first", "mean", "max")
"""Poolings of the tokens of a window, in the order of `pooled_layers`."""
Take = Callable[[int, torch.Tensor], None]
"""Is given each depth and its states, a row for each that the encoder gives (`Batch`). [n, d]"""


@torch.no_grad()
def pooled_layers(network: Network, windows: Sequence[Window]) -> Work[torch.Tensor]:
    """The pooled states of windows at every depth, in fp32 on the host. [depth + 1, 3, windows, d]

    Args:
        network: Any. Its weights are read, and its head is not.
        windows: Windows.
    """
    depth, width = network.backbone.depth, network.backbone.width
    table = torch.empty(depth + 1, len(POOLINGS), len(windows), width)

    def reduce(indices: list[int], batch: Batch, layer: int, states: torch.Tensor) -> None:
        for number, pooling in enumerate(POOLINGS):
            vectors = pool(States(states), batch, pooling).vectors
            table[layer, number, indices] = batch.real(vectors, pooled=True).float().cpu()

    yield from passed(network, windows, reduce)
    return table


@torch.no_grad()
def token_layers(network: Network, windows: Sequence[Window], places: Sequence[Array]) -> Work[torch.Tensor]:
    """The states of some tokens at every depth, in fp32 on the host, windows in order. [depth + 1, m, d]

    Args:
        network: Any. Its weights are read, and its head is not.
        windows: Windows.
        places: The positions in each window of its tokens that are wanted; m of them in all.
    """
    depth, width = network.backbone.depth, network.backbone.width
    starts = np.cumsum([0, *map(len, places)])
    table = torch.empty(depth + 1, int(starts[-1]), width)

    def reduce(indices: list[int], batch: Batch, layer: int, states: torch.Tensor) -> None:
        firsts = np.cumsum([0, *batch.lengths[:-1]])
        chosen = np.concatenate([first + places[i] for first, i in zip(firsts, indices, strict=True)]).astype(np.int64)
        rows = np.concatenate([np.arange(starts[i], starts[i + 1]) for i in indices])
        wanted = torch.from_numpy(batch.places[chosen]).to(states.device)
        table[layer, rows] = states.index_select(0, wanted).float().cpu()

    yield from passed(network, windows, reduce)
    return table


def passed(
    network: Network, windows: Sequence[Window], reduce: Callable[[list[int], Batch, int, torch.Tensor], None]
) -> Work[None]:
    """Run windows through the encoder once, batch by batch.

    Args:
        network: Any.
        windows: Windows.
        reduce: Is given the indices of a batch's windows, the batch, and each depth with its states.
    """
    network.eval()
    layout = network.layout

    def compute(indices: list[int]) -> None:
        batch = network.collate([windows[i] for i in indices])
        network.refresh()
        with network.autocast():
            each_layer(network.backbone, batch, lambda depth, states: reduce(indices, batch, depth, states))

    yield from run_with_backoff([len(window) for window in windows], layout.budget, split=layout.fill, compute=compute)


def each_layer(backbone: Backbone, batch: Batch, take: Take) -> None:
    """Run a batch through the encoder, and hand over the states of every depth in turn.

    Raises:
        ModelError: the layers are not where afina looks for them, or are not called one after the other.
    """
    with doors(backbone, batch, take) as seen:
        last = backbone.run(backbone.whole, batch)
    if len(seen) != backbone.depth:
        kind = type(backbone.base).__name__
        raise ModelError(f"model: {kind} has {backbone.depth} layers, and {len(seen)} were seen at work in one pass")
    take(backbone.depth, last)


@contextmanager
def doors(backbone: Backbone, batch: Batch, take: Take) -> Iterator[list[int]]:
    """Watch what goes into each layer. Yields the depths that were seen so far."""
    seen: list[int] = []

    def watch(_: nn.Module, args: tuple[Any, ...], named: dict[str, Any]) -> None:
        hidden: torch.Tensor = args[0] if args else named["hidden_states"]
        places = hidden.reshape(batch.ids.numel(), -1)
        seen.append(len(seen))
        take(seen[-1], places if batch.index is None else places.index_select(0, batch.index))

    handles = [layer.register_forward_pre_hook(watch, with_kwargs=True) for layer in layers_of(backbone)]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def layers_of(backbone: Backbone) -> list[nn.Module]:
    """The modules that compute the layers; where layers share their weights, fewer than there are layers.

    Raises:
        ModelError: they are not where afina looks for them.
    """
    path = backbone.family.layers or backbone.family.shared
    try:
        return list(backbone.whole.get_submodule(path).children())
    except AttributeError:
        kind = type(backbone.base).__name__
        raise ModelError(f"model: afina does not know where {kind} keeps its layers; it can't read them") from None


@torch.no_grad()
def own_pooling(network: Network, firsts: torch.Tensor) -> torch.Tensor | None:
    """What the encoder's own pooler makes of the last states of first tokens; None where it has none of its own.

    A pooler that the model's folder holds no weights of is new, and tells nothing.

    Args:
        network: A network with the encoder.
        firsts: States, in fp32 on the host. [n, d]
    """
    given = Given(network.backbone.base)
    if given.pooler is None or any(".pooler." in f".{name}" for name in network.new):
        return None
    pooled: torch.Tensor = given(inputs_embeds=firsts[:, None].to(network.device)).pooler_output
    return pooled.float().cpu()
