"""The encoding of a file is recognised where it can be without doubt, told, and asked for everywhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.data.encodings import encoding_of
from afina.errors import DataError, Problem
from tests.data.reading import Write, items, refused, values

PORTUGUESE = ["comentário", "Ótimo serviço, voltarei", "péssimo", "não recomendo", "“aspas” – e travessão", "plain"]


def recognised(folder: Path, data: bytes) -> tuple[str, str]:
    path = folder / "a.csv"
    path.write_bytes(data)
    with path.open("rb") as file:
        return encoding_of("a.csv", file)


@given(lines=st.lists(st.sampled_from(PORTUGUESE), min_size=1, max_size=20))
def test_portuguese_in_utf8_and_in_windows_1252(folder: Path, lines: list[str]) -> None:
    text = "\n".join(lines)
    assert recognised(folder, text.encode()) == ("utf-8", "")
    encoding, note = recognised(folder, text.encode("cp1252"))
    assert text.encode("cp1252").decode(encoding) == text
    assert bool(note) == (not text.isascii())


@given(text=st.text(max_size=50))
def test_utf8_is_utf8(folder: Path, text: str) -> None:
    data = text.encode("utf-8", "ignore")
    if b"\0" not in data and not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        assert recognised(folder, data)[0] == "utf-8"


@pytest.mark.parametrize(("text", "codec"), [("Привет мир", "cp1251"), ("你好世界", "gb18030"), ("Καλημέρα", "cp1253")])
def test_other_alphabets_have_to_be_named(write: Write, text: str, codec: str) -> None:
    path = write("a.csv", f"text,label\n{text},a\n{text},b\n".encode(codec))
    assert f"{path}: 2 of 3 lines not in UTF-8; name it: --encoding" in refused(path)
    assert [row["text"] for row in values(path, encoding=codec)] == [text, text]


def test_a_few_damaged_lines_among_sound_ones_are_problems_of_their_own(write: Write) -> None:
    sound, damaged = "Adorei 😀, não?\tpos\n".encode(), b"Ruim \xf0\x9f\x98\tneg\n"
    found = items(write("a.tsv", b"text\tlabel\n" + sound * 5 + damaged + sound))
    problems = [item for item in found if isinstance(item, Problem)]
    assert [problem.code for problem in problems] == ["not-utf8"]
    assert len(found) == 7


def test_utf16_without_a_mark_is_named(write: Write) -> None:
    path = write("a.csv", "text,label\na,b\n".encode("utf-16-le"))
    assert "--encoding utf-16-le" in refused(path)
    assert values(path, encoding="utf-16-le") == [{"text": "a", "label": "b"}]


def test_a_note_says_what_was_taken(write: Write) -> None:
    notes: list[str] = []
    path = write("a.csv", "texto,nota\nÓtimo,5\nRuim,1\n".encode("cp1252"))
    assert values(path, note=notes.append)[0]["texto"] == "Ótimo"
    assert notes == [f"{path}: not UTF-8 but Windows-1252, as it seems (--encoding NAME for another)"]
    with pytest.raises(DataError):
        values(path, encoding="utf-8")
