"""What is wrong before a run starts is told at once, and nothing is moved until nothing is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from afina.errors import ConfigError
from afina.training import start
from tests import runs


def test_everything_is_told_at_once(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    config = runs.configured(tiny("bert"), folder, training__device="cuda:77", data__train=str(tmp_path / "none.csv"))
    with pytest.raises(ConfigError) as error:
        start.data_for(folder, config, None, ["strategy: no such thing"], overwrite=False)
    for what in (str(folder), "no such thing", "cuda:77", "none.csv"):
        assert what in str(error.value)


def test_a_run_that_the_new_one_reads_from_stays_where_it_is(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    rows = folder / "rows.csv"
    rows.write_text("text,label\na,b\n")
    with pytest.raises(ConfigError, match="holds the train of the new run"):
        start.refuse_own(folder, runs.configured(tiny("bert"), folder, data__train=str(rows)))


def test_complaints_are_messages_of_errors_about_input() -> None:
    def refuse(value: object) -> None:
        raise ConfigError(f"no {value}")

    assert start.complaints(refuse, "x") == ["no x"]
    assert start.complaints(lambda value: None, "x") == []
