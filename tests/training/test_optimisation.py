"""How fast what trains is moved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from afina.model.network import Network
from afina.training.optimisation import make_optimiser, parameter_groups, schedule
from tests.networks import network_of


@pytest.fixture
def network(tiny: Callable[[str], Path]) -> Network:
    return network_of(tiny("bert"))


def test_biases_and_norms_do_not_decay(network: Network) -> None:
    groups = parameter_groups(network, learning_rate=1e-3, weight_decay=0.1)
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    free = {names[id(p)] for group in groups if group["weight_decay"] == 0 for p in group["params"]}
    assert free == {name for name in names.values() if name.endswith(".bias") or "LayerNorm" in name}
    assert sum(len(group["params"]) for group in groups) == len(names)


def test_layer_decay_and_head_rate(network: Network) -> None:
    groups = parameter_groups(network, learning_rate=1e-3, head_learning_rate=5e-3, layer_decay=0.5)
    rates = {id(p): group["lr"] for group in groups for p in group["params"]}
    by_name = {name: rates[id(parameter)] for name, parameter in network.named_parameters()}
    assert by_name["stock.classifier.weight"] == by_name["stock.bert.pooler.dense.weight"] == 5e-3
    assert by_name["stock.bert.encoder.layer.2.output.dense.weight"] == pytest.approx(1e-3)
    assert by_name["stock.bert.encoder.layer.0.output.dense.weight"] == pytest.approx(1e-3 * 0.5**2)
    assert by_name["stock.bert.embeddings.word_embeddings.weight"] == pytest.approx(1e-3 * 0.5**3)


def test_the_optimiser_is_fused_adamw_over_what_trains(network: Network) -> None:
    network.train_last(1)
    made = make_optimiser(parameter_groups(network, learning_rate=1e-3))
    assert made.defaults["fused"]
    trained = sum(p.numel() for group in made.param_groups for p in group["params"])
    assert trained == sum(p.numel() for p in network.parameters() if p.requires_grad)


@pytest.mark.parametrize("shape", ["linear", "cosine", "constant"])
def test_schedules_rise_and_fall(shape: str) -> None:
    factor = schedule(shape, steps=100, warmup=0.1)
    values = [factor(i) for i in range(100)]
    assert values[:10] == pytest.approx([i / 10 for i in range(1, 11)])
    assert max(values) == 1.0
    if shape == "constant":
        assert set(values[10:]) == {1.0}
    else:
        assert values[9:] == sorted(values[9:], reverse=True)
        assert 0 < values[-1] < 0.02


def test_a_schedule_equals_transformers(network: Network) -> None:
    """After the warm-up, step by step."""
    from transformers import get_cosine_schedule_with_warmup, get_linear_schedule_with_warmup

    for shape, peer in (("linear", get_linear_schedule_with_warmup), ("cosine", get_cosine_schedule_with_warmup)):
        made = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
        theirs = peer(made, 10, 100)
        ours = schedule(shape, steps=100, warmup=0.1)
        for i in range(100):
            if i >= 10:
                assert theirs.get_last_lr()[0] == pytest.approx(ours(i), abs=1e-9)
            made.step()
            theirs.step()
