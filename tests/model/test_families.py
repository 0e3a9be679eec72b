"""Every family: afina's path gives the stock class's numbers, for every strategy, padded or alone, saved or fresh."""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification

from afina import strategies
from afina.artifact import Artifact, load
from afina.errors import MissingExtra, ModelError
from afina.model import families
from afina.model.backbone import check_length
from afina.model.families import FAMILIES, locate
from afina.model.network import Network
from afina.model.pretrained import load_tokenizer
from afina.records import Batch, Example
from afina.text.layouts import Padded
from afina.text.tokenization import Tokenizer
from tests import tiny as made
from tests.arithmetic import DEVICE, close, same
from tests.networks import network_of, task_of

EXAMPLES = [
    Example("the cat sleeps on the mat"),
    Example("a lovely film", "the dog barks at the bird, ação!"),
    Example("good"),
    Example("A Apple foi fundada por Steve Jobs", "it's [SEP] great"),
]


def test_every_family_is_tried() -> None:
    assert set(made.FAMILIES) == set(FAMILIES)
    assert len(FAMILIES) == 11


def make(folder: Path, kind: str = "classification", **more: Any) -> tuple[Network, Tokenizer]:
    network = network_of(folder, task_of(kind), **more)
    pretrained = load_tokenizer(str(folder), local=True)
    return network, Tokenizer(pretrained, check_length(None, network.backbone.config, pretrained))


def batch_of(tokenizer: Tokenizer) -> Batch:
    return Padded(tokenizer.pad, DEVICE).collate([one.windows[0] for one in tokenizer.encode(EXAMPLES)])


def stock_logits(stock: Any, batch: Batch) -> torch.Tensor:
    takes_types = "token_type_ids" in inspect.signature(type(stock).forward).parameters
    types = {"token_type_ids": batch.types} if takes_types else {}
    logits: torch.Tensor = stock(input_ids=batch.ids, attention_mask=batch.mask, **types).logits
    return logits


