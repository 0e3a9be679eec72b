"""Columns and labels that tasks share."""

from __future__ import annotations

import numpy as np
import pytest

from afina.errors import ConfigError, DataError
from afina.records import Example, Row
from afina.tasks import inputs


def test_columns_are_recognised_or_asked_for() -> None:
    assert inputs.text_columns(None, None, ["id", "Review", "label"]) == ("Review", None)
    assert inputs.text_columns(None, None, ["premise", "hypothesis"]) == ("premise", "hypothesis")
    assert inputs.text_columns(None, None, ["review", "body", "text"]) == ("text", None)
    with pytest.raises(ConfigError, match="several could be meant"):
        inputs.text_columns(None, None, ["tweet", "review"])
    with pytest.raises(ConfigError, match=r"the data have no column 'txt', did you mean 'text'\?"):
        inputs.present("text", "txt", ["text", "label"])


@pytest.mark.parametrize(
    ("value", "label"), [("a b", "a b"), (1, "1"), (1.0, "1"), (True, "true"), (["x"], "x"), (0.5, "0.5")]
)
def test_labels_are_texts(value: object, label: str) -> None:
    assert inputs.read_label(Row({"label": value}, "a.csv:2"), "label") == label


@pytest.mark.parametrize("value", ["", "  ", None, ["a", "b"], {"a": 1}])
def test_what_is_no_label_is_refused(value: object) -> None:
    with pytest.raises(DataError, match=r"a\.csv:2"):
        inputs.read_label(Row({"label": value}, "a.csv:2"), "label")


def test_labels_have_a_stable_order() -> None:
    assert inputs.sorted_labels(["10", "9", "1", "9"]) == ["1", "9", "10"]
    assert inputs.sorted_labels(["b", "B", "10"]) == ["10", "B", "b"]


def test_an_unseen_label_is_named_with_what_was_meant() -> None:
    assert inputs.unseen(Example("x", target="pos"), ["neg", "pos"]) is None
    problem = inputs.unseen(Example("x", target="Pos ", place="a.csv:4"), ["neg", "pos"], countable=True)
    assert problem is not None
    assert (problem.place, problem.code, problem.fix) == ("a.csv:4", inputs.COUNTABLE, "did you mean 'pos'?")


def test_names_are_shown_short() -> None:
    assert inputs.show_names(["a", "b"]) == "'a + b'"
    assert inputs.show_names([]) == "nothing"


def test_softmax_and_sigmoid_do_not_overflow() -> None:
    assert inputs.softmax(np.array([1e4, 0.0])).tolist() == [1.0, 0.0]
    assert inputs.sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    from sklearn.utils.class_weight import compute_class_weight

    gold = ["a"] * 6 + ["b"] * 3 + ["c"]
    ours = inputs.class_weights("balanced", ["a", "b", "c"], {"a": 6, "b": 3, "c": 1})
    assert ours == pytest.approx(compute_class_weight("balanced", classes=np.array(["a", "b", "c"]), y=gold).tolist())
    assert inputs.class_weights("none", ["a"], {"a": 1}) is None
    with pytest.raises(ConfigError, match="needs one weight for each label; 'b'"):
        inputs.class_weights({"a": 1.0}, ["a", "b"], {"a": 1, "b": 1})
