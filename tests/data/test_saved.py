"""Folders of save_to_disk are read as `datasets` reads them, without it; a dict of data sets is taken as splits."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from afina.config import load
from afina.data.folders import with_splits
from afina.data.parts import read_data
from afina.errors import MissingExtra
from tests.data.arrow_tables import as_stream, table
from tests.data.reading import items, refused, values

FEATURES = {"text": {"dtype": "string", "_type": "Value"}, "label": {"names": ["no", "yes"], "_type": "ClassLabel"}}


def save(folder: Path, pieces: Sequence[Sequence[int]], **state: Any) -> str:
    folder.mkdir(parents=True)
    names = [f"data-{i:05}-of-{len(pieces):05}.arrow" for i in range(len(pieces))]
    for name, labels in zip(names, pieces, strict=True):
        made = table({"text": [f"text {i}" for i in range(len(labels))], "label": list(labels)})
        (folder / name).write_bytes(as_stream(made))
    about = {"_data_files": [{"filename": name} for name in names], "_fingerprint": "0", "_split": "train"} | state
    (folder / "state.json").write_text(json.dumps(about), encoding="utf-8")
    (folder / "dataset_info.json").write_text(json.dumps({"features": FEATURES}), encoding="utf-8")
    return str(folder)


def save_dict(folder: Path, parts: Mapping[str, Sequence[int]]) -> str:
    for name, labels in parts.items():
        save(folder / name, [labels])
    (folder / "dataset_dict.json").write_text(json.dumps({"splits": [*parts]}), encoding="utf-8")
    return str(folder)


def test_a_saved_data_set_gives_its_rows_with_the_names_of_labels(tmp_path: Path) -> None:
    folder = save(tmp_path / "set", [[0, 1], [1]])
    assert [row["label"] for row in values(folder)] == ["no", "yes", "yes"]
    assert [item.place for item in items(folder + "/")] == [
        f"{folder}/data-00000-of-00002.arrow:1",
        f"{folder}/data-00000-of-00002.arrow:2",
        f"{folder}/data-00001-of-00002.arrow:1",
    ]


def test_a_dict_of_data_sets_is_taken_as_splits(tmp_path: Path) -> None:
    folder = save_dict(
        tmp_path / "sets", {"train": [0, 1] * 8, "dev": [0, 1], "test_sets": [1, 0], "unsupervised": [0]}
    )
    data = read_data(load(None, {"data.train": folder, "task": "classification"}))
    assert {name: len(examples) for name, examples in data.splits.items()} == {"train": 16, "validation": 2, "test": 2}
    assert data.task.labels == ["no", "yes"]
    assert f"{folder}: taken as splits by their names: train: train; validation: dev; test: test_sets" in data.notes
    assert f"{folder}: left out unsupervised" in data.notes


def test_a_dict_is_no_data_set_and_its_parts_are_named(tmp_path: Path) -> None:
    folder = save_dict(tmp_path / "sets", {"train_a": [0, 1], "train_b": [0, 1]})
    assert with_splits({"train": folder}) == ({"train": folder}, [])
    assert refused(folder) == f"{folder}: a dict of data sets: train_a, train_b; name one of them: {folder}/train_a"
    assert len(values(f"{folder}/train_a")) == 2


def test_an_empty_data_set_has_no_rows(tmp_path: Path) -> None:
    assert "no rows: the data set is empty" in refused(save(tmp_path / "set", []))


@pytest.mark.parametrize(
    "spoiled", ["{", "[]", "{}", '{"_data_files": [{"filename": "../a.arrow"}]}', '{"_data_files": [1]}']
)
def test_a_damaged_folder_is_named(tmp_path: Path, spoiled: str) -> None:
    folder = save(tmp_path / "set", [[0]])
    Path(folder, "state.json").write_text(spoiled, encoding="utf-8")
    message = refused(folder)
    assert message.startswith(f"{folder}/state.json: ")
    assert "save the data set again" in message


def test_a_piece_that_is_missing_or_cut_is_named(tmp_path: Path) -> None:
    folder = save(tmp_path / "set", [[0], [1] * 999])
    piece = Path(folder, "data-00001-of-00002.arrow")
    piece.write_bytes(piece.read_bytes()[:-2000])
    assert f"{piece}: cut short or damaged" in refused(folder)
    piece.unlink()
    assert f"{piece}: a piece of the data set can't be read: No such file" in refused(folder)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    folder = save(tmp_path / "set", [[0]])
    piece = f"{folder}/data-00000-of-00001.arrow"
    assert "name the folder, or give --format arrow" in refused(f"{folder}/state.json", format="datasets")
    assert values(piece, format="arrow") == [{"text": "text 0", "label": 0}]


def test_the_package_is_named_where_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = save(tmp_path / "set", [[0]])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match="pyarrow"):
        items(folder)
