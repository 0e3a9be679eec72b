"""Score tables come back as they were, whatever their columns hold, and damage is noticed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors import safe_open
from safetensors.numpy import save_file

from afina import inference
from afina.data.identity import identity
from afina.errors import ConfigError
from afina.tasks.base import names
from afina.training import rundir, score_tables
from afina.training.rundir import RunFolder
from afina.training.score_tables import NotKept, Scored, read, read_task, write
from tests.runs import ROWS, configured, data_of, events, finished

COLUMN = arrays.arrays(
    st.one_of(arrays.scalar_dtypes(), arrays.unicode_string_dtypes(endianness="?"), arrays.byte_string_dtypes()),
    st.tuples(st.just(3), *[st.integers(0, 3)]) | st.just((3,)),
)


def scored(table: dict[str, Any], groups: Any = None) -> Scored:
    """Three examples with these columns."""
    return Scored(table, np.array([1, 2**64 - 1, 3], np.uint64), groups)


def same(one: Any, other: Any) -> bool:
    """Whether two columns are of one shape and kind, and equal to the bit."""
    plain = [values.astype(values.dtype.newbyteorder("=")) for values in (one, other)]
    first, second = ((values.shape, values.dtype.str, values.tobytes()) for values in plain)
    return bool(first == second)


@given(table=st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), COLUMN, max_size=4))
def test_every_column_comes_back(table: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("tables") / "scores.safetensors"
    write(file, {"test": scored(table, np.array([0, 0, 1])), "validation": scored({"gold": np.arange(3)})})
    found = read(file, "test")
    assert list(found.table) == list(table)
    assert all(same(found.table[name], values) for name, values in table.items())
    assert found.examples.tolist() == [1, 2**64 - 1, 3]
    assert found.groups is not None
    assert found.groups.tolist() == [0, 0, 1]
    assert read(file, "validation").groups is None


@pytest.mark.parametrize("values", [[None, 1, 2.5], [{"a": [1]}, {}, {"b": None}], [[None, 1], [2, 3], [4, "x"]]])
def test_objects_come_back_as_json(values: list[Any], tmp_path: Path) -> None:
    write(tmp_path / "file", {"test": scored({"odd": np.array(values, object)})})
    found = read(tmp_path / "file", "test").table["odd"]
    assert (found.tolist(), found.dtype, found.shape) == (values, object, np.array(values, object).shape)


def test_what_can_not_be_kept_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotKept, match=r"column 'odd' of the score table can't be kept: .*complex"):
        write(tmp_path / "file", {"test": scored({"odd": np.array([1j, None, 2], object)})})
    assert list(tmp_path.iterdir()) == []


def test_the_same_tables_give_the_same_bytes(tmp_path: Path) -> None:
    splits = {name: scored({"b": np.arange(3), "a": np.ones((3, 2), bool)}) for name in ("validation", "test")}
    for name in ("one", "other"):
        write(tmp_path / name, splits)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_every_cut_and_every_flipped_bit_is_damage(tmp_path: Path) -> None:
    file = tmp_path / "scores.safetensors"
    write(file, {"test": scored({"gold": np.arange(3), "name": np.array(["a", "b", "é"])}, np.array([0, 0, 1]))})
    whole, tried = file.read_bytes(), 0
    cuts = [whole[:length] for length in range(0, len(whole), 7)]
    flips = [whole[:i] + bytes([whole[i] ^ 1 << bit]) + whole[i + 1 :] for i in range(len(whole)) for bit in (0, 5)]
    for content in (*cuts, *flips):
        file.write_bytes(content)
        try:
            found = read(file, "test")
        except ConfigError as error:
            assert str(file) in str(error)  # noqa: PT017 - what a bit of the header does not change is no damage
        else:
            assert content not in cuts
            assert (found.examples.tolist(), found.table["gold"].tolist()) == ([1, 2**64 - 1, 3], [0, 1, 2])
        tried += 1
    assert tried > 500


def test_a_missing_file_split_and_format_are_told(tmp_path: Path) -> None:
    file = tmp_path / "scores.safetensors"
    with pytest.raises(ConfigError, match=r"scores\.safetensors: missing; runs of an earlier version have no"):
        read(file, "test")
    write(file, {"validation": scored({})})
    with pytest.raises(ConfigError, match="no scores of test; there are: validation"):
        read(file, "test")
    with safe_open(file, "numpy") as opened:
        header = {**json.loads(opened.metadata()["afina"]), "format": 2}
    save_file({"a": np.arange(3)}, file, {"afina": json.dumps(header)})
    with pytest.raises(ConfigError, match="format 2; this version reads 1: pip install -U afina"):
        read(file, "validation")
    save_file({"a": np.arange(3)}, file)
    with pytest.raises(ConfigError, match="damaged"):
        read(file, "validation")


@pytest.mark.parametrize("task", [name for name in names() if name in ROWS])
def test_every_run_keeps_what_its_scores_are_made_of(task: str, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    done = finished(events(tiny("bert"), tmp_path / "run", task, training__epochs=1))
    run, data = RunFolder(done.folder), data_of(configured(tiny("bert"), tmp_path / "run", task))
    assert done.test is not None
    for split, evaluation in (("validation", done.validation), ("test", done.test)):
        table, examples, groups = run.table(split), run.examples(split), run.groups(split)
        assert inference.score(done.artifact.task, table) == pytest.approx(evaluation.metrics, nan_ok=True, abs=0)
        assert examples.tolist() == [identity(example) for example in data.splits[split]]
        expected = inference.clusters(data.task, data.splits[split])
        assert (groups is None) == (expected is None)
        about = read_task(run.path / rundir.SCORES)
        assert about is not None
        assert (about["name"], about["fitted"]) == (task, dict(done.artifact.task.fitted))
        assert groups is None or groups.tolist() == (expected if expected is None else expected.tolist())


def test_a_column_that_can_not_be_kept_costs_no_run(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise NotKept("column 'odd' of the score table can't be kept")

    monkeypatch.setattr(score_tables, "write", refuse)
    said = list(events(tiny("bert"), tmp_path / "run", training__epochs=1))
    assert any("no scores.safetensors, which comparisons of runs read: column 'odd'" in str(one) for one in said)
    assert RunFolder(tmp_path / "run").finished
    assert not (tmp_path / "run" / rundir.SCORES).exists()
