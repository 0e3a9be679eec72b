"""Which trackers there are, and what is said where one is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from afina.errors import ConfigError, MissingExtra
from afina.tracking import base
from afina.tracking.base import Tracker, check, find, names
from tests.conftest import REPOSITORY

OWN = ["mlflow", "tensorboard", "trackio", "wandb"]


def test_they_are_found_by_their_names() -> None:
    assert names() == [*OWN, "broken", "ledger"]
    for name in names():
        assert issubclass(find(name), Tracker)
        assert find(name).__doc__


@pytest.mark.parametrize("name", OWN)
def test_a_missing_library_names_its_extra(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "importable", lambda _: False)
    with pytest.raises(MissingExtra, match=re.escape(f"pip install 'afina[{name}]'")):
        check(["ledger", name])
    extras = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    assert re.search(rf'^{find(name).extra} = \["{find(name).distribution}>=', extras, flags=re.MULTILINE)


def test_another_packages_tracker_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find("ledger"), "package", "nowhere_to_be_found")
    with pytest.raises(ConfigError, match="pip install nowhere_to_be_found"):
        check(["ledger"])


def test_an_unknown_tracker_is_named_with_what_is_near() -> None:
    with pytest.raises(ConfigError, match=r"training\.track: 'mlflo' is not a tracker, did you mean 'mlflow'"):
        check(["mlflo"])


def test_no_file_but_their_own_imports_the_libraries() -> None:
    for name in OWN:
        text = (Path(base.__file__).parent / f"{name}.py").read_text(encoding="utf-8")
        assert not re.search(rf"^(import|from) ({name}|torch)", text, flags=re.MULTILINE), "imported when it begins"
