"""PubTator's documents: a title and an abstract as one text, entities with offsets into it."""

from __future__ import annotations

from pathlib import Path

import pytest

from afina.data import sources
from afina.errors import DataError, Problem
from tests.data.annotated import save, targets

FIRST = "1|t|Ana lives\n1|a|in Porto\n1\t0\t3\tAna\tPER\tD1\n1\t13\t18\tPorto\tLOC\tD2|D3\n1\tCID\tD1\tD2\n"
SECOND = "2|t|Nobody\n2|a|\n"


@pytest.mark.parametrize("name", ["a.pubtator", "a.txt", "a.csv", "a"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_documents(tmp_path: Path, name: str, end: str) -> None:
    path = save(tmp_path, f"\n{FIRST}\n{SECOND}\n".replace("\n", end), name)
    assert targets(path) == [[(0, 3, "PER"), (13, 18, "LOC")], []]
    notes: list[str] = []
    first, second = sources.read(path, note=notes.append)
    assert not isinstance(first, Problem)
    assert not isinstance(second, Problem)
    assert (first.values["id"], first.values["text"], first.place) == ("1", "Ana lives in Porto", f"{path}:2")
    assert second.values["text"] == "Nobody "
    assert f"{path}: left out 1 line of relations" in notes


@pytest.mark.parametrize("line", ["1\t0\t3\tAna", "1 0 3 Ana PER", "more words", "3|t|x"])
def test_a_line_of_another_kind_spoils_its_document(tmp_path: Path, line: str) -> None:
    path = save(tmp_path, f"{FIRST}{line}\n\n{SECOND}", "a.pubtator")
    wrong, _ = sources.read(path)
    assert isinstance(wrong, Problem)
    assert (wrong.code, wrong.place) == ("bad-pubtator", f"{path}:1")
    assert "line 6: expected" in wrong.message
    assert wrong.raw == f"{FIRST}{line}\n".encode()


def test_a_document_without_a_title(tmp_path: Path) -> None:
    wrong, _ = sources.read(save(tmp_path, f"1\t0\t3\tAna\tPER\tD1\n\n{SECOND}", "a.pubtator"))
    assert isinstance(wrong, Problem)
    assert "a document begins with a title" in wrong.message


def test_mentions_that_are_not_there_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path, FIRST.replace("\t0\t3", "\t1\t4"), "a.pubtator")
    with pytest.raises(DataError, match="should hold 'Ana', found 'na '"):
        targets(path)
