"""Names of labels come from the schema of a data set, nested too."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from afina.config import load
from afina.data.folders import with_splits
from afina.data.lines import RecordError
from afina.data.parts import read_data
from afina.data.schemas import decoder_of, decoder_of_arrow
from afina.data.sources import read, rows
from afina.errors import Problem
from tests.data.reading import refused


class ClassLabel:
    """As that of `datasets`: the names of labels whose numbers the rows hold."""

    def __init__(self, names: list[str]) -> None:
        self.names = names


class Value:
    """As that of `datasets`: a value of a plain type."""


class Sequence:
    """As that of `datasets` (also its `List`): many values of one kind."""

    def __init__(self, feature: Any) -> None:
        self.feature = feature


class Dataset:
    """As that of `datasets`: rows and their features."""

    def __init__(self, mappings: list[dict[str, Any]], features: dict[str, Any]) -> None:
        self.mappings, self.features, self.column_names = mappings, features, list(features)

    def __iter__(self) -> Any:
        return iter(self.mappings)

    def __len__(self) -> int:
        return len(self.mappings)


TAGS = ClassLabel(["O", "B-PER", "I-PER"])
CASES: list[tuple[Any, Any, Any]] = [
    (ClassLabel(["no", "yes"]), 1, "yes"),
    (ClassLabel(["no", "yes"]), np.int64(1), "yes"),
    (ClassLabel(["no", "yes"]), "yes", "yes"),
    (ClassLabel(["no", "yes"]), None, None),
    (ClassLabel(["no", "yes"]), -1, None),
    (Sequence(TAGS), [0, 1, 2], ["O", "B-PER", "I-PER"]),
    (Sequence(TAGS), np.array([0, 1]), ["O", "B-PER"]),
    (Sequence(Sequence(TAGS)), [[0], [1, 2]], [["O"], ["B-PER", "I-PER"]]),
    ([TAGS], [0, 1], ["O", "B-PER"]),
    ([{"label": TAGS, "start": Value()}], [{"label": 1, "start": 0}], [{"label": "B-PER", "start": 0}]),
    (Sequence({"label": TAGS, "start": Value()}), {"label": [1, 0], "start": [0, 4]},
     {"label": ["B-PER", "O"], "start": [0, 4]}),
    ({"inner": {"label": TAGS}}, {"inner": {"label": 2}, "x": 1}, {"inner": {"label": "I-PER"}, "x": 1}),
    ({"names": ["a", "b"], "_type": "ClassLabel"}, 1, "b"),
    ({"feature": {"names": ["a", "b"], "_type": "ClassLabel"}, "_type": "Sequence"}, [1, 0], ["b", "a"]),
    ({"names": {"names": ["a", "b"], "_type": "ClassLabel"}}, {"names": 1}, {"names": "b"}),
]  # fmt: skip


@pytest.mark.parametrize(("feature", "value", "expected"), CASES)
def test_numbers_become_names(feature: Any, value: Any, expected: Any) -> None:
    decode = decoder_of(feature)
    assert decode is not None
    assert decode(value) == expected


@pytest.mark.parametrize("feature", [None, Value(), Sequence(Value()), {"a": Value()}, [], {}, "x", [Value()]])
def test_what_has_no_names_is_left(feature: Any) -> None:
    assert decoder_of(feature) is None


def test_a_number_beyond_the_names_is_refused() -> None:
    decode = decoder_of(ClassLabel(["no", "yes"]))
    assert decode is not None
    with pytest.raises(RecordError, match="label 2 is not in the schema, which has 2 labels from 0"):
        decode(2)


def test_rows_of_a_data_set_hold_names_and_know_their_place() -> None:
    features = {"tokens": Sequence(Value()), "ner_tags": Sequence(TAGS)}
    data = Dataset([{"tokens": ["hi", "Rui"], "ner_tags": [0, 1]}, {"tokens": ["hi"], "ner_tags": [7]}], features)
    first, second = read(data, name="train")
    assert not isinstance(first, Problem)
    assert first.values == {"tokens": ["hi", "Rui"], "ner_tags": ["O", "B-PER"]}
    says = "train row 2: label 7 is not in the schema, which has 3 labels from 0; correct the number, or add the name"
    assert str(second) == f"{says} to the schema"


def test_an_arrow_table_of_a_data_set_holds_names() -> None:
    arrow = pytest.importorskip("pyarrow")
    features = {"label": {"names": ["no", "yes"], "_type": "ClassLabel"}, "text": {"dtype": "string", "_type": "Value"}}
    table = arrow.table({"text": ["a", "b"], "label": [1, 0]})
    assert [row.values["label"] for row in rows(table)] == [1, 0]
    table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    assert [row.values["label"] for row in rows(table)] == ["yes", "no"]
    assert decoder_of_arrow(table.replace_schema_metadata({"huggingface": "{"}).schema) is None


def test_arrow_dictionaries_and_pandas_categories_give_their_values() -> None:
    arrow, pandas = pytest.importorskip("pyarrow"), pytest.importorskip("pandas")
    labels = arrow.array(["no", "yes", None]).dictionary_encode()
    nested = arrow.ListArray.from_arrays([0, 1, 3, 3], labels)
    found = rows(arrow.table({"a": labels, "b": nested}))
    assert [row.values for row in found] == [
        {"a": "no", "b": ["no"]}, {"a": "yes", "b": ["yes", None]}, {"a": None, "b": []},
    ]  # fmt: skip
    frame = pandas.DataFrame({"a": pandas.Categorical(["no", "yes", None]), "b": pandas.Categorical([2, 3, 2])})
    assert [row.values for row in rows(frame)] == [{"a": "no", "b": 2}, {"a": "yes", "b": 3}, {"a": None, "b": 2}]


def test_a_dict_of_data_sets_is_taken_apart() -> None:
    data = Dataset([{"label": 1}], {"label": ClassLabel(["no", "yes"])})
    given = {"train": data, "dev": data, "unsupervised": data}
    found, notes = with_splits({"train": given})
    assert found == {"train": data, "validation": data}
    assert notes == ["data sets of the dict: train = 'train', validation = 'dev'; left out: 'unsupervised'"]
    for other in ({"a": data}, {"train": data, "train-2": data}, {"text": ["a"], "label": ["b"]}):
        assert with_splits({"train": other}) == ({"train": other}, [])
    assert "'train' is a data set of its own; choose one: data['train']" in refused(given)


def test_a_run_takes_names_and_splits() -> None:
    features = {"text": Value(), "label": ClassLabel(["no", "yes"])}
    part = Dataset([{"text": f"text {i}", "label": i % 2} for i in range(8)], features)
    data = read_data(
        load(None, {"task": "classification"}), {"train": {"train": part, "test": part, "validation": part}}
    )
    assert data.task.labels == ["no", "yes"]
    assert set(data.splits) == {"train", "test", "validation"}
    assert data.notes[0] == "data sets of the dict: train = 'train', test = 'test', validation = 'validation'"
