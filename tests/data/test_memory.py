"""Data in memory become rows with plain values."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.data.sources import read, rows
from afina.errors import ConfigError, Problem
from afina.records import Row
from tests.data.reading import refused


def test_dicts_keep_their_values_and_know_their_row() -> None:
    found = rows([{"a": "NA", "b": [1, {"c": None}]}, {"a": 2}])
    assert found == [Row({"a": "NA", "b": [1, {"c": None}]}, "row 1"), Row({"a": 2}, "row 2")]
    assert [row.place for row in rows(iter([{"a": 1}]), name="data")] == ["data row 1"]


def test_missing_values_and_numpy_become_plain() -> None:
    given = {
        "a": np.float32("nan"),
        "b": np.int64(3),
        "c": np.array([[1, 2]]),
        "d": float("nan"),
        "e": (np.bool_(True),),
    }
    [row] = rows([given])
    assert row.values == {"a": None, "b": 3, "c": [[1, 2]], "d": None, "e": [True]}
    assert type(row.values["b"]) is int
    assert type(rows([{"a": np.str_("x")}])[0].values["a"]) is str


@given(st.decimals(allow_infinity=False, allow_nan=False, places=2, min_value=-(10**6), max_value=10**6))
def test_decimal_numbers_are_numbers(number: Decimal) -> None:
    [row] = rows([{"a": number, "b": Decimal("nan"), "c": Decimal("inf"), "d": Decimal("snan")}])
    assert row.values == {"a": pytest.approx(float(number)), "b": None, "c": np.inf, "d": None}
    assert type(row.values["a"]) in (int, float)


def test_dates_in_memory_are_written_as_those_of_files() -> None:
    pandas = pytest.importorskip("pandas")
    day, missing = np.datetime64("2024-02-05T09:07", "ns"), np.datetime64("NaT", "ns")
    column = np.array([day, missing])
    for dates in (column, pandas.Series(column), [datetime(2024, 2, 5, 9, 7), None]):
        assert [row.values["a"] for row in rows({"a": dates})] == ["2024-02-05 09:07:00", None]
    assert rows([{"a": [date(2024, 2, 5)]}])[0].values == {"a": ["2024-02-05"]}


def test_items_that_are_no_rows() -> None:
    found = list(read([{"a": 1}, "text", {1: 2}, {"a": "\ud800"}]))
    assert [type(item) for item in found] == [Row, Problem, Problem, Problem]
    assert str(found[1]).startswith("row 2: a dict of column names and values is expected, found str; name the ")
    assert "row 3: a column name must be text, found 1" in str(found[2])
    assert "half of a surrogate pair" in str(found[3])


def test_a_dict_of_columns() -> None:
    assert [row.values for row in rows({"a": ["x", "y"], "b": np.array([1, 2])})] == [
        {"a": "x", "b": 1},
        {"a": "y", "b": 2},
    ]
    assert "'a' has 1, 'b' has 2" in refused({"a": [1], "b": [1, 2]})
    assert "put the dict into a list" in refused({"a": "x", "b": "y"})
    assert "differ only by case" in refused({"a": [1], "A": [2]})


@pytest.mark.parametrize("source", [[], {}, {"a": []}])
def test_no_rows_in_memory(source: Any) -> None:
    assert refused(source) == "data: no rows"


def test_what_is_no_data_at_all() -> None:
    for source in (7, b"bytes", None):
        assert f"can't read rows from {type(source).__name__}" in refused(source)
    with pytest.raises(ConfigError, match="data in memory has its own names"):
        read([{"a": 1}], columns=["a"])


def test_what_is_wrong_with_data_as_a_whole_names_them() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame([["a", "b"]])
    for source, found in ((7, "can't read rows"), ({"a": "x"}, "'a' holds 'x'"), (frame, "must be text, found 0")):
        assert refused(source, name="test").startswith("test: ")
        assert found in refused(source, name="test")
    assert "; name the columns (pandas: frame.columns = ['text', 'label'])" in refused(frame)


def test_pandas_frames() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {
            "text": ["x", None, "NA"],
            "n": [1, 2, 3],
            "f": [0.5, float("nan"), 2.0],
            "day": pandas.to_datetime([None] * 3),
        },
        index=[7, 8, 9],
    ).assign(maybe=pandas.array([1, None, 3], dtype="Int64"))
    found = rows(frame, name="train")
    assert [row.values["text"] for row in found] == ["x", None, "NA"]
    assert [row.values["f"] for row in found] == [0.5, None, 2.0]
    assert [row.values["maybe"] for row in found] == [1, None, 3]
    assert found[0].values["day"] is None
    assert [type(row.values["n"]) for row in found] == [int] * 3
    assert [row.place for row in found] == ["train row 1", "train row 2", "train row 3"]
    assert "have the same name" in refused(pandas.DataFrame([[1, 2]], columns=["a", "a"]))
    assert "a column name must be text, found 0" in refused(pandas.DataFrame([[1, 2]]))


def test_arrow_tables() -> None:
    arrow = pytest.importorskip("pyarrow")
    table = arrow.table({"text": ["x", None], "labels": [["a"], ["b", "c"]]})
    expected = [{"text": "x", "labels": ["a"]}, {"text": None, "labels": ["b", "c"]}]
    assert [row.values for row in rows(table)] == expected
    assert [row.values for row in rows(dict(zip(table.column_names, table.columns, strict=True)))] == expected
    assert "have the same name" in refused(arrow.Table.from_arrays([arrow.array([1])] * 2, names=["a", "a"]))


class Polars:
    """As much of a polars frame as is used."""

    columns = ("a", "b")

    def iter_rows(self, *, named: bool) -> Iterator[dict[str, int]]:
        assert named
        yield {"a": 1, "b": 2}


class HuggingFace:
    """As much of a Hugging Face data set as is used."""

    column_names = ("a",)

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[dict[str, int]]:
        yield {"a": 1}


def test_other_frames_and_data_sets() -> None:
    assert rows(Polars()) == [Row({"a": 1, "b": 2}, "row 1")]
    assert rows(HuggingFace()) == [Row({"a": 1}, "row 1")]
    assert "choose one: data['train']" in refused({"train": HuggingFace()})


def test_half_a_character_inside_a_list_is_found() -> None:
    items = list(read([{"words": ["a", "\ud83d"], "n": 1}, {"words": [{"text": "\ud83d"}]}]))
    assert [getattr(item, "code", "") for item in items] == ["lone-surrogate"] * 2
