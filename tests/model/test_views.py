"""Views are other trees over the same weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn
from transformers import AutoModel

from afina.model.views import replaced, view


def test_a_view_leaves_the_model_as_it_is(tiny: Callable[[str], Path]) -> None:
    base = AutoModel.from_pretrained(tiny("bert"))
    twin = replaced(base, "encoder.layer", torch.nn.ModuleList())
    assert len(base.encoder.layer) == 3
    assert len(twin.get_submodule("encoder.layer")._modules) == 0


def test_a_view_changes_nothing_of_its_module() -> None:
    module = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 3), nn.ReLU()))
    twin = replaced(module, "1.0", nn.Linear(2, 4))
    assert isinstance(module[1], nn.Sequential)
    assert module[1][0].out_features == 3
    assert twin.get_submodule("1.0").out_features == 4
    assert twin.get_submodule("0") is module[0]
    other = view(module)
    assert next(other.parameters()) is next(module.parameters())
    del other._modules["0"]
    assert "0" in module._modules
