"""A folder of train, validation and test files is a data set whose parts are known by their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from afina.config import load
from afina.data.folders import split_of, with_splits
from afina.data.parts import Data, read_data
from afina.errors import ConfigError
from tests.data.reading import Write

ROWS = "text,label\n" + "".join(f"a lovely film {i},good\na poor film {i},bad\n" for i in range(8))


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train.csv", "train"),
        ("dev.tsv", "validation"),
        ("valid.txt", "validation"),
        ("validation-00000-of-00001.parquet", "validation"),
        ("en_ewt-ud-train.conllu", "train"),
        ("sst2.test.tsv", "test"),
        ("treino.csv", "train"),
        ("validação.csv", "validation"),
        ("Test.CSV", "test"),
        ("train_test.csv", None),
        ("training_set", "train"),
        ("latest.csv", None),
        ("data.csv", None),
        ("contest.csv", None),
    ],
)
def test_names_tell_splits(name: str, split: str | None) -> None:
    assert split_of(name) == split


def read(folder: Path, **settings: object) -> Data:
    return read_data(load(None, {"data.train": str(folder), **settings}))


def test_a_folder_of_splits(write: Write, tmp_path: Path) -> None:
    for name in ("train.csv", "dev.csv", "test.csv"):
        write(name, ROWS)
    write("README.md", "words")
    data = read(tmp_path)
    assert {name: len(examples) for name, examples in data.splits.items()} == {
        "train": 16,
        "validation": 16,
        "test": 16,
    }
    assert not data.held_out
    assert data.sources["validation"] == f"{tmp_path}/dev.csv"
    shown = "train: train.csv; validation: dev.csv; test: test.csv"
    assert f"{tmp_path}: taken as splits by their names: {shown}" in data.notes
    assert f"{tmp_path}: left out README.md" in data.notes


def test_shards_and_inner_folders(write: Write, tmp_path: Path) -> None:
    write("train-00000-of-00002.csv", ROWS)
    write("train-00001-of-00002.csv", ROWS)
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "part.csv").write_text(ROWS, encoding="utf-8")
    data = read(tmp_path)
    assert len(data.splits["train"]) + len(data.splits["validation"]) == 32
    assert len(data.splits["test"]) == 16
    assert data.held_out


def test_a_test_file_without_labels_is_left_out_and_told(write: Write, tmp_path: Path) -> None:
    write("train.csv", ROWS)
    write("test.csv", "id,text\n1,a film\n2,a room\n")
    data = read(tmp_path)
    assert set(data.splits) == {"train", "validation"}
    assert any(
        note.startswith(f"test: {tmp_path}/test.csv is left out; label: the data have no") for note in data.notes
    )
    with pytest.raises(ConfigError, match="test data: label: the data have no"):
        read(tmp_path / "train.csv", **{"data.test": str(tmp_path / "test.csv")})


def test_other_folders_and_named_files_are_taken_as_they_are(write: Write, tmp_path: Path) -> None:
    write("train.csv", ROWS)
    assert with_splits({"train": str(tmp_path)}) == ({"train": str(tmp_path)}, [])
    write("test.csv", ROWS)
    given = {"train": str(tmp_path), "test": "other.csv"}
    assert with_splits(given) == (given, [])
