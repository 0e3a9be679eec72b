"""The forms of files are found by themselves, those of other packages too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

import afina.data
from afina.config import load
from afina.data import formats
from afina.data.formats import Reader
from afina.data.lines import Item, ReadOptions
from afina.data.parts import read_data
from afina.data.sources import read, rows
from afina.errors import ConfigError, DataError, Problem
from afina.records import Row
from tests.data.arrow_tables import FORMS, table
from tests.data.reading import Write, items, refused, values
from tests.data.workbook_files import as_ods, as_xls, as_xlsx


def test_every_reader_is_found() -> None:
    names = [reader.name for reader in formats.readers()]
    assert {"columns", "conllu", "table", "jsonl", "json", "lines"} < {*names}
    assert names[-1] == "stars", "those of other packages come last"
    assert len(names) == len(set(names))


def test_whatever_file_holds_a_reader_is_found() -> None:
    stems = [path.stem for path in Path(afina.data.__path__[0]).glob("*.py")]
    modules = [import_module(f"afina.data.{stem}") for stem in stems]
    held = {module.READER.name for module in modules if hasattr(module, "READER")}
    assert held == {reader.name for reader in formats.own_readers()}


# ---- every reader


SAMPLES = {
    ".csv": b'text,label\n"a, b",x\n"two\nlines",y\n',
    ".tsv": b"text\tlabel\na\tx\nb\ty\n",
    ".jsonl": b'{"text": "a"}\n{"text": "b"}\n',
    ".ndjson": b'{"text": "a"}\n\n{"text": "b"}\n',
    ".conll": b"the O\ncat B-WHO\n\na O\n\n",
    ".iob": b"the\tO\n\na\tO\n",
    ".bio": b"the O\n\na O\n",
    ".label": b"A:one\nB:two: three\n",
    ".conllup": b"# global.columns = FORM TAG\nthe\tO\n\na\tO\n",
    ".conllu": b"# x\n1\ta\ta\tX\t_\t_\t0\troot\t_\t_\n\n1\tb\tb\tX\t_\t_\t0\troot\t_\t_\n\n",
    ".pubtator": b"1|t|a\n1|a|b\n\n2|t|b\n2|a|c\n2\t0\t1\tb\tX\tD1\n",
    ".json": b'[{"text": "a"}, {"text": "b"}]',
    **{ending: form(table({"text": ["a", "b"]})) for ending, form in FORMS.items()},
    **dict.fromkeys((".xlsx", ".xlsm"), as_xlsx({"S": [["text"], ["a"], ["b"]]})),
    ".ods": as_ods({"S": [["text"], ["a"], ["b"]]}),
    ".xls": as_xls(),
    ".stars": b"* a\n** b\n",
}
"""A file of two rows for every ending."""


def test_every_ending_has_a_sample() -> None:
    assert {*SAMPLES, ".spacy"} == set(formats.endings()), "spaCy writes its own, where it is installed: test_docbin"


def test_every_format_says_what_it_holds() -> None:
    assert all(reader.summary for reader in formats.own_readers())


@pytest.mark.parametrize("ending", SAMPLES)
def test_every_reader_gives_rows_at_their_places(write: Write, ending: str) -> None:
    path = write(f"a{ending}", SAMPLES[ending])
    first, second = rows(path)
    assert first.place.startswith(f"{path}:")
    assert first.place != second.place
    assert first.values.keys() == second.values.keys()
    assert refused(write(f"b{ending}", b"")).startswith(str(write(f"b{ending}", b"")))


@given(ending=st.sampled_from(sorted(SAMPLES)), at=st.integers(0, 99), put=st.binary(max_size=3))
def test_a_spoiled_file_gives_rows_and_problems_or_is_refused(folder: Path, ending: str, at: int, put: bytes) -> None:
    whole = SAMPLES[ending]
    path = folder / f"spoiled{ending}"
    path.write_bytes(whole[:at] + put + whole[at + len(put) :])
    try:
        found = items(path)
    except DataError as error:
        found = [*error.problems]
    for item in found:
        assert item.place.startswith(str(path))
        assert isinstance(item, Row) or (item.message and item.code)


# ---- which reader


@pytest.mark.parametrize(
    ("name", "text", "form"),
    [
        ("a.csv", "text,label\n", "table"),
        ("A.TSV", "text\tlabel\n", "table"),
        ("a.txt", "the O\ncat B-WHO\n\na O\ndog B-WHO\n", "columns"),
        ("a.txt", "text\tlabel\ngood\tpos\n", "table"),
        ("a.txt", "text;label\ngood;pos\nbad;neg\n", "table"),
        ("a.tsv", "the\tO\ncat\tB-WHO\n\na\tO\ndog\tB-WHO\n", "columns"),
        ("a", "the O\ncat B-WHO\n\na O\ndog B-WHO\n", "columns"),
        ("a.conll", "the\tO\ncat\tB-WHO\n", "columns"),
        ("a.json", "[]", "json"),
        ("a.ndjson", "{}", "jsonl"),
        ("a.txt", '{"a": 1}\n{"a": 2}\n', "jsonl"),
        ("a.csv", '[{"a": 1},\n{"a": 2}]', "json"),
        ("a.conllu", "", "conllu"),
    ],
)
def test_the_content_decides_and_where_it_does_not_the_ending(name: str, text: str, form: str) -> None:
    reader = formats.reader_of(name, lambda: text.splitlines(keepends=True))
    assert reader is not None
    assert reader.name == form


@pytest.mark.parametrize("text", ["notes\n", "a line, with a comma\nand none here\n", "", "one\ttab\n"])
def test_what_nothing_recognises_has_no_reader(text: str) -> None:
    assert formats.reader_of("a.txt", lambda: text.splitlines(keepends=True)) is None
    assert formats.reader_of("a", lambda: text.splitlines(keepends=True)) is None


def test_a_format_that_is_named_is_taken(write: Write) -> None:
    path = write("notes.txt", "words\nmore, words\n\n")
    assert values(path, format="lines") == [{"text": "words"}, {"text": "more, words"}, {"text": ""}]
    assert values(path, format="table", columns=["text"], delimiter="\t") == [
        {"text": "words"},
        {"text": "more, words"},
    ]
    with pytest.raises(
        ConfigError, match=r"format: 'tabel' is not a format, did you mean 'table'\? There are: arrow, brat, columns"
    ):
        items(path, format="tabel")


def test_what_was_decided_about_a_file_is_told(write: Write) -> None:
    notes: list[str] = []
    path = write("a.txt", "text\tlabel\ngood\tpos\n")
    items(path, note=notes.append)
    assert notes == [f"{path}: read as table, as its content looks (--format NAME for another)",
                     f"{path}: a table with tab between fields, quotes kept as text"]  # fmt: skip


def test_a_reader_of_another_package_reads_its_files(tmp_path: Path) -> None:
    file = tmp_path / "mine.stars"
    file.write_text("*** a fine film\n* a dull film\nno stars\n" * 4, encoding="utf-8")
    items = list(read(file))
    assert len(items) == 12
    assert [item.code for item in items if isinstance(item, Problem)] == ["no-stars"] * 4
    with pytest.raises(DataError, match=r"mine\.stars:3: expected stars in front; write \* to \*\*\*\*\*"):
        rows(file)
    settings = {"task": "ordinal", "data.train": str(file), "data.validation": str(file), "data.on_bad_row": "skip"}
    data = read_data(load(None, settings))
    assert [example.target for example in data.splits["train"]] == ["3", "1"] * 4


def test_column_names_are_refused_where_records_name_their_own(write: Write) -> None:
    for reader in formats.readers():
        for ending in () if reader.magic else reader.endings:
            path = write(f"a{ending}", SAMPLES[ending])
            if reader.named_columns:
                with pytest.raises(ConfigError, match=re.escape(f"{path} is {reader.name}")):
                    items(path, columns=["text", "label", "more"])
            else:
                assert items(path, columns=["text", "label", "more"])


def test_sentences_in_columns_pass_over_names_that_are_given(write: Write) -> None:
    """A run has one header for all of its files; those in columns have none."""
    path = write("a.conll", SAMPLES[".conll"])
    assert values(path, columns=["text", "label"]) == values(path)


# ---- readers of other packages


def whole_file(name: str, file: BinaryIO, options: ReadOptions) -> Iterator[Item]:
    yield Row({"bytes": len(file.read())}, f"{name}:1")


def holds_mine(head: Sequence[str]) -> bool:
    return any("mine" in line for line in head)


def add(monkeypatch: pytest.MonkeyPatch, *more: Reader) -> None:
    known = formats.readers()
    monkeypatch.setattr(formats, "readers", lambda: (*known, *more))


@pytest.mark.parametrize("ending", SAMPLES)
def test_the_most_specific_reader_that_recognises_a_file_takes_it(
    write: Write, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    other, own = write(f"a{ending}", SAMPLES[ending]), write(f"b{ending}", b'["mine"]\n')
    before = values(other)
    add(monkeypatch, Reader("mine", (), whole_file, sniff=holds_mine, specificity=9))
    assert values(other) == before
    if not formats.find(reader_name(ending)).magic:
        assert values(own) == [{"bytes": 9}]


def reader_name(ending: str) -> str:
    owner = formats.owner_of(ending)
    assert owner is not None
    return owner.name


def test_the_first_bytes_decide_before_anything_else(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    add(monkeypatch, Reader("book", (".book",), whole_file, magic=(b"BOOK\0",)))
    assert values(write("a.csv", b"BOOK\0 one")) == [{"bytes": 9}]
    assert values(write("a.book", b"text,label\n")) == [{"bytes": 11}], "its reader has to say that it is none"


def test_text_of_nobody_is_left_out_of_a_folder_named_and_explained_by_itself(write: Write, tmp_path: Path) -> None:
    notes: list[str] = []
    path = write("notes.txt", "words\nmore\twords\n")
    write("a.txt", "text\tlabel\ra\tx\r")
    write("b.csv", "text,label\nb,y\n")
    assert [row["text"] for row in values(tmp_path, note=notes.append)] == ["a", "b"]
    assert f"{tmp_path}: left out 'notes.txt', which hold no data" in notes
    assert "can't tell the format: found .txt; name it with --format" in refused(path)


def test_a_folder_may_be_one_data_set(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def from_folder(name: str, options: ReadOptions) -> Iterator[Item]:
        yield Row({"text": "whole"}, f"{name}/a.part")

    write("a.part", "x")
    reader = Reader("parts", (), whole_file, holds=lambda path: (path / "a.part").exists(), read_folder=from_folder)
    add(monkeypatch, reader)
    assert values(tmp_path) == [{"text": "whole"}]


def test_a_reader_says_what_to_do_with_related_files(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("a.oldbook", b"x")
    add(monkeypatch, Reader("book", (".book",), whole_file, cures={".oldbook": "save it as .book"}))
    assert refused(path).endswith("; save it as .book")


@dataclass(frozen=True)
class Point:
    """As much of an entry point as is used."""

    name: str
    value: str
    loaded: Any

    def load(self) -> Any:
        return self.loaded


@dataclass(frozen=True)
class Broken(Point):
    """An entry point whose module can't be imported."""

    def load(self) -> Any:
        raise ImportError("no module named 'missing'")


