"""What cells of xlsx files show, as programs write them."""

from __future__ import annotations

import pytest

from afina.errors import Problem
from tests.data.reading import Write, items, only_problem, refused, values
from tests.data.workbook_files import openpyxl, saved, xlsx_of, zipped


def row(number: int, *cells: str) -> str:
    return f'<row r="{number}">{"".join(cells)}</row>'


def text(value: str) -> str:
    return f'<c t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>'


HEADER = row(1, text("text"), text("label"))


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ('<c t="s"><v>1</v></c>', "two runs"),
        ('<c t="s"><v>2</v></c>', "a\rb_c"),
        ('<c t="str"><f>A1</f><v>computed</v></c>', "computed"),
        ('<c t="str"><f>A1</f><v></v></c>', ""),
        ('<c t="b"><v>1</v></c>', "TRUE"),
        ('<c t="b"><v>0</v></c>', "FALSE"),
        ('<c t="d"><v>2020-01-02T00:00:00</v></c>', "2020-01-02"),
        ("<c><v>7</v></c>", "7"),
        ("<c><f>1+1</f><v>2</v></c>", "2"),
        ('<c s="1"><v>43832</v></c>', "2020-01-02"),
        ('<c s="2"><v>0.5</v></c>', "0.5"),
        ('<c s="9"><v>0.5</v></c>', "0.5"),
        ("<c/>", ""),
    ],
)
def test_cells_show(write: Write, cell: str, shown: str) -> None:
    strings = (
        "<si><t>zero</t></si>"
        "<si><r><t>two</t></r><r><rPr/><t xml:space='preserve'> runs</t></r><rPh><t>x</t></rPh></si>"
        "<si><t>a_x000D_b_x005F_c</t></si>"
    )
    sheet = f"<sheetData>{HEADER}{row(2, text('a'), cell)}</sheetData>"
    path = write("a.xlsx", xlsx_of(sheet, strings, ["dd/mm/yyyy", "0%"]))
    assert values(path) == [{"text": "a", "label": shown}]


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ('<c t="e"><v>#N/A</v></c>', "cell B2 holds the error #N/A; mend the formula"),
        ("<c><f>A1</f></c>", "cell B2 holds a formula whose value was never computed; open the file"),
        ("<c><f>A1</f><v></v></c>", "cell B2 holds a formula whose value was never computed"),
    ],
)
def test_cells_without_a_value_are_problems(write: Write, cell: str, says: str) -> None:
    path = write("a.xlsx", xlsx_of(f"<sheetData>{HEADER}{row(2, text('é'), cell)}</sheetData>"))
    problem = only_problem(path)
    assert str(problem).startswith(f"{path}:2: {says}")
    assert problem.raw == '{"text": "é", "label": ""}\n'.encode()


def test_rows_and_cells_may_have_no_references(write: Write) -> None:
    sheet = f"<sheetData>{HEADER}<row>{text('a')}</row><row r='5'><c r='B5' t='str'><v>x</v></c></row></sheetData>"
    path = write("a.xlsx", xlsx_of(sheet))
    assert values(path) == [{"text": "a", "label": ""}, {"text": "", "label": "x"}]
    assert [item.place for item in items(path)] == [f"{path}:2", f"{path}:5"]


def test_merged_cells_are_problems_where_the_value_is_not(write: Write) -> None:
    book = openpyxl.Workbook()
    for line in (["title", None], ["text", "label"], ["a", "x"], ["b", None], ["c", "y"], ["d", None]):
        book.active.append(line)
    for cells in ("A1:B1", "B3:B4", "A6:B6"):
        book.active.merge_cells(cells)
    path = write("a.xlsx", saved(book))
    notes: list[str] = []
    found = items(path, note=notes.append)
    assert notes == [f"{path}: row 1 above the header is left out: 'title'"]
    wrong = [(item.place, item.message) for item in found if isinstance(item, Problem)]
    assert wrong == [
        (f"{path}:4", "cell B4 is merged with B3, where the value stands"),
        (f"{path}:6", "cell B6 is merged with A6, where the value stands"),
    ]
    assert len(found) == 4


def test_a_date_from_1904_and_a_hidden_sheet(write: Write) -> None:
    workbook = (
        '<workbook xmlns:r="r"><workbookPr date1904="1"/><sheets><sheet name="H" state="hidden" r:id="r1"/>'
        '<sheet name="S" r:id="r2"/></sheets></workbook>'
    )
    rels = "".join(f'<Relationship Id="r{i}" Type="x/worksheet" Target="s{i}.xml"/>' for i in (1, 2))
    rels += '<Relationship Id="r3" Type="x/styles" Target="styles.xml"/>'
    sheet = (
        "<worksheet><sheetData>" + HEADER + row(2, text("{}"), '<c s="0"><v>42370</v></c>') + "</sheetData></worksheet>"
    )
    styles = '<styleSheet><cellXfs><xf numFmtId="14"/></cellXfs></styleSheet>'
    parts = {"xl/workbook.xml": workbook, "xl/_rels/workbook.xml.rels": f"<R>{rels}</R>", "xl/styles.xml": styles,
             "xl/s1.xml": sheet.format("hidden"), "xl/s2.xml": sheet.format("seen")}  # fmt: skip
    path = write("a.xlsx", zipped(parts))
    assert values(path) == [{"text": "seen", "label": "2020-01-02"}]
    assert values(path, sheet="h") == [{"text": "hidden", "label": "2020-01-02"}]


def test_a_part_that_is_missing_or_no_xml_is_named(write: Write) -> None:
    assert "cut short or damaged" in refused(write("a.xlsx", zipped({"xl/workbook.xml": "<workbook/>"})))
    assert "cut short or damaged" in refused(write("b.xlsx", xlsx_of("<sheetData><row>")))
    broken = xlsx_of("<sheetData>" + HEADER + row(2, '<c t="s"><v>9</v></c>') + "</sheetData>")
    assert "cut short or damaged" in refused(write("c.xlsx", broken))
