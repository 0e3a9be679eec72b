"""Files that are complete or absent, their sums, and folders that belong to one process; one way each.

What is being made has another name until it is whole and on the disk.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

ASIDE = ".making-"
"""Begins the names of what is being made."""


class Locked(Exception):
    """Somebody else has the lock."""


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the lock of a file, which is made where it is not there and stays. It is let go of when its owner dies.

    Raises:
        Locked: somebody else has it.
        OSError: the file can't be made.
    """
    lock = FileLock(file, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise Locked from None
    try:
        yield
    finally:
        lock.release()


def sha256(file: Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write(path: Path, content: bytes) -> None:
    """A file, complete or absent."""
    making = aside(path)
    making.write_bytes(content)
    sync(making)
    making.replace(path)


def aside(place: Path) -> Path:
    """Where something is made before it gets its name."""
    return place.with_name(f"{ASIDE}{place.name}")


def settle(folder: Path) -> None:
    """See that files are on the disk, with the permissions of new files: safetensors gives its own to nobody else."""
    mask = os.umask(0)
    os.umask(mask)
    for file in folder.rglob("*"):
        if file.is_file():
            file.chmod(0o666 & ~mask)
        sync(file)
    sync(folder)


def sync(place: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(place: Path) -> None:
    """Remove a file or folder, if it is there."""
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place, ignore_errors=True)
    else:
        place.unlink(missing_ok=True)
