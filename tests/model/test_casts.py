"""Layers on bf16 copies of fp32 weights: gradients, freshness, and how near they are to fp32."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from afina.compute import Compute
from afina.model.families import FAMILIES
from afina.model.network import Network
from afina.training.loop import moved
from tests.arithmetic import DEVICE
from tests.networks import network_of, task_of, windows_of

TEXTS = ["a short one", "one that is a good deal longer than the others are", "and a third"]
BF16 = Compute(DEVICE, "bf16")


def loss_of(network: Network, folder: Path) -> torch.Tensor:
    """Any loss that every layer takes part in."""
    logits: torch.Tensor = network(network.collate(windows_of(folder, TEXTS)))
    return logits.square().sum()


def gradients(network: Network, folder: Path) -> dict[str, torch.Tensor]:
    """The gradients of all weights that have one."""
    network.zero_grad(set_to_none=True)
    loss_of(network, folder).backward()  # type: ignore[no-untyped-call]
    return {name: weight.grad for name, weight in network.named_parameters() if weight.grad is not None}


@pytest.mark.parametrize(
    ("family", "layers"),
    # The layers of ALBERT share their weights and can't be cut.
    [(family, layers) for family in FAMILIES for layers in (None, 1, 0) if family != "albert" or not layers],
)
def test_the_weights_get_the_gradient_of_a_differentiable_cast(
    family: str, layers: int | None, tiny: Callable[[str], Path]
) -> None:
    """A copy's gradient is that of the weight that it was cast from, as if the cast were a part of the pass."""
    network = network_of(tiny(family), layers=layers, compute=BF16)
    network.eval()
    network.backbone.casts.follow()  # type: ignore[union-attr]
    given = gradients(network, tiny(family))
    assert all(grad.dtype == torch.float32 for grad in given.values())
    casts = network.backbone.casts
    assert casts is not None
    for twin in casts.twins.values():  # the same tree on casts that autograd sees
        for name, weight in list(twin._parameters.items()):
            owner = next((master for master, copy in casts.copies.items() if copy is weight), None)
            if owner is not None:
                del twin._parameters[name]
                setattr(twin, name, owner.to(torch.bfloat16))
    expected = gradients(network, tiny(family))
    assert set(given) == set(expected)
    for name, grad in expected.items():
        torch.testing.assert_close(given[name], grad, atol=1e-6, rtol=1e-2, msg=name)


@pytest.mark.parametrize("family", FAMILIES)
def test_bf16_is_near_fp32(family: str, tiny: Callable[[str], Path]) -> None:
    folder = tiny(family)
    for name in ("classification", "tokens", "answers"):
        exact, near = (network_of(folder, task_of(name), compute=Compute(DEVICE, p)) for p in ("fp32", "bf16"))
        exact.eval()
        near.eval()
        batch = exact.collate(windows_of(folder, TEXTS))
        torch.testing.assert_close(near(batch), exact(batch), atol=0.02, rtol=0.05)


def test_gradients_of_several_passes_add_up_in_fp32(tiny: Callable[[str], Path]) -> None:
    """Sums in bf16 would lose what is 256 times smaller than the sum."""
    network = network_of(tiny("bert"), compute=BF16)
    network.eval()
    name = "stock.bert.encoder.layer.0.output.dense.weight"
    once = gradients(network, tiny("bert"))[name].clone()
    for _ in range(511):
        loss_of(network, tiny("bert")).backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(network.get_parameter(name).grad, 512 * once, atol=0, rtol=1e-5)


def test_layers_compute_with_the_weights_of_a_fused_step(tiny: Callable[[str], Path]) -> None:
    network = network_of(tiny("bert"), compute=BF16)
    optimiser = torch.optim.AdamW(network.parameters(), lr=0.1, fused=True)
    network.eval()
    before = loss_of(network, tiny("bert"))
    before.backward()  # type: ignore[no-untyped-call]
    moved(optimiser, before.detach(), count=torch.ones((), device=DEVICE), clip=None)
    after = loss_of(network, tiny("bert"))
    anew = network_of(tiny("bert"), compute=BF16)
    anew.load_state_dict(network.state_dict())
    anew.eval()
    assert not torch.equal(after, before)
    assert torch.equal(loss_of(anew, tiny("bert")), after)


def test_a_change_in_place_is_seen_without_being_told(tiny: Callable[[str], Path]) -> None:
    network = network_of(tiny("bert"), compute=BF16)
    network.eval()
    before = loss_of(network, tiny("bert"))
    weight = network.get_parameter("stock.bert.encoder.layer.0.output.dense.weight")
    kept = weight.detach().clone()
    with torch.no_grad():
        weight.add_(1.0)
    assert not torch.equal(loss_of(network, tiny("bert")), before)
    with torch.no_grad():
        weight.copy_(kept)
    assert torch.equal(loss_of(network, tiny("bert")), before)


def test_dropout_checkpointing_and_what_trains_are_followed(tiny: Callable[[str], Path]) -> None:
    network = network_of(tiny("bert"), compute=BF16)
    network.stock.gradient_checkpointing_enable({"use_reentrant": False})
    network.train()
    casts = network.backbone.casts
    assert casts is not None
    for module, twin in casts.twins.items():
        assert twin.training == module.training
        assert getattr(twin, "gradient_checkpointing", None) == getattr(module, "gradient_checkpointing", None)
    network.train_last(1)
    network.train()
    assert {weight.requires_grad for weight in casts.copies} == {True, False}
    for weight, copy in casts.copies.items():
        assert copy.requires_grad == weight.requires_grad


def test_copies_are_not_saved_or_counted(tiny: Callable[[str], Path]) -> None:
    exact, near = (network_of(tiny("bert"), compute=Compute(DEVICE, p)) for p in ("fp32", "bf16"))
    assert list(near.state_dict()) == list(exact.state_dict())
    assert [name for name, _ in near.named_modules()] == [name for name, _ in exact.named_modules()]
    assert all(isinstance(w, nn.Parameter) and w.dtype == torch.float32 for w in near.parameters())
