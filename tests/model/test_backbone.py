"""An encoder is cut into views that share its weights; states are pooled as a head wants them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoModel

from afina.errors import ModelError
from afina.model.backbone import Backbone, pool, replaced
from afina.records import States
from afina.text.layouts import Padded
from tests.test_records import WINDOWS


def test_the_halves_of_a_cut_share_the_weights_of_the_whole(tiny: Callable[[str], Path]) -> None:
    base = AutoModel.from_pretrained(tiny("bert"))
    backbone = Backbone(base)
    lower, upper = backbone.split_at(1)
    own = {id(parameter) for parameter in base.parameters()}
    assert {id(parameter) for half in (lower, upper) for parameter in half.parameters()} <= own
    batch = Padded(0).collate(WINDOWS)
    base.eval()
    with torch.no_grad():
        whole = backbone.run(backbone.whole, batch)
        halves = backbone.run(upper, batch, backbone.run(lower, batch))
    torch.testing.assert_close(halves, whole)
    assert backbone.depth == len(base.encoder.layer) == 3


def test_shared_layers_can_not_be_cut(tiny: Callable[[str], Path]) -> None:
    with pytest.raises(ModelError, match="share their weights and can't be cut"):
        Backbone(AutoModel.from_pretrained(tiny("albert"))).split_at(1)


def test_a_view_leaves_the_model_as_it_is(tiny: Callable[[str], Path]) -> None:
    base = AutoModel.from_pretrained(tiny("bert"))
    twin = replaced(base, "encoder.layer", torch.nn.ModuleList())
    assert len(base.encoder.layer) == 3
    assert len(twin.get_submodule("encoder.layer")._modules) == 0


@pytest.mark.parametrize("pooling", ["first", "mean", "max", "tokens"])
def test_states_are_pooled_by_window(pooling: str) -> None:
    batch = Padded(0).collate(WINDOWS)  # 3 and 5 tokens
    vectors = torch.arange(16.0).view(8, 2)
    pooled = pool(States(vectors), batch, pooling).vectors.tolist()
    expected = {
        "first": [[0, 1], [6, 7]], "mean": [[2, 3], [10, 11]], "max": [[4, 5], [14, 15]], "tokens": vectors.tolist(),
    }  # fmt: skip
    assert pooled == expected[pooling]
