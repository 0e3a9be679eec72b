"""Tasks of Label Studio become examples, or a problem that names its place; no text is taken for unlabelled."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afina.data import sources
from afina.data.label_studio import spans_of
from afina.errors import DataError
from afina.serving.inputs import from_rows, sound
from afina.tasks.base import find
from tests.data.annotated import (
    PERSON,
    PLACE,
    SPANS,
    TEXT,
    annotation,
    choice,
    lines,
    minimal,
    problems,
    refused_rows,
    region,
    save,
    targets,
    task,
)
from tests.data.reading import refused


def test_label_studio_spans_and_choices(tmp_path: Path) -> None:
    relation = {"from_id": "a", "to_id": "b", "type": "relation", "direction": "right"}
    other = task(annotation(choice("calm")), text="Nothing here", source="mail")
    path = save(tmp_path, [task(annotation(PLACE, PERSON, relation, choice("glad"))), other])
    first, second = sources.rows(path)
    assert first.place == f"{path}:[0]"
    spans = [{"start": start, "end": end, "label": label} for start, end, label in SPANS]
    assert first.values == {"id": 31, "text": TEXT, "spans": spans, "label": ["glad"]}
    assert second.values == {"id": 31, "text": "Nothing here", "source": "mail", "spans": [], "label": ["calm"]}
    assert targets(path, label="spans") == [SPANS, []]
    assert targets(path, "classification") == ["glad", "calm"]


def test_label_studio_with_several_choices(tmp_path: Path) -> None:
    path = save(tmp_path, [task(annotation(choice("b", "a"))), task(annotation()), task(annotation(choice("a;b")))])
    assert targets(path, "multilabel") == [("a", "b"), (), ("a;b",)]
    with pytest.raises(DataError, match=r"\[0\]: column 'label': expected one label, found list \['a', 'b'\]"):
        targets(path, "classification")


def test_several_controls_of_a_kind_keep_their_names(tmp_path: Path) -> None:
    answers = annotation(choice("glad"), choice("news", name="topic"), PERSON, region(0, 3, "X", name="other"))
    (row,) = sources.rows(save(tmp_path, [task(answers)]))
    assert list(row.values) == ["id", "text", "sentiment", "topic", "ner", "other"]
    assert row.values["topic"] == ["news"]


def test_choices_about_a_region_label_no_text(tmp_path: Path) -> None:
    about = choice("sure")
    about["value"] |= {"start": 0, "end": 3, "text": "Ana"}
    (row,) = sources.rows(save(tmp_path, [task(annotation(PERSON, about))]))
    assert list(row.values) == ["id", "text", "spans"]


def test_annotations_of_one_task(tmp_path: Path) -> None:
    cancelled = annotation(region(0, 3, "LOC", text="Ana"), was_cancelled=True)
    path = save(tmp_path, [task(cancelled, annotation(PERSON, PLACE), annotation(PLACE, PERSON))])
    assert targets(path) == [SPANS]
    differ = task(annotation(PERSON), annotation(PLACE))
    path = save(tmp_path, [task(annotation(PERSON)), differ])
    assert refused_rows(path) == [
        f"{path}:[1]: two annotations of this text differ; mark one as ground truth, or delete the others, "
        "and export again (JSON)"
    ]
    path = save(tmp_path, [task(annotation(PERSON), annotation(PERSON, PLACE, ground_truth=True))])
    assert targets(path) == [SPANS]
    old = {"id": 1, "data": {"text": TEXT}, "completions": [annotation(skipped=True), annotation(PERSON, PLACE)]}
    assert targets(save(tmp_path, [old])) == [SPANS]


def test_tasks_that_nobody_annotated(tmp_path: Path) -> None:
    skipped = annotation(PERSON, was_cancelled=True)
    path = save(tmp_path, [task(annotation(PERSON)), task(), task(skipped)])
    fix = "export the completed ones only; `afina predict` takes the others, in a file of their own"
    assert refused_rows(path) == [f"{path}:[{i}]: nobody has annotated this text; {fix}" for i in (1, 2)]
    tokens = find("tokens")
    for tasks in ([task(), task(skipped)], [{"data": {"text": TEXT}}, {"id": 2, "data": {"text": TEXT}}]):
        rows = sources.rows(save(tmp_path, tasks))
        assert [one.example.text for one in sound(from_rows(tokens(tokens.Options()), iter(rows)))] == [TEXT, TEXT]


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (annotation(region(0, 3, "PER", "LOC", text="Ana")), "span [0, 3) 'Ana' has 2 labels, ['PER', 'LOC']"),
        (annotation(region(0, 3, text="Ana")), "span [0, 3) 'Ana' has 0 labels"),
        (annotation(region(1, 4, "PER", text="Ana")), "span [1, 4) should hold 'Ana', found 'na '"),
        (annotation(region(13, 19, "LOC", text="Porto")), "span [13, 19) lies outside the text, which has 18 char"),
        (annotation(region(-1, 3, "LOC")), "span [-1, 3) lies outside the text"),
        (
            annotation(PERSON | {"value": {"start": "/p[1]", "end": "/p[1]", "labels": ["PER"]}}),
            "start and end in char",
        ),
        (annotation(PERSON | {"value": {"start": 0, "end": 3}}), "span [0, 3) '' has no label"),
        ({"result": None}, "expected an annotation with a list `result`, found {'result': None}"),
        ({"result": [3]}, "expected an annotation with a list `result`"),
        (12, "expected an annotation with a list `result`, found 12"),
    ],
)
def test_broken_annotations_name_their_task(tmp_path: Path, broken: Any, says: str) -> None:
    path = save(tmp_path, [task(annotation(PERSON)), task(broken), task(annotation(PLACE))])
    (problem,) = refused_rows(path)
    assert problem.startswith(f"{path}:[1]: ")
    assert says in problem


def test_kinds_of_answers_that_cannot_be_read(tmp_path: Path) -> None:
    box = {"from_name": "box", "to_name": "image", "type": "rectanglelabels", "value": {"x": 1, "rectanglelabels": []}}
    path = save(tmp_path, [task(annotation(box))])
    assert "expected labels of a plain text, or choices; the annotations hold rectanglelabels" in refused(path)
    path = save(tmp_path, [task(annotation(PERSON)), 3, {"text": "no task"}])
    assert [one.code for one in problems(path)] == ["no-record", "no-record"]


def test_a_single_task_is_a_file_too(tmp_path: Path) -> None:
    path = save(tmp_path, task(annotation(PERSON, PLACE)))
    assert targets(path) == [SPANS]
    assert sources.rows(path)[0].place == str(path)


def test_a_task_on_a_line_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path, lines(task(annotation(PERSON)), task(annotation(PLACE))), "a.jsonl")
    problem, _ = problems(path)
    assert "give the whole JSON export, as a .json file" in str(problem)
    assert problem.raw == path.read_bytes().splitlines(keepends=True)[0]
    assert targets(save(tmp_path, lines(task(annotation(PERSON))), "b.jsonl")) == [SPANS[:1]]


def test_the_text_may_stand_in_any_column(tmp_path: Path) -> None:
    found = task(annotation(region(0, 3, "PER", text="Ana"), region(13, 18, "LOC", text="Porto")), text="A title")
    found["data"]["body"] = TEXT
    assert targets(save(tmp_path, [found]), text="body") == [SPANS]


def test_blanks_and_line_ends_as_label_studio_writes_them(tmp_path: Path) -> None:
    text = "Warning:\n🐱 This  is a test"
    found = region(0, len(text), "ALL", text="Warning:\\n🐱 This is a test")
    assert targets(save(tmp_path, [task(annotation(found), text=text)])) == [[(0, len(text), "ALL")]]


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def test_offsets_of_old_and_new_versions(tmp_path: Path) -> None:
    text = "💩This is an annotation."
    for start, end in ((12, 22), (13, 23)):
        path = save(tmp_path, [task(annotation(region(start, end, "A", text="annotation")), text=text)])
        assert targets(path) == [[(12, 22, "A")]]
    unsaid = [task(annotation(region(utf16("💩" * 9), utf16("💩" * 10), "A")), text="💩" * 10)]
    assert targets(save(tmp_path, unsaid)) == [[(9, 10, "A")]]  # outside the text as characters, so not that


@st.composite
def marked(draw: st.DrawFn) -> tuple[str, list[tuple[int, int]]]:
    wide = st.sampled_from("😀🏽👩\u200d\u0301é字 \n\\nab")
    text = draw(st.text(st.one_of(wide, st.characters(exclude_categories=["Cs"])), min_size=1, max_size=30))
    ends = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(sorted)
    return text, sorted({(start, end) for start, end in draw(st.lists(ends, min_size=1, max_size=4))})


@settings(deadline=None, max_examples=300)
@given(case=marked(), old=st.booleans(), said=st.booleans())
def test_offsets_come_back_in_characters(case: tuple[str, list[tuple[int, int]]], old: bool, said: bool) -> None:
    """Whatever the unit, each span holds what it held; without `text` only the present unit can be known."""
    text, spans = case
    size = utf16 if old else len
    values = [
        {"start": size(text[:start]), "end": size(text[:end]), "labels": ["A"]}
        | ({"text": text[start:end].replace("\n", "\\n")} if said else {})
        for start, end in spans
    ]
    found = spans_of(values, [text], "x")
    if not old:
        assert [(one["start"], one["end"]) for one in found] == spans
    elif said:
        # In characters the same offsets may hold the same letters elsewhere: no reader could tell.
        for one, (start, end) in zip(found, spans, strict=True):
            assert blanks_out(text[one["start"] : one["end"]]) == blanks_out(text[start:end])


def blanks_out(text: str) -> str:
    return "".join(text.replace("\\n", "").split())


def test_label_studio_minimal(tmp_path: Path) -> None:
    label = [PLACE["value"], PERSON["value"]]
    rows = [minimal(label=label), minimal(id=32, text="none of them")]
    assert targets(save(tmp_path, rows)) == [SPANS, []]
    assert targets(save(tmp_path, lines(*rows), "a.jsonl")) == [SPANS, []]
    bare = [{"id": 1, "text": "💩" + TEXT, "label": [{"start": 2, "end": 5, "text": "Ana", "labels": ["PER"]}]}]
    assert targets(save(tmp_path, bare)) == [[(1, 4, "PER")]]
    words = [minimal(sentiment="glad"), minimal(id=3, sentiment={"choices": ["glad", "calm"]})]
    assert targets(save(tmp_path, words), "multilabel", label="sentiment") == [("glad",), ("glad", "calm")]
    assert targets(save(tmp_path, words[:1]), "classification", label="sentiment") == ["glad"]


def test_label_studio_minimal_has_a_record_for_each_annotation(tmp_path: Path) -> None:
    one, other = minimal(label=[PERSON["value"]]), minimal(label=[PLACE["value"]], annotation_id=8)
    again = copy.deepcopy(one) | {"annotation_id": 9, "annotator": 2}
    assert len(sources.rows(save(tmp_path, [one, again]))) == 1
    (problem,) = problems(save(tmp_path, [one, again, other]))
    assert problem.place.endswith("export.json:[2]")
    assert problem.code == "annotations-differ"
    unseen = minimal(id=5, annotation_id=None)
    assert [one.code for one in problems(save(tmp_path, [one, unseen]))] == ["unlabelled"]
    assert len(sources.rows(save(tmp_path, [unseen, unseen | {"id": 6}]))) == 2
    (problem,) = problems(save(tmp_path, [minimal(label=[region(0, 3, "A", "B")["value"]])]))
    assert problem.code == "not-one-label"
