"""Training only the rows that occur gives the weights that training all of them gives, for every family."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from afina.model.families import FAMILIES
from afina.model.network import Network
from afina.model.vocabulary import distinct, find
from afina.records import Example, Window
from tests.arithmetic import DEVICE, close
from tests.networks import network_of, windows_of

EXAMPLES = [Example("the cat sleeps"), Example("a lovely film", "the dog barks"), Example("good")]


def made(folder: Path, layers: int | None = None) -> tuple[Network, list[Window]]:
    network = network_of(folder, layers=layers, dropout=0.0, head_dropout=0.0)
    return network, windows_of(folder, EXAMPLES)


def trained(folder: Path, *, restrict_vocabulary: bool) -> tuple[Network, list[int]]:
    network, windows = made(folder)
    used = [*distinct(windows), network.pad]
    if restrict_vocabulary:
        network.restrict_vocabulary(used)
        assert network.vocabulary is not None
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=1e-2, weight_decay=0.0, fused=True)
    for _ in range(3):
        network.train()
        logits = network(network.collate(windows))
        torch.autograd.backward(torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1, 0], device=DEVICE)))
        optimiser.step()
        optimiser.zero_grad()
        network.eval()
        with torch.no_grad():  # an evaluation between two steps sees the trained rows
            network(network.collate(windows))
    network.restore_vocabulary()
    return network, used


@pytest.mark.parametrize("family", FAMILIES)
def test_the_rows_that_occur_are_enough(family: str, tiny: Callable[[str], Path]) -> None:
    plain, _ = trained(tiny(family), restrict_vocabulary=False)
    restrict_vocabulary, used = trained(tiny(family), restrict_vocabulary=True)
    base, _ = made(tiny(family))
    (path, table), (_, before) = (
        find(restrict_vocabulary.backbone.base) or ("", None),
        find(base.backbone.base) or ("", None),
    )
    assert path
    assert table is not None
    assert before is not None
    others = sorted(set(range(table.num_embeddings)) - set(used))
    assert torch.equal(table.weight[others], before.weight[others])
    assert not torch.equal(table.weight[used], before.weight[used])
    for (name, one), (_, other) in zip(restrict_vocabulary.named_parameters(), plain.named_parameters(), strict=True):
        close(one, other, atol=2e-5, rtol=1e-4, msg=name)
    assert restrict_vocabulary.vocabulary is None
    assert all(
        parameter.requires_grad for name, parameter in restrict_vocabulary.named_parameters() if "word_emb" in name
    )


def test_frozen_embeddings_are_left_alone(tiny: Callable[[str], Path]) -> None:
    network, windows = made(tiny("bert"), layers=1)
    network.restrict_vocabulary(distinct(windows))
    assert network.vocabulary is None


def test_what_a_strategy_froze_stays_frozen_when_the_vocabulary_is_restored(tiny: Callable[[str], Path]) -> None:
    """Another package's strategy may train the embeddings and only some of the rest."""
    network = network_of(tiny("bert"))
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name.endswith(".bias") or "word_embeddings" in name)
    before = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    network.restrict_vocabulary([1, 2, 3])
    network.restore_vocabulary()
    assert {name for name, parameter in network.named_parameters() if parameter.requires_grad} == before
    assert network.vocabulary is None
