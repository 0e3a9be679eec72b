"""Folders and files for the tests of the readers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.reading import Write


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("readers")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(name: str, data: bytes | str) -> str:
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return str(path)

    return make
