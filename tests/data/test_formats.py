"""The forms of files are found by themselves, those of other packages too."""

from __future__ import annotations

from pathlib import Path

import pytest

from afina.config import load
from afina.data import formats
from afina.data.parts import read_data
from afina.data.sources import read, rows
from afina.errors import DataError, Problem


def test_every_reader_is_found() -> None:
    names = [reader.name for reader in formats.readers()]
    assert names == ["columns", "conllu", "table", "jsonl", "json", "stars"]
    assert len(formats.endings()) == 11


@pytest.mark.parametrize(
    ("name", "text", "form"),
    [
        ("a.csv", "text,label\n", "table"),
        ("A.TSV", "text\tlabel\n", "table"),
        ("a.txt", "the O\ncat B-WHO\n\na O\ndog B-WHO\n", "columns"),
        ("a.txt", "text\tlabel\ngood\tpos\n", "table"),
        ("a.txt", "notes\n", "table"),
        ("a.json", "[]", "json"),
        ("a.ndjson", "{}", "jsonl"),
        ("a.conllu", "", "conllu"),
    ],
)
def test_the_ending_decides_and_where_it_can_not_the_content(name: str, text: str, form: str) -> None:
    assert formats.reader_of(name, lambda: text.splitlines(keepends=True)).name == form


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
