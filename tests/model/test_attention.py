"""Packed rows give the numbers of padded batches and of single windows, gradients too; cheap dropout is dropout."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from afina.model import attention
from afina.model.attention import Dropout, Packed, arrange, keep_mask
from afina.model.families import FAMILIES
from afina.model.network import Network
from afina.records import Example, Window
from afina.text.layouts import Padded
from tests.arithmetic import close, same
from tests.networks import network_of, task_of, windows_of

EXAMPLES = [
    Example("the cat sleeps on the mat and the dog barks at the bird in the room " * 2),
    Example("a lovely film", "the dog barks at the bird, ação!"),
    Example("the dog barks"),
    Example("the cat sleeps"),
    Example("good"),
]
PACKING = [name for name, family in FAMILIES.items() if family.packs]
PRUNING = [name for name, family in FAMILIES.items() if family.prunes]


def test_these_families_pack() -> None:
    assert len(PACKING) == 8
    assert set(FAMILIES) - set(PACKING) == {"mpnet", "deberta", "deberta-v2"}


def made(
    folder: Path, head: str = "native", task: str = "classification", *, layers: int | None = None
) -> tuple[Network, list[Window]]:
    network = network_of(folder, task_of(task), layers=layers, head=head, dropout=0.0, head_dropout=0.0)
    return network, windows_of(folder, EXAMPLES)


def gradients(network: Network, logits: torch.Tensor) -> dict[str, torch.Tensor]:
    network.zero_grad()
    torch.manual_seed(5)
    torch.autograd.backward((logits * torch.randn_like(logits)).sum())
    # In theory a key's bias has no gradient at all: what is there is noise.
    return {
        name: parameter.grad.clone()
        for name, parameter in network.named_parameters()
        if parameter.grad is not None and not (name.endswith("bias") and ("key" in name or "k_lin" in name))
    }


@pytest.mark.parametrize("family", PACKING)
@pytest.mark.parametrize(
    ("head", "task"), [("native", "classification"), ("mean", "classification"), ("native", "tokens")]
)
@pytest.mark.parametrize("layers", [None, 1, 2])
def test_packed_equals_padded_equals_alone(
    family: str, head: str, task: str, layers: int | None, tiny: Callable[[str], Path]
) -> None:
    if family == "albert" and layers:
        return
    network, windows = made(tiny(family), head, task, layers=layers)
    network.train()
    with torch.random.fork_rng():
        batch = network.collate(windows)
        assert batch.ids.shape[0] == (1 if network.layout.name == "packed" else len(windows))
        one = network(batch)
        first = gradients(network, one)
        other = network(Padded(network.pad, network.device).collate(windows))
        second = gradients(network, other)
    alone = torch.cat([network(network.collate([window])) for window in windows])
    close(one, other, atol=2e-6)
    close(one, alone, atol=2e-6)
    assert set(first) == set(second)
    largest = max(float(grad.abs().max()) for grad in second.values())
    for name, grad in first.items():
        close(grad, second[name], atol=2e-6 * largest, rtol=1e-4, largest=largest, msg=name)


@pytest.mark.parametrize("family", PRUNING)
@pytest.mark.parametrize("layers", [None, 0, 1])
def test_first_tokens_alone_equal_the_whole_last_layer(
    family: str, layers: int | None, tiny: Callable[[str], Path]
) -> None:
    network, windows = made(tiny(family), layers=layers)
    network.train()
    batch = network.collate(windows)
    whole, pruned = network.top
    assert pruned is not None
    one = network(batch)
    first = gradients(network, one)
    network.top = (whole, None)
    other = network(batch)
    second = gradients(network, other)
    close(one, other, atol=2e-6)
    largest = max(float(grad.abs().max()) for grad in second.values())
    for name, grad in first.items():
        close(grad, second[name], atol=2e-6 * largest, rtol=1e-4, largest=largest, msg=name)


@pytest.mark.parametrize("family", PACKING)
def test_kept_states_do_not_depend_on_the_company(family: str, tiny: Callable[[str], Path]) -> None:
    """Bit by bit on a CPU, where runs share them; on a GPU nearly."""
    network, windows = made(tiny(family), "mean", layers=0 if family == "albert" else 1)
    network.eval()
    together = network.lower(network.collate(windows)).vectors
    backwards = network.lower(network.collate(windows[::-1])).vectors
    alone = [network.lower(network.collate([window])).vectors for window in windows]
    same(together, torch.cat(alone))
    same(backwards, torch.cat(alone[::-1]))


@given(
    lengths=st.lists(st.integers(1, 20), min_size=1, max_size=6),
    firsts=st.booleans(),
    reach=st.sampled_from([None, 1, 3]),
    rate=st.sampled_from([0.0, 0.3]),
    seed=st.integers(0, 2**31),
)
def test_attention_and_its_gradient_equal_autograd(
    lengths: list[int], firsts: bool, reach: int | None, rate: float, seed: int
) -> None:
    n, heads, width = sum(lengths), 2, 3
    generator = torch.Generator().manual_seed(seed)
    q, k, v = (
        torch.randn(m, heads, width, dtype=torch.float64, generator=generator, requires_grad=True)
        for m in (len(lengths) if firsts else n, n, n)
    )
    torch.manual_seed(seed)
    out = Packed.apply(q, k, v, tuple(lengths), 0.7, rate, reach)  # type: ignore[no-untyped-call]
    torch.manual_seed(seed)
    firsts = firsts and n != len(lengths)
    buckets = arrange(tuple(lengths), heads).buckets
    sizes = [one.batch * (1 if firsts else one.width) * one.width for one in buckets]
    masks = torch.split(keep_mask((sum(sizes),), rate, q), sizes)
    keeps = [
        keep for one, mask in zip(buckets, masks, strict=True) for keep in mask.view(one.count, heads, -1, one.width)
    ]
    parts = []
    for w, (length, keep) in enumerate(zip(lengths, keeps, strict=True)):
        own = slice(sum(lengths[:w]), sum(lengths[: w + 1]))
        asking = q[w, None] if firsts else q[own]
        scores = torch.einsum("qhd,khd->hqk", asking, k[own]) * 0.7
        apart = (torch.arange(len(asking))[:, None] - torch.arange(length)).abs()
        scores = scores.masked_fill(apart > reach, -torch.inf) if reach is not None else scores
        parts.append(torch.einsum("hqk,khd->qhd", scores.softmax(-1) * keep[:, : len(asking), :length], v[own]))
    expected = torch.cat(parts)
    torch.testing.assert_close(out, expected, atol=1e-5, rtol=1e-5)
    weights = torch.randn(out.shape, dtype=torch.float64, generator=generator)
    ours = torch.autograd.grad((out * weights).sum(), (q, k, v))
    theirs = torch.autograd.grad((expected * weights).sum(), (q, k, v))
    for one_gradient, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one_gradient, other, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.5])
def test_cheap_dropout_drops_its_share_and_keeps_the_mean(rate: float) -> None:
    torch.manual_seed(0)
    module = Dropout(rate).train()
    x = torch.ones(400, 500, requires_grad=True)
    y = module(x)
    share = float((y == 0).float().mean())
    error = np.sqrt(rate * (1 - rate) / x.numel())
    assert abs(share - rate) < 4 * error + 1 / attention.STEPS
    assert float(y.detach().max()) == pytest.approx(1 / (1 - rate), rel=1e-4)
    y.sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad, y.detach())
    rows, columns = (y.detach() == 0).float().mean(1), (y.detach() == 0).float().mean(0)
    assert float(rows.std()) == pytest.approx(np.sqrt(rate * (1 - rate) / 500), rel=0.15)
    assert float(columns.std()) == pytest.approx(np.sqrt(rate * (1 - rate) / 400), rel=0.15)
    assert torch.equal(module.eval()(x), x)


def test_masks_follow_torchs_seed() -> None:
    def drawn() -> Iterator[torch.Tensor]:
        torch.manual_seed(7)
        yield from (keep_mask((30, 7), 0.4, torch.empty(0)) for _ in range(2))

    first, second = drawn()
    assert not torch.equal(first, second)
    for one, other in zip((first, second), drawn(), strict=True):
        assert torch.equal(one, other)


def test_recomputed_layers_draw_the_same_masks(tiny: Callable[[str], Path]) -> None:
    """Gradient checkpointing with dropout on gives the gradient of a plain pass."""
    found = []
    for checkpointing in (False, True):
        network, windows = made(tiny("bert"))
        for module in network.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.2
        if checkpointing:
            network.stock.gradient_checkpointing_enable({"use_reentrant": False})
        network.train()
        torch.manual_seed(1)
        logits = network(network.collate(windows))
        found.append(gradients(network, logits))
    for name, grad in found[0].items():
        close(grad, found[1][name], atol=1e-7)


@pytest.mark.parametrize("family", PACKING)
def test_nothing_of_ours_is_saved(family: str, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    network, _ = made(tiny(family))
    network.stock.save_pretrained(tmp_path)
    assert attention.NAME not in json.dumps(json.loads((tmp_path / "config.json").read_text()))
