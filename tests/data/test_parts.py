"""Parts of a run's data: labels that training lacks, doubts, what is given back."""

from __future__ import annotations

from typing import Any

import pytest

from afina.config import load
from afina.data.parts import SHOWN, Data, read_data
from afina.errors import DataError

ROWS = [{"text": f"{word} {i}", "label": label} for i in range(8) for word, label in (("good", "a"), ("bad", "b"))]


def read(test: list[Any], rows: list[Any] = ROWS, validation: list[Any] | None = None, **settings: Any) -> Data:
    overrides = {name.replace("__", "."): value for name, value in settings.items()}
    sources = {"train": rows, "validation": validation or rows[:4], "test": test}
    return read_data(load(None, overrides), sources)


def test_labels_that_training_lacks_are_refused_or_counted() -> None:
    test = [*ROWS[:2], {"text": "new", "label": "c"}]
    with pytest.raises(DataError, match=r"label 'c' does not occur in the training data.*or --unseen count"):
        read(test)
    data = read(test, data__unseen="count")
    assert len(data.parts["test"]) == 3
    (note,) = [note for note in data.notes if "count as missed" in note]
    assert note.startswith("test: 1 examples hold a label that training lacks")
    outcome = data.task.outcome(data.parts["test"][2], {"label": "a", "probabilities": {"a": 0.7, "b": 0.3}})
    assert outcome["gold"] == 2
    assert outcome["log_probability"] < -600


def test_a_task_that_can_not_count_refuses_all_the_same() -> None:
    rows = [{"text": f"text {i}", "labels": ["a"]} for i in range(6)]
    with pytest.raises(DataError, match="'b' does not occur"):
        read([{"text": "new", "labels": ["b"]}], rows, task="multilabel", data__unseen="count")


def test_held_out_examples_with_a_label_of_their_own_stay_in_training() -> None:
    rows = [{"tokens": ["a", f"b{i}"], "tags": ["O", f"B-T{i % 9}"]} for i in range(40)]
    rows += [{"tokens": ["z", f"rare{i}"], "tags": ["O", f"B-RARE{i}"]} for i in range(20)]
    config = load(None, {"task": "tokens", "data.hold_out": 0.4})
    data = read_data(config, {"train": rows})
    assert len(data.parts["train"]) + len(data.parts["validation"]) == 60
    assert all(data.task.check(example) is None for example in data.parts["validation"])
    assert any("have labels that no other has" in note for note in data.notes)
    assert sum(tag.startswith("RARE") for tag in data.task.facts["types"]) == 20


def test_doubts_are_shown_a_few_and_counted() -> None:
    row = {"text": "in an hour", "spans": [[0, 10, "time"], [3, 10, "date"]]}
    data = read([row], [row] * 9, [row], task="tokens")
    mine = [note for note in data.notes if note.startswith("train: ") and "overlaps" in note]
    assert len(mine) == SHOWN
    assert "train: ... and 4 more of the kind" in data.notes
