"""Names of columns that can't be told apart are refused, all at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.data.names import check_names, lookalikes
from afina.errors import DataError


def test_every_fault_is_named() -> None:
    with pytest.raises(DataError) as caught:
        check_names("a.csv:1", ["a", " ", 7, "B", "b ", "a"])
    assert [(problem.code, problem.place) for problem in caught.value.problems] == [
        ("empty-name", "a.csv:1"),
        ("bad-name", "a.csv:1"),
        ("twin-names", "a.csv:1"),
        ("twin-names", "a.csv:1"),
    ]
    assert [problem.message for problem in caught.value.problems] == [
        "column 2 has no name",
        "a column name must be text, found 7",
        "the columns 'a' and 'a' have the same name",
        "the columns 'B' and 'b ' differ only by case or by blanks around the name",
    ]


@given(names=st.lists(st.text(min_size=1).filter(str.strip)))
def test_names_are_refused_where_two_are_alike(names: list[str]) -> None:
    alike = lookalikes(names)
    assert sum(len(group) - 1 for group in alike) == len(names) - len({name.strip().casefold() for name in names})
    if alike:
        with pytest.raises(DataError):
            check_names("data", names)
    else:
        check_names("data", names)
