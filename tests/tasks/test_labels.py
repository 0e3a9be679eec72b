"""Labels in cells, vectors of 0 and 1, and one label in two spellings."""

from __future__ import annotations

from typing import Any

import pytest

from afina.errors import ConfigError
from afina.records import Example
from afina.tasks.labels import adapted, as_label, cell_of, check_vectors, in_vector, respelled


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("['a', 'b']", ["a", "b"]),
        ('{"choices": ["a", "b"]}', ["a", "b"]),
        ({"choices": ["a"]}, ["a"]),
        ({"choices": ["a"], "more": 1}, {"choices": ["a"], "more": 1}),
        ("a", "a"),
        (1, 1),
    ],
)
def test_cells(cell: Any, value: Any) -> None:
    assert cell_of(cell) == value


@pytest.mark.parametrize(
    ("value", "label"), [(1, "1"), (1.0, "1"), (True, "true"), ("1.0", "1.0"), (0.5, "0.5"), (None, None), ([], None)]
)
def test_values_as_labels(value: Any, label: str | None) -> None:
    assert as_label(value) == label


@pytest.mark.parametrize(
    ("value", "labels"),
    [
        ([0, 1, 1], ["b", "c"]),
        ([0.0, 1.0, 0.0], ["b"]),
        ([True, False, False], ["a"]),
        ("[0 1 0]", ["b"]),
        ("[0. 0. 0.]", []),
        ("[True, False, True]", ["a", "c"]),
        ("0,1,0", ["b"]),
        ("0;1;0", ["b"]),
        ("0 1 0", ["b"]),
        ([0, 1], None),
        ([0, 1, 2], None),
        (["a", "b", "c"], None),
        ("a", None),
        (None, None),
    ],
)
def test_vectors(value: Any, labels: list[str] | None) -> None:
    assert in_vector(value, ["a", "b", "c"]) == labels


def test_labels_that_are_called_0_and_1_are_no_vector() -> None:
    assert in_vector(["0", "1"], ["0", "1"]) is None


def test_vectors_need_names() -> None:
    with pytest.raises(ConfigError, match=r"--set options.labels=\[label1,label2,label3\]"):
        check_vectors("tags", 3, None)
    with pytest.raises(ConfigError, match="2 names, and the vectors of column 'tags' have 3 places"):
        check_vectors("tags", 3, ["a", "b"])
    check_vectors("tags", 2, ["a", "b"])


@pytest.mark.parametrize(
    ("found", "known", "names"),
    [
        (["0", "1"], ["0.0", "1.0"], {"0": "0.0", "1": "1.0"}),
        (["0.0", "1.00"], ["0", "1"], {"0.0": "0", "1.00": "1"}),
        (["True", "False"], ["true", "false"], {"True": "true", "False": "false"}),
        (["TRUE"], ["True", "False"], {"TRUE": "True"}),
        (["true", "false"], ["0", "1"], {"true": "1", "false": "0"}),
        (["1", "0"], ["False", "True"], {"1": "True", "0": "False"}),
        (["true"], ["0", "1", "2"], {}),
        (["1.0"], ["1.0", "1"], {}),
        (["1"], ["1.0", "1.00"], {}),
        (["1.1"], ["1.10"], {}),
        (["Good"], ["good"], {}),
        (["1"], ["01"], {}),
        (["-1.0"], ["-1"], {"-1.0": "-1"}),
    ],
)
def test_one_label_in_two_spellings(found: list[str], known: list[str], names: dict[str, str]) -> None:
    assert respelled(found, known) == names


def test_examples_are_respelled_and_it_is_said() -> None:
    examples = [Example("x", target="1.0"), Example("y", target="0"), Example("z", target="1.0")]
    found, notes = adapted(examples, ["0", "1"])
    assert [one.target for one in found] == ["1", "0", "1"]
    assert notes == ["label '1.0' is read as '1', as the training data spell it (2 times)"]
    found, notes = adapted([Example("x", target=("1", "1.0"))], ["1"])
    assert [one.target for one in found] == [("1",)]
    assert adapted(examples[1:2], ["0"]) == (examples[1:2], [])
