"""Files of predictions are read back as what was written."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.data import sources
from afina.errors import DataError
from afina.serving import files

CELLS = st.text(st.sampled_from('ab,;"\r\n\t é\u2028=') | st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)


@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=6))
def test_csv_comes_back_whatever_the_values_hold(rows: list[tuple[str, str]]) -> None:
    file = io.StringIO(newline="")
    files.csv_writer(file).writerows([("one", "two"), *rows])
    file.seek(0)
    assert [tuple(row) for row in csv.reader(file, strict=True)] == [("one", "two"), *rows]


def test_a_lone_carriage_return_is_read_back_by_our_own_reader(tmp_path: Path) -> None:
    with (tmp_path / "out.csv").open("w", encoding="utf-8", newline="") as file:
        files.csv_writer(file).writerows([("text", "label"), ("old\rmac", "a"), ("two\r\nlines", "b")])
    assert (tmp_path / "out.csv").read_bytes().startswith(b'text,label\n"old\rmac",a\n')
    assert [row.values["text"] for row in sources.rows(tmp_path / "out.csv")] == ["old\rmac", "two\r\nlines"]


def test_flat_predictions() -> None:
    assert files.flat({"label": "a", "probabilities": {"a": 0.75, "b c": 0.25}}) == {
        "label": "a",
        "probability_a": "0.75",
        "probability_b c": "0.25",
    }
    assert files.flat({"score": 1e-07}) == {"score": "1e-07"}
    assert files.flat({"labels": ["a", "b"], "flag": False, "none": None}) == {
        "labels": '["a", "b"]',
        "flag": "false",
        "none": "",
    }


def test_names_that_are_taken() -> None:
    assert files.free_names(["a", "label"], ["label"]) == {"a": "a", "label": "input_label"}
    assert files.free_names(["label", "input_label"], ["label"]) == {
        "label": "input_input_label",
        "input_label": "input_label",
    }


def test_a_file_is_scanned_for_its_columns_and_rows(tmp_path: Path) -> None:
    file = tmp_path / "data.jsonl"
    file.write_text('{"text": "a"}\n{"text": "b", "id": 1}\n', encoding="utf-8")
    assert files.scan(str(file)) == (["text", "id"], 2)
    file.write_text('{"text": "a"}\nno\n[]\n', encoding="utf-8")
    with pytest.raises(DataError) as error:
        files.scan(str(file))
    assert [problem.place for problem in error.value.problems] == [f"{file}:2", f"{file}:3"]
