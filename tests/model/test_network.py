"""Encoder and head as one module: what trains, where it computes, how windows lie."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from afina.compute import Compute
from afina.errors import ConfigError
from afina.model import network as networks
from afina.model.families import FAMILIES, locate
from afina.model.network import Network
from afina.tasks.base import find
from afina.text.layouts import Packed, Padded
from tests.arithmetic import DEVICE, HERE, ON_CPU, close, same
from tests.networks import network_of, set_weights, task_of, windows_of
from tests.test_records import WINDOWS


def built(folder: Path, *, compute: Compute | None = None, packing: bool = True) -> Network:
    """A network for two labels."""
    kind = find("classification")
    spec = kind(kind.Options(), {"labels": ["a", "b"]}).head
    return networks.build(str(folder), spec, level="example", compute=compute or HERE, packing=packing)


@pytest.mark.parametrize(("family", "packing", "layout"), [("bert", True, "packed"), ("bert", False, "padded"),
                                                           ("deberta", True, "padded")])  # fmt: skip
def test_the_family_and_the_user_decide_how_windows_lie(
    family: str, packing: bool, layout: str, tiny: Callable[[str], Path]
) -> None:
    assert built(tiny(family), compute=Compute(), packing=packing).layout.name == layout


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
        same(network(batch, network.lower(batch)), network(batch))


def test_bf16_is_the_arithmetic_of_the_whole_pass(tiny: Callable[[str], Path]) -> None:
    network = built(tiny("bert"), compute=Compute(DEVICE, "bf16")).eval()
    plain = built(tiny("bert"), compute=Compute(DEVICE)).eval()
    with torch.no_grad():
        rough, exact = network(network.collate(WINDOWS)), plain(plain.collate(WINDOWS))
    assert not torch.equal(rough, exact)
    torch.testing.assert_close(rough, exact, rtol=0.05, atol=0.05)


TEXTS = ["the cat sleeps on the mat and the dog barks", "good", "a lovely film"]


def trained(network: Network) -> set[str]:
    """Names of what trains."""
    return {name for name, parameter in network.named_parameters() if parameter.requires_grad}


# ---------------------------------------------------------------------------------------------------------------------
# What trains.


@pytest.mark.parametrize("layers", [None, 0, 1, 2, 3])
def test_the_last_layers_train_and_the_rest_is_frozen(layers: int | None, tiny: Callable[[str], Path]) -> None:
    network = network_of(tiny("bert"), layers=layers)
    frozen = 0 if layers is None else 3 - layers
    assert (network.trainable_layers, network.frozen_layers) == (layers, frozen)
    names = trained(network)
    for i in range(3):
        assert any(f".layer.{i}." in name for name in names) == (i >= frozen)
    assert any("embeddings" in name for name in names) == (layers is None)
    assert any("classifier" in name for name in names)


def test_training_mode_is_that_of_what_trains(tiny: Callable[[str], Path]) -> None:
    network = network_of(tiny("bert"), layers=1)
    network.train()
    base = network.backbone.base
    assert network.training
    assert not base.get_submodule("embeddings").training
    assert [part.training for part in base.get_submodule("encoder.layer").children()] == [False, False, True]
    assert network.head.training
    network.eval()
    assert not any(module.training for module in network.modules())


def test_frozen_layers_draw_no_dropout(tiny: Callable[[str], Path]) -> None:
    network = network_of(tiny("bert"), layers=1, dropout=0.5)
    batch = network.collate(windows_of(tiny("bert"), TEXTS))
    network.train()
    same(network.lower(batch).vectors, network.lower(batch).vectors)
    assert not torch.equal(network(batch), network(batch))
    network.eval()
    same(network(batch), network(batch))


def test_a_pooler_that_no_head_takes_does_not_train(tiny: Callable[[str], Path]) -> None:
    assert any("pooler" in name for name in trained(network_of(tiny("bert"))))
    own = network_of(tiny("bert"), head="mean")
    assert not any("pooler" in name for name in trained(own))


@pytest.mark.parametrize("layers", [None, 0, 2])
def test_a_network_that_trains_no_more_answers_as_one_that_never_did(
    layers: int | None, tiny: Callable[[str], Path]
) -> None:
    network, plain = network_of(tiny("bert"), layers=layers), network_of(tiny("bert"))
    plain.eval()
    network.train_nothing()
    assert trained(network) == set()
    assert not network.training
    windows = windows_of(tiny("bert"), TEXTS)
    assert network.layout == plain.layout
    same(network(network.collate(windows)), plain(plain.collate(windows)))
    assert not network(network.collate(windows)).requires_grad


# ---------------------------------------------------------------------------------------------------------------------
# How windows lie.


@pytest.mark.parametrize("family", FAMILIES)
def test_windows_are_packed_where_the_family_allows_it_and_the_user_wants_it(
    family: str, tiny: Callable[[str], Path]
) -> None:
    network = network_of(tiny(family), compute=Compute())
    assert network.layout.name == ("packed" if FAMILIES[family].packs else "padded")
    assert network.layout.pad == network.pad == int(network.stock.config.pad_token_id)
    network.packing = False
    assert network.layout == Padded(network.pad, network.device)
    assert network_of(tiny(family), compute=Compute(), packing=False).layout.name == "padded"


def test_states_are_shared_where_something_is_frozen(tiny: Callable[[str], Path]) -> None:
    network = network_of(tiny("bert"), compute=Compute(), pad=9)
    for layers, shared in ((None, False), (0, True), (1, True), (3, False)):
        network.train_last(layers)
        layout = network.layout
        assert isinstance(layout, Packed)
        assert (layout.pad, layout.shared, layout.widest) == (9, shared, 32)  # the feed-forward part's inner width


@pytest.mark.parametrize(
    ("family", "head", "packing", "prunes"),
    [
        ("bert", "native", True, True),
        ("bert", "linear", True, True),
        ("bert", "mean", True, False),
        ("bert", "native", False, False),
        ("distilbert", "native", True, False),
    ],
)
def test_the_last_layer_is_pruned_where_only_first_tokens_are_taken(
    family: str, head: str, packing: bool, prunes: bool, tiny: Callable[[str], Path]
) -> None:
    assert network_of(tiny(family), compute=Compute(), head=head, packing=packing).prunes == prunes


# ---------------------------------------------------------------------------------------------------------------------
# Arithmetic.


class Products(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes the types of all products of matrices."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.types: list[torch.dtype] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        batched = (torch.ops.aten.bmm.default,) if ON_CPU else ()  # elsewhere those of torch's attention, in fp32
        if func in (torch.ops.aten.addmm.default, torch.ops.aten.mm.default, *batched):
            self.types.append(result.dtype)
        return result


@pytest.mark.parametrize("layers", [None, 0, 1])
@pytest.mark.parametrize("packing", [True, False])
@pytest.mark.parametrize("callers", [False, True])
@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_all_layers_compute_in_the_arithmetic_of_the_network(
    precision: Literal["fp32", "bf16"],
    dtype: torch.dtype,
    callers: bool,
    packing: bool,
    layers: int | None,
    tiny: Callable[[str], Path],
) -> None:
    """Frozen ones too, and whatever the caller's own autocast is. The head, two products here, computes in fp32."""
    network = network_of(tiny("bert"), layers=layers, packing=packing, compute=Compute(DEVICE, precision))
    network.eval()
    batch = network.collate(windows_of(tiny("bert"), TEXTS))
    with torch.autocast(DEVICE.type, dtype=torch.bfloat16, enabled=callers), Products() as products:
        logits = network(batch)
    assert logits.dtype == torch.float32
    assert set(products.types[:-2]) == {dtype}
    assert products.types[-2:] == [torch.float32] * 2


