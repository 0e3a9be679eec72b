"""What annotation tools export becomes examples, or a problem that names its place; no text is taken for unlabelled."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afina.data import sources
from afina.data.exports import read_export
from afina.data.label_studio import spans_of
from afina.data.lines import FIELD_LIMIT
from afina.data.parts import read_examples
from afina.errors import DataError, Problem
from afina.records import Example, Row
from afina.serving.predictor import unlabelled
from afina.tasks.base import find

TEXT = "Ana lives in Porto"
SPANS = [(0, 3, "PER"), (13, 18, "LOC")]


def save(folder: Path, tree: Any, name: str = "export.json") -> Path:
    path = folder / name
    path.write_text(tree if isinstance(tree, str) else json.dumps(tree, ensure_ascii=False), encoding="utf-8")
    return path


def lines(*values: Any) -> str:
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)


def examples(path: Path, task: str, **options: Any) -> list[Example]:
    """The labelled examples of a file, as training reads them."""
    rows = sources.rows(path)
    kind = find(task)
    found, problems = read_examples(kind(kind.Options(**options)).columns(sources.columns_of(rows)), rows)
    if problems:
        raise DataError(problems)
    return found


def targets(path: Path, task: str = "tokens", **options: Any) -> list[Any]:
    found = [one.target for one in examples(path, task, **options)]
    return [[tuple(span) for span in target] for target in found] if task == "tokens" else found


def problems(path: Path) -> list[Problem]:
    return [item for item in sources.read(path) if isinstance(item, Problem)]


def refused(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        list(sources.read(path))
    return str(caught.value)


# ---- Label Studio


def region(start: int, end: int, *labels: str, text: str | None = None, name: str = "ner") -> dict[str, Any]:
    value = {"start": start, "end": end, "labels": [*labels]} | ({} if text is None else {"text": text})
    return {"id": "x1", "from_name": name, "to_name": "text", "type": "labels", "origin": "manual", "value": value}


def choice(*labels: str, name: str = "sentiment") -> dict[str, Any]:
    return {"id": "x2", "from_name": name, "to_name": "text", "type": "choices", "value": {"choices": [*labels]}}


def annotation(*result: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": 7, "completed_by": 1, "was_cancelled": False, "ground_truth": False, "result": [*result], **more}


def task(*annotations: Any, text: str = TEXT, **data: Any) -> dict[str, Any]:
    found = {"text": text, **data}
    return {"id": 31, "data": found, "annotations": [*annotations], "predictions": [], "file_upload": "a.txt"}


PERSON, PLACE = region(0, 3, "PER", text="Ana"), region(13, 18, "LOC", text="Porto")


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


def refused_rows(path: Path) -> list[str]:
    """All problems; that every record is a row or a problem is checked on the way."""
    found = list(sources.read(path))
    assert len(found) == len(json.loads(path.read_text(encoding="utf-8")))
    return [str(one) for one in found if isinstance(one, Problem)]


def test_tasks_that_nobody_annotated(tmp_path: Path) -> None:
    skipped = annotation(PERSON, was_cancelled=True)
    path = save(tmp_path, [task(annotation(PERSON)), task(), task(skipped)])
    fix = "export the completed ones only; `afina predict` takes the others, in a file of their own"
    assert refused_rows(path) == [f"{path}:[{i}]: nobody has annotated this text; {fix}" for i in (1, 2)]
    tokens = find("tokens")
    for tasks in ([task(), task(skipped)], [{"data": {"text": TEXT}}, {"id": 2, "data": {"text": TEXT}}]):
        rows = sources.rows(save(tmp_path, tasks))
        assert [one.text for one in unlabelled(tokens(tokens.Options()), rows)] == [TEXT, TEXT]


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
    path = save(tmp_path, lines(task(annotation(PERSON))), "a.jsonl")
    (problem,) = problems(path)
    assert "give the whole JSON export, as a .json file" in str(problem)
    assert problem.raw == path.read_bytes()


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


def minimal(**more: Any) -> dict[str, Any]:
    authorship = {"annotator": 1, "annotation_id": 7, "created_at": "2024", "updated_at": "2024", "lead_time": 1.5}
    return {"id": 31, "text": TEXT, **authorship, **more}


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


# ---- doccano


def test_doccano(tmp_path: Path) -> None:
    plain = {"id": 1, "text": TEXT, "label": [[0, 3, "PER"], [13, 18, "LOC"]], "Comments": []}
    emoji = {"id": 2, "text": f"💩{TEXT}", "label": [[1, 4, "PER"]]}
    assert targets(save(tmp_path, lines(plain, emoji), "a.jsonl")) == [SPANS, [(1, 4, "PER")]]
    assert targets(save(tmp_path, [plain, emoji])) == [SPANS, [(1, 4, "PER")]]
    entities = [
        {"id": i, "label": label, "start_offset": start, "end_offset": end}
        for i, (start, end, label) in enumerate(SPANS)
    ]
    relation = {"id": 1, "text": TEXT, "entities": entities, "relations": [{"id": 1, "from_id": 0, "to_id": 1}]}
    assert targets(save(tmp_path, lines(relation), "b.jsonl")) == [SPANS]
    entities[0]["end_offset"] = 99
    with pytest.raises(DataError, match=r"b.jsonl:1: column 'entities': span \[0, 99\) 'PER' ends after the text"):
        targets(save(tmp_path, lines(relation), "b.jsonl"))
    topics = [{"id": 1, "text": TEXT, "label": ["travel"]}, {"id": 2, "text": TEXT, "label": ["home"]}]
    assert targets(save(tmp_path, lines(*topics), "c.jsonl"), "classification") == ["travel", "home"]
    assert targets(save(tmp_path, lines(*topics), "c.jsonl"), "multilabel") == [("travel",), ("home",)]


# ---- spaCy and Prodigy

DOC = {  # what spaCy 3.8 writes
    "text": "Ana 😀 lives in Porto.",
    "ents": [{"start": 0, "end": 3, "label": "PER"}, {"start": 15, "end": 20, "label": "LOC"}],
    "sents": [{"start": 0, "end": 21}],
    "tokens": [{"id": 0, "start": 0, "end": 3}, {"id": 1, "start": 4, "end": 5}],
    "spans": {"sc": [{"start": 0, "end": 3, "label": "NOUN", "kb_id": ""}], "more": []},
}
ENTS = [(0, 3, "PER"), (15, 20, "LOC")]


def test_spacy_documents(tmp_path: Path) -> None:
    empty = {"text": "Nobody", "ents": [], "tokens": []}
    assert targets(save(tmp_path, [DOC, empty])) == [ENTS, []]
    assert targets(save(tmp_path, lines(DOC, empty), "a.jsonl")) == [ENTS, []]
    assert targets(save(tmp_path, DOC)) == [ENTS]
    groups: dict[str, Any] = {
        "text": TEXT,
        "tokens": DOC["tokens"],
        "spans": {"sc": [{"start": 0, "end": 3, "label": "PER"}]},
    }
    assert targets(save(tmp_path, [groups])) == [[(0, 3, "PER")]]
    groups["spans"]["two"] = []
    with pytest.raises(DataError, match="column 'spans': expected spans, found dict"):
        targets(save(tmp_path, [groups]))
    cats = [{"text": TEXT, "tokens": [], "cats": {"good": 1.0, "bad": 0.0}}, {"text": TEXT, "cats": {"good": 0.2}}]
    assert targets(save(tmp_path, cats), "multilabel", label="label") == [("good",), ()]
    odd = {"text": TEXT, "cats": {"good": "yes"}}
    assert sources.rows(save(tmp_path, [odd]))[0].values == odd


def test_spacy_training_format(tmp_path: Path) -> None:
    pairs = [[TEXT, {"entities": SPANS}], ["Nobody", {"entities": []}]]
    path = save(tmp_path, pairs)
    assert targets(path) == [SPANS, []]
    assert targets(save(tmp_path, [[TEXT, {"cats": {"good": 1, "bad": 0}}]]), "classification") == ["good"]
    path = save(tmp_path, [*pairs, ["text", "label"], "text"])
    assert refused_rows(path) == [
        f"{path}:[2]: expected an object, found ['text', 'label']; write {{\"column\": value}}",
        f"{path}:[3]: expected an object, found 'text'; write {{\"column\": value}}",
    ]


def test_spacy_binary_files_say_how_to_convert(tmp_path: Path) -> None:
    message = refused_path(save(tmp_path, "x", "train.spacy"))
    assert "found .spacy, expected one of" in message
    assert "doc.to_json()" in message


def refused_path(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        sources.read(path)
    return str(caught.value)


def test_prodigy(tmp_path: Path) -> None:
    hashes = {"_input_hash": 1, "_task_hash": 2, "answer": "accept"}
    tokens = [{"text": "Ana", "start": 0, "end": 3, "id": 0, "ws": True}]
    spans = [{"start": start, "end": end, "label": label, "token_start": 0} for start, end, label in SPANS]
    good = {"text": TEXT, "tokens": tokens, "spans": spans, **hashes}
    assert targets(save(tmp_path, lines(good), "a.jsonl")) == [SPANS]
    path = save(tmp_path, lines(good, good | {"answer": "reject"}, good | {"answer": "ignore"}), "a.jsonl")
    first, second = problems(path)
    assert first.place == f"{path}:2"
    assert "the answer of this Prodigy task is 'reject'" in first.message
    assert """jq -c 'select(.answer == "accept")'""" in first.fix
    assert second.raw == path.read_bytes().splitlines(keepends=True)[2]
    options = [{"id": "A", "text": "first"}, {"id": "B", "text": "second"}]
    chosen = [{"text": TEXT, "options": options, "accept": accept, **hashes} for accept in (["A"], ["B"])]
    assert targets(save(tmp_path, lines(*chosen), "b.jsonl"), "classification") == ["A", "B"]


def test_an_answer_column_of_other_data_is_left_alone(tmp_path: Path) -> None:
    rows = [{"question": "what?", "context": "ignore it", "answer": "ignore"}, {"text": "a", "answer": "reject"}]
    assert [row.values for row in sources.rows(save(tmp_path, lines(*rows), "a.jsonl"))] == rows


# ---- plain arrays, and files that hold none


def test_arrays_of_records(tmp_path: Path) -> None:
    rows = [
        {"text": "007", "label": 1.0, "NA": None, "deep": {"a": [1]}},
        {"tokens": ["a", "b"], "tags": ["O", "O"], "data": {"page": 3}},
        {"label": [{"start": 1, "labels": ["x"]}], "spans": {"a": 1}},
    ]
    path = save(tmp_path, rows)
    assert [row.values for row in sources.rows(path)] == rows
    assert [row.place for row in sources.rows(path)] == [f"{path}:[{i}]" for i in range(3)]
    path = save(tmp_path, {"version": 1, "data": rows})
    assert [row.values for row in sources.rows(path)] == rows
    assert sources.rows(path)[2].place == f"{path}:data[2]"
    path = save(tmp_path, [{"question": "who?", "context": "Ana", "answers": []}])
    assert len(sources.rows(path)) == 1


def test_what_pandas_writes(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"text": ["é 😀", "b"], "label": [1, None]})
    frame.to_json(tmp_path / "a.json", orient="records")
    rows = sources.rows(tmp_path / "a.json")
    assert [row.values for row in rows] == [{"text": "é 😀", "label": 1.0}, {"text": "b", "label": None}]
    frame.to_json(tmp_path / "b.json")
    message = refused(tmp_path / "b.json")
    assert "found an object with the keys ['text', 'label']" in message
    assert "to_json(orient='records')" in message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "b.json:1: no rows: the file is empty"),
        ("[]", "b.json: no rows: the array is empty"),
        ('{"data": []}', "b.json: no rows: the array is empty"),
        ("3", "b.json: expected an array of records, or SQuAD, found 3"),
        ('[\n{"a": 1},\n{"a" 2}]', "b.json:3: not JSON: expecting ':' delimiter at column 6"),
        ('{"a": 1}\n{"a": 2}\n', "b.json:2: a second JSON object begins here; name the file .jsonl"),
        ('[{"a": 1, "a": 2}]', "b.json: the key 'a' stands twice"),
        ('[{"a": NaN}]', "b.json: 'NaN' is not a finite number"),
        ("[" * 200 + "]" * 200, "nested more than 100 deep"),
        ("[" * 100_000, "nested more than 100 deep"),
        (f"[{'9' * 5000}]", "a whole number of too many digits"),
    ],
)
def test_files_that_hold_no_records(tmp_path: Path, text: str, says: str) -> None:
    assert says in refused(save(tmp_path, text, "b.json"))


def test_faults_of_single_records(tmp_path: Path) -> None:
    text = '[{"a": "\\ud83d"}, {"a": "\\ud83d\\ude00"}, {"a": "' + "x" * (FIELD_LIMIT + 1) + '"}]'
    found = list(sources.read(save(tmp_path, text)))
    assert [getattr(item, "code", "") for item in found] == ["lone-surrogate", "", "too-long"]
    tasks = json.dumps([task(annotation(region(0, 1, "A", text="\ud83d")), text="\ud83d")])
    assert [one.code for one in problems(save(tmp_path, tasks))] == ["lone-surrogate"]


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'[\n{"a": "\x93"}]')
    assert "a.json:2: line 2, column 8 (in bytes): the byte 0x93 is not utf-8" in refused(tmp_path / "a.json")


WHOLE = [
    task(annotation(PERSON, choice("glad"))),
    task(annotation(PERSON, PLACE), annotation(PLACE, PERSON)),
    minimal(label=[PERSON["value"]], sentiment={"choices": ["a", "b"]}),
    DOC | {"cats": {"good": 1.0}},
    [TEXT, {"entities": [[*span] for span in SPANS]}],
    {"text": TEXT, "options": [], "accept": ["A"], "answer": "accept", "tokens": [{"id": 0, "start": 0, "end": 3}]},
]
scraps: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, -1, 2, 2.5, "", "Ana", [], {}, [[]], [{}], ["a", "b"], {"start": 0}]
)


@st.composite
def spoiled(draw: st.DrawFn) -> list[Any]:
    """Records of which something, somewhere, is replaced or missing."""
    tree: list[Any] = json.loads(json.dumps(draw(st.lists(st.sampled_from(WHOLE), min_size=1, max_size=3))))
    for _ in range(draw(st.integers(0, 3))):
        node: Any = tree
        key: Any = draw(st.integers(0, len(tree) - 1))
        while isinstance(node[key], dict | list) and node[key] and draw(st.integers(0, 4)):
            node = node[key]
            key = draw(st.sampled_from([*node] if isinstance(node, dict) else range(len(node))))
        if isinstance(node, dict) and draw(st.booleans()):
            del node[key]
        else:
            node[key] = copy.deepcopy(draw(scraps))
    return tree


@settings(deadline=None, max_examples=500)
@given(records=spoiled())
def test_whatever_is_spoiled_each_record_is_accounted_for(records: list[Any]) -> None:
    try:
        found = list(read_export("x.json", records))
    except DataError as error:
        found = [*error.problems]
        whole = {problem.code for problem in error.problems} == {"no-answers"}
    else:
        whole = False
    repeated = {i for i, one in enumerate(records) if isinstance(one, dict) and {"id", "annotation_id"} <= set(one)}
    places = [item.place for item in found]
    assert len(places) == len(set(places))
    assert whole or {f"x.json:[{i}]" for i in range(len(records)) if i not in repeated} <= set(places)
    rows = [item for item in found if isinstance(item, Row)]
    for kind in (find("tokens"), find("multilabel")):
        options: Any = kind.Options
        read_examples(kind(options(text="text", label="spans")), rows)
