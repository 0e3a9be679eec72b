"""Bytes become numbered lines of text; what can't be text spoils its own record, and is named with its place."""

from __future__ import annotations

import csv
import gc
import json

import pytest

from afina.data import delimited
from afina.data import lines as data_lines
from afina.data.sources import read
from afina.errors import Problem
from afina.records import Row
from tests.data.reading import Write, items, line_of, only_problem, refused, values


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64])
def test_the_size_of_the_chunks_means_nothing(write: Write, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    data = 'a,b\r\n"x\r\ny",é\r\r\nz,"q""\r"\nlast,1'
    path = write("a.csv", data)
    whole = items(path)
    monkeypatch.setattr(data_lines, "CHUNK", chunk)
    assert items(path) == whole
    assert [line_of(item) for item in whole] == [2, 5, 7]


def test_a_byte_order_mark_is_no_part_of_a_name(write: Write) -> None:
    assert values(write("a.csv", b"\xef\xbb\xbfa,b\n1,2\n")) == [{"a": "1", "b": "2"}]
    assert values(write("a.jsonl", b'\xef\xbb\xbf{"a": 1}\n')) == [{"a": 1}]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_a_byte_order_mark_decides_and_contradicts_what_is_asked(write: Write, encoding: str) -> None:
    path = write("a.csv", "\ufeffa,b\n1,2\n".encode(encoding))
    message = refused(path, encoding="utf-8")
    assert f"{path}:1: the file begins with the byte-order mark of {encoding.upper()}" in message
    assert f"--encoding {encoding[:6]}" in message
    assert values(path, encoding=encoding[:6]) == [{"a": "1", "b": "2"}]
    notes: list[str] = []
    assert values(path, note=notes.append) == [{"a": "1", "b": "2"}]
    assert notes == [f"{path}: {encoding[:6].upper()}, as its byte-order mark says"]


def test_a_marked_utf8_file_is_not_read_as_cp1252(write: Write) -> None:
    assert "--encoding utf-8" in refused(write("a.csv", b"\xef\xbb\xbfa,b\n1,2\n"), encoding="cp1252")


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_an_invalid_byte_is_named_with_its_place(write: Write, name: str) -> None:
    sign = "," if name == "a.csv" else "\t"
    path = write(name, f"a{sign}b\nx{sign}1\né {sign}caf".encode() + b"\xe9\ny" + sign.encode() + b"2\n")
    problem = only_problem(path)
    assert (problem.code, problem.place) == ("not-utf8", f"{path}:3")
    assert "line 3, column 8 (in bytes): the byte 0xE9 is not utf-8" in problem.message
    assert "name the file's encoding with --encoding" in problem.fix
    assert problem.raw == f"é {sign}caf".encode() + b"\xe9\n"
    assert len(items(path)) == 3
    assert values(write(name, f"a{sign}b\nx{sign}café\n".encode("cp1252")), encoding="cp1252")[0]["b"] == "café"


def test_an_invalid_byte_in_a_later_line_of_a_record(write: Write) -> None:
    path = write("a.csv", b'a,b\n"x\n\xff",1\ny,2\n')
    problem = only_problem(path)
    assert problem.place == f"{path}:2"
    assert "line 3, column 1" in problem.message
    assert problem.raw == b'"x\n\xff",1\n'


def test_half_a_pair_in_utf16_spoils_its_own_record_only(write: Write) -> None:
    data = "\ufeffa,b\nx\ud800,1\ny,2\n".encode("utf-16-le", "surrogatepass")
    found = items(write("a.csv", data), encoding="utf-16")
    assert isinstance(found[0], Problem)
    assert found[0].code == "lone-surrogate"
    assert found[0].raw == "x\ud800,1\n".encode("utf-16-le", "surrogatepass")
    assert isinstance(found[1], Row)
    assert "not utf-16-le" in refused(write("b.csv", data + b"x"), encoding="utf-16")


def test_nul_is_a_problem(write: Write) -> None:
    for name, sign in (("a.csv", b","), ("a.tsv", b"\t")):
        problem = only_problem(write(name, b"a" + sign + b"b\nx\0y" + sign + b"1\nz" + sign + b"2\n"))
        assert (problem.code, problem.raw) == ("nul", b"x\0y" + sign + b"1\n")
        assert "line 2, column 2: a NUL character" in problem.message


def test_a_lone_return_ends_a_tsv_line_only_where_there_is_no_newline(write: Write) -> None:
    assert values(write("a.tsv", "a\tb\r\nx\ry\t1\r\n")) == [{"a": "x\ry", "b": "1"}]
    assert values(write("b.tsv", "a\tb\rx\t1\ry\t2\r")) == [{"a": "x", "b": "1"}, {"a": "y", "b": "2"}]


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1e"])
def test_no_other_sign_ends_a_line(write: Write, sign: str) -> None:
    text = f"x{sign}y"
    assert values(write("a.csv", f"a,b\n{text},1\n"))[0]["a"] == text
    assert values(write("a.tsv", f"a\tb\n{text}\t1\n"))[0]["a"] == text
    written = json.dumps({"a": text}, ensure_ascii=False)
    assert values(write("a.jsonl", written))[0]["a"] == text


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", "a,b\n{0},1\nx,2\n"),
        ("a.csv", 'a,b\n"x\n{0}\ny",1\nx,2\n'),
        ("a.tsv", "a\tb\n{0}\t1\nx\t2\n"),
        ("a.jsonl", '{{"a": "{0}"}}\n{{"a": "x"}}\n'),
    ],
)
def test_too_long_fields(write: Write, monkeypatch: pytest.MonkeyPatch, name: str, data: str) -> None:
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


def test_an_invalid_byte_in_jsonl(write: Write) -> None:
    problem = only_problem(write("a.jsonl", b'{"a": 1}\n{"a": "\x93"}\n'), encoding="utf-8")
    assert problem.code == "not-utf8"
    assert "line 2, column 8 (in bytes): the byte 0x93" in problem.message


@pytest.mark.filterwarnings("error")
def test_a_wide_file_that_is_given_up_leaves_nothing_open(write: Write) -> None:
    path = write("a.tsv", "\ufefftext\ttext\n1\t2\n".encode("utf-16-le"))
    assert "have the same name" in refused(path)
    next(read(write("b.tsv", "\ufefftext\tlabel\n1\t2\n3\t4\n".encode("utf-16-le"))))
    gc.collect()
