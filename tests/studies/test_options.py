"""Options of studies as they are typed: lists with commas, and of every wrong value what would be right."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from afina.cli.studies import options
from afina.errors import ConfigError
from afina.studies import base
from afina.studies.sweep import Space
from tests.cli.conftest import afina, here, refused

__all__ = ["here"]
WRONG = ("5", "-1", "0", "1.5", "true", "x", "x,y", "{a: 1}", "[]", "[x]", "[-1]", "1e-4,x", "''")
"""Texts of which most are wrong for any option."""
ALL = [(name, option) for name in base.names() for option in base.options_of(base.find(name)).model_fields]


def checked(study: str, *items: str) -> dict[str, Any]:
    """The options of a study from what is typed."""
    return base.checked(base.find(study), options(items))


@pytest.mark.parametrize(("study", "option"), ALL, ids=str)
def test_every_wrong_value_is_answered_with_a_right_one(study: str, option: str) -> None:
    refusals = 0
    for text in WRONG:
        try:
            checked(study, f"{option}={text}")
        except ConfigError as error:
            refusals += 1
            for problem in error.problems:
                assert problem.startswith(f"option.{option}")
                complaint, _, cure = problem.partition("; for example ")
                assert ", found " in complaint
                assert "nstance" not in complaint
                typed = shlex.split(cure)
                assert typed[0] == "--option", problem
                checked(study, typed[1])
    assert refusals >= 4


def test_all_options_are_seen() -> None:
    assert len(ALL) >= 45


@pytest.mark.parametrize(
    ("study", "typed", "value"),
    [
        ("strategies", "names=full,last-2", ["full", "last-2"]),
        ("strategies", "names= full , head-mean ", ["full", "head-mean"]),
        ("strategies", "names=full", ["full"]),
        ("strategies", 'names=["full", "last-2"]', ["full", "last-2"]),
        ("rates", "factors=1,0.2", [1.0, 0.2]),
        ("rates", "factors=2", [2.0]),
        ("data", "sizes=50,0.5,1.0", [50, 0.5, 1.0]),
        ("data", "scratch_rates=1e-4,1e-3", [1e-4, 1e-3]),
        ("cost", "of=runs/one,runs/two", ["runs/one", "runs/two"]),
        ("transfer", "models=runs/adapted", ["runs/adapted"]),
        ("sweep", "search={strategy: [full, last-2]}", {"strategy": ["full", "last-2"]}),
    ],
)
def test_lists_are_typed_with_commas(study: str, typed: str, value: Any) -> None:
    found = checked(study, typed)[typed.partition("=")[0]]
    assert (list(found) if isinstance(value, list) else found) == value


def test_one_and_all_are_told_apart() -> None:
    first, last = checked("data", "sizes=1,1.0")["sizes"]
    assert (type(first), type(last)) == (int, float)


@pytest.mark.parametrize("study", ["strategies", "rates"])
def test_unknown_strategies_are_named_before_anything_starts(study: str) -> None:
    with pytest.raises(ConfigError, match=r"option.names.1: expected full, .*, or head-mean, found 'lats-2'; for exam"):
        checked(study, "names=full,lats-2")
    with pytest.raises(ConfigError, match=r"option.strategy: expected full, .*, found 'lats-2'; for example"):
        checked("pooling", "strategy=lats-2")


def test_options_of_other_packages_have_a_cure_by_their_type() -> None:
    def other(
        study: Any, *, words: list[str] | None = None, count: int | None = None, ends: tuple[int, ...] = ()
    ) -> Any:
        """A design of somebody else."""

    cures = {"words=[1]": "words=NAME", "count=x": "count=1", "ends=x": ""}
    for typed, cure in cures.items():
        with pytest.raises(ConfigError) as told:
            base.checked(other, options([typed]))
        assert str(told.value).endswith(f"--option {cure}" if cure else "found 'x'")


def test_searched_values_are_typed_with_commas() -> None:
    assert list(Space.read("strategy", "full,last-2").values) == ["full", "last-2"]
    assert list(Space.read("training.batch_size", "16, 32").values) == [16, 32]
    with pytest.raises(ConfigError, match=r"search: x: expected a range or a list, found 5; for example --search lear"):
        Space.read("x", 5)


@pytest.mark.usefixtures("here")
def test_the_command_says_it() -> None:
    Path("train.csv").write_text("text,label\n", encoding="utf-8")
    said = "option.names: expected a list, found {'a': 1}; for example --option names=full,last-2"
    refused(afina("study", "strategies", "train.csv", "--option", "names={a: 1}"), said)
    refused(afina("study", "strategies", "train.csv", "--option", "names"), "for example --option rates=1e-4,2e-4")
    for flag in (("study", "rates", "--seeds", 0), ("sweep", "--trials", 0), ("advise", "--margin", -1)):
        refused(afina(*flag, "--train", "train.csv"), "input should be greater than or equal to ")