@pytest.mark.parametrize(
    ("point", "says"),
    [
        (Point("other", "mine:OTHER", json), r"expected a Reader of afina\.data\.formats, found module"),
        (Point("json", "mine:JSON", Reader("json", (".js",), whole_file)), "there is a reader 'json' already"),
        (
            Point("table2", "mine:TABLE", Reader("table2", (".csv",), whole_file)),
            r"\.csv belongs to the reader 'table'",
        ),
        (Broken("broken", "missing:READER", None), "can't be imported: ImportError: no module named 'missing'"),
    ],
)
def test_what_can_not_be_used_is_named_and_harms_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, point: Point, says: str
) -> None:
    mine = Reader("mine", (".mine",), whole_file)
    points = [Point("mine", "mine:READER", mine), point]
    monkeypatch.setattr(formats, "entry_points", lambda *, group: points if group == "afina.readers" else [])
    assert formats.offered_readers(formats.own_readers()) == [mine]
    assert len(caplog.messages) == 1
    assert re.search(rf"afina\.readers: {point.name} = {point.value} is left out: {says}", caplog.text)


@pytest.mark.parametrize("ending", ["csv", ".CSV", ".", "", ".csv.gz", "./a"])
def test_endings_have_a_dot_and_no_capitals(ending: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"reader 'mine': expected a dot and lower-case characters, such as "
                                                    f"'.csv', found the ending {ending!r}")):  # fmt: skip
        Reader("mine", (ending,), whole_file)
