"""What comes through a pipe is read as a file, at places of its own."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from afina.data.pipes import piped
from afina.data.sources import read
from afina.errors import DataError, Problem
from afina.records import Row


def test_records_and_problems_are_those_of_the_standard_input() -> None:
    notes: list[str] = []
    with piped(io.BytesIO(b"id\ttext\n1\ta\n2\tb\n3\tc\n4\n")) as path:
        row, *_, problem = read(path, note=notes.append, delimiter="\t")
        assert Path(path).is_file()
    assert isinstance(row, Row)
    assert row.place == "stdin:2"
    assert isinstance(problem, Problem)
    assert problem.place == "stdin:5"
    assert notes
    assert all(note.startswith("stdin: ") for note in notes)
    assert not Path(path).exists()


def test_a_fault_of_the_whole_input() -> None:
    with piped(io.BytesIO(b"a,a\n1,2\n")) as path, pytest.raises(DataError) as caught:
        list(read(path, format="table"))
    assert str(caught.value).startswith("stdin")
    with pytest.raises(DataError, match="stdin: nothing came in"), piped(io.BytesIO()):
        pass


def test_a_closed_input() -> None:
    stream = io.BytesIO(b"a")
    stream.close()
    with pytest.raises(DataError, match="stdin: can't be read"), piped(stream):
        pass
