"""Files of predictions are read back as what was written."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import afina
from afina.data import sources
from afina.errors import ConfigError, DataError, ModelError
from afina.serving import files

CELLS = st.text(st.sampled_from('ab,;"\r\n\t é\u2028=') | st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)


@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=6))
def test_csv_comes_back_whatever_the_values_hold(rows: list[tuple[str, str]]) -> None:
    file = io.StringIO(newline="")
    files.csv_writer(file).writerows([("one", "two"), *rows])
    file.seek(0)
    assert [tuple(row) for row in csv.reader(file, strict=True)] == [("one", "two"), *rows]


def test_a_lone_carriage_return_is_read_back_by_our_own_reader(tmp_path: Path) -> None:
    with (tmp_path / "out.csv").open("w", encoding="utf-8", newline="") as file:
        files.csv_writer(file).writerows([("text", "label"), ("old\rmac", "a"), ("two\r\nlines", "b")])
    assert (tmp_path / "out.csv").read_bytes().startswith(b'text,label\n"old\rmac",a\n')
    assert [row.values["text"] for row in sources.rows(tmp_path / "out.csv")] == ["old\rmac", "two\r\nlines"]


def test_flat_predictions() -> None:
    assert files.flat({"label": "a", "probabilities": {"a": 0.75, "b c": 0.25}}) == {
        "label": "a",
        "probability_a": "0.75",
        "probability_b c": "0.25",
    }
    assert files.flat({"score": 1e-07}) == {"score": "1e-07"}
    assert files.flat({"labels": ["a", "b"], "flag": False, "none": None}) == {
        "labels": '["a", "b"]',
        "flag": "false",
        "none": "",
    }


def test_names_that_are_taken() -> None:
    assert files.free_names(["a", "label"], ["label"]) == {"a": "a", "label": "input_label"}
    assert files.free_names(["label", "input_label"], ["label"]) == {
        "label": "input_input_label",
        "input_label": "input_label",
    }


def test_a_file_is_scanned_for_its_columns(tmp_path: Path) -> None:
    file = tmp_path / "data.jsonl"
    file.write_text('{"text": "a"}\n{"text": "b", "id": 1}\n', encoding="utf-8")
    assert files.scan(str(file)) == ["text", "id"]
    file.write_text('{"text": "a"}\nno\n[]\n', encoding="utf-8")
    with pytest.raises(DataError) as error:
        files.scan(str(file))
    assert [problem.place for problem in error.value.problems] == [f"{file}:2", f"{file}:3"]


@pytest.fixture(scope="module")
def model(tiny: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> str:
    """Folder of a model that reads the column `text`, 16 tokens at most."""
    rows = [{"text": f"a {word} film", "label": label} for word, label in (("lovely", "good"), ("awful", "bad"))] * 6
    out = tmp_path_factory.mktemp("files") / "run"
    run = afina.train(train=rows, validation=rows, model=tiny("bert"), epochs=1, max_length=16, out=out)
    return str(run.folder)


def write(path: Path, rows: list[list[str]]) -> str:
    """Write a csv; its name."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return str(path)


def test_a_file_of_data_becomes_a_file_of_predictions(model: str, tmp_path: Path) -> None:
    data = write(tmp_path / "in.csv", [["id", "words"], ["1", "a lovely film"], ["2", "cat " * 60]])
    out = tmp_path / "out.jsonl"
    summary = files.predict_file(model, data, out=str(out), keep=True, columns={"text": "words"})
    assert summary == files.Summary(predictions=2, truncated=1, truncated_tokens=46, max_length=16)
    answers = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [(answer["id"], answer["label"] in ("good", "bad")) for answer in answers] == [("1", True), ("2", True)]
    predictions = afina.load(model).stream(["a lovely film", "cat " * 60])
    assert [answer["probabilities"] for answer in answers] == [each["probabilities"] for each in predictions]


def test_files_are_looked_at_before_a_model(tmp_path: Path) -> None:
    data = write(tmp_path / "in.csv", [["text"], ["a film"]])
    ragged = write(tmp_path / "ragged.csv", [["id", "text"], ["1"], ["2", "a", "b"], ["3", "fine"]])
    with pytest.raises(ConfigError, match="must end in"):
        files.predict_file("runs/absent", ragged, out="out.xlsx")
    for answer in (files.predict_file, files.evaluate_file):
        with pytest.raises(DataError, match=r"ragged\.csv:2: (?s:.*)ragged\.csv:3: "):
            answer("runs/absent", ragged)
        with pytest.raises(ModelError, match="there is no folder 'runs/absent'"):
            answer("runs/absent", data)
    with pytest.raises(ConfigError, match="is the data"):
        files.predict_file("runs/absent", data, out=data)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "ragged.csv"]


def test_a_file_of_labelled_data_is_scored(model: str, tmp_path: Path) -> None:
    data = write(tmp_path / "in.csv", [["text", "mood"], ["a lovely film", "good"], ["an odd film", "meh"]])
    columns = {"label": "mood"}
    assert files.evaluate_file(model, data, unseen="count", columns=columns).examples == 2
    with pytest.raises(DataError, match=r"in\.csv:3: .*'meh'"):
        files.evaluate_file(model, data, columns=columns)
    with pytest.raises(ConfigError, match="expected refuse or count, found 'skip'"):
        files.evaluate_file(model, data, unseen="skip", columns=columns)
