"""Tables of Arrow give the rows that went in, whatever form they are in; labels have their names."""

from __future__ import annotations

import sys
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from afina.data import arrow as arrow_reader
from afina.errors import ConfigError, MissingExtra, Problem
from tests.data.arrow_tables import FORMS, arrow, as_feather, as_stream, table
from tests.data.reading import Write, items, only_problem, refused, values

COLUMNS: dict[str, list[Any]] = {
    "text": ["a", "é\n\u2028b", "", None],
    "number": [1, 2, 3, None],
    "score": [0.5, 1.0, float("nan"), None],
    "flag": [True, False, True, None],
    "tokens": [["a", "b"], [], [None], None],
    "answers": [{"text": ["x"], "answer_start": [1]}, {"text": [], "answer_start": []}, None, None],
}
ROWS = [dict(zip(COLUMNS, row, strict=True)) for row in zip(*COLUMNS.values(), strict=True)]
ROWS[2] = {**ROWS[2], "score": None}


@pytest.mark.parametrize("rows", [1, 3, None])
@pytest.mark.parametrize("ending", FORMS)
def test_every_form_gives_the_same_rows(write: Write, ending: str, rows: int | None) -> None:
    path = write(f"a{ending}", FORMS[ending](table(COLUMNS), rows))
    assert values(path) == ROWS
    assert [item.place for item in items(path)] == [f"{path}:{i}" for i in range(1, 5)]


@pytest.mark.parametrize("ending", FORMS)
def test_the_first_bytes_decide(write: Write, ending: str) -> None:
    notes: list[str] = []
    assert values(write("a.csv", FORMS[ending](table(COLUMNS))), note=notes.append) == ROWS
    assert "as its content looks" in notes[0]


@pytest.mark.parametrize("ending", FORMS)
def test_labels_have_the_names_of_the_schema(write: Write, ending: str) -> None:
    label = {"names": ["no", "yes"], "_type": "ClassLabel"}
    features = {
        "label": label,
        "tags": {"feature": label, "_type": "List"},
        "old": {"feature": label, "length": -1, "_type": "Sequence"},
        "inside": {"tag": label},
        "text": {"dtype": "string", "_type": "Value"},
    }
    made = table({"label": [0, 1, -1, 2], "tags": [[0], [1, 1], [], None], "old": [[1]] * 4,
                  "inside": [{"tag": 0}] * 4, "text": ["a"] * 4}, features)  # fmt: skip
    path = write(f"a{ending}", FORMS[ending](made))
    *sound, wrong = items(path)
    assert [item.values["label"] for item in sound if not isinstance(item, Problem)] == ["no", "yes", None]
    assert [item.values["tags"] for item in sound if not isinstance(item, Problem)] == [["no"], ["yes", "yes"], []]
    assert all(item.values["inside"] == {"tag": "no"} for item in sound if not isinstance(item, Problem))
    assert all(item.values["old"] == ["yes"] for item in sound if not isinstance(item, Problem))
    assert isinstance(wrong, Problem)
    assert (wrong.place, wrong.code) == (f"{path}:4", "no-such-label")


@pytest.mark.parametrize("ending", FORMS)
def test_dictionaries_give_their_values(write: Write, ending: str) -> None:
    made = table({"label": arrow.array(["b", "a", None, "b"]).dictionary_encode()})
    assert [row["label"] for row in values(write(f"a{ending}", FORMS[ending](made, 2)))] == ["b", "a", None, "b"]


def test_a_frame_of_pandas_gives_its_columns(write: Write) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"text": ["a", "b"], "label": pandas.Categorical(["x", "y"])}, index=[7, 9])
    notes: list[str] = []
    path = write("a.parquet", b"")
    frame.to_parquet(path)
    assert values(path, note=notes.append) == [{"text": "a", "label": "x"}, {"text": "b", "label": "y"}]
    assert notes == [f"{path}: __index_level_0__ is left out: an index of pandas that has no name"]
    frame.index.name = "id"
    frame.to_parquet(path)
    assert values(path)[0] == {"text": "a", "label": "x", "id": 7}, "an index with a name is a column"


