"""Files and data in memory as rows that know their place. Nothing is lost: each record is a `Row` or a `Problem`.

    path -> files -> reader (formats) -> Row | Problem
    list, columns, frame, table -> mappings (memory) -> Row | Problem

A fault of one record is a `Problem` in the stream; a fault of the whole file (no such file, a header with twins, the
wrong encoding) is a `DataError`. Text stays text: `NA`, `null` and `007` are strings like all others.
"""

from __future__ import annotations

import difflib
import glob
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, NoReturn

from ..errors import ConfigError, DataError, Problem, printable
from ..records import Row
from .compression import ARCHIVE, start_of, unpacked
from .encodings import encoding_of
from .formats import Reader, cure_of, ending_of, find, reader_of, reader_of_folder
from .lines import Item, ReadOptions, fail, head_of
from .memory import read_memory
from .pipes import Piped

FORMAT_FIX = "name it with --format; `afina formats` lists them"


class Files(tuple[str, ...]):
    """Several files or folders that are one source."""

    def __str__(self) -> str:
        return ", ".join(self)


def read(source: Any, *, name: str = "", **reading: Any) -> Iterator[Item]:
    """Read data as a stream in which every record comes out once, as a `Row` or as a `Problem`.

    Args:
        source: A file, a folder of files, or a pattern such as `data/*.csv`; or a list of dicts, a dict of columns, a
            pandas or polars frame, an Arrow table, a Hugging Face data set.
        name: For data in memory, the word in front of a place: `train` gives `train row 17`.
        reading: What the caller says about the files, as for `ReadOptions`.

    Returns:
        Rows and problems in the order of the data. Files are read as they are asked for, in flat memory.

    Raises:
        DataError: a source can't be read at all. At once for paths, otherwise when the stream comes to it.
        ConfigError: an option makes no sense.
    """
    options = ReadOptions(**reading)
    if isinstance(source, Piped):
        heard = replace(options, note=lambda text: options.note(source.shown(text)))
        return source.items(lambda: read_path(str(source), heard))
    if isinstance(source, str | os.PathLike):
        return read_path(os.fspath(source), options)
    if isinstance(source, Files):
        return chain.from_iterable([read_path(path, options) for path in source])
    if options.columns is not None:
        raise ConfigError("columns: names the columns of a file without a header; data in memory has its own names")
    return read_memory(source, name)


def read_path(path: str, options: ReadOptions) -> Iterator[Item]:
    """The records of a file, a folder, or all files that match a pattern.

    Raises:
        DataError: a file can't be read at all.
    """
    reader = reader_of_folder(path) if is_folder(path) else None
    if reader is not None and reader.read_folder is not None:
        return reader.read_folder(path, options)
    return read_files(files_of(path, options), options)


def rows(source: Any, *, name: str = "", **reading: Any) -> list[Row]:
    """Read all rows; the arguments are those of `read`.

    Raises:
        DataError: with every problem of the data.
        ConfigError: an argument makes no sense.
    """
    sound: list[Row] = []
    problems: list[Problem] = []
    try:
        for item in read(source, name=name, **reading):
            if isinstance(item, Row):
                sound.append(item)
            else:
                problems.append(item)
    except DataError as error:
        problems.extend(error.problems)
    if problems:
        raise DataError(problems)
    return sound


def columns_of(rows: Iterable[Row]) -> list[str]:
    """All column names, in the order in which they first appear."""
    return list(dict.fromkeys(name for row in rows for name in row.values))