@pytest.mark.parametrize("head", ["native", "mean"])
def test_one_state_a_window_is_fp32_without_a_gradient(head: str, tiny: Callable[[str], Path]) -> None:
    network = network_of(tiny("bert"), layers=0, head=head, compute=Compute(DEVICE, "bf16"))
    check_states(network, tiny("bert"), torch.float32)


@pytest.mark.parametrize("task", ["classification", "tokens"])
def test_states_of_tokens_have_the_type_of_the_layers(task: str, tiny: Callable[[str], Path]) -> None:
    layers = 0 if task == "tokens" else 1
    network = network_of(tiny("bert"), task_of(task), layers=layers, compute=Compute(DEVICE, "bf16"))
    check_states(network, tiny("bert"), torch.bfloat16)


def check_states(network: Network, folder: Path, dtype: torch.dtype) -> None:
    """The states at the cut have the type, no gradient, and lead to the same logits."""
    batch = network.collate(windows_of(folder, TEXTS))
    states = network.lower(batch)
    assert states.vectors.dtype == network.state_dtype == dtype
    assert not states.vectors.requires_grad
    network.eval()
    same(network(batch, states), network(batch))
    network.train_nothing()
    same(network(batch), network(batch))


# ---------------------------------------------------------------------------------------------------------------------
# Building.