def test_what_json_has_not_becomes_text_or_numbers(write: Write) -> None:
    made = table({
        "day": [date(2020, 1, 2)],
        "moment": [datetime(2020, 1, 2, 3, 4, 5)],
        "clock": [time(3, 4, 5)],
        "whole": [Decimal("3.00")],
        "part": [Decimal("3.25")],
        "bytes": ["é".encode()],
        "image": [{"bytes": b"\xff\xfe", "path": "a.png"}],
        "days": [[date(2020, 1, 2)]],
    })  # fmt: skip
    assert values(write("a.parquet", FORMS[".parquet"](made))) == [
        {"day": "2020-01-02", "moment": "2020-01-02 03:04:05", "clock": "03:04:05", "whole": 3, "part": 3.25,
         "bytes": "é", "image": {"bytes": b"\xff\xfe", "path": "a.png"}, "days": ["2020-01-02"]}
    ]  # fmt: skip


def test_a_text_that_is_not_utf8_spoils_its_row_alone(write: Write) -> None:
    texts = arrow.array([b"a", b"\xff", b"b"]).view(arrow.string())
    path = write("a.arrow", as_stream(table({"text": texts})))
    problem = only_problem(path)
    assert (problem.place, problem.code) == (f"{path}:2", "not-utf8")
    assert len(items(path)) == 3


def test_a_text_that_is_too_long_is_named(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("afina.data.lines.FIELD_LIMIT", 5)
    assert only_problem(write("a.arrow", as_stream(table({"text": ["abc", "abcdef"]})))).code == "too-long"


def test_column_names_that_are_alike_are_refused(write: Write) -> None:
    made = arrow.Table.from_arrays([arrow.array(["a"]), arrow.array(["b"])], names=["text", "Text"])
    assert "'text' and 'Text' differ only by case" in refused(write("a.parquet", FORMS[".parquet"](made)))


@pytest.mark.parametrize("ending", FORMS)
def test_a_file_that_is_cut_short_is_refused(write: Write, ending: str) -> None:
    whole = FORMS[ending](table({"text": [f"text {i}" for i in range(9000)]}), 1000)
    notes: list[str] = []
    for share in (0.3, 0.6, 0.99):
        path = write(f"a{ending}", whole[: int(share * len(whole))])
        message = refused(path, note=notes.append)
        assert message.startswith(str(path))
        assert "cut short or damaged" in message


def test_the_mark_of_a_stream_alone_is_no_stream(write: Write) -> None:
    for data in (arrow_reader.STREAM, arrow_reader.END):
        assert refused(write("a.csv", data)).startswith(write("a.csv", data))


def test_a_stream_without_its_end_is_told(write: Write) -> None:
    notes: list[str] = []
    path = write("a.arrow", as_stream(table({"text": ["a"]}))[: -len(arrow_reader.END)])
    assert values(path, note=notes.append) == [{"text": "a"}]
    assert notes == [f"{path}: has no mark at its end, and may be cut short"]


@pytest.mark.parametrize("ending", FORMS)
def test_what_only_has_the_name_is_told_apart(write: Write, ending: str) -> None:
    path = write(f"a{ending}", b"text,label\na,x\nb,y\nc,x\n")
    message = refused(path)
    assert "whatever its name says, but table, as it looks; --format table" in message
    assert len(values(path, format="table")) == 3
    assert "but a web page or XML; open it" in refused(write(f"a{ending}", b"<!DOCTYPE html><table>"))
    assert "begins with b'\\x00\\x01" in refused(write(f"a{ending}", bytes(range(99))))
    assert "no rows: the file is empty" in refused(write(f"a{ending}", b""))


def test_the_first_version_of_feather_is_named(write: Write) -> None:
    assert "feather of version 1; write it again" in refused(write("a.feather", b"FEA1" + bytes(99)))


@pytest.mark.parametrize("ending", FORMS)
def test_columns_are_named_by_the_table(write: Write, ending: str) -> None:
    with pytest.raises(ConfigError, match="names the columns of a csv or tsv file"):
        items(write(f"a{ending}", FORMS[ending](table(COLUMNS))), columns=["a"])


@pytest.mark.parametrize("ending", FORMS)
def test_the_package_is_named_where_it_is_missing(write: Write, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    path = write(f"a{ending}", FORMS[ending](table(COLUMNS)))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"files needs the package 'pyarrow': pip install 'afina\[parquet\]'"):
        items(path)


def test_compressed_feather_is_read(write: Write) -> None:
    import gzip

    path = write("a.feather.gz", gzip.compress(as_feather(table(COLUMNS))))
    assert values(path) == ROWS
