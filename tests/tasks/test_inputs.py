"""Columns and labels that tasks share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.errors import ConfigError, DataError
from afina.records import Example, Row
from afina.tasks import inputs
from afina.tasks.base import find
from afina.tasks.classification import ClassificationOptions
from afina.tasks.multilabel import MultilabelOptions


def test_columns_are_recognised_or_asked_for() -> None:
    assert inputs.text_columns(None, None, ["id", "Review", "label"]) == ("Review", None)
    assert inputs.text_columns(None, None, ["premise", "hypothesis"]) == ("premise", "hypothesis")
    assert inputs.text_columns(None, None, ["review", "body", "text"]) == ("text", None)
    with pytest.raises(ConfigError, match="several could be meant"):
        inputs.text_columns(None, None, ["tweet", "review"])
    with pytest.raises(ConfigError, match=r"the data have no column 'txt', did you mean 'text'\?"):
        inputs.present("text", "txt", ["text", "label"])


@pytest.mark.parametrize(
    ("value", "label"), [("a b", "a b"), (1, "1"), (1.0, "1"), (True, "true"), (["x"], "x"), (0.5, "0.5")]
)
def test_labels_are_texts(value: object, label: str) -> None:
    assert inputs.read_label(Row({"label": value}, "a.csv:2"), "label") == label


@pytest.mark.parametrize("value", ["", "  ", None, ["a", "b"], {"a": 1}])
def test_what_is_no_label_is_refused(value: object) -> None:
    with pytest.raises(DataError, match=r"a\.csv:2"):
        inputs.read_label(Row({"label": value}, "a.csv:2"), "label")


def test_labels_have_a_stable_order() -> None:
    assert inputs.sorted_labels(["10", "9", "1", "9"]) == ["1", "9", "10"]
    assert inputs.sorted_labels(["b", "B", "10"]) == ["10", "B", "b"]


def test_an_unseen_label_is_named_with_what_was_meant() -> None:
    assert inputs.unseen(Example("x", target="pos"), ["neg", "pos"]) is None
    problem = inputs.unseen(Example("x", target="Pos ", place="a.csv:4"), ["neg", "pos"], countable=True)
    assert problem is not None
    assert (problem.place, problem.code, problem.fix) == ("a.csv:4", inputs.COUNTABLE, "did you mean 'pos'?")


def test_names_are_shown_short() -> None:
    assert inputs.show_names(["a", "b"]) == "'a + b'"
    assert inputs.show_names([]) == "nothing"


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    from sklearn.utils.class_weight import compute_class_weight

    gold = ["a"] * 6 + ["b"] * 3 + ["c"]
    ours = inputs.class_weights("balanced", ["a", "b", "c"], {"a": 6, "b": 3, "c": 1})
    assert ours == pytest.approx(compute_class_weight("balanced", classes=np.array(["a", "b", "c"]), y=gold).tolist())
    assert inputs.class_weights("none", ["a"], {"a": 1}) is None
    with pytest.raises(ConfigError, match="needs one weight for each label; 'b'"):
        inputs.class_weights({"a": 1.0}, ["a", "b"], {"a": 1, "b": 1})


def table(**columns: list[object]) -> list[Row]:
    """Rows of a table from its columns."""
    parts = zip(*columns.values(), strict=True)
    return [Row(dict(zip(columns, values, strict=True)), f"a.csv:{i}") for i, values in enumerate(parts, 2)]


TEXTS: list[object] = ["um filme bom", "uma sala feia", "o prato do dia", "a canção nova", "um livro mau", "que dia"]
LABELS: list[object] = ["a", "b", "a", "b", "a", "b"]
NUMBERS: list[object] = [1, 2, 3, 4, 5, 6]


def columns(rows: list[Row], task: str = "classification", **options: object) -> dict[str, list[str]]:
    kind = find(task)
    chosen: dict[str, list[str]] = kind(kind.Options(**options)).columns(list(rows[0].values), rows=rows).options.chosen
    return chosen


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("comentário", "sentimento"), ("comentario", "Sentimento"), ("Comentário", "RÓTULO"), ("texto", "rotulo"),
        ("frase", "classe"), ("tweet", "category"), ("Tweet Text", "sentiment"), ("content", "target"),
        ("body", "gold_label"), ("headline", "topic"), ("utterance", "intent"), ("avaliação", "polaridade"),
        ("review_body", "stars"), ("query", "intenção"), ("resenha", "nota"), ("comment_text", "is duplicate"),
    ],
)  # fmt: skip
def test_names_that_people_give(text: str, label: str) -> None:
    rows = table(id=NUMBERS, **{text: TEXTS, label: LABELS})
    assert columns(rows) == {"text": [text], "label": [label]}
    assert inputs.text_columns(None, None, ["id", text, label]) == (text, None)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("sentence1", "sentence2"), ("Sentence_1", "Sentence_2"), ("premissa", "hipotese"), ("Premise", "Hypothesis"),
        ("question1", "question2"), ("pergunta1", "pergunta2"), ("question", "sentence"), ("#1 String", "#2 String"),
        ("sentença 1", "sentença 2"),
    ],
)  # fmt: skip
def test_names_of_pairs(a: str, b: str) -> None:
    names = ["pair_ID", b, a, "content", "is_duplicate"]
    assert inputs.text_columns(None, None, names) == (a, b)


def test_the_strongest_name_wins() -> None:
    rows = table(title=TEXTS, review=TEXTS, text=TEXTS, score=NUMBERS, label=LABELS, sentiment=LABELS)
    assert columns(rows) == {"text": ["text"], "label": ["label"]}
    with pytest.raises(ConfigError, match=r"label: .* several could be meant \('label', 'class'\).*The columns are"):
        columns(table(text=TEXTS, label=LABELS, **{"class": LABELS}))


def test_a_name_whose_column_holds_numbers_is_no_text() -> None:
    assert columns(table(avaliação=NUMBERS, msg=TEXTS, y=LABELS))["text"] == ["msg"]
    assert inputs.text_columns(None, None, ["text"], rows=table(text=["1", "2"])) == ("text", None)


def test_without_known_names_the_content_decides() -> None:
    dates: list[object] = [f"2020-01-0{i} 10:00" for i in range(6)]
    rows = table(nr=NUMBERS, row_id=["x", "y"] * 3, when=dates, lang=["pt"] * 6, what=TEXTS, verdict=LABELS)
    assert columns(rows) == {"text": ["what"], "label": ["verdict"]}
    assert columns(table(what=TEXTS, n=[2.5, 1, 3, 2, 5, 1], i=[7, 8, 9, 10, 11, 12]), "regression") == {
        "text": ["what"], "label": ["n"],
    }  # fmt: skip
    assert columns(table(what=TEXTS, y2=["['a', 'b']"] * 6), "multilabel") == {"text": ["what"], "label": ["y2"]}
    assert columns(table(what=TEXTS, y2=["a;b", "b", "a", "b;c", "c", ""]), "multilabel")["label"] == ["y2"]


def test_real_doubt_lists_the_columns() -> None:
    with pytest.raises(ConfigError, match=r"text: .* several could be meant \('one', 'two'\)"):
        columns(table(one=TEXTS, two=TEXTS, y=LABELS))
    with pytest.raises(ConfigError, match=r"label: .* several could be meant \('p', 'q'\); name it \(--label NAME\)"):
        columns(table(text=TEXTS, p=LABELS, q=LABELS))
    with pytest.raises(ConfigError, match="no column has a well-known name"):
        columns(table(text=TEXTS, p=["a"] * 6))


FLAGS: dict[str, list[object]] = {"toxic": [1, 0, 1, 0, 0, 1], "insult": [0, 0, 1, 0, 0, 0], "other": [0] * 6}
ONE_HOT: dict[str, list[object]] = {"good": [1, 0, 0, 1, 0, 0], "bad": [0, 1, 1, 0, 0, 1], "so-so": [0, 0, 0, 0, 1, 0]}


@pytest.mark.parametrize("form", [int, float, bool, str, lambda flag: f"{float(flag)}", lambda flag: str(bool(flag))])
def test_a_column_of_0_and_1_for_each_label(form: Callable[[int], object]) -> None:
    flags = {name: [form(int(str(flag))) for flag in column] for name, column in FLAGS.items()}
    rows = table(id=NUMBERS, msg=TEXTS, **flags)
    task = find("multilabel")(MultilabelOptions()).columns(list(rows[0].values), rows=rows)
    assert task.options.chosen == {"text": ["msg"], "label": ["toxic", "insult", "other"]}
    assert [task.read(row).target for row in rows[:4]] == [("toxic",), (), ("toxic", "insult"), ()]
    one = {name: [form(int(str(flag))) for flag in column] for name, column in ONE_HOT.items()}
    rows = table(text=TEXTS, **one)
    single = find("classification")(ClassificationOptions()).columns(list(rows[0].values), rows=rows)
    assert [single.read(row).target for row in rows] == ["good", "bad", "bad", "good", "so-so", "bad"]


def test_label_columns_are_named_on_request() -> None:
    rows = table(text=TEXTS, source=["x", "y", "z"] * 2, **FLAGS)
    with pytest.raises(ConfigError, match=r"1 are labels: --label toxic,insult,other$"):
        columns(rows, "multilabel")
    with pytest.raises(ConfigError, match=r"1 are labels: --task multilabel --label toxic,insult,other$"):
        columns(table(text=TEXTS, **FLAGS))
    for options in ({"label": "toxic, insult"}, {"labels": ["toxic", "insult"]}, {"labels": "toxic,insult"}):
        assert columns(rows, "multilabel", **options)["label"] == ["toxic", "insult"]
    assert columns(table(text=TEXTS, **{"a,b": LABELS}), label="a,b")["label"] == ["a,b"]
    with pytest.raises(ConfigError, match="label: the data have no column 'toxik', did you mean 'toxic'"):
        columns(rows, "multilabel", label="insult,toxik")


def test_flags_that_are_none_are_refused() -> None:
    task = find("multilabel")(MultilabelOptions(label="toxic,insult")).columns(["text", "toxic", "insult"])
    with pytest.raises(DataError, match="a:2: column 'insult': expected 0 or 1, found 2"):
        task.read(Row({"text": "x", "toxic": 1, "insult": 2}, "a:2"))
    with pytest.raises(DataError, match="column 'insult': expected 0 or 1, found None"):
        task.read(Row({"text": "x", "toxic": 1}, "a:2"))
    single = find("classification")(ClassificationOptions(label="toxic,insult")).columns(["text", "toxic", "insult"])
    with pytest.raises(DataError, match=r"expected one label with 1, found 'toxic', 'insult'; .*--task multilabel"):
        single.read(Row({"text": "x", "toxic": 1, "insult": 1}, "a:2"))
    with pytest.raises(DataError, match="expected one label with 1, found none"):
        single.read(Row({"text": "x", "toxic": 0, "insult": 0}, "a:2"))


@pytest.mark.parametrize(
    ("cell", "label"),
    [
        ("['a']", "a"), ('["a"]', "a"), ("array(['a'], dtype=object)", "a"), ('{"choices": ["a"]}', "a"), ("[1]", "1"),
        ({"choices": ["a"]}, "a"), ("{'choices': 'a'}", "a"), ("[INST]", "[INST]"), ("(a)", "(a)"), ("{a}", "{a}"),
    ],
)  # fmt: skip
def test_a_list_of_one_label_in_writing_is_the_label(cell: object, label: str) -> None:
    assert inputs.read_label(Row({"label": cell}, "a.csv:2"), "label") == label


@pytest.mark.parametrize(
    "cell", ["['a', 'b']", "['a' 'b']", '["a", "b"]', "[a, b]", '{"choices": ["a", "b"]}', ["a", "b"], "('a', 'b')"]
)
def test_several_labels_in_a_cell_are_no_class(cell: object) -> None:
    with pytest.raises(DataError, match=r"a\.csv:2: .*expected one label, found .*--task multilabel"):
        inputs.read_label(Row({"label": cell}, "a.csv:2"), "label")


@given(st.text())
def test_a_brief_label_is_one_short_line(label: str) -> None:
    assert len(inputs.brief(label)) <= 14
    assert "\n" not in inputs.brief(label)
