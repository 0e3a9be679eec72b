"""Sets of labels: separators, thresholds, the empty set."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from afina.errors import ConfigError, DataError
from afina.records import Example, Row
from afina.tasks.inputs import sigmoid
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
