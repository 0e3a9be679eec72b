"""The form of a table is recognised from its first records, and a header that is a record is seen."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.data.dialects import DELIMITERS, Dialect, is_data, is_table, proposed, recognise
from tests.data.reading import Write, refused, values

words = st.text("abcdé ü", min_size=1, max_size=8)
fields = st.text("ab é,;|\t\"'\n", max_size=12)


def lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


@given(
    rows=st.lists(st.tuples(fields, words, words), min_size=2, max_size=12),
    delimiter=st.sampled_from(DELIMITERS),
    quote=st.sampled_from(['"', "'"]),
)
def test_what_is_written_with_quotes_is_read_with_them(
    rows: list[tuple[str, str, str]], delimiter: str, quote: str
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quotechar=quote, quoting=csv.QUOTE_ALL)
    writer.writerows([("one", "two", "three"), *rows])
    form = recognise(lines(text.getvalue()), ending=".csv")
    assert form == Dialect(delimiter, quote)


@pytest.mark.parametrize(
    ("text", "ending", "form"),
    [
        ("text,label\na,b\n", ".csv", (",", '"')),
        ("text\tlabel\na\tb\n", ".tsv", ("\t", "")),
        ("text\tlabel\na\tb\n", ".csv", ("\t", '"')),
        ("texto;nota\nÓtimo;4,5\nRuim;1,0\n", ".csv", (";", '"')),
        ("texto;nota\nÓtimo;4,5\nRuim;1,0\n", ".tsv", (";", '"')),
        ("text|label\na, b|c\nd|e\n", ".txt", ("|", '"')),
        ("text\nyes; no\nno; yes\n", ".csv", (",", '"')),
        ('text\tlabel\n"a ""b"" c"\tx\nd\ty\n', ".tsv", ("\t", '"')),
        ('text\tlabel\n"two\nlines"\tx\nd\ty\n', ".tsv", ("\t", '"')),
        ('text\tlabel\n"quoted," he said\tx\n"b"\ty\n', ".tsv", ("\t", "")),
        ('text\tlabel\n"one title"\tx\nno title\ty\nnone\tz\n', ".tsv", ("\t", "")),
        ("label;text\nx;'a; b'\ny;'it''s'\n", ".csv", (";", "'")),
        ("label,text\nx,'tis so\ny,it is\nz,no\n", ".csv", (",", '"')),
    ],
)
def test_forms(text: str, ending: str, form: tuple[str, str]) -> None:
    assert recognise(lines(text), ending=ending) == Dialect(*form)


def test_what_the_user_says_is_kept_to() -> None:
    text = lines("'a';'b'\n'x';'y'\n'z';'w'\n")
    assert recognise(text, ending=".csv", delimiter=",") == Dialect(",", "'")
    assert recognise(text, ending=".csv", delimiter=";", quote=chr(34)) == Dialect(";", chr(34))
    assert recognise(text, ending=".csv", quote="") == Dialect(";", "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n",
        "a,b\n",
        "a line, with a sign\nand one without\nand one more\n",
        '{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n',
    ],
)
def test_what_is_no_table_beyond_doubt(text: str) -> None:
    assert not is_table(lines(text))


def test_the_line_that_excel_writes_first_tells_the_delimiter(write: Write) -> None:
    assert values(write("a.csv", "sep=;\na;b\n1,5;x\n")) == [{"a": "1,5", "b": "x"}]


@pytest.mark.parametrize("top", ["A survey of 2024\n", "Results of the survey;;\n;;\n", "# made by X\n# 2024\n\n"])
def test_a_title_above_the_header_is_passed_over_and_told(write: Write, top: str) -> None:
    notes: list[str] = []
    path = write("a.csv", top + "a;b;c\n1,5;x;y\n2;z;w\n")
    assert values(path, note=notes.append) == [{"a": "1,5", "b": "x", "c": "y"}, {"a": "2", "b": "z", "c": "w"}]
    assert re.search(r"passed over \d lines? above the header", " ".join(notes))


def test_quotes_inside_quotes_behind_a_backslash(write: Write) -> None:
    notes: list[str] = []
    path = write("a.csv", 'text,label\n"he said \\"so, so\\"",x\n"b, c",y\n')
    assert values(path, note=notes.append)[0] == {"text": 'he said "so, so"', "label": "x"}
    assert notes == [f"{path}: a table with ',' between fields, \" around them, \\ before quotes inside"]
    sound = write("b.csv", 'text,label\n"C:\\dir",x\n"b ""c""",y\n')
    assert [row["text"] for row in values(sound)] == ["C:\\dir", 'b "c"']


