"""Model, tokenizer and data put together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from afina import assembly
from afina.compute import Compute
from afina.errors import ConfigError
from afina.records import Example
from afina.tasks.base import Task, find

TEXTS = ["a lovely film", "the cat sleeps on the mat " * 8, "bad"]


def fitted(name: str, examples: list[Example], **options: str) -> Task:
    """A task that has learned from examples."""
    kind = find(name)
    return kind(kind.Options(**{"text": "text", "label": "label", **options})).fit(examples)


def test_windows_belong_to_their_examples(tiny: Callable[[str], Path]) -> None:
    examples = [Example(text, target=label) for text, label in zip(TEXTS, "aba", strict=True)]
    task = fitted("classification", examples, long="windows")
    tokenizer = assembly.open_tokenizer(str(tiny("bert")), max_length=24)
    data = assembly.with_targets(assembly.encode_dataset(tokenizer, task, examples), task)
    assert data.owners[0] == (0, 1)
    assert [end - start for start, end in data.owners] == [len(feature.windows) for feature in data.features]
    assert data.owners[-1][1] == len(data.windows) == len(data.lengths) > 3
    assert np.array(data.targets).tolist() == [0, 1, 0]


def test_coverage_counts_what_windows_can_express(tiny: Callable[[str], Path]) -> None:
    kind = find("tokens")
    tags = ("O", "B-WHO", "O")
    example = Example("the cat sleeps", target=tags, words=((0, 3), (4, 7), (8, 14)))
    task = kind(kind.Options(**{"tokens": "tokens", "tags": "tags"})).fit([example])
    data = assembly.encode_dataset(assembly.open_tokenizer(str(tiny("bert"))), task, [example])
    assert assembly.coverage(task, data) == {"gold": 1, "covered": 1}


def test_a_head_with_a_loss_of_its_own_takes_no_weights(tiny: Callable[[str], Path]) -> None:
    kind = find("tokens")
    example = Example("the cat", target=("O", "B-WHO"), words=((0, 3), (4, 7)))
    task = kind(kind.Options(**{"tokens": "tokens", "tags": "tags", "class_weights": "balanced"})).fit([example])
    assert task.weighted
    tokenizer = assembly.open_tokenizer(str(tiny("bert")))
    with pytest.raises(ConfigError, match="this head has a loss of its own"):
        assembly.open_network(str(tiny("bert")), task, tokenizer=tokenizer, compute=Compute(), head="crf")


def test_kept_states_get_a_quarter_of_the_free_memory_unless_told() -> None:
    assert assembly.state_store(memory=0.5, disk=2.0).memory == 0.5e9
    assert assembly.state_store(memory=0.5, disk=2.0).disk == 2e9
    assert assembly.state_store(memory=None, disk=0).memory > 1e8


def test_hashes_tell_every_parameter_apart(tiny: Callable[[str], Path]) -> None:
    examples = [Example(text, target=label) for text, label in zip(TEXTS, "aba", strict=True)]
    task = fitted("classification", examples)
    tokenizer = assembly.open_tokenizer(str(tiny("bert")))
    network = assembly.open_network(str(tiny("bert")), task, tokenizer=tokenizer, compute=Compute())
    before = assembly.parameter_hashes(network)
    name, parameter = next(iter(network.named_parameters()))
    parameter.data[0] += 1
    after = assembly.parameter_hashes(network)
    assert {key for key in before if before[key] != after[key]} == {name}
