"""Tables of text: each record of a csv, tsv or txt file comes out once, at its line."""

from __future__ import annotations

import csv
import io
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from afina.data import delimited
from afina.data import lines as data_lines
from afina.data.sources import columns_of, rows
from afina.errors import Problem
from afina.records import Row
from tests.data.reading import Write, items, line_of, only_problem, patient, refused, values


def physical_lines(data: bytes) -> list[bytes]:
    return re.findall(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", data)


def stretches(data: bytes, found: list[Row | Problem]) -> Iterator[bytes]:
    """The file cut before each item's line; the header and blank lines come first."""
    lines = physical_lines(data)
    starts = [line_of(item) for item in found]
    assert starts == sorted(set(starts))
    assert not b"".join(lines[1 : starts[0] - 1]).strip(b"\r\n")
    for start, end in zip(starts, [*starts[1:], len(lines) + 1], strict=True):
        yield b"".join(lines[start - 1 : end - 1])


messy_csv = st.lists(
    st.sampled_from([b'"', b",", b"\n", b"\r", b"\r\n", b"a", b"bc", b"\xff", b"\0", b" "]), max_size=40
)


@patient
@given(pieces=messy_csv)
def test_no_byte_of_a_csv_file_is_lost(folder: Path, pieces: list[bytes]) -> None:
    """Items tile the file: each is exactly the record at its place, and only blank lines lie between them."""
    path = folder / "messy.csv"
    data = b"one,two\n" + b"".join(pieces)
    assume(data.strip(b"\r\n") != b"one,two")
    path.write_bytes(data)
    found = items(path, encoding="utf-8", format="table")
    for item, stretch in zip(found, stretches(data, found), strict=True):
        if isinstance(item, Problem):
            assert item.raw.strip(b"\r\n")
            assert stretch.startswith(item.raw)
            assert not stretch[len(item.raw) :].strip(b"\r\n")
        else:
            again = [fields for fields in csv.reader(io.StringIO(stretch.decode(), newline=""), strict=True) if fields]
            assert again == [list(item.values.values())]


@patient
@given(lines=st.lists(st.binary(max_size=12).map(lambda line: line.replace(b"\n", b"\t")), max_size=12))
def test_every_filled_line_of_a_tsv_file_is_one_item(folder: Path, lines: list[bytes]) -> None:
    path = folder / "messy.tsv"
    path.write_bytes(b"one\ttwo\nx\ty\n" + b"\n".join(lines))
    filled = {number: line for number, line in enumerate(lines, 3) if line not in {b"", b"\r"}}
    found = items(path, encoding="utf-8", format="table")[1:]
    assert [line_of(item) for item in found] == list(filled)
    for item, line in zip(found, filled.values(), strict=True):
        if isinstance(item, Row):
            assert "\t".join(item.values.values()).encode() == line.removesuffix(b"\r")
        else:
            assert item.raw.removesuffix(b"\n") == line


fields = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0") | st.sampled_from('",\r\n\u2028\x85;\t')
)


@patient
@given(
    written=st.lists(st.tuples(fields, fields), min_size=1, max_size=6),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"]),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
)
def test_written_rows_come_back_at_their_lines(
    folder: Path, written: list[tuple[str, str]], end: str, encoding: str, delimiter: str
) -> None:
    path, text, starts = folder / "written.csv", io.StringIO(newline=""), []
    assume(not any({"one", "two"} & {*row} for row in written))
    writer = csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL, delimiter=delimiter)
    writer.writerow(["one", "two"])
    for row in written:
        starts.append(len(re.findall("\r\n|\r|\n", text.getvalue())) + 1)
        writer.writerow(row)
    path.write_bytes(text.getvalue().encode(encoding))
    found = rows(path, encoding=encoding, delimiter=delimiter, format="table")
    assert [tuple(row.values.values()) for row in found] == written
    assert [row.place for row in found] == [f"{path}:{start}" for start in starts]


def test_text_stays_text(write: Write) -> None:
    words = ["NA", "null", "None", "nan", "007", " x ", "1.0", "True"]
    assert [row["a"] for row in values(write("a.csv", "a,b\n" + "".join(f"{word},1\n" for word in words)))] == words
    assert [row["a"] for row in values(write("a.tsv", "a\tb\n" + "".join(f"{word}\t1\n" for word in words)))] == words


def test_an_open_quote_is_reported_where_it_opens(write: Write) -> None:
    path = write("a.csv", 'a,b\nx,1\ny,"2\nz,3\nw,4\n')
    found = items(path)
    assert [type(item) for item in found] == [Row, Problem]
    assert isinstance(found[1], Problem)
    assert (found[1].code, found[1].place) == ("open-quote", f"{path}:3")
    assert "the quote opened here swallows the rest of the file (3 lines)" in found[1].message
    assert "double the quote or remove it" in found[1].fix
    assert found[1].raw == b'y,"2\nz,3\nw,4\n'


def test_text_after_a_closing_quote(write: Write) -> None:
    path = write("a.csv", 'a,b\n"a"b,1\nx,2\n"p\nq"r,1\ny,3\n')
    first, row, second, last = items(path)
    assert isinstance(first, Problem)
    assert isinstance(second, Problem)
    assert (first.code, first.place, first.raw) == ("bad-quote", f"{path}:2", b'"a"b,1\n')
    assert "line 2: after a closing quote" in first.message
    assert (second.place, second.raw) == (f"{path}:4", b'"p\nq"r,1\n')
    assert "line 5" in second.message
    assert [row.place, last.place] == [f"{path}:3", f"{path}:6"]


