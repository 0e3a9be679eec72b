"""Encoder and head as one module: what trains, where it computes, how windows lie."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from afina.compute import Compute
from afina.model import network as networks
from afina.model.network import Network
from afina.tasks.base import find
from tests.test_records import WINDOWS


def built(folder: Path, *, compute: Compute | None = None, packing: bool = True) -> Network:
    """A network for two labels."""
    kind = find("classification")
    spec = kind(kind.Options(), {"labels": ["a", "b"]}).head
    return networks.build(str(folder), spec, level="example", compute=compute or Compute(), packing=packing)


@pytest.mark.parametrize(("family", "packing", "layout"), [("bert", True, "packed"), ("bert", False, "padded"),
                                                           ("deberta", True, "padded")])  # fmt: skip
def test_the_family_and_the_user_decide_how_windows_lie(
    family: str, packing: bool, layout: str, tiny: Callable[[str], Path]
) -> None:
    assert built(tiny(family), packing=packing).layout.name == layout


@pytest.mark.parametrize(("layers", "frozen"), [(None, 0), (2, 1), (0, 3)])
def test_what_is_frozen_has_no_gradient_and_no_dropout(
    layers: int | None, frozen: int, tiny: Callable[[str], Path]
) -> None:
    network = built(tiny("bert"))
    network.train_last(layers)
    network.train()
    assert network.frozen_layers == frozen
    base = network.backbone.base
    for i, layer in enumerate(network.backbone.layers or ()):
        assert layer.training == (i >= frozen)
        assert all(parameter.requires_grad == (i >= frozen) for parameter in layer.parameters())
    assert base.get_submodule("embeddings").training == (layers is None)
    assert {network.layer_of(name) for name, p in network.named_parameters() if p.requires_grad} >= {4}


def test_known_states_give_the_logits_of_the_whole(tiny: Callable[[str], Path]) -> None:
    network = built(tiny("bert"))
    network.train_last(1)
    network.eval()
    batch = network.collate(WINDOWS)
    with torch.no_grad():
        torch.testing.assert_close(network(batch, network.lower(batch)), network(batch), rtol=0, atol=0)


def test_bf16_is_the_arithmetic_of_the_whole_pass(tiny: Callable[[str], Path]) -> None:
    network = built(tiny("bert"), compute=Compute(precision="bf16")).eval()
    plain = built(tiny("bert")).eval()
    with torch.no_grad():
        rough, exact = network(network.collate(WINDOWS)), plain(plain.collate(WINDOWS))
    assert rough.dtype == torch.bfloat16
    assert not torch.equal(rough.float(), exact)
    torch.testing.assert_close(rough.float(), exact, rtol=0.05, atol=0.05)
