"""Names of columns are kept as they are; those that mislead are refused."""

from __future__ import annotations

import pytest

from afina.data.names import check_names
from afina.data.sources import columns_of, rows
from afina.errors import DataError
from tests.data.files import Write, refused


def test_headers_that_mislead_are_refused_all_at_once(write: Write) -> None:
    path = write("a.csv", "text,text,,Label,label ,ok\n1,2,3,4,5,6\n")
    message = refused(path)
    assert f"{path}:1: column 3 has no name" in message
    assert "the columns 'text' and 'text' have the same name" in message
    assert "the columns 'Label' and 'label ' differ only by case or by blanks" in message
    assert "the same name" in refused(path, columns=["a", "a"])


def test_header_names_are_kept_as_they_are(write: Write) -> None:
    assert columns_of(rows(write("a.csv", "#1 String, Two \n1,2\n"))) == ["#1 String", " Two "]


def test_names_that_are_no_text_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        check_names("data", ["text", 7, " "])
    assert [problem.code for problem in caught.value.problems] == ["empty-name", "bad-name"]
    assert str(caught.value.problems[1]) == "data: a column name must be text, found 7"
