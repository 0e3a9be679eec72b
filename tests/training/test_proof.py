"""What was frozen is as it was, bit by bit; a frozen weight that moved is found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from afina.assembly import parameter_hashes
from afina.errors import TrainingError
from afina.training.proof import prove
from tests.networks import network_of
from tests.runs import done, events_of


def test_a_moved_frozen_weight_is_found(tiny: Callable[[str], Path]) -> None:
    network = network_of(tiny("bert"), layers=1)
    before = parameter_hashes(network)
    with pytest.raises(TrainingError, match="no weight moved"):
        prove(network, before)
    with torch.no_grad():
        next(iter(network.head.parameters())).add_(1.0)
    assert prove(network, before)["trained_tensors_unmoved"]
    with torch.no_grad():
        network.get_parameter("stock.bert.embeddings.LayerNorm.weight")[0].add_(1e-6)
    with pytest.raises(TrainingError, match=r"frozen weights moved: stock\.bert.embeddings\.LayerNorm\.weight"):
        prove(network, before)


def test_frozen_weights_in_the_saved_model_are_the_base_models(
    setting: dict[str, Any], tiny: Callable[[str], Path]
) -> None:
    """Checked on the files, not on the run's own word."""
    result = done(events_of({**setting, "strategy": "last-1"}))
    base = load_file(tiny("bert") / "model.safetensors")
    tuned = load_file(result.folder / "model" / "model.safetensors")
    shared = [name for name in tuned if name in base]
    equal = {name for name in shared if torch.equal(tuned[name], base[name])}
    assert {name for name in shared if ".layer.2." not in name} == equal
    assert not {name for name in equal if ".layer.2." in name}


def test_rows_of_the_vocabulary_that_do_not_train_count_as_frozen(tiny: Callable[[str], Path]) -> None:
    network = network_of(tiny("bert"))
    before = parameter_hashes(network)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1.0)
    table = network.get_parameter("stock.bert.embeddings.word_embeddings.weight").numel()
    whole, part = prove(network, before), prove(network, before, vocabulary=160)
    total = sum(parameter.numel() for parameter in network.parameters())
    assert whole["parameters"] == {"trained": total, "frozen": 0}
    assert part["parameters"] == {"trained": total - table + 160, "frozen": table - 160}
    assert whole["trained_tensors_unmoved"] == []


@pytest.mark.parametrize("strategy", ["full", "last-1"])
def test_a_run_counts_what_trained(strategy: str, setting: dict[str, Any]) -> None:
    record = done(events_of({**setting, "strategy": strategy, "training.epochs": 1})).record
    trained, frozen = record["parameters"]["trained"], record["parameters"]["frozen"]
    saved = load_file(Path(setting["out"]) / "model" / "model.safetensors")
    assert trained + frozen == sum(tensor.numel() for tensor in saved.values())
    assert frozen > 0  # rows of the vocabulary, where nothing else is
    assert record["freeze_proof"]["frozen_tensors_moved"] == []
