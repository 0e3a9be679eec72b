"""Every head there is, those of other packages too, gives the numbers that a task asks for."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from afina.errors import ConfigError
from afina.model import heads
from afina.model.crf import CRF
from afina.model.families import FAMILIES
from tests.networks import network_of, task_of, windows_of


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


TEXTS = ["the cat sleeps on the mat", "good"]


@pytest.mark.parametrize(
    ("name", "level", "pooling"),
    [
        ("linear", "example", "first"),
        ("mean", "example", "mean"),
        ("max", "example", "max"),
        ("linear", "token", "tokens"),
        ("crf", "token", "tokens"),
    ],
)
def test_a_head_says_what_it_takes_and_gives_as_many_numbers_as_asked_for(name: str, level: str, pooling: str) -> None:
    head = heads.make(name, width=6, outputs=4, dropout=0.3, level=level)
    assert head.pooling == pooling
    assert [part.p for part in head.modules() if isinstance(part, nn.Dropout)] == [0.3]
    head.train()
    vectors = torch.randn(5, 6)
    logits = head(vectors, (3, 2)) if isinstance(head, CRF) else head(vectors)
    assert logits.shape == (5, 4)


@pytest.mark.parametrize("name", ["mean", "max"])
def test_one_vector_a_text_does_not_serve_tokens(name: str) -> None:
    with pytest.raises(ConfigError, match=f"model.head: {name} gives one vector a text, but this task needs one a"):
        heads.make(name, width=4, outputs=2, dropout=0.0, level="token")


def test_a_name_that_is_no_head_lists_those_that_are() -> None:
    with pytest.raises(ConfigError, match="'pyramid' is not a head; there are: native, linear, mean, max, crf"):
        heads.make("pyramid", width=4, outputs=2, dropout=0.0, level="example")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("task", ["classification", "tokens", "answers"])
def test_the_native_head_owns_what_is_not_the_encoders(family: str, task: str, tiny: Callable[[str], Path]) -> None:
    network = network_of(tiny(family), task_of(task))
    assert network.native
    assert network.pooling == ("first" if task == "classification" else "tokens")
    encoder = {id(p) for name, p in network.backbone.base.named_parameters() if not name.startswith("pooler.")}
    assert {id(p) for p in network.head.parameters()} == {id(p) for p in network.stock.parameters()} - encoder
    network.eval()
    batch = network.collate(windows_of(tiny(family), TEXTS))
    logits = network(batch)
    assert logits.shape == (2 if task == "classification" else batch.tokens, network.outputs)


def test_a_stock_head_that_takes_the_mean_is_given_the_mean(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    stock = network_of(tiny("modernbert")).stock
    assert heads.stock_pooling(stock) == "first"
    stock.config.classifier_pooling = "mean"
    assert heads.stock_pooling(stock) == "mean"


@pytest.mark.parametrize("name", ["linear", "mean", "max"])
def test_a_rescaled_head_gives_scaled_and_shifted_numbers(name: str) -> None:
    head = heads.make(name, width=6, outputs=1, dropout=0.0, level="example")
    vectors = torch.randn(5, 6)
    with torch.no_grad():
        before = head(vectors) * 2.5 - 7.0
        assert heads.rescale(head, outputs=1, factor=2.5, shift=-7.0)
        torch.testing.assert_close(head(vectors), before)


def test_a_head_without_a_last_linear_layer_is_left_as_it_is() -> None:
    for head in (nn.Sequential(nn.Linear(4, 2, bias=False)), nn.Sequential(nn.Linear(4, 3)), nn.ReLU()):
        before = [parameter.clone() for parameter in head.parameters()]
        assert not heads.rescale(head, outputs=2, factor=2.0, shift=1.0)
        assert all(torch.equal(one, other) for one, other in zip(before, head.parameters(), strict=True))


# ---------------------------------------------------------------------------------------------------------------------
# Heads of other packages.


class Wide(nn.Module):
    """Two layers on the mean of a window."""

    pooling = "mean"

    def __init__(self, width: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.parts = nn.Sequential(nn.Linear(width, 8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, outputs))

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.parts(vectors)
        return logits


class Odd(Wide):
    """A head that takes what there is not."""

    pooling = "median"


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> None:
    points = {name: EntryPoint(name.lower(), f"tests.model.test_heads:{name}", heads.GROUP) for name in ("Wide", "Odd")}

    def entry_points(*, group: str, name: str | None = None) -> list[Any]:
        return [point for point in points.values() if group == heads.GROUP and name in (None, point.name)]

    monkeypatch.setattr(heads, "entry_points", entry_points)


@pytest.mark.usefixtures("offered")
def test_a_head_of_another_package_is_found_and_learns(tiny: Callable[[str], Path]) -> None:
    assert heads.names() == ["native", "linear", "mean", "max", "crf", "odd", "wide"]
    network = network_of(tiny("bert"), layers=0, head="wide", head_dropout=0.4)
    assert type(network.head).__name__ == "Wide"
    assert [part.p for part in network.head.modules() if isinstance(part, nn.Dropout)] == [0.4]
    network.train()
    torch.autograd.backward(network(network.collate(windows_of(tiny("bert"), TEXTS))).square().sum())
    reached = {name for name, parameter in network.named_parameters() if parameter.grad is not None}
    assert reached == {name for name, _ in network.named_parameters() if name.startswith("head.")}


@pytest.mark.usefixtures("offered")
@pytest.mark.parametrize(
    ("name", "level", "says"),
    [("odd", "example", "odd reads 'median'"), ("wide", "token", r"wide reads 'mean', .* \(one answer a token\)")],
)
def test_a_head_that_takes_what_the_task_does_not_give_is_refused(name: str, level: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        heads.make(name, width=4, outputs=2, dropout=0.0, level=level)