@pytest.mark.parametrize("family", made.FAMILIES)
class TestFamily:
    def test_random_weights_are_those_that_the_stock_class_begins_with(
        self, family: str, tiny: Callable[[str], Path], tmp_path: Path
    ) -> None:
        folder = shutil.copytree(tiny(family), tmp_path / "model")
        made_of = make(folder)[0]
        file = folder / "model.safetensors"
        header = 8 + int.from_bytes(file.read_bytes()[:8], "little")
        file.write_bytes(file.read_bytes()[:header].ljust(file.stat().st_size, b"\xff"))  # every weight is nan
        first, again, other = (make(folder, random=True, seed=seed)[0] for seed in (5, 5, 6))
        torch.manual_seed(5)
        stock = AutoModelForSequenceClassification.from_config(AutoConfig.from_pretrained(folder, num_labels=3))
        wanted = stock.state_dict()
        found = {name.removeprefix("stock."): weights.cpu() for name, weights in first.state_dict().items()}
        assert wanted.keys() <= found.keys()
        assert all(torch.equal(found[name], wanted[name]) for name in wanted)
        shapes = [{name: one.shape for name, one in network.named_parameters()} for network in (made_of, first)]
        assert shapes[0] == shapes[1]
        pairs = [dict(network.named_parameters()) for network in (first, again, other, made_of)]
        drawn = [name for name, one in pairs[0].items() if one.std() > 0]
        assert len(drawn) > 10
        assert all(torch.equal(pairs[0][name], pairs[1][name]) for name in pairs[0])
        assert not any(torch.equal(pairs[0][name], pairs[2][name]) for name in drawn)
        assert not any(torch.equal(pairs[0][name], pairs[3][name]) for name in drawn)

    def test_encodes_like_its_tokenizer(self, family: str, tiny: Callable[[str], Path]) -> None:
        """Windows equal what the stock tokenizer gives, special tokens in the text aside."""
        _, tokenizer = make(tiny(family))
        for example in EXAMPLES[:3]:
            (window,) = tokenizer.encode([example])[0].windows
            texts = [example.text] if example.pair is None else [example.text, example.pair]
            stock = load_tokenizer(str(tiny(family)), local=True)(*texts, return_token_type_ids=True)
            assert window.ids.tolist() == stock["input_ids"]
            assert window.types.tolist() == stock["token_type_ids"]

    def test_gives_the_logits_of_the_stock_class(self, family: str, tiny: Callable[[str], Path]) -> None:
        network, tokenizer = make(tiny(family))
        network.eval()
        batch = batch_of(tokenizer)
        with torch.no_grad():
            close(network(batch), stock_logits(network.stock, batch))

    def test_alone_is_as_padded(self, family: str, tiny: Callable[[str], Path]) -> None:
        network, tokenizer = make(tiny(family))
        network.eval()
        windows = [one.windows[0] for one in tokenizer.encode(EXAMPLES)]
        with torch.no_grad():
            layout = Padded(tokenizer.pad, DEVICE)
            together = network(layout.collate(windows))
            alone = torch.cat([network(layout.collate([window])) for window in windows])
        close(together, alone)

    @pytest.mark.parametrize("strategy", ["full", "head", "last-1", "last-2", "last-3"])
    def test_a_cut_changes_no_number(self, family: str, strategy: str, tiny: Callable[[str], Path]) -> None:
        network, tokenizer = make(tiny(family))
        if family == "albert" and strategy.startswith("last"):
            with pytest.raises(ModelError, match="all layers share one set of weights"):
                strategies.find(strategy).apply(network)
            return
        batch = batch_of(tokenizer)
        network.eval()
        with torch.no_grad():
            whole = network(batch)
            strategies.find(strategy).apply(network)
            network.eval()
            same(network(batch), whole)
            if network.frozen_layers:
                same(network(batch, network.lower(batch)), whole)

    @pytest.mark.parametrize("strategy", ["full", "head", "last-2"])
    def test_the_gradient_reaches_what_trains_and_nothing_else(
        self, family: str, strategy: str, tiny: Callable[[str], Path]
    ) -> None:
        if family == "albert" and strategy == "last-2":
            return
        network, tokenizer = make(tiny(family))
        strategies.find(strategy).apply(network)
        network.train()
        network(batch_of(tokenizer)).square().sum().backward()
        trained = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
        reached = {name for name, parameter in network.named_parameters() if parameter.grad is not None}
        assert reached == trained
        assert any("classifier" in name for name in trained)
        assert ("embeddings" in " ".join(trained)) == (strategy == "full")

    @pytest.mark.parametrize("kind", ["classification", "regression"])
    @pytest.mark.parametrize("head", ["native", "linear", "mean", "max"])
    def test_saved_and_loaded_answers_the_same(
        self, family: str, kind: str, head: str, tiny: Callable[[str], Path], tmp_path: Path
    ) -> None:
        network, tokenizer = make(tiny(family), kind, head=head)
        network.eval()
        batch = batch_of(tokenizer)
        factor, shift = network.scale
        with torch.no_grad():
            before = network(batch) * factor + shift
            network.fold_scale()
            Artifact(task_of(kind), tokenizer, network, head, "tiny").save(tmp_path / "model")
            again = load(tmp_path / "model")
            close(again.network(batch), before, atol=1e-5)
            assert again.network.scale == (1.0, 0.0)
            if head == "native":
                from transformers import AutoModelForSequenceClassification

                stock = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model").to(DEVICE).eval()
                close(stock_logits(stock, batch), before, atol=1e-5)

    def test_levels_rise_from_embeddings_to_head(self, family: str, tiny: Callable[[str], Path]) -> None:
        network, _ = make(tiny(family))
        levels = {name: network.layer_of(name) for name, _ in network.named_parameters()}
        assert {level for name, level in levels.items() if "classifier" in name} == {4}
        assert {level for name, level in levels.items() if "word_embeddings" in name or "tok_embeddings" in name} == {0}
        if family != "albert":
            assert set(levels.values()) == {0, 1, 2, 3, 4}


def test_a_folder_without_rights_is_an_error_of_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", refuse)
    with pytest.raises(ModelError, match=r"model: '\./mine' can't be read: Permission denied"):
        locate("./mine")


@pytest.mark.parametrize("missing", ["sentencepiece", "google.protobuf"])
@pytest.mark.parametrize("name", ["spm.model", "spiece.model", "sentencepiece.bpe.model"])
def test_the_right_package_is_named_before_anything_is_loaded(
    name: str, missing: str, tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(tiny("deberta-v2"), tmp_path / "model"))
    (folder / name).write_bytes(b"pieces")
    assert locate(str(folder)).local
    (folder / "tokenizer.json").unlink()
    monkeypatch.setattr(families, "importable", lambda module: module != missing)
    with pytest.raises(
        MissingExtra, match=rf"package '{missing.rpartition('.')[2]}': pip install 'afina\[sentencepiece\]'"
    ):
        locate(str(folder))
    monkeypatch.setattr(families, "importable", lambda _: True)
    assert locate(str(folder)).local


def test_a_module_is_there_or_not() -> None:
    assert families.importable("json.decoder")
    assert not families.importable("nowhere.at.all")
