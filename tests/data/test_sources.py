"""Every record of a file comes out once, at its place, as a row or as a problem that says how to mend it."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from afina.data import delimited
from afina.data import lines as data_lines
from afina.data.sources import columns_of, read, rows
from afina.errors import ConfigError, DataError, InputError, Problem
from afina.records import Row

SHARED = Path(__file__).parents[3] / "shared" / "data"
patient = settings(deadline=None, max_examples=200)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("readers")


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def make(name: str, data: bytes | str) -> str:
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return str(path)

    return make


def items(path: str | Path, **how: Any) -> list[Row | Problem]:
    return list(read(path, **how))


def only_problem(path: str | Path, **how: Any) -> Problem:
    problems = [item for item in read(path, **how) if isinstance(item, Problem)]
    assert len(problems) == 1
    return problems[0]


def values(path: str | Path, **how: Any) -> list[dict[str, Any]]:
    return [dict(row.values) for row in rows(path, **how)]


def line_of(item: Row | Problem) -> int:
    return int(item.place.rpartition(":")[2])


def refused(source: Any, **how: Any) -> str:
    with pytest.raises(DataError) as caught:
        list(read(source, **how))
    return str(caught.value)


# ---- laws


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
    found = items(path)
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
    found = items(path)[1:]
    assert [line_of(item) for item in found] == list(filled)
    for item, line in zip(found, filled.values(), strict=True):
        if isinstance(item, Row):
            assert "\t".join(item.values.values()).encode() == line.removesuffix(b"\r")
        else:
            assert item.raw.removesuffix(b"\n") == line


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(st.text(), json_values, max_size=3)
json_lines = st.one_of(
    json_values.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=8).map(lambda line: line.replace(b"\n", b"")),
    st.sampled_from([b'{"a": NaN}', b'{"a": 1, "a": 2}', b'{"a": 1},', b"{}{}", b'{"a": "\\udc00"}', b"", b" \t"]),
)


@patient
@given(lines=st.lists(json_lines, max_size=8), text=objects)
def test_every_filled_line_of_a_jsonl_file_is_one_item(folder: Path, lines: list[bytes], text: dict[str, Any]) -> None:
    path = folder / "messy.jsonl"
    start = json.dumps(text, ensure_ascii=False).encode("utf-8", "replace")
    path.write_bytes(b"\n".join([start, *lines]) + b"\n")
    filled = [number for number, line in enumerate([start, *lines], 1) if line.strip(b" \t\r\n")]
    found = items(path)
    assert [line_of(item) for item in found] == filled
    for item in found:
        if isinstance(item, Problem):
            assert item.raw.removesuffix(b"\n") == [start, *lines][line_of(item) - 1]


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
    writer = csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL, delimiter=delimiter)
    writer.writerow(["one", "two"])
    for row in written:
        starts.append(len(re.findall("\r\n|\r|\n", text.getvalue())) + 1)
        writer.writerow(row)
    path.write_bytes(text.getvalue().encode(encoding))
    found = rows(path, encoding=encoding, delimiter=delimiter)
    assert [tuple(row.values.values()) for row in found] == written
    assert [row.place for row in found] == [f"{path}:{start}" for start in starts]


@patient
@given(written=st.lists(objects, min_size=1, max_size=5), ascii_only=st.booleans(), end=st.sampled_from(["\n", "\r\n"]))
def test_written_objects_come_back(folder: Path, written: list[dict[str, Any]], ascii_only: bool, end: str) -> None:
    path = folder / "written.jsonl"
    text = end.join(json.dumps(value, ensure_ascii=ascii_only) for value in written)
    path.write_bytes(text.encode())
    assert values(path) == written


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64])
def test_the_size_of_the_chunks_means_nothing(write: Any, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    data = 'a,b\r\n"x\r\ny",é\r\r\nz,"q""\r"\nlast,1'
    path = write("a.csv", data)
    whole = items(path)
    monkeypatch.setattr(data_lines, "CHUNK", chunk)
    assert items(path) == whole
    assert [line_of(item) for item in whole] == [2, 5, 7]


def test_a_large_file_is_read_in_flat_memory(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_lines, "CHUNK", 1 << 12)
    paths = [
        write("big.csv", "text,label\n" + '"some, words",yes\n' * 40_000),
        write("big.tsv", "text\tlabel\n" + "some more words\tyes\n" * 40_000),
        write("big.jsonl", '{"text": "some words"}\n' * 40_000),
    ]
    for path in paths:
        tracemalloc.start()
        assert sum(isinstance(item, Row) for item in read(path)) == 40_000
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < Path(path).stat().st_size / 3


def test_importing_brings_no_heavy_package() -> None:
    code = "import sys, afina.data.sources; print({'torch', 'pandas', 'pyarrow', 'sklearn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_environment())
    assert done.stdout.strip() == "set()"


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


# ---- csv and tsv


def test_text_stays_text(write: Any) -> None:
    words = ["NA", "null", "None", "nan", "007", " x ", "1.0", "True"]
    assert [row["a"] for row in values(write("a.csv", "a,b\n" + "".join(f"{word},1\n" for word in words)))] == words
    assert [row["a"] for row in values(write("a.tsv", "a\tb\n" + "".join(f"{word}\t1\n" for word in words)))] == words


def test_places_are_paths_as_given_and_physical_lines(
    write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("a.csv", 'a,b\n\n"x\ny",1\n\nz,2\n')
    monkeypatch.chdir(tmp_path)
    assert [row.place for row in rows("./a.csv")] == ["./a.csv:3", "./a.csv:6"]
    assert [row.place for row in rows(Path("a.csv"))] == ["a.csv:3", "a.csv:6"]


def test_a_byte_order_mark_is_no_part_of_a_name(write: Any) -> None:
    assert values(write("a.csv", b"\xef\xbb\xbfa,b\n1,2\n")) == [{"a": "1", "b": "2"}]
    assert values(write("a.jsonl", b'\xef\xbb\xbf{"a": 1}\n')) == [{"a": 1}]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_utf16_and_utf32_are_named(write: Any, encoding: str) -> None:
    path = write("a.csv", "\ufeffa,b\n1,2\n".encode(encoding))
    message = refused(path)
    assert f"{path}:1: the file begins with the byte-order mark of {encoding.upper()}" in message
    assert f"--encoding {encoding[:6]}" in message
    assert values(path, encoding=encoding[:6]) == [{"a": "1", "b": "2"}]


def test_a_marked_utf8_file_is_not_read_as_cp1252(write: Any) -> None:
    assert "--encoding utf-8" in refused(write("a.csv", b"\xef\xbb\xbfa,b\n1,2\n"), encoding="cp1252")


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_an_invalid_byte_is_named_with_its_place(write: Any, name: str) -> None:
    sign = "," if name == "a.csv" else "\t"
    path = write(name, f"a{sign}b\nx{sign}1\né {sign}caf".encode() + b"\xe9\ny" + sign.encode() + b"2\n")
    problem = only_problem(path)
    assert (problem.code, problem.place) == ("not-utf8", f"{path}:3")
    assert "line 3, column 8 (in bytes): the byte 0xE9 is not utf-8" in problem.message
    assert "--encoding cp1252" in problem.fix
    assert problem.raw == f"é {sign}caf".encode() + b"\xe9\n"
    assert len(items(path)) == 3
    assert values(write(name, f"a{sign}b\nx{sign}café\n".encode("cp1252")), encoding="cp1252")[0]["b"] == "café"


def test_an_invalid_byte_in_a_later_line_of_a_record(write: Any) -> None:
    path = write("a.csv", b'a,b\n"x\n\xff",1\ny,2\n')
    problem = only_problem(path)
    assert problem.place == f"{path}:2"
    assert "line 3, column 1" in problem.message
    assert problem.raw == b'"x\n\xff",1\n'


def test_half_a_pair_in_utf16_spoils_its_own_record_only(write: Any) -> None:
    data = "\ufeffa,b\nx\ud800,1\ny,2\n".encode("utf-16-le", "surrogatepass")
    found = items(write("a.csv", data), encoding="utf-16")
    assert isinstance(found[0], Problem)
    assert found[0].code == "lone-surrogate"
    assert found[0].raw == "x\ud800,1\n".encode("utf-16-le", "surrogatepass")
    assert isinstance(found[1], Row)
    assert "not utf-16-le" in refused(write("b.csv", data + b"x"), encoding="utf-16")


def test_nul_is_a_problem(write: Any) -> None:
    for name, sign in (("a.csv", b","), ("a.tsv", b"\t")):
        problem = only_problem(write(name, b"a" + sign + b"b\nx\0y" + sign + b"1\nz" + sign + b"2\n"))
        assert (problem.code, problem.raw) == ("nul", b"x\0y" + sign + b"1\n")
        assert "line 2, column 2: a NUL character" in problem.message


def test_an_open_quote_is_reported_where_it_opens(write: Any) -> None:
    path = write("a.csv", 'a,b\nx,1\ny,"2\nz,3\nw,4\n')
    found = items(path)
    assert [type(item) for item in found] == [Row, Problem]
    assert isinstance(found[1], Problem)
    assert (found[1].code, found[1].place) == ("open-quote", f"{path}:3")
    assert "the quote opened here swallows the rest of the file (3 lines)" in found[1].message
    assert "double the quote or remove it" in found[1].fix
    assert found[1].raw == b'y,"2\nz,3\nw,4\n'


def test_text_after_a_closing_quote(write: Any) -> None:
    path = write("a.csv", 'a,b\n"a"b,1\nx,2\n"p\nq"r,1\ny,3\n')
    first, row, second, last = items(path)
    assert isinstance(first, Problem)
    assert isinstance(second, Problem)
    assert (first.code, first.place, first.raw) == ("bad-quote", f"{path}:2", b'"a"b,1\n')
    assert "line 2: after a closing quote" in first.message
    assert (second.place, second.raw) == (f"{path}:4", b'"p\nq"r,1\n')
    assert "line 5" in second.message
    assert [row.place, last.place] == [f"{path}:3", f"{path}:6"]


def test_ragged_rows(write: Any) -> None:
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
def test_a_wrong_delimiter_is_seen_in_the_header(write: Any, sign: str) -> None:
    path = write("a.csv", f"a{sign}b\n1{sign}2\n")
    shown = "a tab" if sign == "\t" else repr(sign)
    assert f"looks separated by {shown}; --delimiter " in refused(path)
    assert values(path, delimiter=sign) == [{"a": "1", "b": "2"}]


def test_a_wrong_delimiter_is_seen_in_the_rows(write: Any) -> None:
    path = write("a.csv", "x;1\ny;2\n")
    assert "looks separated by ';'; --delimiter ';'" in refused(path, columns=["a", "b"])
    assert "looks separated by ','" in refused(write("a.tsv", "a,b\nx,1\n"))


def test_one_column_of_sentences_is_no_wrong_delimiter(write: Any) -> None:
    path = write("a.csv", 'text\nyes; no\n"a, b"\n')
    assert [row["text"] for row in values(path)] == ["yes; no", "a, b"]
    assert values(write("b.csv", '"a,b"\n1\n')) == [{"a,b": "1"}]


def test_quotes_in_tsv_are_text(write: Any) -> None:
    assert values(write("a.tsv", 'a\tb\n"x\ty"\n"p"q\t""\n')) == [{"a": '"x', "b": 'y"'}, {"a": '"p"q', "b": '""'}]
    assert values(write("b.tsv", 'a,b\n"x,y",1\n'), delimiter=",") == [{"a": "x,y", "b": "1"}]


def test_headers_that_mislead_are_refused_all_at_once(write: Any) -> None:
    path = write("a.csv", "text,text,,Label,label ,ok\n1,2,3,4,5,6\n")
    message = refused(path)
    assert f"{path}:1: column 3 has no name" in message
    assert "the columns 'text' and 'text' have the same name" in message
    assert "the columns 'Label' and 'label ' differ only by case or by blanks" in message
    assert "the same name" in refused(path, columns=["a", "a"])


def test_header_names_are_kept_as_they_are(write: Any) -> None:
    assert columns_of(rows(write("a.csv", "#1 String, Two \n1,2\n"))) == ["#1 String", " Two "]


def test_a_broken_header_is_refused(write: Any) -> None:
    assert "the byte 0xFF is not utf-8" in refused(write("a.csv", b"a,\xff\n1,2\n"))
    assert "swallows the rest" in refused(write("a.csv", 'a,"b\n1,2\n'))


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.csv", "", "no rows: the file is empty"),
        ("a.csv", "\n\n", "no rows: the file is empty"),
        ("a.csv", "a,b\n", "no rows: there is only a header"),
        ("a.csv", "a,b\n\n\r\n", "no rows: there is only a header"),
        ("a.tsv", "a\tb\n", "no rows: there is only a header"),
        ("a.jsonl", "\n \t\n", "no rows: the file is empty"),
    ],
)
def test_no_rows(write: Any, name: str, data: str, says: str) -> None:
    assert says in refused(write(name, data))


def test_columns_for_a_file_without_a_header(write: Any) -> None:
    path = write("a.csv", "x,1\ny,2\n")
    assert [(row.values["a"], row.place) for row in rows(path, columns=["a", "b"])] == [
        ("x", f"{path}:1"),
        ("y", f"{path}:2"),
    ]
    assert "no rows" in refused(write("b.csv", "\n"), columns=["a", "b"])
    assert "the file has a header" in refused(write("c.csv", "a,b\n1,2\n"), columns=["a", "b"])


def test_line_ends_may_be_mixed_in_csv(write: Any) -> None:
    path = write("a.csv", "a,b\r1,2\n3,4\r\n5,6\r7,8")
    assert [(row.values["a"], line_of(row)) for row in rows(path)] == [("1", 2), ("3", 3), ("5", 4), ("7", 5)]


def test_a_lone_return_ends_a_tsv_line_only_where_there_is_no_newline(write: Any) -> None:
    assert values(write("a.tsv", "a\tb\r\nx\ry\t1\r\n")) == [{"a": "x\ry", "b": "1"}]
    assert values(write("b.tsv", "a\tb\rx\t1\ry\t2\r")) == [{"a": "x", "b": "1"}, {"a": "y", "b": "2"}]


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1e"])
def test_no_other_sign_ends_a_line(write: Any, sign: str) -> None:
    text = f"x{sign}y"
    assert values(write("a.csv", f"a,b\n{text},1\n"))[0]["a"] == text
    assert values(write("a.tsv", f"a\tb\n{text}\t1\n"))[0]["a"] == text
    written = json.dumps({"a": text}, ensure_ascii=False)
    assert values(write("a.jsonl", written))[0]["a"] == text


def test_long_fields(write: Any) -> None:
    before = csv.field_size_limit()
    long = "x" * 200_000
    assert values(write("a.csv", f"a,b\n{long},1\n"))[0]["a"] == long
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", "a,b\n{0},1\nx,2\n"),
        ("a.csv", 'a,b\n"x\n{0}\ny",1\nx,2\n'),
        ("a.tsv", "a\tb\n{0}\t1\nx\t2\n"),
        ("a.jsonl", '{{"a": "{0}"}}\n{{"a": "x"}}\n'),
    ],
)
def test_too_long_fields(write: Any, monkeypatch: pytest.MonkeyPatch, name: str, data: str) -> None:
    for module in (data_lines, delimited):
        monkeypatch.setattr(module, "FIELD_LIMIT", 100)
    before = csv.field_size_limit()
    found = items(write(name, data.format("z" * 101)))
    assert isinstance(found[0], Problem)
    assert (found[0].code, found[0].message) == ("too-long", "a field holds more than 100 characters")
    assert isinstance(found[1], Row)
    assert found[1].values["a"] == "x"
    assert len(found) == 2
    assert csv.field_size_limit() == before


def test_an_open_quote_before_more_text_than_a_field_holds(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (data_lines, delimited):
        monkeypatch.setattr(module, "FIELD_LIMIT", 100)
    problem = only_problem(write("a.csv", 'a,b\n"x,1\n' + "y,2\n" * 100))
    assert problem.code == "open-quote"
    assert "(101 lines)" in problem.message


def test_threads_do_not_disturb_the_limit_of_a_field(write: Any) -> None:
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


def test_all_problems_are_raised_together(write: Any) -> None:
    path = write("a.csv", "a,b\n" + "x\n" * 30 + "y,1\n")
    with pytest.raises(DataError) as caught:
        rows(path)
    assert len(caught.value.problems) == 30
    assert str(caught.value).count("found 1 field, expected 2") == 20
    assert "30 problems in all" in str(caught.value)


def test_a_refused_file_does_not_hide_the_problems_before_it(write: Any, tmp_path: Path) -> None:
    write("a.csv", "a,b\nx\ny,1\n")
    write("b.csv", "a,b\n")
    with pytest.raises(DataError) as caught:
        rows(tmp_path)
    assert [problem.code for problem in caught.value.problems] == ["ragged-row", "no-rows"]


# ---- jsonl

DEEP = '{"a": ' + "[" * 100 + "]" * 100 + "}"


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ('{"a": }', "bad-json", "not JSON: expecting value at column 7"),
        ("hello", "bad-json", "not JSON: expecting value at column 1"),
        ('{"a": 1', "bad-json", "expecting ',' delimiter at column 8"),
        ('["a"]', "not-an-object", "a JSON object is expected, found an array"),
        ('"a"', "not-an-object", "found a string"),
        ("1", "not-an-object", "found a number"),
        ("null", "not-an-object", "found null"),
        ("true", "not-an-object", "found a truth value"),
        ('{"a": 1} {"a": 2}', "bad-json", "several objects on one line, the second at column 10"),
        ('{"a": 1},', "bad-json", "a trailing comma at column 9"),
        ('{"a": 1, }', "bad-json", "a trailing comma at column 8"),
        ('{"a": [1,], "b": 2}', "bad-json", "a trailing comma at column 9"),
        ('{"a": ",}" 1}', "bad-json", "expecting ',' delimiter at column 12"),
        ('{"a": 1, "b": 2, "a": 3}', "duplicate-key", "the key 'a' stands twice"),
        ('{"x": {"a": 1, "a": 3}}', "duplicate-key", "the key 'a' stands twice"),
        ('{"a": NaN}', "not-finite", "'NaN' is not a finite number"),
        ('{"a": [-Infinity]}', "not-finite", "'-Infinity' is not a finite number"),
        ('{"a": 1e999}', "not-finite", "'1e999' is not a finite number"),
        ('{"a": "\\ud83d"}', "lone-surrogate", "\\ud83d, half of a surrogate pair"),
        ('{"\\udc00": 1}', "lone-surrogate", "\\udc00, half of a surrogate pair"),
        ('{"a": [{"b": "\\ud83d x"}]}', "lone-surrogate", "\\ud83d, half of a surrogate pair"),
        (DEEP, "too-deep", "nested more than 100 deep"),
        ('{"a": ' * 100_000, "too-deep", "nested more than 100 deep"),
        ('{"a": ' + "9" * 4301 + "}", "too-long", "a whole number of too many digits"),
        ('{"a": "\0"}', "nul", "column 8: a NUL character"),
    ],
)
def test_faults_of_a_json_line(write: Any, line: str, code: str, says: str) -> None:
    path = write("a.jsonl", f'{{"a": 0}}\n\n{line}\n{{"a": 1}}\n')
    problem = only_problem(path)
    assert (problem.code, problem.place) == (code, f"{path}:3")
    assert says in problem.message
    assert problem.raw == f"{line}\n".encode()
    assert len(items(path)) == 3


def test_what_json_allows_is_kept(write: Any) -> None:
    written = [
        {"a": "\U0001f600"},
        {"a": 1e308, "b": None},
        {"a": int("9" * 4300)},
        {},
    ]
    path = write("a.ndjson", "\n".join(json.dumps(value) for value in written))
    assert values(path) == written
    assert len(rows(write("b.jsonl", DEEP.replace("[]", "1")))) == 1


def test_an_invalid_byte_in_jsonl(write: Any) -> None:
    problem = only_problem(write("a.jsonl", b'{"a": 1}\n{"a": "\x93"}\n'))
    assert problem.code == "not-utf8"
    assert "line 2, column 8 (in bytes): the byte 0x93" in problem.message


@pytest.mark.parametrize(
    "data", ['[\n{"a": 1},\n{"a": 2}\n]\n', '[{"a": 1},\n{"a": 2}]', '[{"a": 1}, {"a": 2}]', " \n\n[ \n"]
)
def test_a_json_array_file_is_named(write: Any, data: str) -> None:
    message = refused(write("a.jsonl", data))
    assert "this is a JSON array; one object a line is expected" in message
    assert "jq -c '.[]' data.json > data.jsonl" in message


def test_arrays_that_hold_no_objects_are_faults_of_their_lines(write: Any) -> None:
    assert [item.place[-2:] for item in items(write("a.jsonl", '["a", 1]\n["b", 2]\n'))] == [":1", ":2"]
    assert only_problem(write("b.jsonl", "[" * 100_000)).code == "too-deep"


def test_names_of_columns_in_order_of_appearance(write: Any) -> None:
    found = rows(write("a.jsonl", '{"a": 1}\n{"c": 1, "a": 2}\n{"b": 3}\n'))
    assert columns_of(found) == ["a", "c", "b"]


# ---- which files


def test_folders_and_patterns(write: Any, tmp_path: Path) -> None:
    write("b.csv", "a\n2\n")
    write("a.jsonl", '{"a": 1}\n')
    write("c.TSV", "a\tb\n3\t0\n")
    write("d.txt", "a\tb\n4\t0\n")
    write("notes.txt", "no tab here\n")
    write("README.md", "words\n")
    write(".hidden.csv", "a\n9\n")
    (tmp_path / "inner.csv").mkdir()
    found = rows(f"{tmp_path}/")
    assert [row.values["a"] for row in found] == [1, "2", "3", "4"]
    assert found[1].place == f"{tmp_path}/b.csv:2"
    assert [row.values["a"] for row in rows(f"{tmp_path}/?.[cj]s*")] == [1, "2"]
    assert "no file matches" in refused(f"{tmp_path}/*.xyz")
    assert "found .md, expected one of" in refused(f"{tmp_path}/R*")
    assert "is a folder" in refused(f"{tmp_path}/inner*")
    assert "the folder holds no file that ends in .bio, .conll" in refused(tmp_path / "inner.csv")


def test_a_file_whose_name_looks_like_a_pattern(write: Any) -> None:
    assert values(write("a[1].csv", "a,b\n1,2\n")) == [{"a": "1", "b": "2"}]


def test_a_text_file_needs_a_tab(write: Any) -> None:
    path = write("a.txt", "a b\n1 2\n")
    assert "found no tab in its first line" in refused(path)
    assert values(path, delimiter=" ") == [{"a": "1", "b": "2"}]
    assert values(path, columns=["text"]) == [{"text": "a b"}, {"text": "1 2"}]


def test_unknown_endings_list_the_known_ones(write: Any) -> None:
    message = refused(write("a.xlsx", "x"))
    assert "found .xlsx, expected one of .bio, .conll, .conllu, .csv, .iob, .json, .jsonl" in message
    assert "found no ending" in refused(write("data", "x"))


def test_a_missing_file_suggests_its_neighbour(write: Any, tmp_path: Path) -> None:
    write("train.csv", "a,b\n1,2\n")
    assert "there is no such file; did you mean 'train.csv'?" in refused(tmp_path / "tarin.csv")
    assert "no folder" in refused(tmp_path / "nowhere" / "train.csv")
    assert "there is no such file" in refused(tmp_path / "q.jsonl")


def test_files_that_can_not_be_read(write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    assert "special file; a regular file is expected" in refused(tmp_path / "pipe.csv")
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    assert "can't be read" in refused(tmp_path / "loop.csv")
    assert "can't be read" in refused("a\0.csv")
    path = write("a.csv", "a,b\n1,2\n")

    def forbidden(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    assert f"{path}: can't be read: Permission denied" in refused(path)


def test_gzip_is_known_by_its_first_bytes(write: Any) -> None:
    for name in ("a.csv", "a.csv.gz"):
        assert "compressed with gzip; unpack it first" in refused(write(name, b"\x1f\x8b\x08\0\0"))


def test_paths_are_refused_at_once() -> None:
    with pytest.raises(DataError):
        read("nowhere.csv")


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"encoding": "nope"}, "encoding: 'nope' is unknown"),
        ({"encoding": "hex"}, "encoding: 'hex' is unknown"),
        ({"delimiter": "::"}, "one character is expected, found '::'"),
        ({"delimiter": '"'}, "one character is expected"),
        ({"columns": ["a"]}, "is jsonl"),
    ],
)
def test_settings_that_make_no_sense(write: Any, how: dict[str, Any], says: str) -> None:
    path = write("a.jsonl", '{"a": 1}\n')
    with pytest.raises(ConfigError, match=re.escape(says)):
        list(read(path, **how))


# ---- data in memory


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


def test_items_that_are_no_rows() -> None:
    found = list(read([{"a": 1}, "text", {1: 2}, {"a": "\ud800"}]))
    assert [type(item) for item in found] == [Row, Problem, Problem, Problem]
    assert str(found[1]) == "row 2: a dict of column names and values is expected, found str 'text'"
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


# ---- real data


def real(name: str) -> Path:
    if not SHARED.is_dir():
        pytest.skip("the real data sets are not here: ../shared/data beside the repository")
    return SHARED / name


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "columns", "number", "names"),
    [
        ("sst2/train_sentences.tsv", None, 6_920, ["sentence", "label"]),
        ("mrpc/msr-para-train.tsv", None, 3_576, ["Quality", "#1 ID", "#2 ID", "#1 String", "#2 String"]),
        ("sms_spam/sms_spam.tsv", ["label", "text"], 5_574, ["label", "text"]),
        ("snli/train.jsonl", None, 7_842, ["premise", "hypothesis", "label"]),
        ("ag_news/train.csv", None, 8_000, ["text", "label"]),
        ("sick/SICK_test_annotated.txt", None, 4_927, None),
        ("assin/assin-ptbr-train.csv", None, 2_500, ["id", "premise", "hypothesis", "similarity", "entailment"]),
    ],
)
def test_real_files(name: str, columns: list[str] | None, number: int, names: list[str] | None) -> None:
    found = rows(real(name), columns=columns)
    assert len(found) == number
    if names:
        assert columns_of(found) == names
    assert not any(value.endswith("\r") for row in found for value in row.values.values())


@pytest.mark.data
def test_the_label_none_is_a_label() -> None:
    found = rows(real("assin/assin-ptbr-train.csv"))
    assert {row.values["entailment"] for row in found} == {"None", "Entailment", "Paraphrase"}


def test_every_error_here_is_an_input_error() -> None:
    with pytest.raises(InputError):
        rows("nowhere.csv")
