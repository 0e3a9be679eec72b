"""The loss of hidden tokens is that of the stock classes, in training and in evaluations, however a step is divided."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForMaskedLM

from afina.adaptation import goal as goals
from afina.adaptation.corpus import IGNORED, Corpus, Options, cut_gradually
from afina.adaptation.goal import Adapting, goal_of, objective_of
from afina.adaptation.masking import Masked, Masking
from afina.assembly import EncodedDataset
from afina.model import masked
from afina.model.families import locate
from afina.model.network import Network
from afina.records import Example
from afina.training.loop import gradients
from afina.work import drain
from tests.arithmetic import HERE, near
from tests.networks import tokenizer_of
from tests.tiny import CORPUS, FAMILIES

TEXTS = [*CORPUS[:5], "cat", "the dog " * 60]


def data_of(folder: Path, texts: Sequence[str] = TEXTS) -> EncodedDataset:
    return drain(
        cut_gradually(tokenizer_of(folder, 40), [Example(text, place=f"t:{i}") for i, text in enumerate(texts)])
    )


def masking_of(folder: Path, seed: int = 0, share: float = 0.3) -> Masking:
    tokenizer = tokenizer_of(folder)
    others = [i for i in range(len(tokenizer.pretrained)) if i not in tokenizer.special]
    return Masking(tokenizer.pretrained.mask_token_id, np.array(others, np.int32), seed, share)


def network_of(folder: Path) -> Network:
    network = masked.build(locate(str(folder)), tokenizer=tokenizer_of(folder), compute=HERE, dropout=0.0)
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return network


def goal_in(folder: Path, texts: Sequence[str] = TEXTS, **settings: Any) -> Adapting:
    data, masking = data_of(folder, texts), masking_of(folder, **settings)
    objective = objective_of(data, masking, whole_word=False, batch_size=4)
    return goal_of(Corpus(Options()), objective, data, masking, whole_word=False)


def stock_loss(model: Any, drawn: Sequence[Masked], *, types: bool) -> tuple[float, int]:
    """Summed loss of the stock class, which computes all tokens, and number of hidden tokens."""
    total, count = 0.0, 0
    for window, labels in drawn:
        kinds = {"token_type_ids": torch.from_numpy(window.types).long()[None]} if types else {}
        ids, wanted = torch.from_numpy(window.ids).long()[None], torch.from_numpy(labels).long()[None]
        hidden = int((labels != IGNORED).sum())
        total += float(model(input_ids=ids, labels=wanted, **kinds).loss) * hidden
        count += hidden
    return total, count


@pytest.mark.parametrize("family", FAMILIES)
def test_losses_are_those_of_the_stock_class(family: str, tiny: Callable[[str], Path]) -> None:
    folder = tiny(family)
    network, goal = network_of(folder), goal_in(folder)
    stock = AutoModelForMaskedLM.from_pretrained(folder).eval()
    types = network.backbone.takes_types
    units = goal.objective.units(range(goal.objective.examples), 0)
    drawn = [Masked(unit.windows[0], unit.target) for unit in units]
    with torch.no_grad():
        expected, count = stock_loss(stock, drawn, types=types)
        validation, hidden = stock_loss(stock, goal.masked, types=types)
    network.train()
    total, weight, *_ = gradients(network, goal.objective, units, micro_tokens=10_000)
    assert int(weight) == count
    assert float(total) / count == near(expected / count)
    judged = drain(goal.judge(network))
    assert judged.loss == judged.metrics["loss"] == near(validation / hidden)
    assert judged.metrics["perplexity"] == near(math.exp(validation / hidden), rel=1e-4)


def test_any_division_of_a_step_gives_the_gradient_of_the_whole(tiny: Callable[[str], Path]) -> None:
    folder = tiny("bert")
    network, objective = network_of(folder), goal_in(folder).objective
    found = []
    for micro_tokens in (10_000, 50, 1):
        network.train()
        gradients(network, objective, objective.units(range(objective.examples), 0), micro_tokens=micro_tokens)
        found.append(
            {name: p.grad.detach().cpu().clone() for name, p in network.named_parameters() if p.grad is not None}
        )
        network.zero_grad(set_to_none=True)
    for other in found[1:]:
        assert set(other) == set(found[0])
        for name, gradient in found[0].items():
            assert torch.allclose(gradient, other[name], atol=1e-4, rtol=1e-3) or HERE.precision == "bf16", name
    # The decoder is the embedding: tokens that occur in no text have a gradient, too.
    embedding = found[0]["stock.bert.embeddings.word_embeddings.weight"]
    assert (embedding.abs().sum(dim=1) > 0).float().mean() > 0.9


def test_masks_change_with_the_epoch_and_with_nothing_else(tiny: Callable[[str], Path]) -> None:
    objective = goal_in(tiny("bert")).objective
    n = math.ceil(objective.examples / objective.batch_size)

    def drawn(step: int, batch: Sequence[int]) -> list[bytes]:
        return [unit.target.tobytes() for unit in objective.units(batch, step)]

    whole = drawn(0, range(objective.examples))
    assert drawn(n - 1, range(objective.examples)) == whole
    assert drawn(n, range(objective.examples)) != whole
    assert [one for i in range(objective.examples) for one in drawn(0, [i]) if one in whole] == whole
    assert objective.where([0, objective.examples - 1]) == ["t:0", f"t:{len(TEXTS) - 1}"]
    assert not objective.static(network_of(tiny("bert")))


def test_evaluations_are_the_same_for_any_batches_and_count_each_text(
    tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    network, goal = network_of(tiny("bert")), goal_in(tiny("bert"))
    one = drain(goal.measure(network))
    monkeypatch.setattr(goals, "ROWS", 2)
    other = drain(replace(goal, masked=goal.masked[::-1], owners=goal.owners[::-1]).measure(network))
    assert [row["hidden"] for row in one] == [row["hidden"] for row in other]
    for left, right in zip(one, other, strict=True):
        assert left["nats"] == near(right["nats"], abs=1e-4)
    assert sum(row["hidden"] for row in one) == sum(drawn.hidden for drawn in goal.masked)
    assert drain(goal.logits(network)) == ()


def test_a_validation_text_has_a_hidden_token_at_least(tiny: Callable[[str], Path]) -> None:
    goal = goal_in(tiny("bert"), ["cat"], share=1e-9)
    assert [one.hidden for one in goal.masked] == [1]
    assert goal.owners == [0]


def test_frequencies_are_judged_as_a_model_is(tiny: Callable[[str], Path]) -> None:
    goal = goal_in(tiny("bert"), ["cat cat cat cat dog"], share=0.999)
    (found,) = goal.by_frequency(200)
    (one,) = goal.masked
    windows = goal.objective.data.windows[0].ids[1:-1]
    expected = -sum(
        math.log((int((windows == i).sum()) + 1) / (len(windows) + 200)) for i in one.labels[one.labels >= 0]
    )
    assert found["nats"] == near(expected)
    assert found["hidden"] == one.hidden
    commonest = np.bincount(windows).argmax()
    assert found["right"] == (one.labels == commonest).sum()
