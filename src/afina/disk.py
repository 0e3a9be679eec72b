"""Files that are complete or absent: made under another name, on the disk before they are renamed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

ASIDE = ".making-"
"""Begins the names of what is being made."""


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