# ---- which files


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Whether a path is a folder that can be looked at."""
    try:
        return stat.S_ISDIR(Path(path).stat().st_mode)
    except (OSError, ValueError):
        return False


def files_of(source: str, options: ReadOptions) -> list[str]:
    """Names of the files that a path, folder or pattern stands for; each one can be opened and has a reader.

    Raises:
        DataError: there are none, or one of them can't be read.
    """
    try:
        mode = Path(source).stat().st_mode
    except (OSError, ValueError) as error:
        if any(sign in source for sign in "*?["):
            return matches(source)
        missing(source, error)
    if stat.S_ISDIR(mode):
        return in_folder(source, options)
    check_file(source)
    return [source]


def matches(pattern: str) -> list[str]:
    """Names of the files that match a pattern, in order.

    Raises:
        DataError: there are none, or one of them can't be read.
    """
    names = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 (pathlib would rewrite the path as given)
    if not names:
        fail(pattern, "no-file", "no file matches this pattern")
    for name in names:
        check_file(name)
    return names


def in_folder(folder: str, options: ReadOptions) -> list[str]:
    """Names of the data files right in a folder, in order. Other files are passed over and named, but for hidden ones.

    Raises:
        DataError: there are none, or one of them can't be read.
    """
    try:
        inside = sorted(path.name for path in Path(folder).iterdir() if not path.name.startswith("."))
    except OSError as error:
        missing(folder, error)
    names = [name for inner in inside if not Path(name := f"{folder.rstrip('/')}/{inner}").is_dir()]
    for name in names:
        check_file(name)
    data = [name for name in names if holds_data(name, options)]
    if not data:
        shown = printable(", ".join(inside)) if inside else "nothing"
        fail(folder, "no-file", f"the folder holds no data that can be recognised; found {shown}", fix=FORMAT_FIX)
    left = [Path(name).name for name in names if name not in data]
    if left:
        options.note(f"{folder}: left out {printable(', '.join(left), 200)}, which hold no data")
    return data


def check_file(name: str) -> None:
    """Refuse what can't be opened, or might block when it is opened.

    Raises:
        DataError: it is no regular file, or can't be opened.
    """
    try:
        mode = Path(name).stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "a pipe, device or other special file"
            fail(name, "not-a-file", f"is {kind}; a regular file is expected")
        with Path(name).open("rb"):
            pass
    except OSError as error:
        missing(name, error)


def holds_data(name: str, options: ReadOptions) -> bool:
    """Whether a file of a folder has a reader; an archive of several files has none.

    Raises:
        DataError: it is compressed and damaged, or in another encoding than asked for.
    """
    try:
        return reader_for(name, options) is not None
    except DataError as error:
        if error.problems[0].code == ARCHIVE:
            return False
        raise


def reader_for(name: str, options: ReadOptions) -> Reader | None:
    """The reader that was asked for, or that recognises a file, or that owns its ending.

    Raises:
        DataError: it is an archive, compressed and damaged, or in another encoding than asked for.
    """
    if options.format is not None:
        return find(options.format)
    with Path(name).open("rb") as packed:
        inner, file = start_of(name, packed)
        start = file.read(64)
        reader = reader_of(inner, lambda: head_of(name, file, options.encoding), start)
    return find("table") if reader is None and (options.delimiter or options.columns) else reader


def missing(name: str, error: OSError | ValueError) -> NoReturn:
    """Say why a path can't be opened and, where it does not exist, which one could be meant.

    Raises:
        DataError: always.
    """
    if not isinstance(error, FileNotFoundError):
        fail(name, "unreadable", f"can't be read: {getattr(error, 'strerror', None) or error}")
    folder = Path(name).parent
    if not folder.is_dir():
        fail(name, "no-file", f"there is no such file, and no folder {printable(str(folder))}")
    close = difflib.get_close_matches(Path(name).name, [path.name for path in folder.iterdir()], n=1)
    fail(name, "no-file", "there is no such file", fix=f"did you mean {printable(close[0])}?" if close else "")


# ---- files to rows


def read_files(names: Iterable[str], options: ReadOptions) -> Iterator[Item]:
    """The records of several files, one file after the other."""
    for name in names:
        yield from read_file(name, options)


def read_file(name: str, options: ReadOptions) -> Iterator[Item]:
    """The records of a file, in the words of its reader.

    Raises:
        DataError: no reader knows the file, it holds no record, was changed while it was read, or can't be read on.
        ConfigError: columns are given, and the records of this format name their own.
    """
    reader = reader_for(name, options)
    if reader is None:
        shown = ending_of(name) or "no ending"
        fail(
            name, "unknown-format", f"can't tell the format: found {shown}", fix=cure_of(ending_of(name)) or FORMAT_FIX
        )
    if reader.named_columns and options.columns is not None:
        only = "columns: names the columns of a csv or tsv file without a header"
        raise ConfigError(f"{only}; {name} is {reader.name}")
    with Path(name).open("rb") as packed, unpacked(name, packed) as (inner, file):
        before, empty = os.fstat(packed.fileno()), True
        if options.format is None and ending_of(inner) not in reader.endings:
            options.note(f"{name}: read as {reader.name}, as its content looks (--format NAME for another)")
        if options.encoding is None and not reader.magic:
            encoding, note = encoding_of(name, file)
            options = replace(options, encoding=encoding)
            if note:
                options.note(note)
            file.seek(0)
        for item in reader.read(name, file, options):
            empty = False
            yield item
        after = os.fstat(packed.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        fail(name, "changed", "the file was changed while it was read", fix="start again when nothing writes to it")
    if empty:
        fail(name, "no-rows", "no rows: the file " + ("holds none" if after.st_size else "is empty"))
