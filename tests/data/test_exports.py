"""What annotation tools export becomes examples, or a problem that names its place."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afina.data import sources
from afina.data.containers import records_of
from afina.data.exports import read_records
from afina.data.parts import read_examples
from afina.errors import DataError
from afina.records import Row
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
    save,
    targets,
    task,
)


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


def test_prodigy(tmp_path: Path) -> None:
    hashes = {"_input_hash": 1, "_task_hash": 2, "answer": "accept"}
    tokens = [{"text": "Ana", "start": 0, "end": 3, "id": 0, "ws": True}]
    spans = [{"start": start, "end": end, "label": label, "token_start": 0} for start, end, label in SPANS]
    good = {"text": TEXT, "tokens": tokens, "spans": spans, **hashes}
    assert targets(save(tmp_path, lines(good), "a.jsonl")) == [SPANS]
    path = save(tmp_path, lines(good, good | {"answer": "reject"}, good | {"answer": "ignore"}), "a.jsonl")
    (wrong,) = problems(path)
    assert wrong.place == f"{path}:2"
    assert "the answer of this Prodigy task is 'reject'" in wrong.message
    assert """jq -c 'select(.answer == "accept")'""" in wrong.fix
    assert wrong.raw == path.read_bytes().splitlines(keepends=True)[1]
    options = [{"id": "A", "text": "first"}, {"id": "B", "text": "second"}]
    chosen = [{"text": TEXT, "options": options, "accept": accept, **hashes} for accept in (["A"], ["B"])]
    assert targets(save(tmp_path, lines(*chosen), "b.jsonl"), "classification") == ["A", "B"]


def test_an_answer_column_of_other_data_is_left_alone(tmp_path: Path) -> None:
    rows = [{"question": "what?", "context": "ignore it", "answer": "ignore"}, {"text": "a", "answer": "reject"}]
    assert [row.values for row in sources.rows(save(tmp_path, lines(*rows), "a.jsonl"))] == rows


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
        found = list(read_records("x.json", records_of("x.json", records, print), print))
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
