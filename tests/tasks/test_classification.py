"""One label out of a fixed set."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from afina.config import load
from afina.data.parts import read_data
from afina.errors import ConfigError, DataError
from afina.records import Example, Row
from afina.tasks.classification import Classification, ClassificationOptions

EXAMPLES = [Example(f"text {i}", target=label) for i, label in enumerate("aabac")]


def task(**options: object) -> Classification:
    """The task, fitted on the examples."""
    return Classification(ClassificationOptions(text="text", label="label", **options)).fit(EXAMPLES)


def test_the_labels_are_those_of_the_training_data() -> None:
    assert task().labels == ["a", "b", "c"]
    with pytest.raises(ConfigError, match="hold 1 label"):
        Classification(ClassificationOptions()).fit(EXAMPLES[:2])


@pytest.mark.parametrize("weights", ["none", "balanced"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_is_torchs(weights: str, smoothing: float) -> None:
    own = task(class_weights=weights, label_smoothing=smoothing)
    logits, targets = torch.randn(6, 3), torch.tensor([0, 1, 2, 0, 1, 0])
    total, count = own.loss(logits, targets)
    weight = torch.tensor(own.fitted["weights"]) if own.weighted else None
    torch.testing.assert_close(total / count, F.cross_entropy(logits, targets, weight, label_smoothing=smoothing))


def test_windows_of_one_text_are_averaged() -> None:
    prediction = task().decode(EXAMPLES[0], (), [np.array([2.0, 0.0, 0.0]), np.array([0.0, 2.0, 1.0])])
    assert prediction["label"] == "a" or prediction["probabilities"]["a"] == prediction["probabilities"]["b"]
    assert sum(prediction["probabilities"].values()) == pytest.approx(1.0)


@pytest.mark.parametrize("weights", ["none", "balanced"])
def test_items_are_counted_exactly_in_bf16(weights: str) -> None:
    own = task(class_weights=weights)
    targets = torch.zeros(301, dtype=torch.long)
    total, count = own.loss(torch.zeros(301, 3, dtype=torch.bfloat16), targets)
    assert (total.dtype, count.dtype) == (torch.float32, torch.float32)
    weight = own.fitted["weights"][0] if own.weighted else 1.0
    assert float(count) == pytest.approx(301 * weight, rel=1e-6)


def test_a_vector_with_a_single_1_is_a_label() -> None:
    task = Classification(ClassificationOptions(text="text", label="y", labels=["a", "b", "c"]))
    assert task.read(Row({"text": "x", "y": [0, 1, 0]}, "f:2")).target == "b"
    assert task.read(Row({"text": "x", "y": "[0. 0. 1.]"}, "f:2")).target == "c"
    assert task.read(Row({"text": "x", "y": "a"}, "f:2")).target == "a"
    with pytest.raises(DataError, match="expected one label with 1, found 'a', 'b'"):
        task.read(Row({"text": "x", "y": [1, 1, 0]}, "f:2"))


@pytest.mark.parametrize(
    ("train", "other", "spelled"),
    [("1.0 0.0", "1 0", "1.0"), ("1 0", "1.0 0.0", "1"), ("True False", "true false", "True"),
     ("true false", "1 0", "true"), ("1 0", "True False", "1")],
)  # fmt: skip
def test_a_label_in_two_spellings_is_one_across_files(train: str, other: str, spelled: str) -> None:
    first, second = ([{"text": f"{i} x", "label": x} for i, x in enumerate(s.split() * 3)] for s in (train, other))
    data = read_data(load(None, {}), {"train": first, "validation": second})
    assert data.task.labels == sorted(train.split())
    assert data.splits["validation"][0].target == spelled
    assert any(
        note.startswith(f"validation: label {second[0]['label']!r} is read as {spelled!r}") for note in data.notes
    )


def test_spellings_that_training_tells_apart_stay_apart() -> None:
    rows = [{"text": f"{i} x", "label": x} for i, x in enumerate(["1.1", "1.10", "1.0", "1"] * 3)]
    data = read_data(load(None, {}), {"train": rows, "validation": rows})
    assert data.task.labels == ["1", "1.0", "1.1", "1.10"]
    assert data.splits["validation"][0].target == "1.1"
    with pytest.raises(DataError, match=r"label '1\.00' does not occur"):
        read_data(load(None, {}), {"train": rows, "validation": [{"text": "x", "label": "1.00"}]})


def test_the_constant_is_the_commonest_label_with_the_shares_as_probabilities() -> None:
    constant = task().constant(EXAMPLES)
    assert constant is not None
    assert constant.name == "commonest label (a)"
    assert constant.predict(EXAMPLES[0]) == {"label": "a", "probabilities": {"a": 0.6, "b": 0.2, "c": 0.2}}


def test_labels_that_the_task_does_not_know_are_no_constant() -> None:
    others = [Example("text", target="d")] * 3
    assert task().constant(others) is None
    constant = task().constant([*others, Example("text", target="b")])
    assert constant is not None
    assert constant.name == "commonest label (b)"