def test_new_weights_follow_the_seed_and_not_what_was_drawn_before(tiny: Callable[[str], Path]) -> None:
    for head in ("native", "mean"):
        weights = []
        for seed in (1, 1, 2):
            torch.rand(7)
            network = network_of(tiny("bert"), head=head, seed=seed)
            weights.append(next(parameter for parameter in network.head.parameters() if parameter.ndim == 2))
        assert torch.equal(weights[0], weights[1])
        assert not torch.equal(weights[0], weights[2])


def test_a_source_that_was_located_is_not_looked_for_again(
    tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    task, source = task_of(), locate(str(tiny("bert")))
    monkeypatch.setattr(networks, "locate", lambda name: pytest.fail("it was looked for again"))
    assert networks.build(source, task.head, level=task.level).outputs == 3


def test_rates_of_dropout(tiny: Callable[[str], Path]) -> None:
    for head in ("native", "mean"):
        network = network_of(tiny("bert"), head=head, dropout=0.25, head_dropout=0.5)
        mine = {part.p for part in network.head.modules() if isinstance(part, nn.Dropout)}
        assert mine == {0.5}
        rates = {part.p for part in network.backbone.base.modules() if isinstance(part, nn.Dropout)}
        assert rates == {0.25}


def test_a_field_over_tags_is_for_tokens_only(tiny: Callable[[str], Path]) -> None:
    with pytest.raises(ConfigError, match="crf scores sequences of tags, which only the task `tokens` has"):
        network_of(tiny("bert"), head="crf")
    network = network_of(tiny("bert"), task_of("tokens"), head="crf")
    assert network.criterion is not None
    assert network_of(tiny("bert")).criterion is None


# ---------------------------------------------------------------------------------------------------------------------
# Parameters.


def test_a_final_normalisation_belongs_to_the_last_layer(tiny: Callable[[str], Path]) -> None:
    network = network_of(tiny("modernbert"))
    levels = {name: network.layer_of(name) for name, _ in network.named_parameters()}
    assert levels["stock.model.final_norm.weight"] == 3
    assert levels["stock.model.layers.0.mlp.Wi.weight"] == 1
    assert levels["stock.model.embeddings.norm.weight"] == 0
    assert levels["stock.classifier.weight"] == 4


@pytest.mark.parametrize("head", ["native", "linear", "mean"])
def test_a_folded_scale_changes_no_answer(head: str, tiny: Callable[[str], Path]) -> None:
    network = network_of(tiny("bert"), task_of("regression"), head=head)
    network.eval()
    assert network.scale == (2.0, 3.0)
    batch = network.collate(windows_of(tiny("bert"), TEXTS))
    with torch.no_grad():
        before = network(batch) * 2.0 + 3.0
        network.fold_scale()
        assert network.scale == (1.0, 0.0)
        close(network(batch), before, atol=1e-5, rtol=1e-5)
        network.fold_scale()  # a second time does nothing
        close(network(batch), before, atol=1e-5, rtol=1e-5)


def test_the_views_of_a_cut_see_weights_that_are_changed_later(tiny: Callable[[str], Path]) -> None:
    network = network_of(tiny("bert"), layers=1)
    network.eval()
    batch = network.collate(windows_of(tiny("bert"), TEXTS))
    before = network(batch)
    name = "stock.bert.encoder.layer.0.output.dense.bias"
    set_weights(network, name, network.get_parameter(name).detach() + 1.0)
    assert not torch.equal(network(batch), before)
