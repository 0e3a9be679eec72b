"""Words with tags: columns by what they hold, lists in writing, numbers with names, tags in any spelling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from afina.config import load
from afina.data.parts import read_data
from afina.errors import ConfigError, DataError
from afina.records import Example, Row
from afina.tasks import tagging
from afina.tasks.tokens import Tokens, TokensOptions
from afina.text.spans import Span

GERMEVAL = [
    [["1", "2", "3", "4"], ["die", "Uni", "Bonn", "."], ["O", "B-ORG", "I-ORG", "O"], ["O", "O", "B-LOC", "O"]],
    [["1", "2"], ["Bonn", "lacht"], ["B-LOC", "O"], ["O", "O"]],
    [["1"], ["Ja"], ["O"], ["O"]],
]


def rows_of(sentences: Sequence[Sequence[Sequence[Any]]]) -> list[Row]:
    """Sentences in numbered columns, as a CoNLL file gives them."""
    return [
        Row({str(k): [*column] for k, column in enumerate(one, 1)}, f"a.conll:{i}")
        for i, one in enumerate(sentences, 1)
    ]


def chosen(sentences: Sequence[Sequence[Sequence[Any]]], **options: Any) -> tuple[str | None, str | None]:
    rows = rows_of(sentences)
    task = Tokens(TokensOptions(**options)).columns(list(rows[0].values), rows=rows)
    return task.options.tokens, task.options.tags


def sentences(text: str) -> list[list[list[str]]]:
    """Sentences from lines of `word/tag/tag`."""
    return [[[*c] for c in zip(*(w.split("/") for w in line.split()), strict=True)] for line in text.split("\n")]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("a/O Ana/B-PER\nb/O c/O", ("1", "2")),
        ("1/a/O 2/Ana/B-PER\n1/b/O", ("2", "3")),
        ("0/a/DET 1/gata/NOUN\n0/b/X", ("2", "3")),
        ("doc/0/0/a/DET/O doc/0/1/Ana/NNP/B-PER\ndoc/0/0/b/X/O", ("4", "6")),
        ("1/a/O/O 2/Rio/B-LOC/O\n1/c/O/O", ("2", "3")),  # the second level of a small file is empty
        ("O/a B-PER/Ana\nO/c O/d", ("2", "1")),  # the tag stands first
        ("O/a PER-B/Ana\nO/c O/d", ("2", "1")),
        ("a/DET/B-NP/O Ana/NNP/I-NP/B-PER\nb/X/O/O c/X/B-NP/O", ("1", "4")),  # chunks are other types
        ("a/O/x Ana/B-PER/y\nb/O/z c/O/x", ("1", "3")),  # the last, and the other one is named
        ("1/O\n1/B-PER", ("1", "2")),
        ("a/_/DET b/_/X", ("1", "3")),
    ],
)
def test_columns_by_what_they_hold(text: str, columns: tuple[str, str]) -> None:
    assert chosen(sentences(text)) == columns


def test_of_nested_levels_the_one_with_most_entities_is_taken_and_the_other_named() -> None:
    assert chosen(GERMEVAL) == ("2", "3")
    assert chosen(GERMEVAL, tags="4") == ("2", "4")
    assert chosen(GERMEVAL, tokens="1") == ("1", "3")
    rows = rows_of(GERMEVAL)
    task = Tokens(TokensOptions()).columns(["1", "2", "3", "4"], rows=rows)
    assert task.remarks(rows) == ["columns that look like entity tags, too: '4' (--tags 4)"]
    words = Tokens(TokensOptions()).columns(["1", "2", "3", "4"], rows=rows, labelled=False)
    assert words.remarks(rows) == []


def test_a_file_of_words_alone_is_predicted_with_a_model_of_numbered_columns() -> None:
    task = Tokens(TokensOptions(tokens="2", tags="3"))
    assert task.columns(["1"], rows=rows_of([[["a", "b"]]]), labelled=False).options.tokens == "1"
    with pytest.raises(ConfigError, match="tokens: the data have no column '2'"):
        task.columns(["1"], rows=rows_of([[["a", "b"]]]))


@pytest.mark.parametrize(
    ("row", "options"),
    [
        ({"Words": ["a"], "NER": ["O"]}, {"tokens": "Words", "tags": "NER"}),
        ({"palavras": ["a"], "rotulos": ["O"]}, {"tokens": "palavras", "tags": "rotulos"}),
        ({"id": 1, "tokens": "['a' 'b']", "y": "['B-PER' 'O']"}, {"tokens": "tokens", "tags": "y"}),
        ({"texto": "Ana ri", "entidades": "[[0, 3, 'PER']]"}, {"text": "texto", "label": "entidades"}),
        ({"frase": "Ana ri", "x": [{"start": 0, "end": 3, "label": "P"}]}, {"text": "frase", "label": "x"}),
    ],
)
def test_names_and_content_of_tables(row: dict[str, Any], options: dict[str, str]) -> None:
    task = Tokens(TokensOptions()).columns(list(row), rows=[Row(row, "x")])
    assert task.options.chosen == {role: [name] for role, name in options.items()}


@pytest.mark.parametrize("written", ["['he', \"it's\"]", '["he", "it\'s"]', "['he' \"it's\"]", ["he", "it's"]])
def test_lists_of_words_and_tags_in_writing(written: Any) -> None:
    task = Tokens(TokensOptions(tokens="tokens", tags="tags"))
    for tags in ("['O', 'B-X']", "['O' 'B-X']", "array(['O', 'B-X'], dtype=object)", ["O", "B-X"]):
        example = task.read(Row({"tokens": written, "tags": tags}, "f:2"))
        assert (example.text, example.target) == ("he it's", ("O", "B-X"))
    for numbers in ("[0 3]", "[0. 3.]", [0, 3], [0.0, 3.0]):
        assert task.read(Row({"tokens": written, "tags": numbers}, "f:2")).target == ("0", "3")
    with pytest.raises(DataError, match=r"expected a list of words, found str 'he it'; write the words as a list"):
        task.read(Row({"tokens": "he it", "tags": ["O", "O"]}, "f:2"))


@pytest.mark.parametrize(
    "written",
    ["[{'start': 0, 'end': 3, 'label': 'P'}]", '[[0, 3, "P"]]', "[(0, 3, 'P')]",
     {"start": [0], "end": [3], "label": ["P"]}, "{'start': array([0]), 'end': array([3]), 'label': array(['P'])}"],
)  # fmt: skip
def test_spans_in_writing(written: Any) -> None:
    task = Tokens(TokensOptions(text="text", label="spans"))
    assert task.read(Row({"text": "Ana ri", "spans": written}, "f:2")).target == (Span(0, 3, "P"),)
    assert task.read(Row({"text": "Ana ri", "spans": ""}, "f:2")).target == ()
    with pytest.raises(DataError, match=r"expected spans, found str 'P'; write a list: \[\{'start'"):
        task.read(Row({"text": "Ana ri", "spans": "P"}, "f:2"))


def test_numbers_of_tags_may_have_names_and_are_doubted_without() -> None:
    rows = [{"tokens": ["hi", name], "ner_tags": [0, 1]} for name in ("Ana", "Rui", "Eva", "Leo")]
    data = read_data(load(None, {"task": "tokens"}), {"train": rows, "validation": rows})
    (doubt,) = data.task.warnings(data.splits["train"])
    assert doubt.code == "numbered-tags"
    assert doubt.fix == "name them in order: --set options.labels=[tag0,tag1]"
    named = read_data(load(None, {"task": "tokens", "options.labels": "O,B-PER"}), {"train": rows, "validation": rows})
    assert named.task.fitted["types"] == ["PER"]
    assert named.task.warnings(named.splits["train"]) == []
    options = TokensOptions(tags="t", labels=["O", "B-PER"])
    assert tagging.read_tags(Row({"t": ["O", 1]}, "x"), options, 2) == ("O", "B-PER")
    with pytest.raises(DataError, match=r"x: tag '2' has no name in options\.labels, which has 2 names from 0"):
        tagging.read_tags(Row({"t": [2]}, "x"), options, 1)


def learned(train: str, validation: str, **options: str) -> Any:
    """The data of a run on sentences in two columns."""
    settings = {"task": "tokens", **{f"options.{name}": value for name, value in options.items()}}
    parts = {"train": train, "validation": validation}
    sources = {name: [{"tokens": w, "tags": t} for w, t in sentences(text)] for name, text in parts.items()}
    return read_data(load(None, settings), sources)


@pytest.mark.parametrize(
    ("train", "said"),
    [
        ("em/O Nova/LOC-B York/LOC-I", "spelled = LOC-I read as I-LOC"),
        ("em/- Nova/LOC_B York/LOC_I", "spelled = LOC_I read as I-LOC, - read as O"),
        ("em/O Nova/B-LOC York/E-LOC a/B-X b/M-X c/E-X", "spelled = M-X read as I-X"),
        ("em/_ Nova/b-LOC York/i-LOC", "spelled = i-LOC read as I-LOC, _ read as O"),
    ],
)
def test_tags_in_other_spellings_are_read_and_it_is_said(train: str, said: str) -> None:
    data = learned(train, train)
    assert "LOC" in data.task.types
    assert any(said in note for note in data.notes)
    for part in data.splits.values():
        assert part[0].target[:3] == ("O", "B-LOC", "E-LOC" if "E-LOC" in train else "I-LOC")
        assert data.task.labels_in(part[0])[0] == "LOC"
        assert data.task.encode_target  # the words of every split are tags of BIO
        assert data.task.check(part[0]) is None


def test_another_file_may_spell_its_tags_otherwise() -> None:
    data = learned("em/O Nova/LOC-B York/LOC-I", "em/- Nova/B_LOC York/I_LOC")
    assert data.splits["validation"][0].target == ("O", "B-LOC", "I-LOC")
    said = "validation: tags are spelled otherwise than in the training data: I_LOC read as I-LOC, - read as O"
    assert said in data.notes
    data = learned("em/O Nova/B-LOC York/I-LOC", "em/O Nova/LOC-B York/LOC-I")
    assert data.splits["validation"][0].target == ("O", "B-LOC", "I-LOC")
    with pytest.raises(DataError, match="'LOC' is not a tag of an entity"):
        learned("em/O Nova/B-LOC York/I-LOC", "em/O Nova/LOC York/LOC")


def test_types_without_letters_are_plain_with_a_doubt_or_entities_on_request() -> None:
    text = "a/O Ana/PER mora/O em/O Nova/LOC York/LOC ./O"
    data = learned(text, text)
    assert data.task.plain
    (doubt,) = data.task.warnings(data.splits["train"])
    assert doubt.message == "'O' is the tag of 57% of the words, and 'LOC', 'PER' look like types of entities"
    assert "--set options.kind=entities" in doubt.fix
    assert learned(text, text, kind="plain").task.warnings(data.splits["train"]) == []
    read = learned(text, text, kind="entities")
    assert (read.task.types, read.task.found["scheme"]) == (["LOC", "PER"], "IO")
    assert read.task.entities(read.splits["validation"][0].target) == [Span(1, 2, "PER"), Span(4, 6, "LOC")]
    assert "untyped-tags" not in {one.code for one in read.task.warnings(read.splits["train"])}


def test_parts_of_speech_raise_no_doubt() -> None:
    text = "a/DET gata/NOUN dorme/VERB ./PUNCT"
    data = learned(text, text)
    assert data.task.warnings(data.splits["train"]) == []


def test_several_tags_in_one_are_doubted() -> None:
    text = "a/O Uni/B-ORG Bonn/I-ORG|B-LOC x/B-LOC"
    data = learned(text, text)
    assert "nested-tags" in {one.code for one in data.task.warnings(data.splits["train"])}


def test_a_model_of_words_answers_for_raw_text_where_there_are_no_words() -> None:
    trained = Tokens(TokensOptions(tokens="1", tags="2"))
    assert trained.columns(["id", "text"], labelled=False).options.text == "text"
    assert trained.columns(["text", "tokens"], labelled=False).options.tokens == "tokens"
    assert trained.columns(["1", "text"], labelled=False).options.text is None
    with pytest.raises(ConfigError, match="tokens: the data have no column '1'"):
        trained.columns(["id", "text"])


def test_the_constant_of_entities_is_none_at_all_and_of_tags_the_commonest() -> None:
    words = [Example("a dog barks", target=("DET", "NOUN", "NOUN"), words=((0, 1), (2, 5), (6, 11)))]
    none, tag = (tagging.constant_of(words, plain=plain) for plain in (False, True))
    assert none is not None
    assert tag is not None
    assert none.name == "no entity"
    assert none.predict(words[0]) == {"tags": ["O", "O", "O"], "entities": []}
    assert none.predict(Example("a text")) == {"entities": []}
    assert tag.name == "commonest tag (NOUN)"
    assert tag.predict(words[0]) == {"tags": ["NOUN"] * 3, "scores": [2 / 3] * 3}
