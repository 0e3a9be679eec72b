"""Equal texts are computed once, and nobody can tell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from afina import inference
from afina.model import network as networks
from afina.records import Example
from afina.tasks.base import find
from afina.text.tokenization import Tokenizer, load_tokenizer


@pytest.mark.parametrize("task", ["classification", "tokens"])
def test_equal_windows_are_computed_once(
    task: str, tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted = {"classification": {"labels": ["a", "b"]}, "tokens": {"kind": "plain", "types": ["A", "B"]}}[task]
    kind = find(task)
    network = networks.build(str(tiny("bert")), kind(kind.Options(), fitted).head, level=kind.level)
    tokenizer = Tokenizer(load_tokenizer(str(tiny("bert")), local=True), 60)
    texts = ["the cat", "a lovely dog", "the cat", "good", "a lovely dog", "the cat"]
    windows = [one.windows[0] for one in tokenizer.encode([Example(text) for text in texts])]
    seen = []
    collate = network.collate
    monkeypatch.setattr(network, "collate", lambda some, pad: seen.extend(some) or collate(some, pad))
    found = inference.window_logits(network, windows, pad=tokenizer.pad)
    assert len(seen) == 3
    alone = [inference.window_logits(network, [window], pad=tokenizer.pad)[0] for window in windows]
    for one, other in zip(found, alone, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_budget_changes_no_number(tiny: Callable[[str], Path]) -> None:
    kind = find("classification")
    network = networks.build(str(tiny("bert")), kind(kind.Options(), {"labels": ["a", "b"]}).head, level="example")
    tokenizer = Tokenizer(load_tokenizer(str(tiny("bert")), local=True), 60)
    windows = [one.windows[0] for one in tokenizer.encode([Example("the cat " * n) for n in range(1, 9)])]
    whole = np.stack(inference.window_logits(network, windows, pad=tokenizer.pad))
    for budget in (1, 20, 10_000):
        some = np.stack(inference.window_logits(network, windows, pad=tokenizer.pad, budget=budget))
        np.testing.assert_allclose(some, whole, atol=1e-6)
