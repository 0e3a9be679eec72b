"""The records of a JSON file are found in whatever holds them, or the lists that could be meant are named."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from afina.data import sources
from afina.errors import DataError, Problem
from tests.data.annotated import SPANS, TEXT, save, targets
from tests.data.reading import refused, values

RECORDS = [{"text": "a", "label": "x"}, {"text": "b", "label": "y"}]


def told(path: Path) -> list[str]:
    notes: list[str] = []
    list(sources.read(path, note=notes.append))
    return notes


@pytest.mark.parametrize("key", ["annotations", "sentences", "examples", "data", "documents", "rows", "anything"])
@pytest.mark.parametrize("indent", [None, 1])
def test_the_one_list_inside_an_object(tmp_path: Path, key: str, indent: int | None) -> None:
    tree = {"version": "1.0", "classes": ["x", "y"], "info": {"date": "today"}, key: RECORDS}
    for ending in ("json", "jsonl", "txt"):
        path = save(tmp_path, json.dumps(tree, indent=indent), f"a.{ending}")
        assert values(path) == RECORDS
        assert sources.rows(path)[1].place == f"{path}:{key}[1]"


def test_lists_deeper_inside(tmp_path: Path) -> None:
    path = save(tmp_path, {"result": {"took": 3, "documents": RECORDS}})
    assert values(path) == RECORDS
    assert sources.rows(path)[0].place == f"{path}:result.documents[0]"


@pytest.mark.parametrize(
    ("tree", "listed"),
    [
        ({"train": RECORDS, "test": RECORDS[:1]}, ".train, .test"),
        ({"all": {"a part": RECORDS, "b": RECORDS}}, '.all."a part", .all.b'),
    ],
)
def test_several_lists_are_named_and_the_cure_works(tmp_path: Path, tree: Any, listed: str) -> None:
    path = save(tmp_path, tree, "the data.json")
    message = refused(path)
    assert f"the records could be in several lists: {listed!r}" in message
    command = message.partition("file of its own: ")[2]
    subprocess.run(command, shell=True, check=True, cwd=tmp_path)
    assert values(tmp_path / "records.json") == RECORDS


def test_rasa(tmp_path: Path) -> None:
    entities = [{"start": start, "end": end, "value": TEXT[start:end], "entity": label} for start, end, label in SPANS]
    example = {"text": TEXT, "intent": "inform", "entities": entities}
    more = {"regex_features": [{"name": "zip", "pattern": "[0-9]+"}], "entity_synonyms": []}
    path = save(tmp_path, {"rasa_nlu_data": {"common_examples": [example, {"text": "Hi", "intent": "greet"}], **more}})
    assert targets(path) == [SPANS, []]
    assert targets(path, "classification") == ["inform", "greet"]
    assert told(path) == [
        f"{path}: the records are in .rasa_nlu_data.common_examples; the other lists of Rasa are left out"
    ]


def test_ner_annotator(tmp_path: Path) -> None:
    pairs = [[TEXT, {"entities": [[*span] for span in SPANS]}], None, ["Nobody", {"entities": []}]]
    path = save(tmp_path, {"classes": ["PER", "LOC"], "annotations": pairs})
    assert targets(path) == [SPANS, []]
    assert told(path) == [f"{path}: left out 1 null, as of texts that nobody annotated"]
    path = save(tmp_path, {"annotations": pairs})
    assert [item.code for item in sources.read(path) if isinstance(item, Problem)] == ["no-record"]


def test_columns_and_records_by_key(tmp_path: Path) -> None:
    lists = {"text": ["a", "b"], "label": ["x", "y"]}
    path = save(tmp_path, lists)
    assert values(path) == RECORDS
    assert told(path) == [f"{path}: read as columns, each a list with one value a record"]
    path = save(tmp_path, {"doc-1": RECORDS[0], "doc-2": RECORDS[1]})
    assert values(path) == RECORDS
    assert sources.rows(path)[1].place == f"{path}:[doc-2]"
    assert "the key is no column" in told(path)[0]
    filtered = {"text": {"3": "a", "17": "b"}, "label": {"3": "x", "17": "y"}}
    path = save(tmp_path, filtered)
    assert values(path) == RECORDS
    assert sources.rows(path)[1].place == f"{path}:[17]"


def test_a_ragged_row_of_a_split_table_is_named(tmp_path: Path) -> None:
    table = {"columns": ["text", "label"], "index": [0, 1], "data": [["a", "x"], ["b"]]}
    first, second = sources.read(save(tmp_path, table))
    assert not isinstance(first, Problem)
    assert isinstance(second, Problem)
    assert (second.code, second.place[-7:]) == ("no-record", "data[1]")


def test_one_record_alone(tmp_path: Path) -> None:
    record = {"premise": "a", "hypothesis": "b", "label": "x"}
    assert values(save(tmp_path, record)) == [record]
    answer = {"question": "who?", "context": "Ana", "answers": [{"text": "Ana", "answer_start": 0}]}
    assert values(save(tmp_path, answer)) == [answer]
    with pytest.raises(DataError, match="expected an array of records"):
        values(save(tmp_path, {"a": {}}))


def test_objects_one_after_the_other(tmp_path: Path) -> None:
    for sign in ("\n", " ", ",\n"):
        path = save(tmp_path, sign.join(json.dumps(record, indent=2) for record in RECORDS))
        assert values(path) == RECORDS
    assert [row.place for row in sources.rows(path)] == [f"{path}:1", f"{path}:5"]
    path = save(tmp_path, "{} {}\n{}", "a.txt")
    assert [row.place for row in sources.rows(path)] == [f"{path}:1", f"{path}:1:4", f"{path}:2"]
