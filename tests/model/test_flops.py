"""The arithmetic that is reckoned is the arithmetic that is done, by torch's own counter."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from afina.compute import Compute
from afina.model import attention, flops
from afina.model.families import FAMILIES
from afina.text.layouts import Packed
from tests.networks import network_of, windows_of

TEXTS = ["the cat sleeps on the mat and the dog barks", "a lovely film", "good", "the dog barks"]


@pytest.mark.parametrize("family", [name for name, family in FAMILIES.items() if family.packs])
@pytest.mark.parametrize("head", ["native", "mean"])
@pytest.mark.parametrize("layers", [None, 0, 1])
def test_the_reckoning_is_right(
    family: str, head: str, layers: int | None, tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is filled up is counted by torch and not by us; here nothing is.
    monkeypatch.setattr(attention, "WIDTH", 1)
    monkeypatch.setattr(Packed, "multiple", lambda layout, rows: 1)
    attention.arrange.cache_clear()
    if family == "albert" and layers == 1:
        return
    network = network_of(tiny(family), layers=layers, head=head, compute=Compute())  # what is packed is packed there
    network.eval()
    windows = windows_of(tiny(family), TEXTS)
    found = flops.forward(network, [len(window) for window in windows])
    batch = network.collate(windows)
    attention.arrange.cache_clear()
    assert batch.ids.shape[1] == batch.tokens
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        if network.frozen_layers == 0:
            network.upper(batch)
        else:
            states = network.lower(batch)
            if network.frozen_layers < network.backbone.depth:
                network.upper(batch, states.vectors)
    counted = counter.get_total_flops()
    embedding = 2 * 8 * 16 * batch.ids.shape[1] if family in ("albert", "electra") else 0  # a projection of its own
    assert found.below + found.above == pytest.approx(counted - embedding, rel=0.005)
    assert (found.above == 0) == (layers == 0)
    assert (found.below == 0) == (layers is None)


def test_a_run_reckons_backward_twice_and_kept_states_once() -> None:
    assert flops.ForwardFlops(10, 5).training(4, kept=True) == 10 + 60
    assert flops.ForwardFlops(10, 5).training(4, kept=False) == 40 + 60
    assert flops.peak(Compute()) > 1e8