def test_ragged_rows(write: Write) -> None:
    path = write("a.csv", "a,b\nx,y,1\nx\nok,2\n")
    many, few, _ = items(path)
    assert str(many) == (
        f"{path}:2: found 3 fields, expected 2; "
        "is there an unquoted ',' inside a text? Put that field into double quotes"
    )
    assert isinstance(few, Problem)
    assert few.message == "found 1 field, expected 2"
    assert (few.code, few.raw) == ("ragged-row", b"x\n")
    assert "a tab inside a text" in only_problem(write("a.tsv", "a\tb\nx\ty\t1\nok\t2\n")).fix


@pytest.mark.parametrize("sign", [";", "\t", "|"])
def test_the_delimiter_of_a_table_is_recognised_and_told(write: Write, sign: str) -> None:
    path = write("a.csv", f"a{sign}b\n1{sign}2\n")
    notes: list[str] = []
    assert values(path, note=notes.append) == values(path, delimiter=sign) == [{"a": "1", "b": "2"}]
    assert notes[0].startswith(f"{path}: a table with {'tab' if sign == chr(9) else repr(sign)} between fields")
    mixed = write("b.csv", f"a{sign}b\n1{sign}2\n3\n4\n")
    assert f"looks separated by {'a tab' if sign == chr(9) else repr(sign)}; --delimiter " in refused(mixed)


def test_the_delimiter_is_recognised_without_a_header_too(write: Write) -> None:
    assert values(write("a.csv", "x;1\ny;2\n"), columns=["a", "b"]) == [{"a": "x", "b": "1"}, {"a": "y", "b": "2"}]
    assert values(write("a.tsv", "a,b\nx,1\n")) == [{"a": "x", "b": "1"}]


def test_one_column_of_sentences_is_no_wrong_delimiter(write: Write) -> None:
    path = write("a.csv", 'text\nyes; no\n"a, b"\n')
    assert [row["text"] for row in values(path)] == ["yes; no", "a, b"]
    assert values(write("b.csv", '"a,b"\n1\n')) == [{"a,b": "1"}]


def test_quotes_in_tsv_are_text(write: Write) -> None:
    assert values(write("a.tsv", 'a\tb\n"x\ty"\n"p"q\t""\n')) == [{"a": '"x', "b": 'y"'}, {"a": '"p"q', "b": '""'}]
    assert values(write("b.tsv", 'a,b\n"x,y",1\n'), delimiter=",") == [{"a": "x,y", "b": "1"}]


def test_headers_that_mislead_are_refused_all_at_once(write: Write) -> None:
    path = write("a.csv", "text,text,,Label,label ,ok\n1,2,3,4,5,6\n")
    message = refused(path)
    assert f"{path}:1: the columns" in message
    assert "the columns 'text' and 'text' have the same name" in message
    assert "the columns 'Label' and 'label ' differ only by case or by blanks" in message
    assert "the same name" in refused(path, columns=["a", "a"])


def test_header_names_are_kept_as_they_are(write: Write) -> None:
    assert columns_of(rows(write("a.csv", "#1 String, Two \n1,2\n"))) == ["#1 String", " Two "]


def test_a_broken_header_is_refused(write: Write) -> None:
    assert "the byte 0xFF is not utf-8" in refused(write("a.csv", b"a,\xff\n1,2\n"))
    assert "swallows the rest" in refused(write("a.csv", 'a,"b\n1,2\n'))


def test_columns_for_a_file_without_a_header(write: Write) -> None:
    path = write("a.csv", "x,1\ny,2\n")
    assert [(row.values["a"], row.place) for row in rows(path, columns=["a", "b"])] == [
        ("x", f"{path}:1"),
        ("y", f"{path}:2"),
    ]
    assert "no rows" in refused(write("b.csv", "\n"), columns=["a", "b"])
    assert "the file has a header" in refused(write("c.csv", "a,b\n1,2\n"), columns=["a", "b"])


def test_line_ends_may_be_mixed_in_csv(write: Write) -> None:
    path = write("a.csv", "a,b\r1,2\n3,4\r\n5,6\r7,8")
    assert [(row.values["a"], line_of(row)) for row in rows(path)] == [("1", 2), ("3", 3), ("5", 4), ("7", 5)]


def test_long_fields(write: Write) -> None:
    before = csv.field_size_limit()
    long = "x" * 200_000
    assert values(write("a.csv", f"a,b\n{long},1\n"))[0]["a"] == long
    assert csv.field_size_limit() == before


def test_an_open_quote_before_more_text_than_a_field_holds(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (data_lines, delimited):
        monkeypatch.setattr(module, "FIELD_LIMIT", 100)
    problem = only_problem(write("a.csv", 'a,b\n"x,1\n' + "y,2\n" * 100))
    assert problem.code == "open-quote"
    assert "(101 lines)" in problem.message


def test_threads_do_not_disturb_the_limit_of_a_field(write: Write) -> None:
    before = csv.field_size_limit()
    path = write("a.csv", "a,b\n" + f"{'x' * 140_000},1\n" * 20)
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(len(rows(path)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [20] * 4
    assert csv.field_size_limit() == before


def test_a_text_file_that_is_no_table_is_read_as_the_user_says(write: Write) -> None:
    path = write("a.txt", "a b\n1 2\n")
    assert "can't tell the format: found .txt" in refused(path)
    assert values(path, delimiter=" ") == [{"a": "1", "b": "2"}]
    assert values(path, columns=["text"]) == [{"text": "a b"}, {"text": "1 2"}]
