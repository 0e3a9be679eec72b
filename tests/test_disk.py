"""Files are complete or absent; a lock has one owner, in real processes, and goes with it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from afina import disk

OWNER = """
import subprocess, sys
from pathlib import Path
from afina import disk
try:
    with disk.locked(Path(sys.argv[1])):
        child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"]) if sys.argv[2:] else None
        print("held", child.pid if child else "", flush=True)
        sys.stdin.read()
except disk.Locked:
    print("refused", flush=True)
"""


@contextmanager
def owner(file: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process that asks for a lock and keeps it until its input ends, and what it said."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", OWNER, str(file), *more]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def refused(file: Path) -> bool:
    """Whether somebody else has a lock."""
    try:
        with disk.locked(file):
            return False
    except disk.Locked:
        return True


def test_a_lock_has_one_owner(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with owner(file) as (process, said):
        assert said == "held"
        assert refused(file)
        with owner(file) as (_, other):
            assert other == "refused"
        process.communicate("")
        assert not refused(file)
    with disk.locked(file), owner(file) as (_, said):
        assert said == "refused"


@pytest.mark.parametrize("child", [(), ("with a child",)], ids=["alone", "with a child"])
def test_a_lock_goes_when_its_owner_is_killed(tmp_path: Path, child: tuple[str, ...]) -> None:
    """Also when a process that it started lives on."""
    file = tmp_path / "lock"
    with owner(file, *child) as (process, said):
        assert said.startswith("held")
        assert refused(file)
        process.kill()
        process.wait()
        assert not refused(file)


def test_an_owner_refuses_itself_and_lets_go_after_an_error(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with disk.locked(file):
        assert refused(file)
    assert not refused(file)
    with pytest.raises(ZeroDivisionError), disk.locked(file):
        _ = 1 / 0
    assert not refused(file)
    assert file.exists()


def test_a_lock_that_can_not_be_made_is_an_error_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError), disk.locked(tmp_path / "file" / "lock"):
        raise AssertionError("held")


def test_a_file_is_complete_or_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    disk.write(file, b"old")
    assert file.read_bytes() == b"old"
    assert [place.name for place in tmp_path.iterdir()] == ["file"]

    def full(_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk, "sync", full)
    with pytest.raises(OSError, match="No space left"):
        disk.write(file, b"new")
    assert file.read_bytes() == b"old"
    monkeypatch.undo()
    disk.write(file, b"new")  # and what the one before left half made is no hindrance
    assert file.read_bytes() == b"new"
    assert [place.name for place in tmp_path.iterdir()] == ["file"]


def test_sums_are_those_of_sha256(tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    (tmp_path / "file").write_bytes(content)
    assert disk.sha256(tmp_path / "file") == hashlib.sha256(content).hexdigest()


def test_settled_files_have_the_permissions_of_new_ones(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    for file in (tmp_path / "own", tmp_path / "inner" / "own"):
        file.touch(0o600)
    before = os.umask(0o022)
    try:
        disk.settle(tmp_path)
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)
    modes = {file.stat().st_mode & 0o777 for file in tmp_path.rglob("own")}
    assert modes == {0o644}


def test_removing_a_link_leaves_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    disk.remove(tmp_path / "link")
    disk.remove(tmp_path / "nowhere")
    assert (tmp_path / "folder" / "file").exists()
    disk.remove(tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []
