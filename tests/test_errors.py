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
    Tally,
    TrainingError,
    listed,
    printable,
    shortened,
)  # fmt: skip
from afina.tasks import inputs


def test_a_problem_says_where_what_and_how() -> None:
    assert str(Problem("a.csv:3", "no label", "label the row", "empty-label")) == "a.csv:3: no label; label the row"
    assert str(Problem("a.csv:3", "no label")) == "a.csv:3: no label"


def test_equal_problems_are_one_line_with_their_number_and_five_places() -> None:
    problems = [Problem(f"a.csv:{line}", "no label", "label it") for line in range(1, 31)]
    error = DataError(problems, hint="do this")
    assert str(error) == "a.csv:1: no label; label it (30 of the kind: a.csv:1, :2, :3, :4, :5, ...)\ndo this"
    assert (error.total, error.problems) == (30, problems)


def test_different_problems_of_a_kind_are_a_few_lines_with_one_cure() -> None:
    problems = [Problem(f"a.csv:{i}", f"'{i % 8}' is no number", "write a number", "not-a-number") for i in range(80)]
    *lines, rest, total = str(DataError([*problems, Problem("b.csv:2", "empty", "", "empty-text")])).split("\n")
    assert lines[0] == ("a.csv:0: '0' is no number; write a number (10 of the kind: a.csv:0, :8, :16, :24, :32, ...)")
    assert lines[1] == "a.csv:1: '1' is no number (10 of the kind: a.csv:1, :9, :17, :25, :33, ...)"
    assert lines[SHOWN] == "... and 30 more of the kind: a.csv:5, :6, :7, :13, :14, ..."
    assert (rest, total) == ("b.csv:2: empty", "81 problems in all")


def test_few_problems_are_listed_as_they_are() -> None:
    problems = [Problem("a.csv:1", "x", "mend it", "one"), Problem("b.csv:1", "y", "mend it", "two")]
    assert str(DataError(problems)).split("\n") == [str(problem) for problem in problems]


def test_a_tally_counts_without_keeping() -> None:
    tally = Tally()
    for line in range(1000):
        tally.add(Problem(f"a.csv:{line}", f"{line} is odd", "", "odd"))
    error = DataError(tally)
    assert error.total == 1000
    assert len(error.problems) == SHOWN


def test_places_without_the_name_of_the_file_before() -> None:
    assert shortened(["a.csv:1", "a.csv:2", "b.csv:2", "row 3"]) == ["a.csv:1", ":2", "b.csv:2", "row 3"]


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


def test_a_long_list_of_names_shows_the_nearest_ten() -> None:
    names = [f"feature_{number}" for number in range(300)] + ["Comment text"]
    assert listed(names[:3]) == "'feature_0', 'feature_1', 'feature_2'"
    assert listed(names).endswith("'feature_9' and 291 more")
    near = listed(names, near=["comment_text"])
    assert near.startswith("'Comment text', ")
    assert near.count(", ") == 9
    assert near.endswith(" and 291 more")


def test_a_message_about_many_columns_names_those_like_the_wanted_one() -> None:
    names = [f"V{number:03}" for number in range(500)] + ["review text"]
    with pytest.raises(ConfigError, match=r"did you mean 'review text'\? The columns are: 'review text', .* and 491 m"):
        inputs.present("text", "reviewtext", names)
    with pytest.raises(ConfigError, match=r"which column holds the label.*'the label', .* and 491 more"):
        inputs.target_column("label", None, ("label",), [*names[:-1], "the label"])
