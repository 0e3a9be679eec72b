"""parquet of predictions: types of columns, also where rows differ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from afina.outputs import parquet
from afina.outputs.writers import Answered
from tests.outputs.answered import entity, one_text, task_of, write

arrow = pytest.importorskip("pyarrow.parquet")


def table_of(folder: Path, answers: list[Answered], **options: Any) -> Any:
    """What is written, as pyarrow reads it."""
    write(folder / "out.parquet", answers, task_of("regression", {}), name="parquet", **options)
    return arrow.read_table(folder / "out.parquet")


def test_columns_have_types_and_numbers_are_whole(tmp_path: Path) -> None:
    table = table_of(tmp_path, [one_text("a", {"score": 1 / 3}, id=2**60 + 1, ok=True, tags=["x"], meta={"k": 1})])
    assert table.to_pylist() == [
        {"text": "a", "id": 2**60 + 1, "ok": True, "tags": ["x"], "meta": {"k": 1}, "score": 1 / 3}
    ]


def test_values_that_differ_find_a_common_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROWS", 1)
    values: list[Any] = [None, 1, 2.5, 2**60 + 1]
    table = table_of(tmp_path, [one_text("a", {"score": 1.0}, n=value) for value in values])
    assert table["n"].to_pylist() == [None, 1.0, 2.5, float(2**60)]
    values = [1, "b", True, [1], {}, {"a": 1}, 10**30]
    table = table_of(tmp_path, [one_text("a", {"score": 1.0}, n=value) for value in values])
    assert table["n"].to_pylist() == ["1", "b", "true", "[1]", "{}", '{"a": 1}', f"{10**30}"]
    assert arrow.ParquetFile(tmp_path / "out.parquet").num_row_groups == len(values)
    table = table_of(tmp_path, [one_text("a", {"score": 1.0}, meta={f"key {i}": i}) for i in range(200)])
    assert table["meta"][150].as_py() == '{"key 150": 150}'


def test_entities_stay_objects(tmp_path: Path) -> None:
    task = task_of("tokens", {"kind": "entities", "types": ["PER"], "scheme": "spans"}, text="text")
    found = [entity("Ana", 0, 3, "PER")]
    write(
        tmp_path / "out", [one_text("Ana", {"entities": found}), one_text("b", {"entities": []})], task, name="parquet"
    )
    assert arrow.read_table(tmp_path / "out")["entities"].to_pylist() == [found, []]


def test_no_predictions_are_no_rows(tmp_path: Path) -> None:
    assert table_of(tmp_path, []).num_rows == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.parquet"]
