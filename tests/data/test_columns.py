"""Sentences in columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from afina.data import sources
from afina.data.columns import looks_like_columns
from afina.errors import DataError


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_columns_documents_and_the_last_sentence_without_an_empty_line(tmp_path: Path) -> None:
    text = "-DOCSTART- -X- O\n\nEU NNP B-ORG\nrejects VBZ O\n\n\r\nThe DT O\nend NN O"
    rows = sources.rows(write(tmp_path / "a.conll", text))
    assert [row.place.rsplit(":", 1)[1] for row in rows] == ["3", "7"]
    assert rows[0].values == {"1": ["EU", "rejects"], "2": ["NNP", "VBZ"], "3": ["B-ORG", "O"]}


def test_only_tabs_and_blanks_separate(tmp_path: Path) -> None:
    rows = sources.rows(write(tmp_path / "a.conll", "a\xa0b\x85 O\nc\u2028d O\n"))
    assert rows[0].values["1"] == ["a\xa0b\x85", "c\u2028d"]
    rows = sources.rows(write(tmp_path / "b.iob", "New York\tB-LOC\nis\tO\n"))
    assert rows[0].values["1"] == ["New York", "is"]


def test_a_ragged_line_names_its_place(tmp_path: Path) -> None:
    file = write(tmp_path / "a.conll", "a O\nb O\n\nc\nd O\n\ne O\n")
    with pytest.raises(DataError, match=r"a.conll:4: expected 2 columns as in the other lines, found 1: 'c'"):
        sources.rows(file)
    assert len(list(sources.read(file))) == 3


def test_text_files_are_told_apart(tmp_path: Path) -> None:
    assert looks_like_columns(["a O\n", "b O\n", "\n", "c O\n", "\n"])
    assert not looks_like_columns(["text\tlabel\n", "good film\tpos\n"])
    rows = sources.rows(write(tmp_path / "a.txt", "a\tO\nb\tO\n\nc\tO\n"))
    assert [row.values["1"] for row in rows] == [["a", "b"], ["c"]]
    table = sources.rows(write(tmp_path / "b.txt", "text\tlabel\ngood\tpos\nbad\tneg\n"))
    assert table[0].values == {"text": "good", "label": "pos"}


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "sentences", "tokens"),
    [
        ("conll2003/train.txt", 14_041, 203_621),
        ("lener_br/train.conll", 7_827, 229_277),
        ("ud_en_ewt/en_ewt-ud-dev.conllu", 2_001, None),
        ("atis/train.txt", 4_478, None),
    ],
)
def test_real_files_have_their_known_counts(name: str, sentences: int, tokens: int | None, real_data: Path) -> None:
    rows = sources.rows(real_data / name)
    assert len(rows) == sentences
    if tokens:
        assert sum(len(row.values["1"]) for row in rows) == tokens


def test_columns_in_a_txt_file_are_found_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "README.txt").write_text("Notes of the collectors.\n", encoding="utf-8")
    (tmp_path / "a.txt").write_text("the DET\ncat NOUN\n\na DET\ndog NOUN\n", encoding="utf-8")
    assert [row.values["1"] for row in sources.rows(tmp_path)] == [["the", "cat"], ["a", "dog"]]
