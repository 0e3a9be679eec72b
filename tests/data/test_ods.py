"""What cells of ods files show, as programs write them."""

from __future__ import annotations

import pytest

from afina.data import ods
from tests.data.reading import Write, items, only_problem, refused, values
from tests.data.workbook_files import ods_of


def cell(shown: str = "", **attributes: str) -> str:
    names = {"formula": "table:formula", "times": "table:number-columns-repeated", "calc": "calcext:value-type"}
    given = " ".join(f'{names.get(key, "office:" + key.replace("_", "-"))}="{it}"' for key, it in attributes.items())
    return f"<table:table-cell {given}>{shown and f'<text:p>{shown}</text:p>'}</table:table-cell>"


def table(*rows: str, name: str = "S") -> str:
    return whole(*(f"<table:table-row>{one}</table:table-row>" for one in rows), name=name)


def whole(*rows: str, name: str = "S") -> str:
    return f'<table:table table:name="{name}">{"".join(rows)}</table:table>'


HEADER = cell("text", value_type="string") + cell("label", value_type="string")


@pytest.mark.parametrize(
    ("held", "shown"),
    [
        (cell("plain", value_type="string"), "plain"),
        (cell("a<text:s text:c='2'/>b<text:tab/><text:span>c</text:span><text:line-break/>d", value_type="string"),
         "a  b\tc\nd"),
        (cell("a</text:p><text:p>b", value_type="string"), "a\nb"),
        (cell("1,5", value_type="float", value="1.5"), "1.5"),
        (cell("1", value_type="float", value="1"), "1"),
        (cell("50 %", value_type="percentage", value="0.5"), "0.5"),
        (cell("2.1.20", value_type="date", date_value="2020-01-02"), "2020-01-02"),
        (cell("x", value_type="date", date_value="2020-01-02T03:04:05.000000000"), "2020-01-02 03:04:05"),
        (cell("x", value_type="time", time_value="PT30H04M05S"), "30:04:05"),
        (cell("VERDADEIRO", value_type="boolean", boolean_value="true"), "TRUE"),
        (cell("2", value_type="float", value="2", formula="of:=1+1"), "2"),
        (cell("#N/A", value_type="string"), "#N/A"),
        ("<table:table-cell office:value-type='string'><office:annotation><text:p>a remark</text:p></office:annotation>"
         "<text:p>seen</text:p></table:table-cell>", "seen"),
    ],
)  # fmt: skip
def test_cells_show(write: Write, held: str, shown: str) -> None:
    path = write("a.ods", ods_of(table(HEADER, cell("a", value_type="string") + held)))
    assert values(path) == [{"text": "a", "label": shown}]


@pytest.mark.parametrize(
    ("held", "says"),
    [
        (cell("#DIV/0!", value_type="string", formula="of:=1/0"), "cell B2 holds the error #DIV/0!"),
        (cell("Err:508", value_type="string", formula="of:=("), "cell B2 holds the error Err:508"),
        (cell(formula="of:=[.A1]"), "cell B2 holds a formula whose value was never computed"),
        ("<table:covered-table-cell/>", "cell B2 is merged with another cell"),
    ],
)
def test_cells_without_a_value_are_problems(write: Write, held: str, says: str) -> None:
    path = write("a.ods", ods_of(table(HEADER, cell("a", value_type="string") + held)))
    assert says in str(only_problem(path))


def test_what_is_repeated_stands_there_as_often(write: Write) -> None:
    header = f"<table:table-row>{HEADER}{cell(times='16382')}</table:table-row>"
    row = "<table:table-row table:number-rows-repeated='{}'>{}</table:table-row>"
    twice = row.format(2, cell("a", value_type="string", times="2"))
    path = write("a.ods", ods_of(whole(header, twice, row.format(1_048_000, cell(times="16384")))))
    assert values(path) == [{"text": "a", "label": "a"}] * 2
    assert [item.place for item in items(path)] == [f"{path}:2", f"{path}:3"]


def test_a_sheet_without_end_is_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = table(HEADER, cell("a", value_type="string", times="999999999"))
    assert "filled rows or columns" in refused(write("a.ods", ods_of(wide)))
    monkeypatch.setattr(ods, "ROWS", 3)
    row = f"<table:table-row table:number-rows-repeated='4'>{HEADER}</table:table-row>"
    assert "filled rows or columns; 3 are the most" in refused(write("b.ods", ods_of(whole(row))))


def test_every_sheet_is_its_own(write: Write) -> None:
    first = table(HEADER, cell("a", times="2", value_type="string"), name="one")
    second = table(HEADER, cell("b", times="2", value_type="string"), name="two")
    path = write("a.ods", ods_of(first + second))
    assert values(path)[0]["text"] == "a"
    assert values(path, sheet="two") == [{"text": "b", "label": "b"}]
