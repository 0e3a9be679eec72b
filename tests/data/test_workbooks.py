"""A sheet of a workbook is read as the same table in csv would be; what was chosen and left out is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from afina.data import compression
from tests.data.reading import Write, items, only_problem, refused, values
from tests.data.workbook_files import as_ods, as_xlsx, zipped

TABLE = [["text", "label", "n"], ["a", "x", 1], ["b", "y", 2.5], [None, "x", 3.0], ["007", True, date(2020, 1, 2)]]
ROWS = [
    {"text": "a", "label": "x", "n": "1"},
    {"text": "b", "label": "y", "n": "2.5"},
    {"text": "", "label": "x", "n": "3"},
    {"text": "007", "label": "TRUE", "n": "2020-01-02"},
]
KINDS: dict[str, Callable[[Any], bytes]] = {".xlsx": as_xlsx, ".ods": as_ods}
kinds = pytest.mark.parametrize("kind", KINDS)


@kinds
def test_a_table_is_read_as_a_person_sees_it(write: Write, kind: str) -> None:
    path = write(f"a{kind}", KINDS[kind]({"S": TABLE}))
    assert values(path) == ROWS
    assert [item.place for item in items(path)] == [f"{path}:{i}" for i in range(2, 6)]
    assert values(write("a.csv", KINDS[kind]({"S": TABLE}))) == ROWS, "its first bytes decide"


@kinds
def test_blank_rows_and_titles_stand_above_a_header(write: Write, kind: str) -> None:
    rows: list[Any] = [[], ["Reviews of 2020"], [], ["by hand"], [], *TABLE[:2], [], *TABLE[2:], [], []]
    path = write(f"a{kind}", KINDS[kind]({"S": rows}))
    notes: list[str] = []
    found = items(path, note=notes.append)
    assert notes == [f"{path}: rows 2, 4 above the header are left out: 'Reviews of 2020 / by hand'"]
    assert [item.place for item in found] == [f"{path}:{i}" for i in (7, 9, 10, 11)]
    assert values(path) == ROWS


@kinds
def test_a_sheet_of_one_column_has_a_header_and_no_title(write: Write, kind: str) -> None:
    notes: list[str] = []
    path = write(f"a{kind}", KINDS[kind]({"S": [["text"], ["a"], ["b"], ["c", "a remark"], ["d"]]}))
    assert values(path, note=notes.append) == [{"text": one} for one in "abcd"]
    assert notes == [f"{path}: column B (1 filled) without a name is left out"]


@kinds
def test_an_index_without_a_name_is_left_out(write: Write, kind: str) -> None:
    notes: list[str] = []
    path = write(f"a{kind}", KINDS[kind]({"S": [[None, "text"], [0, "a"], [1, "b"], [2, "c"], [3, "d"]]}))
    assert values(path, note=notes.append) == [{"text": one} for one in "abcd"]
    assert notes == [f"{path}: column A (4 filled) without a name is left out"]


@kinds
def test_the_first_sheet_that_is_a_table_is_read_and_the_others_are_named(write: Write, kind: str) -> None:
    other: list[Any] = [["text", "label"], ["z", "w"]]
    book: dict[str, Any] = {"Empty": [], "Read me": [["some words"], ["and more"]], "Data": TABLE, "Old": other}
    path = write(f"a{kind}", KINDS[kind](book))
    notes: list[str] = []
    assert values(path, note=notes.append) == ROWS
    assert notes == [f"{path}: reads the sheet 'Data'; --sheet NAME for another: 'Read me', 'Old'"]
    assert values(path, sheet="old") == [{"text": "z", "label": "w"}]
    message = refused(path, sheet="Olds")
    assert message == f"{path}: no sheet 'Olds'; the sheets are 'Empty', 'Read me', 'Data', 'Old'"
    assert "no rows: the sheet is empty" in refused(path, sheet="Empty")


def test_a_hidden_sheet_is_the_last_to_be_read(write: Write) -> None:
    book: dict[str, Any] = {"Old": [["text", "label"], ["z", "w"]], "Data": TABLE}
    path = write("a.xlsx", as_xlsx(book, hidden=["Old"]))
    assert values(path) == ROWS


@kinds
def test_rows_without_a_header_propose_one(write: Write, kind: str) -> None:
    rows = [["good film", 1], ["bad film", 0], ["fine film", 1], ["poor film", 0]]
    path = write(f"a{kind}", KINDS[kind]({"S": rows}))
    assert "if there is no header, name the 2 columns: --header text,label" in refused(path)
    assert values(path, columns=["text", "label"])[0] == {"text": "good film", "label": "1"}
    assert only_problem(write(f"b{kind}", KINDS[kind]({"S": [["a", "b", "c"]]})), columns=["text", "label"]).code == (
        "ragged-row"
    )
    named = write(f"c{kind}", KINDS[kind]({"S": [["text", "label"], *rows]}))
    assert "leave out columns: the sheet has a header" in refused(named, columns=["text", "label"])


@kinds
def test_what_holds_nothing_is_refused(write: Write, kind: str) -> None:
    assert "no rows: the workbook is empty" in refused(write(f"a{kind}", KINDS[kind]({"S": []})))
    assert "there is only a header" in refused(write(f"a{kind}", KINDS[kind]({"S": [["text", "label"]]})))


@kinds
def test_names_that_are_alike_are_refused(write: Write, kind: str) -> None:
    path = write(f"a{kind}", KINDS[kind]({"S": [["text", "Text"], ["a", "b"]]}))
    assert f"{path}:1: the columns 'text' and 'Text' differ only by case" in refused(path)


@pytest.mark.parametrize("name", ["a.xlsx", "a.xls", "a.ods"])
def test_what_only_has_the_name_is_told_apart(write: Write, name: str) -> None:
    path = write(name, "text;label\na;x\nb;y\nc;x\n")
    assert "not a spreadsheet, whatever its name says, but table, as it looks; --format table" in refused(path)
    assert len(values(path, format="table")) == 3
    assert "but a web page or XML; open it" in refused(write(name, "<html><table><tr><td>a</table>"))


@kinds
def test_a_workbook_that_is_cut_short_is_refused(write: Write, kind: str) -> None:
    whole = KINDS[kind]({"S": TABLE})
    for share in (0.2, 0.6, 0.95):
        assert "cut short or damaged" in refused(write(f"a{kind}", whole[: int(share * len(whole))]))


def test_other_documents_are_refused(write: Write) -> None:
    assert "no workbook that can be read" in refused(write("a.xlsb", zipped({"xl/workbook.bin": ""})))


@kinds
def test_a_bomb_is_refused(write: Write, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    path = write(f"a{kind}", KINDS[kind]({"S": [["text", "label"], *[["a" * 30_000, "x"]] * 200]}))
    monkeypatch.setattr(compression, "LIMIT", 1000)
    monkeypatch.setattr(compression, "RATIO", 1)
    assert "bytes when it is unpacked" in refused(path)
