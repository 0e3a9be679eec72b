"""Folders and files of the tests of data."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.files import Write


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the files of a whole module, as properties need it."""
    return tmp_path_factory.mktemp("readers")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes files into the test's own folder."""

    def make(name: str, data: bytes | str) -> str:
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return str(path)

    return make
