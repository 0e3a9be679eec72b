"""Every file that the page on data shows is read, without a word about its form."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from afina.data.sources import rows
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "data.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```(\S+\.\w+)\n(.*?)```", PAGE, flags=re.DOTALL))


def test_the_files_are_found() -> None:
    assert len(FILES) >= 18


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_the_page_is_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(FILES[name], encoding="utf-8")
    found = rows(path)
    assert found
    assert all(len(row.values) > 1 for row in found)
