"""Equal texts are computed once, and nobody can tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from afina import inference
from afina.records import Batch, Example, Window
from afina.text.layouts import Packed, Padded
from tests.networks import network_of, task_of, windows_of


@pytest.mark.parametrize("task", ["classification", "tokens"])
def test_equal_windows_are_computed_once(
    task: str, tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    network = network_of(tiny("bert"), task_of(task))
    texts = ["the cat", "a lovely dog", "the cat", "good", "a lovely dog", "the cat"]
    windows = windows_of(tiny("bert"), texts)
    seen: list[Window] = []
    collate = Packed.collate

    def watched(layout: Packed, some: Sequence[Window]) -> Batch:
        seen.extend(some)
        return collate(layout, some)

    monkeypatch.setattr(Packed, "collate", watched)
    found = inference.window_logits(network, windows)
    assert len(seen) == 3
    alone = [inference.window_logits(network, [window])[0] for window in windows]
    for one, other in zip(found, alone, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("layout", [Packed, Padded])
def test_a_budget_changes_no_number(
    layout: type[Packed] | type[Padded], tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    network = network_of(tiny("bert"), packing=layout is Packed)
    assert isinstance(network.layout, layout)
    windows = windows_of(tiny("bert"), ["the cat " * n for n in range(1, 9)])
    whole = np.stack(inference.window_logits(network, windows))
    for budget in (1, 20, 10_000):
        monkeypatch.setattr(layout, "budget", budget)
        some = np.stack(inference.window_logits(network, windows))
        np.testing.assert_allclose(some, whole, atol=1e-6)


def test_an_evaluation_beside_the_constant_of_its_own_examples() -> None:
    task = task_of("classification")
    examples = [Example("text", target=label) for label in (*task.labels, task.labels[1])]
    right = [{"label": one.target, "probabilities": dict.fromkeys(task.labels, 0.5)} for one in examples]
    evaluation = inference.evaluate(task, examples, predictions=right, resamples=9)
    (baseline,) = inference.beside_constant(evaluation, task, examples).baselines.items()
    assert baseline[0] == f"commonest label ({task.labels[1]})"
    assert baseline[1]["accuracy"] == 2 / len(examples)
