"""Sets of labels: separators, thresholds, the empty set."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from afina import inference
from afina.errors import ConfigError, DataError
from afina.metrics.temperature import sigmoid
from afina.records import Example, Row
from afina.tasks.multilabel import Multilabel, MultilabelOptions, best_threshold


def task(labels: list[str], **fitted: object) -> Multilabel:
    return Multilabel(MultilabelOptions(text="text", label="labels"), {"labels": labels, **fitted})


@pytest.mark.parametrize(
    ("cell", "labels"),
    [
        ("a; b", ("a", "b")),
        ("", ()),
        ("  ", ()),
        (None, ()),
        (["a b", "c;d"], ("a b", "c;d")),
        ([], ()),
        ([1, 2], ("1", "2")),
        ({"b", "a"}, ("a", "b")),
        (frozenset(), ()),
    ],
)
def test_cells(cell: object, labels: tuple[str, ...]) -> None:
    assert task([]).read(Row({"text": "x", "labels": cell}, "f:2")).target == labels


def test_a_wrong_separator_is_noticed() -> None:
    examples = [Example("x", target=("a, b",)), Example("y", target=("b, c",)), Example("z", target=("d",))]
    with pytest.raises(ConfigError, match=r"'a, b' looks separated by ','.*--set options.separator=','"):
        task([]).fit(examples)


def test_no_label_at_all_is_refused() -> None:
    with pytest.raises(ConfigError, match="no training example has a label"):
        task([]).fit([Example("x", target=())])


def test_an_unknown_label_names_its_line() -> None:
    problem = task(["a", "b"]).check(Example("x", target=("a", "c"), place="dev.csv:7"))
    assert str(problem).startswith("dev.csv:7: label 'c' does not occur in the training data")


probabilities = st.lists(st.tuples(st.floats(0.01, 0.99), st.booleans()), min_size=1, max_size=25)


@given(probabilities)
def test_no_threshold_is_better(pairs: list[tuple[float, bool]]) -> None:
    values = np.array([value for value, _ in pairs])
    gold = np.array([there for _, there in pairs])

    def f1(threshold: float) -> float:
        return float(f1_score(gold, values >= threshold, zero_division=0))

    best = f1(best_threshold(values, gold))
    assert all(
        best >= f1(threshold) - 1e-9 for threshold in [0.5, *np.linspace(0.02, 1, 60)] if (values >= threshold).any()
    )


def test_tuned_thresholds_decide() -> None:
    """Logits that are all below one half, and still right."""
    examples = [Example("x", target=("a",)), Example("y", target=())]
    logits = [[np.array([-1.0, -3.0])], [np.array([-2.0, -3.0])]]
    before = task(["a", "b"])
    after = before.fit_thresholds(examples, features=(), logits=logits)
    assert before.decode(examples[0], (), logits[0])["labels"] == []
    assert after.decode(examples[0], (), logits[0])["labels"] == ["a"]
    assert after.decode(examples[1], (), logits[1])["labels"] == []
    assert after.thresholds[1] == 0.5
    assert after.fitted["labels"] == ["a", "b"]


def test_balanced_weights_are_absent_over_present() -> None:
    made = Multilabel(MultilabelOptions(text="text", label="labels", class_weights="balanced"))
    fitted = made.fit([Example("x", target=("a",)), Example("y", target=("a", "b")), Example("z", target=())])
    assert fitted.fitted["weights"] == [0.5, 2.0]
    loss, count = fitted.loss(torch.zeros(1, 2), torch.tensor([[1.0, 0.0]]))
    assert float(loss) == pytest.approx(0.5 * np.log(2) + np.log(2))
    assert float(count) == 2


def test_sigmoid_does_not_overflow() -> None:
    found = sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    assert found.tolist() == [0.0, 0.5, 1.0]


def test_a_row_without_the_column_is_unlabelled_only_when_asked() -> None:
    example = task(["a"]).read(Row({"text": "x"}, "f:2"), labelled=False)
    assert example.target is None
    with pytest.raises(DataError, match="expected labels"):
        task(["a"]).read(Row({"text": "x", "labels": {"a": 1}}, "f:2"))


def chosen(cells: list[object], **options: object) -> Multilabel:
    """The task with its columns chosen by rows with these labels."""
    rows = [Row({"text": f"text {i}", "labels": cell}, f"f:{i}") for i, cell in enumerate(cells, 2)]
    return Multilabel(MultilabelOptions(**options)).columns(["text", "labels"], rows=rows)


VECTORS: list[tuple[list[object], tuple[str, ...]]] = [
    ([[0, 1], [1, 0], [1, 1]], ("label2",)),
    ([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]], ("label2",)),
    ([[True, False], [False, False]], ("label1",)),
    (["[0, 1, 1]", "[0, 0, 0]"], ("label2", "label3")),
    (["[0 1 1]", "[0 0 0]"], ("label2", "label3")),
    (["[0. 1. 1.]", "[0. 0. 0.]"], ("label2", "label3")),
    (["array([0, 1, 1])", None], ("label2", "label3")),
    (["0,1,1", "0,0,0"], ("label2", "label3")),
    (["0;1;1", "1;0;0"], ("label2", "label3")),
    (["0 1 1", "1 0 0"], ("label2", "label3")),
    ([["0", "1", "1"], ["0", "0", "0"]], ("label2", "label3")),
]


@pytest.mark.parametrize(("cells", "first"), VECTORS, ids=str)
def test_vectors_of_0_and_1_need_names(cells: list[object], first: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match=r"holds vectors of \d numbers.*--set options.labels=\[label1,") as caught:
        chosen(cells)
    names = str(caught.value).partition("options.labels=")[2]
    made = chosen(cells, labels=names.strip("[]"))  # what is proposed goes on
    rows = [Row({"text": "x", "labels": cell}, "f:2") for cell in cells]
    assert made.read(rows[0]).target == first
    assert made.remarks(rows)[0].startswith("vectors of 0 and 1 in 'labels' stand for 'label1', 'label2'")


@pytest.mark.parametrize(
    "cells",
    [
        [["0"], ["1"], ["0", "1"]],
        [["0", "1"], ["1", "0"]],
        ["0;1", "1", "0"],
        ["0", "1"],
        [[0], [1], [0, 1]],
        [[0], [1]],
        [[], [0, 1], [1]],
        [["a", "b"], ["b", "c"]],
    ],
    ids=str,
)
def test_labels_that_are_called_0_and_1_stay_labels(cells: list[object]) -> None:
    made = chosen(cells)
    found = {label for cell in cells for label in made.read(Row({"text": "x", "labels": cell}, "f:2")).target}
    assert found <= {"0", "1"} or found == {"a", "b", "c"}
    assert made.remarks([]) == []


def test_names_and_places_must_be_equally_many() -> None:
    with pytest.raises(ConfigError, match="3 names, and the vectors of column 'labels' have 2 places"):
        chosen([[0, 1], [1, 1]], labels=["a", "b", "c"])


def test_a_name_without_an_example_is_told() -> None:
    made = chosen([[1, 0, 0], [0, 1, 0]], labels=["a", "b", "c"])
    fitted = made.fit([Example("x", target=("a",)), Example("y", target=("b",))])
    assert fitted.found == {"labels that no training example has": "'c'"}
    assert fitted.labels == ["a", "b"]


@pytest.mark.parametrize(
    "cell",
    ["['a', 'b']", "['a' 'b']", '["a", "b"]', "array(['a', 'b'], dtype=object)", '{"choices": ["a", "b"]}',
     {"choices": ["a", "b"]}, "{'b', 'a'}", "('a', 'b')"],
)  # fmt: skip
def test_lists_of_labels_in_writing(cell: object) -> None:
    assert task([]).read(Row({"text": "x", "labels": cell}, "f:2")).target == ("a", "b")
    with pytest.raises(DataError, match=r"found a list: '\[a, b\]'; write a;b, or a list with quoted labels"):
        task([]).read(Row({"text": "x", "labels": "[a, b]"}, "f:2"))


def test_one_label_in_two_spellings_across_files() -> None:
    found, notes = task(["0", "1"]).adapt([Example("x", target=("1.0",)), Example("y", target=())])
    assert [one.target for one in found] == [("1",), ()]
    assert notes == ["label '1.0' is read as '1', as the training data spell it (1 times)"]


@given(st.lists(st.sets(st.sampled_from("abcd")), min_size=2, max_size=12).filter(any))
def test_no_constant_set_of_labels_has_a_higher_micro_f1(sets: list[set[str]]) -> None:
    """Against every subset of the labels."""
    examples = [Example("text", target=tuple(sorted(one))) for one in sets]
    fitted = task([]).fit(examples)
    constant = fitted.constant(examples)
    assert constant is not None
    prediction = constant.predict(examples[0])

    def score(labels: Iterable[str]) -> float:
        said = prediction | {"labels": list(labels)}
        return inference.score(fitted, inference.table_of(fitted, examples, predictions=[said] * len(sets)))["micro_f1"]

    every = [chosen for k in range(1, 5) for chosen in combinations(fitted.labels, k)]
    assert score(prediction["labels"]) == pytest.approx(max(map(score, every)))
