"""Folders of texts, one folder a label."""

from __future__ import annotations

from pathlib import Path

import pytest

from afina.config import load
from afina.data.parts import read_data
from afina.data.sources import read
from afina.data.text_folders import holds_texts
from afina.errors import Problem
from tests.data.reading import refused, values


def put(folder: Path, texts: dict[str, str]) -> Path:
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_the_folder_of_a_text_is_its_label(tmp_path: Path) -> None:
    notes: list[str] = []
    put(tmp_path, {"pos/1.txt": "bom\ndia\n", "neg/1.txt": "mau, “ação”", "neg/2.txt": "pior", "pos/x.log": "x"})
    assert values(tmp_path, note=notes.append) == [
        {"text": "mau, “ação”", "label": "neg"},
        {"text": "pior", "label": "neg"},
        {"text": "bom\ndia\n", "label": "pos"},
    ]
    assert [row.place for row in read(tmp_path)] == [f"{tmp_path}/{name}.txt" for name in ("neg/1", "neg/2", "pos/1")]
    assert notes == [
        f"{tmp_path}: each text file is a row, and the name of its folder its label: 'neg', 'pos'",
        f"{tmp_path}: left out 'pos/x.log', which are no texts",
    ]


def test_splits_of_such_folders(tmp_path: Path) -> None:
    texts = {
        f"{split}/{label}/{i}.txt": f"{split} {label} {i}"
        for split in ("train", "test")
        for label in "ab"
        for i in range(9)
    }
    data = read_data(load(None, {"data.train": str(put(tmp_path, texts))}))
    assert len(data.splits["train"]) + len(data.splits["validation"]) == len(data.splits["test"]) == 18
    assert data.task.labels == ["a", "b"]


@pytest.mark.parametrize(
    "names",
    [["a/1.txt"], ["train/1.txt", "test/1.txt"], ["a/1.txt", "b/1.csv"], ["a/1.txt", "a/1.ann", "b/1.txt"],
     ["a/1.txt", "b/1.txt", "data.csv"], ["a/b/1.txt", "c/1.txt"]],
)  # fmt: skip
def test_other_folders_are_not_such(tmp_path: Path, names: list[str]) -> None:
    assert not holds_texts(put(tmp_path, dict.fromkeys(names, "x")))


def test_a_file_that_is_no_text_is_a_problem_of_its_own(tmp_path: Path) -> None:
    put(tmp_path, {"a/1.txt": "one", "b/1.txt": "two"})
    (tmp_path / "b" / "2.txt").write_bytes(b"a text with a\0 inside")
    (problem,) = [item for item in read(tmp_path) if isinstance(item, Problem)]
    assert (problem.place, problem.code) == (f"{tmp_path}/b/2.txt", "nul")
    assert "name the folder that holds a folder for each label" in refused(tmp_path / "a" / "1.txt", format="texts")
