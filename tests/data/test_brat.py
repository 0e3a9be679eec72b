"""Folders of texts with their annotations beside them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.data.brat import holds_brat, looks_like_annotations
from afina.errors import Problem
from tests.data.reading import Write, items, only_problem, refused, values

TEXT = "Ana lives in Évora,\nin the old town.\n"
ANNOTATIONS = "T1\tPER 0 3\tAna\nT2\tLOC 13 18\tÉvora\n"


def folder_of(path: Path, files: Mapping[str, str | bytes]) -> Path:
    path.mkdir(exist_ok=True)
    for name, data in files.items():
        (path / name).write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def spans_in(row: Mapping[str, object]) -> list[tuple[str, str]]:
    text, spans = row["text"], row["spans"]
    assert isinstance(text, str)
    assert isinstance(spans, list)
    return [(text[span["start"] : span["end"]], span["label"]) for span in spans]


def test_a_text_with_its_annotations_is_a_row(tmp_path: Path) -> None:
    path = folder_of(tmp_path / "set", {"b.txt": "Nothing.", "b.ann": "", "a.txt": TEXT, "a.ann": ANNOTATIONS})
    first, second = values(path)
    spans = [{"start": 0, "end": 3, "label": "PER"}, {"start": 13, "end": 18, "label": "LOC"}]
    assert first == {"id": "a", "text": TEXT, "spans": spans}
    assert second == {"id": "b", "text": "Nothing.", "spans": []}
    assert [item.place for item in items(path)] == [f"{path}/a.txt", f"{path}/b.txt"]


def test_what_is_no_span_of_one_piece_is_counted(tmp_path: Path) -> None:
    more = (
        "T3\tLOC 20 22;27 30\tin old\nR1\tLives Arg1:T1 Arg2:T2\t\nE1\tMove:T1 Theme:T2\nA1\tOld T2\nM1\tOld T2\n"
        "N1\tReference T2 Wikipedia:1 Évora\n*\tEquiv T1 T2\n#1\tAnnotatorNotes T1\tsure?\n\n"
    )
    notes: list[str] = []
    path = folder_of(tmp_path / "set", {"a.txt": TEXT, "a.ann": ANNOTATIONS + more})
    assert spans_in(values(path, note=notes.append)[0]) == [("Ana", "PER"), ("Évora", "LOC")]
    counts = "relations (2), events (1), attributes (2), links to databases (1), notes (1), spans in several pieces (1)"
    assert notes == [f"{path}: left out {counts}; only spans of one piece are read"]


def test_pieces_at_a_line_end_are_one_span(tmp_path: Path) -> None:
    path = folder_of(tmp_path / "set", {"a.txt": TEXT, "a.ann": "T1\tLOC 13 19;20 22\tÉvora, in\n"})
    assert spans_in(values(path)[0]) == [("Évora,\nin", "LOC")]


def test_the_files_of_shared_tasks_are_read_together(tmp_path: Path) -> None:
    files = {"a.txt": TEXT, "a.a1": ANNOTATIONS, "a.a2": "T3\tMove 4 9\tlives\nE1\tMove:T3\n"}
    assert spans_in(values(folder_of(tmp_path / "set", files))[0])[1] == ("lives", "Move")


def test_offsets_are_proved_by_the_words(tmp_path: Path) -> None:
    windows = TEXT.replace("\n", "\r\n")
    after = "T1\tLOC {} {}\told town\n"
    for text, start in ((TEXT, 27), (windows, 28), (windows, 27), ("🎈" + TEXT, 28), ("🎈" + TEXT, 29)):
        path = folder_of(tmp_path / "set", {"a.txt": text, "a.ann": after.format(start, start + 8)})
        (row,) = values(path)
        assert row["text"] == text
        assert spans_in(row) == [("old town", "LOC")]
    path = folder_of(tmp_path / "set", {"a.txt": TEXT, "a.ann": ANNOTATIONS.replace("13 18", "12 17")})
    problem = only_problem(path)
    assert problem.place == f"{path}/a.ann:2"
    assert problem.message == "T2 (12 17) should hold 'Évora', found ' Évor'"
    path = folder_of(tmp_path / "set", {"a.txt": TEXT, "a.ann": "T2\tLOC 30 90\tÉvora\n"})
    assert only_problem(path).message == "T2 (30 90) ends after the text, which has 37 characters"


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    files = {"a.txt": TEXT, "a.ann": ANNOTATIONS, "b.ann": "", "c.txt": "c", "annotation.conf": "[entities]"}
    notes: list[str] = []
    path = folder_of(tmp_path / "set", files)
    found = items(path, note=notes.append)
    assert [item.code for item in found if isinstance(item, Problem)] == ["no-text"]
    assert str(found[1]) == f"{path}/b.ann: the text b.txt is missing beside it; put it there"
    assert notes == [f"{path}: left out 'annotation.conf, c.txt', which have no annotations beside them"]


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"a.txt": b"\xff\n", "a.ann": "T1\tA 0 1\tx\n"}, "encoding"),
        ({"a.txt": "x", "a.ann": "#1\té\n#2\té\n".encode() + b"T1\tA 0 1\t\xff\n"}, "not-utf8"),
        ({"a.txt": "x", "a.ann": "T1 A 0 1 x\n"}, "not-brat"),
        ({"a.txt": "x", "a.ann": "T1\tA 0 x\n"}, "not-brat"),
        ({"a.txt": "x", "a.ann": "T1\tA 1 1\t\n"}, "span-text"),
    ],
)
def test_what_cannot_be_read_is_a_problem_of_its_text(
    tmp_path: Path, files: Mapping[str, str | bytes], code: str
) -> None:
    path = folder_of(tmp_path / "set", {**files, "b.txt": TEXT, "b.ann": ANNOTATIONS})
    assert only_problem(path).code == code


def test_which_folders_hold_annotated_texts(tmp_path: Path) -> None:
    assert holds_brat(folder_of(tmp_path / "a", {"a.ann": "", "b.ann": ""}))
    assert not holds_brat(folder_of(tmp_path / "b", {"a.ann": "", "b.txt": "", "c.csv": ""}))
    assert not holds_brat(folder_of(tmp_path / "c", {"a.txt": "", "b.csv": ""}))
    assert not holds_brat(folder_of(tmp_path / "d", {}))


def test_annotations_alone_lead_to_their_folder(write: Write) -> None:
    path = write("a.ann", ANNOTATIONS)
    assert refused(path).endswith("; name the folder that holds the texts and their annotations")
    assert not looks_like_annotations(["text\tlabel\n", "T1\tA\n"])
    assert not looks_like_annotations([])


pieces = st.text(st.characters(exclude_categories=["C"], exclude_characters="\u2028\u2029"), min_size=1, max_size=8)


@given(parts=st.lists(st.tuples(pieces, st.sampled_from(["", "A", "B-c"])), min_size=1, max_size=8))
def test_any_spans_come_back(folder: Path, parts: list[tuple[str, str]]) -> None:
    text = ""
    lines: list[str] = []
    expected = []
    for piece, label in parts:
        start, text = len(text), text + piece
        if label and piece.strip():
            lines.append(f"T{len(lines)}\t{label} {start} {len(text)}\t{piece}\n")
            expected.append({"start": start, "end": len(text), "label": label})
    path = folder_of(folder / "any", {"a.txt": text, "a.ann": "".join(lines)})
    assert values(path) == [{"id": "a", "text": text, "spans": expected}]
