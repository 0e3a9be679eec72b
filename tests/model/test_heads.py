"""Every head there is, those of other packages too, gives the numbers that a task asks for."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from afina.errors import ConfigError
from afina.model import heads


def test_every_head_is_found() -> None:
    assert heads.names() == ["native", "linear", "mean", "max", "crf", "hidden"]


@pytest.mark.parametrize(("name", "level"), [("linear", "example"), ("mean", "example"), ("max", "example"),
                                             ("linear", "token"), ("crf", "token"), ("hidden", "example")])  # fmt: skip
def test_each_maps_states_to_outputs(name: str, level: str) -> None:
    head = heads.make(name, width=8, outputs=3, dropout=0.1, level=level).eval()
    vectors = torch.randn(6, 8)
    logits = head(vectors, (4, 2)) if name == "crf" else head(vectors)
    assert logits.shape == (6, 3)
    assert (head.pooling == "tokens") == (level == "token")


@pytest.mark.parametrize(
    ("name", "level", "says"),
    [
        ("mean", "token", "gives one vector a text, but this task needs one a token"),
        ("hidden", "token", "takes 'mean'|reads 'mean'"),
        ("nothing", "example", "'nothing' is not a head; there are: native, linear, mean, max, crf, hidden"),
    ],
)
def test_a_head_that_does_not_suit_is_refused(name: str, level: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        heads.make(name, width=8, outputs=3, dropout=0.0, level=level)


def test_a_scale_is_folded_into_the_last_layer() -> None:
    head = heads.make("mean", width=4, outputs=1, dropout=0.0, level="example").eval()
    vectors = torch.randn(5, 4)
    before = head(vectors)
    assert heads.rescale(head, outputs=1, factor=3.0, shift=-2.0)
    torch.testing.assert_close(head(vectors), before * 3.0 - 2.0)
    assert not heads.rescale(nn.Identity(), outputs=1, factor=3.0, shift=-2.0)
