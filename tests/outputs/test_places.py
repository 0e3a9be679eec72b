"""Files and folders are complete or absent, and the data stay what they are."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from afina.errors import ConfigError
from afina.outputs.places import place, text_file


def test_a_file_is_complete_or_absent(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"

    def interrupted() -> None:
        with text_file(str(out)) as file:
            file.write("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []
    for text in ("one\r\n", "two"):
        with text_file(str(out)) as file:
            file.write(text)
            assert not out.exists() or out.read_bytes() == b"one\r\n"
        assert out.read_bytes() == text.encode()
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_a_folder_is_complete_or_absent(tmp_path: Path) -> None:
    out = tmp_path / "marks"

    def full() -> None:
        with place(f"{out}/", folder=True) as part:
            part.mkdir()
            (part / "1.txt").write_text("a", encoding="utf-8")
            raise OSError(errno.ENOSPC, "No space left")

    with pytest.raises(ConfigError, match="can't be written: No space left; nothing is left of it"):
        full()
    assert list(tmp_path.iterdir()) == []
    out.mkdir()  # an empty folder may be there
    with place(f"{out}/", folder=True) as part:
        part.mkdir()
        (part / "1.txt").write_text("a", encoding="utf-8")
    assert [path.name for path in out.iterdir()] == ["1.txt"]
    with pytest.raises(ConfigError, match="exists and is not overwritten"), place(str(out), folder=True):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["marks"]


def test_the_data_are_never_overwritten(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    file = data / "in.csv"
    file.write_text("text\na\n", encoding="utf-8")
    link = tmp_path / "link.csv"
    link.symlink_to(file)
    for named in (file, data, data / "*.csv", tmp_path / "**" / "*.csv"):
        for out in (file, link):
            with pytest.raises(ConfigError, match="is the data"), text_file(str(out), str(named)):
                pass
    assert file.read_text(encoding="utf-8") == "text\na\n"


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a folder; name a file"), text_file(str(tmp_path)):
        pass
    for folder in (False, True):
        with (
            pytest.raises(ConfigError, match=r"can't be written: there is no folder '.*no'; make it first$"),
            place(str(tmp_path / "no" / "x"), folder=folder),
        ):
            pass
