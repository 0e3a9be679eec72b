"""An encoder is cut into views that share its weights; states are pooled as a head wants them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import AutoModel
from transformers.utils import logging

from afina.errors import ConfigError, ModelError
from afina.model.backbone import (
    Backbone,
    check_length,
    check_weights,
    load_config,
    load_stock,
    longest,
    pool,
    quiet,
    without_pooler,
)
from afina.model.families import FAMILIES, locate
from afina.records import States, Window
from afina.text.layouts import Layout, Packed, Padded
from tests import tiny as made
from tests.arithmetic import same
from tests.networks import network_of, windows_of
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


@pytest.mark.parametrize("pooling", ["first", "mean", "max", "tokens"])
def test_states_are_pooled_by_window(pooling: str) -> None:
    batch = Padded(0).collate(WINDOWS)  # 3 and 5 tokens
    vectors = torch.arange(16.0).view(8, 2)
    pooled = pool(States(vectors), batch, pooling).vectors.tolist()
    expected = {
        "first": [[0, 1], [6, 7]], "mean": [[2, 3], [10, 11]], "max": [[4, 5], [14, 15]], "tokens": vectors.tolist(),
    }  # fmt: skip
    assert pooled == expected[pooling]


TEXTS = ["the cat sleeps on the mat and the dog barks", "good", "a lovely film"]
CUT = [name for name in FAMILIES if name != "albert"]


@pytest.fixture
def backbone(tiny: Callable[[str], Path]) -> Backbone:
    return network_of(tiny("bert")).eval().backbone


@pytest.mark.parametrize("family", CUT)
def test_the_parts_of_a_cut_share_the_weights_and_are_the_whole(family: str, tiny: Callable[[str], Path]) -> None:
    network = network_of(tiny(family))
    network.eval()
    backbone, batch = network.backbone, network.collate(windows_of(tiny(family), TEXTS))
    own = {parameter.data_ptr() for parameter in backbone.base.parameters()}
    with torch.no_grad():
        whole = backbone.run(backbone.whole, batch)
        for k in (1, 2):
            lower, upper = backbone.split_at(k)
            assert {p.data_ptr() for part in (lower, upper) for p in part.parameters()} <= own
            same(backbone.run(upper, batch, backbone.run(lower, batch)), whole)
            layers = [len(list(part.get_submodule(backbone.family.layers).children())) for part in (lower, upper)]
            assert layers == [k, 3 - k]
    assert backbone.depth == 3
    assert len(list(backbone.base.get_submodule(backbone.family.layers).children())) == 3


def test_layers_that_share_their_weights_are_not_cut(tiny: Callable[[str], Path]) -> None:
    backbone = network_of(tiny("albert")).backbone
    assert backbone.layers is None
    with pytest.raises(ModelError, match="the layers of albert share their weights and can't be cut"):
        backbone.split_at(1)


def test_layers_at_an_unknown_place_are_an_error(backbone: Backbone) -> None:
    backbone.base = nn.Module()
    with pytest.raises(ModelError, match="does not know where Module keeps its layers; full and head work"):
        _ = backbone.layers


def test_a_pooler_is_left_out_where_there_is_one(tiny: Callable[[str], Path]) -> None:
    base = network_of(tiny("bert")).backbone.base
    assert isinstance(base.pooler, nn.Module)
    assert without_pooler(base)._modules["pooler"] is None
    assert isinstance(base.pooler, nn.Module)
    distil = network_of(tiny("distilbert")).backbone.base
    assert without_pooler(distil) is distil


def window(n: int) -> Window:
    line = np.arange(n, dtype=np.int32)
    return Window(line, 0 * line, 0 * line, np.zeros((n, 2), np.int32), (0, n))


@pytest.mark.parametrize("layout", [Packed(0), Packed(0, shared=True), Padded(0)], ids=["packed", "filled", "padded"])
@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=6), seed=st.integers(0, 2**31))
def test_pooled_states_are_those_of_each_window(layout: Layout, lengths: list[int], seed: int) -> None:
    batch = layout.collate([window(n) for n in lengths])
    vectors = torch.randn(sum(lengths), 4, generator=torch.Generator().manual_seed(seed))
    parts = torch.split(vectors, lengths)
    expected = {
        "first": torch.stack([part[0] for part in parts]),
        "mean": torch.stack([part.mean(dim=0) for part in parts]),
        "max": torch.stack([part.max(dim=0).values for part in parts]),
    }
    for name, wanted in expected.items():
        pooled = pool(States(vectors), batch, name)
        assert pooled.pooled
        torch.testing.assert_close(pooled.vectors, wanted)
        assert pool(pooled, batch, name) is pooled
    states = States(vectors)
    assert pool(states, batch, "tokens") is states


# ---------------------------------------------------------------------------------------------------------------------
# Loading.


def test_missing_encoder_weights_are_refused(tmp_path: Path) -> None:
    folder = made.tiny_model(tmp_path / "damaged")
    weights = load_file(folder / "model.safetensors")
    lost = next(name for name in weights if "layer.1" in name)
    save_file({name: tensor for name, tensor in weights.items() if name != lost}, folder / "model.safetensors")
    with pytest.raises(ModelError, match="lacks weights of the encoder itself"):
        network_of(folder)


def test_a_larger_model_than_the_weights_is_refused_without_making_it(tiny: Callable[[str], Path]) -> None:
    config = load_config(str(tiny("bert")), local=True)
    check_weights(config, tiny("bert"))
    config.num_hidden_layers = 30
    with pytest.raises(ModelError, match=r"describes an encoder of .* weights, and the files beside it hold"):
        check_weights(config, tiny("bert"))


def test_a_stock_model_says_which_of_its_weights_are_new(tiny: Callable[[str], Path]) -> None:
    auto, settings = "AutoModelForSequenceClassification", {"num_labels": 3}
    stock, new = load_stock(locate(str(tiny("bert"))), auto, settings)
    assert new == ["bert.pooler.dense.bias", "bert.pooler.dense.weight", "classifier.bias", "classifier.weight"]
    assert stock.config.num_labels == 3
    assert {parameter.dtype for parameter in stock.parameters()} == {torch.float32}


@pytest.mark.parametrize("family", made.FAMILIES)
def test_dropout_is_overridden_by_all_its_names(family: str, tiny: Callable[[str], Path]) -> None:
    auto, settings = "AutoModelForSequenceClassification", {"num_labels": 3}
    stock, _ = load_stock(locate(str(tiny(family))), auto, settings, dropout=0.3)
    rates = {part.p for part in stock.base_model.modules() if isinstance(part, nn.Dropout)}
    assert 0.3 in rates or not rates
    assert rates <= {0.0, 0.3}


def test_a_length_is_at_most_that_of_model_and_tokenizer(tiny: Callable[[str], Path]) -> None:
    config = load_config(str(tiny("bert")), local=True)
    tokenizer = made.tiny_tokenizer("bert")
    assert longest(config, tokenizer) == check_length(None, config, tokenizer) == 66
    assert check_length(20, config, tokenizer) == 20
    tokenizer.model_max_length = 40
    assert longest(config, tokenizer) == 40
    tokenizer.model_max_length = 10**30  # what tokenizers without a limit of their own store
    assert longest(config, tokenizer) == 66
    with pytest.raises(ConfigError, match="max_length: 67 asked for, but bert has room for 66 tokens"):
        check_length(67, config, tokenizer)
    offset = load_config(str(tiny("roberta")), local=True)
    assert longest(offset, tokenizer) == 66 - (offset.pad_token_id + 1)


def test_transformers_is_quiet_while_it_loads_and_as_it_was_afterwards() -> None:
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    with quiet():
        assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == (logging.ERROR, False)
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == (level, bars)
