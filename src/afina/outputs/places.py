"""Where predictions go: files and folders that are complete or absent, and never the data."""

from __future__ import annotations

import errno
import glob
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from .. import disk
from ..errors import ConfigError, printable

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What a system says when a file has no room."""


@contextmanager
def text_file(out: str, data: str = "") -> Iterator[TextIO]:
    """A text file that is complete or absent, or the standard output for `-`.

    Args:
        out: Its path.
        data: What is read, and must not be overwritten.

    Raises:
        ConfigError: it can't be written, or is the data.
    """
    if out == "-":
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(encoding="utf-8")
        yield sys.stdout
        return
    with place(out, data) as part, part.open("x", encoding="utf-8", newline="") as file:
        yield file


@contextmanager
def place(out: str, data: str = "", *, folder: bool = False) -> Iterator[Path]:
    """A path to write to, which becomes `out` at the end; after an error nothing is left of it.

    Args:
        out: Path of the file or folder.
        data: What is read, and must not be overwritten.
        folder: Whether it is a folder, which must be new or empty.

    Raises:
        ConfigError: it can't be written, or is the data; or the disk is full.
    """
    path = Path(out)
    refuse(path, out, data, folder=folder)
    if not path.parent.exists():
        home = printable(str(path.parent))
        raise ConfigError(f"out: {printable(out)} can't be written: there is no folder {home}; make it first")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        disk.remove(part)
        part.mkdir() if folder else part.touch()
        disk.remove(part)
    except OSError as error:
        raise ConfigError(f"out: {printable(out)} can't be written: {error.strerror}") from None
    try:
        yield part
        if folder:
            disk.settle(part)
        else:
            disk.sync(part)
        part.replace(path)
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise ConfigError(f"out: {printable(out)} can't be written: {error.strerror}; nothing is left of it") from None
    finally:
        disk.remove(part)


def refuse(path: Path, out: str, data: str, *, folder: bool) -> None:
    """See that a place can take predictions.

    Raises:
        ConfigError: it can't.
    """
    if not path.exists():
        return
    named = (data, *glob.glob(data, recursive=True))  # noqa: PTH207 (as the data are found)
    if any(is_in(path, Path(name)) for name in named if name and Path(name).exists()):
        raise ConfigError(f"out: {printable(out)} is the data; name another {'folder' if folder else 'file'}")
    if path.is_dir() and not folder:
        raise ConfigError(f"out: {printable(out)} is a folder; name a file")
    if folder and not (path.is_dir() and not any(path.iterdir())):
        raise ConfigError(f"out: {printable(out)} exists and is not overwritten; name a new folder")


def is_in(path: Path, data: Path) -> bool:
    """Whether something that exists is the data, or in the folder of the data."""
    return path.samefile(data) or (data.is_dir() and data.resolve() in path.resolve().parents)
