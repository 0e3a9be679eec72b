"""Sentences in columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.data import formats, sources
from afina.data.columns import looks_like_columns
from afina.errors import DataError, Problem


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


# ---- recognition


SENTENCES = [
    [("The", "DET", "O"), ("cat", "NOUN", "B-WHO"), ("sleeps", "VERB", "O"), (".", "PUNCT", "O")],
    [("A", "DET", "O"), ("dog", "NOUN", "B-WHO"), ("barks", "VERB", "O"), (".", "PUNCT", "O")],
    [("Lisbon", "PROPN", "B-PLACE"), ("sleeps", "VERB", "O"), ("#", "SYM", "O"), (",", "PUNCT", "O")],
    [("#lisbon", "SYM", "O"), ("%", "SYM", "O"), ("1,50", "NUM", "O"), (".", "PUNCT", "O")],
]


def numbered(words: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [(str(i), *word) for i, word in enumerate(words, 1)]


def text_of(sentences: Sequence[Sequence[Sequence[str]]], *, sign: str = "\t", above: str = "", end: str = "\n") -> str:
    return "".join(
        above.replace("N", str(i)) + "".join(f"{sign.join(word)}{end}" for word in sentence) + end
        for i, sentence in enumerate(sentences)
    )


ENDINGS = ("tsv", "txt", "train", "dev", "test", "ner", "annotated", "csv", "json", "conllu", "")
FORMS = {
    "CoNLL-2003": "-DOCSTART- -X- O\n\n" + text_of(SENTENCES, sign=" "),
    "tabs": text_of(SENTENCES),
    "blanks to line up": text_of(SENTENCES, sign="   "),
    "bars": text_of(SENTENCES, sign="|||"),
    "Windows": text_of(SENTENCES, end="\r\n"),
    "ids above": text_of(SENTENCES, sign=" ", above="# id 5b8c-N\tdomain=en\n"),
    "links above": text_of(SENTENCES, above="#\thttp://example.org/N\t[2011-03-0N]\n"),
    "MEDLINE": text_of(SENTENCES, above="###MEDLINE:9536N\n\n"),
    "vertical": "<doc>\n" + text_of(SENTENCES, above="<s>\n").replace("\n\n", "\n</s>\n\n") + "</doc>\n",
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("form", FORMS)
def test_sentences_are_known_under_any_ending(tmp_path: Path, form: str, ending: str) -> None:
    rows = sources.rows(write(tmp_path / f"a.{ending}".rstrip("."), FORMS[form]))
    assert [[*zip(*row.values.values(), strict=True)] for row in rows] == SENTENCES
    assert [*rows[0].values] == ["1", "2", "3"]


def test_words_may_be_numbered(tmp_path: Path) -> None:
    text = text_of([numbered(sentence) for sentence in SENTENCES], above="#\thttp://example.org\t[2011-03-01]\n")
    notes: list[str] = []
    path = write(tmp_path / "a.tsv", text)
    rows = sources.rows(path, note=notes.append)
    assert [row.values["1"] for row in rows] == [["1", "2", "3", "4"]] * 4
    assert rows[0].values["2"] == ["The", "cat", "sleeps", "."]
    assert notes[1] == f"{path}: 4 comment lines passed over, such as '#\\thttp://example.org\\t[2011-03-01]'"


def test_a_header_names_the_columns(tmp_path: Path) -> None:
    notes: list[str] = []
    rows = sources.rows(write(tmp_path / "a.txt", "Word\tPOS\tTag\n" + text_of(SENTENCES)), note=notes.append)
    assert rows[0].values == {
        "Word": ["The", "cat", "sleeps", "."],
        "POS": ["DET", "NOUN", "VERB", "PUNCT"],
        "Tag": ["O", "B-WHO", "O", "O"],
    }
    assert rows[0].place.endswith(":2")
    assert any("the columns are named Word, POS, Tag" in note for note in notes)


def test_conllu_plus_names_its_columns_and_counts_words_once(tmp_path: Path) -> None:
    text = "# global.columns = ID FORM UPOS\n# text = vámonos\n1-2\tvámonos\t_\n1\tvamos\tVERB\n2\tnos\tPRON\n\n"
    (row,) = sources.rows(write(tmp_path / "a.txt", text))
    assert row.values == {"id": ["1", "2"], "form": ["vamos", "nos"], "upos": ["VERB", "PRON"]}


@pytest.mark.parametrize(
    "text",
    [
        "text\tlabel\ngood film\tpos\nbad film\tneg\n\nfine film\tpos\n",
        "good film\tpos\nbad film\tneg\n\nfine film\tpos\na dull film\tneg\n",
        "text\tlabel\ngood\tpos\nbad\tneg\n\nfine\tpos\n",
        "pos\ta good film\npos\tfine\n\nneg\ta bad one\nneg\tno, a bad one\n",
        "text,label\ngood film,pos\nbad film,neg\n\nfine film,pos\n",
        "good film,pos\nbad film,neg\n\nfine film,pos\ndull film,neg\n",
        "good film;pos\nbad film;neg\n\nfine film;pos\ndull film;neg\n",
        "good\tpos\n\nbad\tneg\n\nfine\tpos\n\ndull\tneg\n",
        "the\tO\ncat\tB-WHO\nsleeps\tO\n",
        "word\nword\n\nword\nword\n",
        "0.1 0.2\n0.3 0.2\n\n0.1 0.4\n0.3 0.4\n",
        "A poem of some words\nhas lines that differ\n\nand verses\nas this one has, too\n",
        "name: Ann\nage: 7\n\nname: Bob\nage: 8\n",
        "1\n00:01 --> 00:02\nHello there\n\n2\n00:03 --> 00:04\nGood bye\n",
        '{\n "text": "a",\n\n "label": "b"\n}\n',
        "\n\n",
        "",
    ],
)
def test_what_is_not_sure_to_be_sentences_is_none(text: str) -> None:
    assert not looks_like_columns(text.splitlines(keepends=True))


def test_doubtful_files_are_read_where_the_format_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "good film\nbad day\n")
    assert sources.rows(path, format="columns")[0].values == {"1": ["good", "bad"], "2": ["film", "day"]}
    words = sources.rows(write(tmp_path / "b.txt", "good\nfilm\n\nbad\n"), format="columns")
    assert [row.values for row in words] == [{"1": ["good", "film"]}, {"1": ["bad"]}]
    rows = sources.rows(write(tmp_path / "c.csv", "a;O\nb c;O\n\nd;O\n"), format="columns", delimiter=";")
    assert rows[0].values == {"1": ["a", "b c"], "2": ["O", "O"]}


@pytest.mark.parametrize("odd", ["cat\n", "#\n", "#cat\n", "# cat\n", "# B-WHO O\n", "B-WHO\n", "cat\tO\n"])
def test_a_word_without_its_tag_is_a_problem_of_its_sentence_only(tmp_path: Path, odd: str) -> None:
    text = text_of(SENTENCES, sign=" ").replace("sleeps VERB O\n.", f"{odd}.")
    path = write(tmp_path / "a.txt", text)
    found = list(sources.read(path))
    if odd == "# B-WHO O\n":
        assert [isinstance(item, Problem) for item in found] == [False] * 4, "a word that has a tag"
        return
    assert [isinstance(item, Problem) for item in found] == [True, False, False, False]
    assert found[0].place == f"{path}:3"


@pytest.mark.parametrize(
    "text",
    [
        "text,label\ngood film,pos\nbad,neg\n",
        "text\tlabel\ngood\tpos\nbad\tneg\n",
        "review\tkind\na good film\tpos\na bad one\tneg\nfine\tpos\na dull film\tneg\n",
    ],
)
def test_a_table_that_is_called_a_file_of_sentences_is_refused_with_its_cure(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "a.conll", text)
    with pytest.raises(DataError, match=r"a.conll:1: the lines are those of a table.*; --format table$"):
        sources.rows(path)
    assert len(sources.rows(path, format="table")) == text.count("\n") - 1
    assert len(sources.rows(write(tmp_path / "b.conll", "one\tO\nNew York\tB-LOC\n"))) == 1


def test_a_long_file_whose_sentences_are_not_apart_is_refused(tmp_path: Path) -> None:
    lines = "the O\ncat B-WHO\n. O\n" * 50
    with pytest.raises(DataError, match=r"a.conll:1: the file has 150 lines of 2 columns and no empty line.*; put an"):
        sources.rows(write(tmp_path / "a.conll", lines))
    assert len(sources.rows(write(tmp_path / "b.conll", lines + "\n"))) == 1
    assert len(sources.rows(write(tmp_path / "c.conll", lines.replace(". O\n", ". O\n\n")))) == 50


words = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="|"), min_size=1, max_size=6)
tags = st.sampled_from(["O", "B-WHO", "I-WHO"])
written = st.lists(st.lists(st.tuples(words, tags), min_size=4, max_size=9), min_size=4, max_size=9)


@given(sentences=written, sign=st.sampled_from(["\t", " ", "  ", "|||"]), ending=st.sampled_from(ENDINGS))
def test_any_sentences_come_back(folder: Path, sentences: list[list[tuple[str, str]]], sign: str, ending: str) -> None:
    """With the format named in any case; without, as the same sentences or not as sentences."""
    path = write(folder / f"any.{ending}".rstrip("."), "a O\nb O\n\n" + text_of(sentences, sign=sign))
    rows = sources.rows(path, format="columns")
    assert [[*zip(row.values["1"], row.values["2"], strict=True)] for row in rows[1:]] == sentences
    reader = formats.reader_of(str(path), lambda: path.read_text("utf-8").splitlines(keepends=True))
    if reader is not None and reader.name == "columns":
        assert sources.rows(path) == rows
