"""One pass gives the states of all layers: those of the stock model, whatever the family and the layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from transformers import AutoModel

from afina.errors import ModelError
from afina.model.backbone import pool
from afina.model.layers import POOLINGS, each_layer, layers_of, own_pooling, pooled_layers, token_layers
from afina.model.network import Network
from afina.records import Example, States, Window
from afina.work import drain
from tests import tiny as made
from tests.arithmetic import close
from tests.networks import network_of, windows_of

TEXTS = [
    *(Example(text) for text in ("the cat sleeps on the mat and the dog barks", "good", "a lovely film, a poor meal")),
    Example("the dog barks", "at the bird"),
]


def stock_states(folder: Path, window: Window) -> torch.Tensor:
    """The hidden states that the stock model gives for one window alone. [depth + 1, n, d]"""
    base = AutoModel.from_pretrained(folder).eval()
    inputs = {"input_ids": torch.from_numpy(window.ids.astype(np.int64))[None]}
    if int(getattr(base.config, "type_vocab_size", 0)) > 1:
        inputs["token_type_ids"] = torch.from_numpy(window.types.astype(np.int64))[None]
    with torch.no_grad():
        return torch.stack(base(**inputs, output_hidden_states=True).hidden_states)[:, 0]


@pytest.fixture(params=[True, False], ids=["packed", "padded"])
def packing(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.mark.parametrize("family", made.FAMILIES)
def test_one_pass_gives_the_states_of_the_stock_model(family: str, packing: bool, tiny: Callable[[str], Path]) -> None:
    windows = windows_of(tiny(family), TEXTS)
    network = network_of(tiny(family), layers=0, packing=packing)
    expected = [stock_states(tiny(family), window) for window in windows]
    pooled = drain(pooled_layers(network, windows))
    assert pooled.shape == (4, 3, len(windows), 16)
    for i, states in enumerate(expected):
        close(pooled[:, 0, i], states[:, 0], atol=1e-6)
        close(pooled[:, 1, i], states.mean(dim=1), atol=1e-6)
        close(pooled[:, 2, i], states.amax(dim=1), atol=1e-6)
    places = [np.arange(i % 2, len(window), 2) for i, window in enumerate(windows)]
    tokens = drain(token_layers(network, windows, places))
    close(tokens, torch.cat([states[:, own] for states, own in zip(expected, places, strict=True)], dim=1), atol=1e-6)


@pytest.mark.parametrize("family", ["bert", "albert", "modernbert", "deberta-v2"])
def test_the_bits_are_those_that_heads_read(family: str, packing: bool, tiny: Callable[[str], Path]) -> None:
    network = network_of(tiny(family), layers=0, packing=packing).eval()
    windows = sorted(windows_of(tiny(family), TEXTS), key=len, reverse=True)  # in the order of their batch
    batch = network.collate(windows)
    seen: dict[int, torch.Tensor] = {}
    with torch.no_grad(), network.autocast():
        each_layer(network.backbone, batch, seen.__setitem__)
        whole = network.backbone.run(network.backbone.whole, batch)
    assert list(seen) == [0, 1, 2, 3]
    assert torch.equal(seen[3], whole)
    pooled = drain(pooled_layers(network, windows))
    for depth, states in seen.items():
        for number, pooling in enumerate(POOLINGS):
            vectors = batch.real(pool(States(states), batch, pooling).vectors, pooled=True)
            assert torch.equal(pooled[depth, number], vectors.float().cpu())


def test_nothing_stays_in_the_model(tiny: Callable[[str], Path]) -> None:
    network = network_of(tiny("bert"), layers=0)
    drain(pooled_layers(network, windows_of(tiny("bert"), TEXTS)))
    assert not any(layer._forward_pre_hooks for layer in layers_of(network.backbone))

    def fails(depth: int, states: torch.Tensor) -> None:
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        each_layer(network.backbone, network.collate(windows_of(tiny("bert"), TEXTS)), fails)
    assert not any(layer._forward_pre_hooks for layer in layers_of(network.backbone))


def test_windows_may_be_many(tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_of(tiny("bert"), layers=0)
    windows = windows_of(tiny("bert"), TEXTS)
    whole = drain(pooled_layers(network, windows))
    monkeypatch.setattr(type(network.layout), "budget", 8)
    close(drain(pooled_layers(network, windows)), whole)


def test_layers_elsewhere_are_an_error(tiny: Callable[[str], Path]) -> None:
    network = network_of(tiny("bert"), layers=0)
    batch = network.collate(windows_of(tiny("bert"), TEXTS))
    vars(network.backbone)["whole"] = nn.Module()
    with pytest.raises(ModelError, match="does not know where BertModel keeps its layers"):
        layers_of(network.backbone)
    network = network_of(tiny("bert"), layers=0)
    network.backbone.config.num_hidden_layers = 7
    with pytest.raises(ModelError, match="has 7 layers, and 3 were seen"):
        each_layer(network.backbone, batch, lambda depth, states: None)


def pooler_of(network: Network, firsts: torch.Tensor) -> torch.Tensor:
    pooler = network.backbone.base.pooler
    assert isinstance(pooler, nn.Module)
    with torch.no_grad():
        pooled: torch.Tensor = pooler(firsts[:, None].to(network.device)).cpu()
    return pooled


def test_a_pooler_is_read_where_its_weights_are_there(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    firsts = torch.randn(3, 16)
    for family in ("bert", "distilbert", "modernbert"):  # their folders hold a pooler's weights no more than most do
        assert own_pooling(network_of(tiny(family), layers=0, head="linear"), firsts) is None
    folder = made.tiny_model(tmp_path / "whole", masked=False)
    network = network_of(folder, layers=0, head="linear")
    found = own_pooling(network, firsts)
    assert found is not None
    close(found, pooler_of(network, firsts))
