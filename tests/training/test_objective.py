"""The supervised objective: any division of its units gives the same sum."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from afina.assembly import encode_dataset, open_network, open_tokenizer, with_targets
from afina.compute import Compute
from afina.records import Example
from afina.tasks.base import find
from afina.training.objective import Supervised, averaged

TEXTS = [("a lovely film", "a"), ("the cat sleeps on the mat " * 6, "b"), ("bad", "a"), ("great room", "b")]
EXAMPLES = [Example(text, target=label, place=f"a.csv:{i}") for i, (text, label) in enumerate(TEXTS, 2)]


@pytest.mark.parametrize("long", ["truncate", "windows"])
def test_the_sum_does_not_depend_on_the_division(long: str, tiny: Callable[[str], Path]) -> None:
    kind = find("classification")
    task = kind(kind.Options(**{"text": "text", "label": "label", "long": long})).fit(EXAMPLES)
    tokenizer = open_tokenizer(str(tiny("bert")), max_length=20)
    network = open_network(str(tiny("bert")), task, tokenizer=tokenizer, compute=Compute()).eval()
    objective = Supervised(task, with_targets(encode_dataset(tokenizer, task, EXAMPLES), task))
    assert objective.examples == 4
    assert objective.where([1, 3]) == ["a.csv:3", "a.csv:5"]
    units = objective.units([0, 1, 2, 3], 0)
    assert [len(unit.windows) > 1 for unit in units] == [False, long == "windows", False, False]

    def loss(some: list[int]) -> torch.Tensor:
        chosen = [units[i] for i in some]
        inputs = network.collate([window for unit in chosen for window in unit.windows])
        return objective.loss(network, inputs, units=chosen, states=objective.states(chosen))[0]

    torch.testing.assert_close(loss([0, 1, 2, 3]), loss([2, 1]) + loss([0]) + loss([3]))


def test_windows_are_averaged_by_example() -> None:
    logits = torch.tensor([[1.0, 0.0], [3.0, 2.0], [5.0, 5.0]])
    assert averaged(logits, [2, 1]).tolist() == [[2.0, 1.0], [5.0, 5.0]]
