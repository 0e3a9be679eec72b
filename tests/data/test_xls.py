"""Old workbooks are read by xlrd."""

from __future__ import annotations

import sys

import pytest

from afina.errors import MissingExtra, Problem
from tests.data.reading import Write, items, refused, values
from tests.data.workbook_files import as_xls


def test_an_old_workbook_is_read(write: Write) -> None:
    pytest.importorskip("xlrd")
    path = write("a.xls", as_xls())
    notes: list[str] = []
    assert values(path, note=notes.append) == [
        {"text": "a", "label": "x", "n": "1", "when": "2020-01-02", "flag": "TRUE"},
        {"text": "b", "label": "y", "n": "0.5", "when": "2020-01-02 03:04:05", "flag": "FALSE"},
    ]
    assert notes == [
        f"{path}: reads the sheet 'Data'; --sheet NAME for another: 'Faulty'",
        f"{path}: row 1 above the header is left out: 'My title'",
    ]
    assert [item.place for item in items(path)] == [f"{path}:4", f"{path}:5"]


def test_cells_without_a_value_are_problems(write: Write) -> None:
    pytest.importorskip("xlrd")
    path = write("a.xls", as_xls())
    found = items(path, sheet="Faulty")
    assert [(item.place, item.message) for item in found if isinstance(item, Problem)] == [
        (f"{path}:4", "cell B4 is merged with B3, where the value stands"),
        (f"{path}:5", "cell B5 holds the error #N/A"),
    ]


def test_a_damaged_one_and_a_protected_one_are_named(write: Write) -> None:
    pytest.importorskip("xlrd")
    whole = as_xls()
    assert "damaged, or no workbook" in refused(write("a.xls", whole[:600]))
    protected = whole + "EncryptedPackage".encode("utf-16-le")
    assert "protected by a password; open it" in refused(write("a.xlsx", protected))


def test_the_package_is_named_where_it_is_missing(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("a.xls", as_xls())
    monkeypatch.setitem(sys.modules, "xlrd", None)
    with pytest.raises(
        MissingExtra, match=r"reading .xls files needs the package 'xlrd': pip install 'afina\[excel\]'"
    ):
        items(path)
