"""The CRF against brute force: every tag sequence written out."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from afina.artifact import load as load_artifact
from afina.config import load
from afina.data.parts import read_data
from afina.errors import ConfigError
from afina.model.crf import CRF, UNKNOWN
from afina.training.events import Done
from afina.training.run import stream

K = 3


def made(seed: int) -> CRF:
    torch.manual_seed(seed)
    head = CRF(4, K, 0.0).double()
    head.requires_grad_(False)
    for parameter in (head.transitions, head.start, head.end):
        torch.nn.init.normal_(parameter)
    return head


def score(head: CRF, emissions: torch.Tensor, path: tuple[int, ...]) -> float:
    total = head.start[path[0]] + head.end[path[-1]] + sum(emissions[t, k] for t, k in enumerate(path))
    return float(total + sum(head.transitions[a, b] for a, b in pairwise(path)))


def test_gradients_go_through_the_marginals() -> None:
    head = made(0)
    emissions = torch.randn(5, K, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda rows: head.marginals(rows, [3, 2]), emissions)
    assert not head.marginals(emissions.detach(), [3, 2]).requires_grad
    with torch.no_grad():
        assert not head.marginals(emissions, [3, 2]).requires_grad


@given(st.integers(0, 2**31), st.lists(st.integers(1, 4), min_size=1, max_size=3), st.data())
def test_loss_and_marginals_equal_brute_force(seed: int, lengths: list[int], data: st.DataObject) -> None:
    head = made(seed)
    emissions = torch.randn(sum(lengths), K, dtype=torch.float64)
    drawn = data.draw(st.lists(st.sampled_from([UNKNOWN, 0, 1, 2]), min_size=len(emissions), max_size=len(emissions)))
    loss, count = head.criterion(emissions, torch.tensor(drawn), lengths)
    found = head.marginals(emissions, lengths).exp()
    expected, start = 0.0, 0
    for length in lengths:
        own, known = emissions[start : start + length], drawn[start : start + length]
        scores = {path: np.exp(score(head, own, path)) for path in product(range(K), repeat=length)}
        agree = sum(v for path, v in scores.items() if all(k in (UNKNOWN, p) for k, p in zip(known, path, strict=True)))
        total = sum(scores.values())
        expected -= np.log(agree / total)
        for t, k in product(range(length), range(K)):
            marginal = sum(value for path, value in scores.items() if path[t] == k) / total
            assert float(found[start + t, k]) == pytest.approx(marginal, abs=1e-9)
        start += length
    assert float(loss) == pytest.approx(expected, abs=1e-8)
    assert int(count) == sum(tag != UNKNOWN for tag in drawn)


def test_a_run_with_a_crf_learns_and_comes_back(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    rows = [
        {"tokens": ["the", animal, verb], "tags": ["O", "B-WHO", "O"]}
        for animal in ("cat", "dog", "bird") for verb in ("sleeps", "barks", "stops")
    ]  # fmt: skip
    settings = {
        "task": "tokens", "model.name": str(tiny("bert")), "model.head": "crf", "out": str(tmp_path / "run"),
        "training.epochs": 30, "training.learning_rate": 5e-3, "training.batch_size": 4,
    }  # fmt: skip
    config = load(None, settings)
    (*_, last) = stream(config, read_data(config, {"train": rows, "validation": rows[:4]}))
    assert isinstance(last, Done)
    assert last.validation.metrics["entity_f1"] == 1.0
    again = load_artifact(last.folder)
    head, other = last.artifact.network.head, again.network.head
    assert isinstance(head, CRF)
    assert isinstance(other, CRF)
    assert float(head.transitions.detach().abs().max()) > 0
    assert torch.equal(head.transitions, other.transitions)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"options.class_weights": "balanced"}, "a loss of its own"),
        ({"task": "classification"}, "only the task `tokens`"),
    ],
)
def test_what_a_crf_can_not_do_is_said(
    tiny: Callable[[str], Path], tmp_path: Path, more: dict[str, str], says: str
) -> None:
    words = {
        "task": "tokens",
        "model.name": str(tiny("bert")),
        "model.head": "crf",
        "out": str(tmp_path / "run"),
        **more,
    }
    config = load(None, words)
    rows: list[dict[str, Any]] = [{"tokens": ["a", "cat"], "tags": ["O", "B-X"]}] * 4
    if config.task == "classification":
        rows = [{"text": word, "label": word} for word in ("cat", "dog")] * 4
    with pytest.raises(ConfigError, match=says):
        list(stream(config, read_data(config, {"train": rows, "validation": rows})))
