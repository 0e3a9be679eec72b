"""A .json file is one value; what is wrong with it is said of its line or of the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from afina.data import sources
from afina.data.lines import FIELD_LIMIT
from tests.data.annotated import annotation, problems, region, save, task
from tests.data.reading import refused


def test_what_pandas_writes(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"text": ["é 😀", "b"], "label": [1, None]})
    frame.to_json(tmp_path / "a.json", orient="records")
    rows = sources.rows(tmp_path / "a.json")
    assert [row.values for row in rows] == [{"text": "é 😀", "label": 1.0}, {"text": "b", "label": None}]
    for orient, place in (("columns", "[0]"), ("split", "data[0]"), ("index", "[0]"), ("table", "data[0]")):
        path, notes = tmp_path / f"{orient}.json", list[str]()
        frame.to_json(path, orient=orient)
        read = sources.rows(path)
        assert read[0].place == f"{path}:{place}"
        assert [[row.values[name] for name in frame] for row in read] == [["é 😀", 1.0], ["b", None]]
        list(sources.read(path, note=notes.append))
        assert [note for note in notes if "pandas" in note] or orient == "table"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "b.json:1: no rows: the file is empty"),
        ("[]", "b.json: no rows: the array is empty"),
        ('{"data": []}', "b.json: no rows: the array is empty"),
        ("3", "b.json: expected an array of records, or SQuAD, found 3"),
        ('[\n{"a": 1},\n{"a" 2}]', "b.json:3: not JSON: expecting ':' delimiter at column 6"),
        ('{\n"a": 1}\n{"a" 2}\n', "b.json:3: not JSON: expecting ':' delimiter at column 6"),
        ('{\n"a": 1}\n{"a": NaN}\n', "b.json:3: 'NaN' is not a finite number"),
        ('{\n"a": 1}\n3', "b.json:3: not JSON: extra data at column 1"),
        ('{\n"a": 1},\n', "b.json:2: not JSON: extra data at column 8"),
        ('{"a": 1}', "b.json: expected an array of records, or SQuAD, found an object with the keys ['a']"),
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
    assert "a.json:2: line 2, column 8 (in bytes): the byte 0x93 is not utf-8" in refused(
        tmp_path / "a.json", encoding="utf-8"
    )
