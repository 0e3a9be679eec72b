"""Files that are answered and scored."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import afina
from afina.errors import ConfigError, DataError, ModelError
from afina.machine import FIXED
from afina.model.network import Network
from afina.records import Batch
from afina.serving import files


def test_a_file_is_scanned_as_a_whole(tmp_path: Path) -> None:
    file = tmp_path / "data.jsonl"
    file.write_text('{"text": "a"}\n{"text": "b", "id": 1}\n', encoding="utf-8")
    assert [dict(row.values) for row in files.scan(str(file))] == [{"text": "a"}, {"text": "b", "id": 1}]
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
    summary = files.predict_file(model, data, out=str(out), columns={"text": "words"})
    assert summary == files.Summary(predictions=2, truncated=1, truncated_tokens=46, max_length=16)
    answers = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [(answer["id"], answer["label"] in ("good", "bad")) for answer in answers] == [("1", True), ("2", True)]
    predictions = afina.load(model).stream(["a lovely film", "cat " * 60])
    assert [answer["probabilities"] for answer in answers] == [each["probabilities"] for each in predictions]


def test_who_asks_at_a_terminal_reads_lines(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    files.predict_file(model, ["a lovely\x1b[2J film", ""], shown=True)
    first, second = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"a lovely\\x1b\[2J film: (good|bad) 0\.\d\d \((good|bad) 0\.\d\d\)", first)
    assert second == "(no text)"
    files.predict_file(model, ["a film"], shown=True, out_format="jsonl")
    assert json.loads(capsys.readouterr().out)["text"] == "a film"


def test_files_are_looked_at_before_a_model(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_: object, **__: object) -> None:
        raise AssertionError("the model was loaded")

    monkeypatch.setattr(files, "open_model", opened)
    data = write(tmp_path / "in.csv", [["text"], ["a film"]])
    other = write(tmp_path / "other.csv", [["id", "words"], ["1", "a"]])
    ragged = write(tmp_path / "ragged.csv", [["id", "text"], ["1"], ["2", "a", "b"], ["3", "fine"]])
    with pytest.raises(ConfigError, match="must end in"):
        files.predict_file("runs/absent", ragged, out="out.xlsx")
    for answer in (files.predict_file, files.evaluate_file):
        with pytest.raises(DataError, match=r"ragged\.csv:2: (?s:.*)ragged\.csv:3: "):
            answer(model, ragged)
        with pytest.raises(ModelError, match="there is no folder 'runs/absent'"):
            answer("runs/absent", data)
        with pytest.raises(ConfigError, match="no column 'text'"):
            answer(model, other)
        with pytest.raises(ConfigError, match="no column 'review'"):
            answer(model, data, columns={"text": "review"})
    with pytest.raises(ConfigError, match="is the data"):
        files.predict_file(model, data, out=data)
    with pytest.raises(ConfigError, match="no predictions as conll: classification has no tagged words"):
        files.predict_file(model, data, out=str(tmp_path / "out.conll"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "other.csv", "ragged.csv"]


def test_a_busy_machine_answers_with_fewer_threads_and_says_so(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, heard, used = torch.get_num_threads(), list[str](), list[int]()
    monkeypatch.delenv(FIXED, raising=False)
    monkeypatch.setattr("afina.machine.speeds", lambda numbers: {3: 1e9, 1: 5e9})
    real = Network.forward

    def watched(self: Network, batch: Batch, *rest: Any) -> Any:
        used.append(torch.get_num_threads())
        return real(self, batch, *rest)

    monkeypatch.setattr(Network, "forward", watched)
    data = write(tmp_path / "in.csv", [["text", "label"], ["a lovely film", "good"]])
    torch.set_num_threads(3)
    try:
        for answer in (files.predict_file, files.evaluate_file):
            answer(model, data, reading={"note": heard.append})
        afina.load(model).predict(["a film"])  # a call of the library measures nothing
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    assert used == [1, 1, 3]
    said = [text for text in heard if text.startswith("CPU threads: 1 of 3")]
    assert len(said) == 2
    assert said[0].endswith(f"{FIXED}=3 takes all the same")


WITHOUT_TORCH = """
import sys
from afina.errors import InputError
from afina.serving.files import evaluate_file, predict_file
for answer in (predict_file, evaluate_file):
    try:
        answer(sys.argv[1], sys.argv[2])
    except InputError as error:
        print(error)
assert "torch" not in sys.modules and "transformers" not in sys.modules
"""


def test_a_wrong_column_is_named_without_torch(model: str, tmp_path: Path) -> None:
    data = write(tmp_path / "in.csv", [["id", "words"], ["1", "a"]])
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, model, data], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.count("the data have no column 'text'")) == (0, 2), done.stderr


def test_a_file_of_labelled_data_is_scored(model: str, tmp_path: Path) -> None:
    data = write(tmp_path / "in.csv", [["text", "mood"], ["a lovely film", "good"], ["an odd film", "meh"]])
    columns = {"label": "mood"}
    assert files.evaluate_file(model, data, unseen="count", columns=columns).examples == 2
    with pytest.raises(DataError, match=r"in\.csv:3: .*'meh'"):
        files.evaluate_file(model, data, columns=columns)
    with pytest.raises(ConfigError, match="expected refuse or count, found 'skip'"):
        files.evaluate_file(model, data, unseen="skip", columns=columns)


def test_questions_without_ids_of_their_own_are_refused_before_a_model_is_loaded(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        {"question": f"who {verb}?", "context": f"the {who} {verb}", "answer": who}
        for who in ("cat", "dog", "bird") for verb in ("sleeps", "barks")
    ]  # fmt: skip
    run = afina.train(
        task="answers", train=rows, validation=rows, model=tiny("bert"), epochs=1, out=tmp_path / "run", progress=False
    )
    monkeypatch.setattr(files, "open_model", lambda *_: pytest.fail("a model was loaded"))
    data = tmp_path / "in.jsonl"
    data.write_text("".join(json.dumps({**row, "id": key}) + "\n" for row, key in zip(rows, "aabcd", strict=False)))
    with pytest.raises(DataError, match=r"in\.jsonl:2: the id 'a' stands twice; give each question its own id"):
        files.predict_file(str(run.folder), str(data), out=str(tmp_path / "out.json"), out_format="squad")
    assert not (tmp_path / "out.json").exists()
