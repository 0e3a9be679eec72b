"""What a release may lose: how it is written, and what becomes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from afina.comparison.comparison import compare
from afina.comparison.gate import Gate, Rule, parse
from afina.errors import ConfigError
from tests.comparison.made import made, rights

N = 300


def test_rules_are_read() -> None:
    assert parse("entity_f1 -0.5, recall per label -2") == [
        Rule("entity_f1", -0.5),
        Rule("recall", -2.0, each=True),
    ]
    assert parse(" f1  of \"a, b\" -1 ,precision of good one -0.25,recall of 'x' 0, log_loss +0.02 ") == [
        Rule("f1", -1.0, label="a, b"),
        Rule("precision", -0.25, label="good one"),
        Rule("recall", 0.0, label="x"),
        Rule("log_loss", 0.02),
    ]


@pytest.mark.parametrize(
    "text", ["", "accuracy", "accuracy -", "accuracy -0.5%", "per label -2", "f1 of -1", "a -1; b -1"]
)
def test_what_is_no_rule_is_shown_what_one_is(text: str) -> None:
    with pytest.raises(ConfigError, match="gate: expected METRIC -POINTS, METRIC per label -POINTS or METRIC of LABEL"):
        parse(text)


def gate_of(tmp_path: Path, text: str, *, new: list[bool] | None = None, task: str = "classification") -> Gate:
    """What a gate says of a newer run that loses every fifth row of an older one."""
    old = rights(N, 0.9)
    new = [one and i % 5 != 0 for i, one in enumerate(old)] if new is None else new
    number = len(list(tmp_path.iterdir()))
    runs = [made(tmp_path / f"{number}-{name}", task, right=own) for name, own in (("old", old), ("new", new))]
    gate = compare(runs, gate=text).gate
    assert gate is not None
    return gate


def test_a_loss_beyond_what_is_allowed_fails(tmp_path: Path) -> None:
    gate = gate_of(tmp_path, "accuracy -0.5, macro_f1 -50")
    assert [check.answer for check in gate.checks] == ["failed", "held"]
    assert [check.allowed for check in gate.checks] == [0.005, 0.5]
    assert (gate.named("failed"), gate.passes()) == (["accuracy"], False)


def test_what_the_rows_can_not_tell_is_undecided(tmp_path: Path) -> None:
    gate = gate_of(tmp_path, "accuracy -18")
    assert [check.answer for check in gate.checks] == ["undecided"]
    assert (gate.passes(), gate.passes(undecided=False)) == (True, False)


def test_every_label_is_looked_at(tmp_path: Path) -> None:
    """Only the recall of b is lost."""
    new = [one and i % 3 != 1 for i, one in enumerate(rights(N, 0.9))]
    gate = gate_of(tmp_path, "recall per label -5, recall of b -95", new=new)
    assert [check.name for check in gate.checks] == ["recall of a", "recall of b", "recall of c", "recall of b"]
    assert [check.answer for check in gate.checks] == ["held", "failed", "held", "held"]


def test_the_same_answers_hold_whatever_is_allowed(tmp_path: Path) -> None:
    gate = gate_of(tmp_path, "accuracy 0, f1 per label -0", new=rights(N, 0.9))
    assert {check.answer for check in gate.checks} == {"held"}


def test_an_error_may_rise_by_its_own_units(tmp_path: Path) -> None:
    gate = gate_of(tmp_path, "mean_squared_error +0.5, mean_squared_error +9, pearson -1", task="regression")
    assert [(check.answer, check.points) for check in gate.checks] == [
        ("failed", False),
        ("held", False),
        ("held", True),
    ]


def test_of_a_rare_label_nothing_is_decided(tmp_path: Path) -> None:
    runs = [
        made(tmp_path / name, right=[True] * 30, order=[*range(0, 84, 3), 1, 4], fitted={"labels": ["a", "b", "c"]})
        for name in ("old", "new")
    ]
    other = made(tmp_path / "other", right=[i < 28 for i in range(30)], order=[*range(0, 84, 3), 1, 4])
    assert compare([runs[0], other], gate="recall of b -1").gate is not None
    (check,) = compare([runs[0], other], gate="recall of b -1").gate.checks  # type: ignore[union-attr]
    assert (check.answer, check.reason) == ("undecided", "2 gold items, and 5 are needed")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("f1 -1", "no metric 'f1' of all rows; of all rows there are: accuracy, .*; of labels: f1, precision, recall"),
        ("accuracy per label -1", r"no metric 'accuracy' of labels; .* \(recall per label -2\)"),
        ("recall of z -1", "there is no label 'z'; there are: 'a', 'b', 'c'"),
        ("accuracy +1", "accuracy is better when it is higher: write what it may lose in points, accuracy -1"),
        ("log_loss -1", r"log_loss is better when it is lower: write what it may lose in its own units, log_loss \+1"),
    ],
)
def test_wrong_rules_say_what_there_is(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"gate: .*{says}"):
        gate_of(tmp_path, text)


def test_a_task_without_labels_has_no_rules_of_labels(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="recall of labels: the task regression has none that can be counted"):
        gate_of(tmp_path, "recall per label -1", task="regression")


def test_many_checks_are_adjusted_together(tmp_path: Path) -> None:
    alone, among = (
        gate_of(tmp_path, text).checks[0].p_value for text in ("accuracy -13", "accuracy -13, f1 per label -60")
    )
    assert among == pytest.approx(min(1, 4 * alone))
