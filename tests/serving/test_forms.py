"""A file of texts, one a line, is told from a table by its content."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.data.pipes import Piped
from afina.serving.inputs import read_inputs, sound
from afina.tasks.base import Task
from afina.tasks.classification import Classification, ClassificationOptions
from afina.tasks.tokens import Tokens, TokensOptions

SINGLE = Classification(ClassificationOptions(text="text", label="label"))
PAIRS = Classification(ClassificationOptions(text="a", pair="b", label="label"))
WORDS = Tokens(TokensOptions(tokens="tokens", tags="tags"))


def texts(task: Task, path: Path | Piped) -> tuple[list[str], list[str]]:
    """The texts of a file, and what was said of it."""
    notes: list[str] = []
    return [one.example.text for one in sound(read_inputs(task, path, note=notes.append))], notes


@pytest.mark.parametrize("task", [SINGLE, WORDS], ids=["texts", "words"])
@pytest.mark.parametrize(
    "lines",
    [
        ["Adorei o filme.", "Que horror!"],
        ["Olá, mundo", "Bom dia, amigo", "Sim, claro", "Não, nunca"],
        ["a | b", "c | d", "e | f"],
        ["bom", "mau"],
        ["Bom filme", "", "Mau filme"],
        ['"Olá" disse ele', "Ele disse"],
        ["1", "2", "3"],
        ["{x} foi", "[Ana] foi"],
        ["só uma"],
    ],
    ids=lambda lines: lines[0],
)
def test_sentences_are_texts_one_a_line(task: Task, lines: list[str], tmp_path: Path) -> None:
    for name in ("texts.txt", "texts", "texts.md"):
        (tmp_path / name).write_text("\n".join(lines), encoding="utf-8")
        found, notes = texts(task, tmp_path / name)
        assert found == lines
        assert notes[0].endswith(f"{name}: read as texts, one a line (--format NAME for another)")


@pytest.mark.parametrize(
    "content",
    [
        "text\na film\nbom, sim\n",
        '"text"\n"a film"\n"bom, sim"\n',
        'id,text\n1,a film\n2,"bom, sim"\n',
        "text\tid\na film\t1\nbom, sim\t2\n",
        "frase\na film\nbom, sim\n",
        '{"text": "a film"}\n{"text": "bom, sim"}\n',
        '[{"text": "a film"}, {"text": "bom, sim"}]',
    ],
)
def test_what_names_its_columns_is_no_list_of_texts(content: str, tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text(content, encoding="utf-8")
    assert texts(SINGLE, tmp_path / "data.txt")[0] == ["a film", "bom, sim"]
    assert texts(WORDS, tmp_path / "data.txt")[0] == ["a film", "bom, sim"]


def test_an_ending_of_a_table_is_kept_to(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("palavras\na film\n", encoding="utf-8")
    assert texts(SINGLE, tmp_path / "data.csv")[0] == ["a film"]


def test_words_one_a_line_stay_sentences_for_a_model_of_words(tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("Ana B-PER\nmora O\n\nRui B-PER\ndorme O\n", encoding="utf-8")
    assert texts(WORDS, tmp_path / "data.txt")[0] == ["Ana mora", "Rui dorme"]


def test_the_standard_input_has_no_ending(tmp_path: Path) -> None:
    (tmp_path / "stdin.csv").write_text("bom\nmau\n", encoding="utf-8")
    found, notes = texts(SINGLE, Piped(tmp_path / "stdin.csv"))
    assert found == ["bom", "mau"]
    assert notes == ["stdin: read as texts, one a line (--format NAME for another)"]


LINE = st.text(st.sampled_from(" abcéç.!?'-"), min_size=1, max_size=20).filter(str.strip)


@given(lines=st.lists(LINE, min_size=1, max_size=12))
def test_no_line_is_lost(lines: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "lines.txt"
    path.write_text("\n".join(["uma frase inteira.", *lines]) + "\n", encoding="utf-8")
    assert texts(SINGLE, path)[0] == ["uma frase inteira.", *lines]
