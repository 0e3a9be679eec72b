"""What can be explained of an answer: the logits of its labels, as the windows that decide have them."""

from __future__ import annotations

import numpy as np
import pytest

from afina.errors import ConfigError
from afina.records import Example, Window
from afina.tasks.aims import read_label
from afina.tasks.base import find, names
from tests.networks import task_of

SPANS = np.array([(0, 0), (0, 1), (2, 3), (0, 0)], np.int32)
WINDOW = Window(np.arange(4, dtype=np.int32), np.zeros(4, np.int32), np.array([-1, 0, 0, -1], np.int32), SPANS, (1, 3))
EXAMPLE = Example("a b", place="item 3")
LOGITS = [np.array([0.0, 3.0, 1.0]), np.array([1.0, 2.0, 3.0])]
WINDOWS = [WINDOW, WINDOW]


def test_a_label_is_the_mean_of_its_logits_over_the_windows() -> None:
    task = task_of()
    (aim,) = task.aims(EXAMPLE, WINDOWS, LOGITS, None)
    assert (aim.label, aim.value(LOGITS)) == ("b", 2.5)
    assert aim.score == task.decode(EXAMPLE, WINDOWS, LOGITS)["probabilities"]["b"]
    (other,) = task.aims(EXAMPLE, WINDOWS, LOGITS, "c")
    assert (other.label, other.value(LOGITS)) == ("c", 2.0)


def test_a_set_of_labels_has_an_aim_each_and_an_empty_one_its_likeliest() -> None:
    task = task_of("multilabel")
    several = [np.array([2.0, -1.0, 1.0])]
    assert [aim.label for aim in task.aims(EXAMPLE, [WINDOW], several, None)] == ["a", "c"]
    nothing = [np.array([-2.0, -1.0, -3.0])]
    (aim,) = task.aims(EXAMPLE, [WINDOW], nothing, None)
    assert (aim.label, aim.value(nothing)) == ("b", -1.0)
    assert aim.score is not None
    assert aim.score < 0.5


def test_a_number_is_explained_itself() -> None:
    task, logits = task_of("regression"), [np.array([2.0]), np.array([4.0])]
    (aim,) = task.aims(EXAMPLE, WINDOWS, logits, None)
    assert (aim.label, aim.score, aim.value(logits)) == ("score", 3.0, 3.0)
    with pytest.raises(ConfigError, match=r"label: regression answers with a number, .* found 'x'; leave it out"):
        task.aims(EXAMPLE, WINDOWS, logits, "x")


def test_labels_are_found_however_they_are_written() -> None:
    task = task_of(fitted={"labels": ["1", "2", "true"]})
    assert [task.aims(EXAMPLE, WINDOWS, LOGITS, wish)[0].label for wish in (1, 2.0, True, "2")] == [
        "1",
        "2",
        "true",
        "2",
    ]
    with pytest.raises(ConfigError, match="label: 'x' is not a label of this model; there are: '1', '2', 'true'"):
        task.aims(EXAMPLE, WINDOWS, LOGITS, "x")
    with pytest.raises(ConfigError, match=r"label: \(0, 1\) is not a label"):
        task.aims(EXAMPLE, WINDOWS, LOGITS, (0, 1))


def test_every_task_of_ours_says_what_can_be_explained_and_others_are_told_to() -> None:
    own = [name for name in names() if find(name).__module__.startswith("afina.")]
    assert len(own) == 5
    ordinal = find("ordinal")
    task = ordinal(ordinal.Options(), {"grades": ["a", "b", "c", "d"]})
    with pytest.raises(ConfigError, match=r"the task ordinal does not say which outputs make an answer \(Task.aims\)"):
        task.aims(EXAMPLE, WINDOWS, LOGITS, None)


def test_labels_of_the_command_line() -> None:
    tokens = task_of("tokens")
    assert read_label(tokens, None) is None
    assert read_label(tokens, "A") == "A"
    assert read_label(tokens, "3:7") == (3, 7)
    assert read_label(tokens, "3:7:B C:D") == (3, 7, "B C:D")
    assert read_label(task_of("answers"), "3:7") == (3, 7)
    assert read_label(task_of("tokens", {"kind": "plain", "types": ["3:7"]}), "3:7") == "3:7"
    assert read_label(task_of(fitted={"labels": ["1:2", "b"]}), "1:2") == "1:2"
    with pytest.raises(ConfigError, match="'z' is not a label"):
        read_label(task_of(), "z")
