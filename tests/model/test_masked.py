"""Masked language models: every family's own decoder, for some tokens only, and folders that stock classes load."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModel, AutoModelForMaskedLM, AutoModelForSequenceClassification

from afina.assembly import open_tokenizer
from afina.compute import Compute
from afina.errors import ModelError
from afina.model import masked
from afina.model.families import Source, locate
from afina.model.network import Network
from afina.records import Example, Window
from afina.text.tokenization import Tokenizer
from tests.arithmetic import close
from tests.tiny import FAMILIES, tiny_model

TEXTS = ["the cat sleeps on the mat", "a lovely film", "ação e coração"]
CPU = Compute()


def opened(folder: Path | str, **settings: Any) -> tuple[Source, Tokenizer, Network]:
    source = locate(str(folder))
    tokenizer = open_tokenizer(source)
    return source, tokenizer, masked.build(source, tokenizer=tokenizer, compute=CPU, **settings)


def windows(tokenizer: Tokenizer) -> list[Window]:
    return [window for one in tokenizer.encode([Example(text) for text in TEXTS]) for window in one.windows]


def stock_logits(model: Any, cut: list[Window], *, types: bool) -> torch.Tensor:
    """Logits of all tokens of all windows, each through the stock class alone."""
    rows = []
    for window in cut:
        kinds = {"token_type_ids": torch.from_numpy(window.types).long()[None]} if types else {}
        rows.append(model(input_ids=torch.from_numpy(window.ids).long()[None], **kinds).logits[0])
    return torch.cat(rows)


@pytest.mark.fp32("rounding hides what differs")
@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_the_decoder_of_some_tokens_is_that_of_the_stock_class_before_and_after_saving(
    family: str, tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = tiny(family)
    source, tokenizer, network = opened(folder)
    assert network.new == []
    cut, places = windows(tokenizer), torch.tensor([1, 3, 9, 12])
    network.eval()
    found = network.decode(network.vectors(network.collate(cut)).index_select(0, places))
    stock = AutoModelForMaskedLM.from_pretrained(folder).eval()
    expected = stock_logits(stock, cut, types=network.backbone.takes_types)[places]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    for parameter in network.parameters():
        parameter.add_(0.01)
    changed = network.decode(network.vectors(network.collate(cut)).index_select(0, places))
    masked.save(network, tmp_path / "model", tokenizer=tokenizer, pooler=masked.pooler_of(source, network))
    saved = AutoModelForMaskedLM.from_pretrained(tmp_path / "model").eval()
    expected = stock_logits(saved, cut, types=network.backbone.takes_types)[places]
    torch.testing.assert_close(changed, expected, atol=1e-5, rtol=1e-5)
    assert saved.get_output_embeddings().weight is saved.get_input_embeddings().weight


@torch.no_grad()
def test_a_folder_without_a_head_gets_a_new_one_and_keeps_its_pooler(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "encoder", masked=False)
    source, tokenizer, network = opened(folder, seed=3)
    assert network.new
    assert all("cls.predictions" in name for name in network.new)
    weights: Any = network.stock.cls.predictions.transform.dense.weight
    assert torch.equal(weights, opened(folder, seed=3)[2].stock.cls.predictions.transform.dense.weight)
    assert not torch.equal(weights, opened(folder, seed=4)[2].stock.cls.predictions.transform.dense.weight)
    pooler = masked.pooler_of(source, network)
    assert pooler is not None
    masked.save(network, tmp_path / "model", tokenizer=tokenizer, pooler=pooler)
    assert getattr(network.backbone.base, "pooler", None) is None
    before, after = AutoModel.from_pretrained(folder), AutoModel.from_pretrained(tmp_path / "model")
    assert torch.equal(before.pooler.dense.weight, after.pooler.dense.weight)
    head, info = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model", output_loading_info=True)
    assert set(info["missing_keys"]) == {"classifier.weight", "classifier.bias"}
    assert torch.equal(head.bert.pooler.dense.weight, before.pooler.dense.weight)


def test_a_masked_model_has_no_pooler_to_keep(tiny: Callable[[str], Path]) -> None:
    for family in ("bert", "distilbert", "roberta"):
        source, _, network = opened(tiny(family))
        state = torch.get_rng_state()
        assert masked.pooler_of(source, network) is None
        assert torch.equal(torch.get_rng_state(), state)


@torch.no_grad()
def test_a_new_decoder_begins_at_the_frequencies(tmp_path: Path) -> None:
    _, tokenizer, network = opened(tiny_model(tmp_path / "encoder", masked=False))
    chances = torch.from_numpy(np.random.default_rng(0).dirichlet(np.ones(network.outputs)))
    assert masked.begin_at(network, chances)
    network.eval()
    rows = network.vectors(network.collate(windows(tokenizer)))
    bias = (
        network.decode(rows)
        - network.stock.cls.predictions.transform(rows) @ network.stock.get_input_embeddings().weight.T
    )
    close(bias, chances.log().float().expand_as(bias), atol=1e-4)
    network.stock.get_output_embeddings().bias = None
    assert not masked.begin_at(network, chances)


def test_models_that_predict_no_masked_tokens(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    import shutil

    import transformers

    source, tokenizer, _ = opened(tiny("bert"))
    assert not masked.detects(source)
    folder = tmp_path / "discriminator"
    config = AutoConfig.from_pretrained(tiny("electra"))
    transformers.ElectraForPreTraining(config).save_pretrained(folder)
    for file in tiny("electra").glob("tokenizer*"):
        shutil.copy(file, folder)
    found, _, network = opened(folder)
    assert masked.detects(found)
    assert network.new
    tokenizer.pretrained.mask_token = None
    with pytest.raises(ModelError, match="has no mask token"):
        masked.build(source, tokenizer=tokenizer, compute=CPU)


def test_a_mask_token_without_a_row_needs_a_larger_embedding(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    import shutil

    from transformers import AutoTokenizer

    shutil.copytree(tiny("bert"), tmp_path / "model")
    tokens = AutoTokenizer.from_pretrained(tmp_path / "model")
    tokens.add_special_tokens({"mask_token": "[HIDDEN]"})
    tokens.save_pretrained(tmp_path / "model")
    source = locate(str(tmp_path / "model"))
    tokenizer = open_tokenizer(source, resize=True)
    with pytest.raises(ModelError, match=r"model\.resize=true"):
        masked.build(source, tokenizer=tokenizer, compute=CPU)
    network = masked.build(source, tokenizer=tokenizer, compute=CPU, enlarge=True)
    assert masked.mask_of(tokenizer, source) < network.outputs
    assert network.outputs == network.stock.get_output_embeddings().weight.shape[0]
