"""Errors list what is wrong, count what they don't list, and know their exit code."""

from __future__ import annotations

import pytest

from afina.errors import (
    SHOWN,
    AfinaError,
    ConfigError,
    DataError,
    InputError,
    MissingExtra,
    ModelError,
    Problem,
    TrainingError,
    printable,
)  # fmt: skip


def test_a_problem_says_where_what_and_how() -> None:
    assert str(Problem("a.csv:3", "no label", "label the row", "empty-label")) == "a.csv:3: no label; label the row"
    assert str(Problem("a.csv:3", "no label")) == "a.csv:3: no label"


def test_many_problems_are_counted() -> None:
    problems = [Problem(f"a.csv:{line}", "no label") for line in range(SHOWN + 5)]
    error = DataError(problems, hint="do this")
    lines = str(error).split("\n")
    assert len(lines) == SHOWN + 2
    assert lines[-2:] == [f"... and 5 more ({SHOWN + 5} problems in all)", "do this"]
    assert error.total == SHOWN + 5


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError(["a", "b"]), 2),
        (DataError(Problem("x", "y")), 2),
        (ModelError("x"), 2),
        (MissingExtra("cleanlab", "quality", "looking"), 2),
        (TrainingError("x"), 1),
    ],
)
def test_only_the_users_input_ends_with_2(error: AfinaError, code: int) -> None:
    assert error.exit_code == code
    assert isinstance(error, InputError) == (code == 2)


def test_a_value_is_quoted_escaped_and_short() -> None:
    assert printable("a\x1b[31m") == r"'a\x1b[31m'"
    assert printable("x" * 500, 10) == "'" + "x" * 8 + "…"