# ---- headers


@pytest.mark.parametrize(
    ("first", "others", "data"),
    [
        (["text", "label"], [["a", "pos"], ["b", "neg"], ["c", "pos"]], False),
        (["good film", "pos"], [["a", "pos"], ["b", "neg"], ["c", "pos"]], True),
        (["12", "good film"], [["1", "a"], ["2", "b"], ["3", "c"]], True),
        (["0", "1"], [["a", "0"], ["b", "1"], ["c", "1"]], False),
        (["review", "stars"], [["a", "5"], ["b", "1"], ["c", "5"]], False),
        (["good film", "pos"], [["a", "pos"]], False),
        (
            ["src0", "1", "", "A sentence"],
            [["src0", "0", "*", "b"], ["src1", "1", "", "c"], ["src0", "0", "*", "d"]],
            True,
        ),
    ],
)
def test_a_header_that_is_a_record(first: list[str], others: list[list[str]], data: bool) -> None:
    assert is_data(first, others) == data


def test_the_proposed_header_has_all_columns_and_reads_the_file(write: Write) -> None:
    path = write("a.tsv", "Ein Tag\tOTHER\tOTHER\nDu bist\tOFFENSE\tINSULT\nMist\tOFFENSE\tABUSE\nJa\tOTHER\tOTHER\n")
    message = refused(path)
    assert f"{path}:1: the first line looks like the others" in message
    assert message.endswith("if there is no header, name all 3 columns: --header text,label,column3")
    read = values(path, columns=["text", "label", "column3"])
    assert [row["label"] for row in read] == ["OTHER", "OFFENSE", "OFFENSE", "OTHER"]


def test_the_proposed_label_is_the_column_of_fewest_values() -> None:
    others = [["src0", "0", "*", "bbbb"], ["src1", "1", "", "cccc"], ["src0", "0", "*", "dddd"]]
    assert proposed(["src0", "1", "", "A sentence"], others) == ["column1", "label", "column3", "text"]


# ---- columns without a name


def test_columns_without_a_name_are_left_out_and_told(write: Write) -> None:
    notes: list[str] = []
    path = write("a.csv", ",text,label,,\n0,a,x,,\n1,b,y,spilled,\n")
    assert values(path, note=notes.append) == [{"text": "a", "label": "x"}, {"text": "b", "label": "y"}]
    assert notes == [f"{path}: columns 1, 4, 5 have no names and are left out; 1 row with something there"]
    notes.clear()
    assert values(write("a.csv", ",text\n0,a\n1,b\n"), note=notes.append) == [{"text": "a"}, {"text": "b"}]
    assert notes == [f"{path}: the first column counts the rows, has no name, and is left out"]


def test_doubled_quotes_that_come_late_are_told(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("afina.data.dialects.SAMPLE", 3)
    notes: list[str] = []
    text = "text\tlabel\n" + "plain\tx\n" * 6 + '"said ""so"""\ty\n'
    found = values(write("a.tsv", text), note=notes.append)
    assert found[-1]["text"] == '"said ""so"""'
    assert "1 row with doubled quotes inside fields in quotes, which are kept as text; --quote '\"'" in notes[0]
    assert values(write("a.tsv", text), quote='"')[-1]["text"] == 'said "so"'
