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
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from ..errors import ConfigError, DataError, Problem, printable
from ..records import Row
from .formats import claimants, cure_of, ending_of, endings, is_data, reader_of
from .lines import HEAD_LINES, Item, ReadOptions, codec_of, fail, lines_of
from .memory import read_memory

MAGIC = {
    b"\x1f\x8b": ("gzip", "the file is compressed with gzip", "unpack it first, for example with gunzip"),
    b"PK\x03\x04": (
        "zip",
        "the file is a zip archive, as Excel's workbooks are",
        "unpack it, or save it as csv (UTF-8)",
    ),
}
"""What the first bytes of a file say about it, whatever its name: code, message and cure."""


def read(
    source: Any,
    *,
    columns: Sequence[str] | None = None,
    encoding: str = "utf-8",
    delimiter: str | None = None,
    name: str = "",
) -> Iterator[Item]:
    """Read data as a stream in which every record comes out once, as a `Row` or as a `Problem`.

    Args:
        source: A file with one of the `endings` of the formats, a folder of them, or a pattern such as `data/*.csv`; or
            a list of dicts, a dict of columns, a pandas or polars frame, an Arrow table, a Hugging Face data set.
        columns: Column names, for csv and tsv files that have no header.
        encoding: Encoding of the files. A byte-order mark is no part of the text.
        delimiter: One character; a comma for csv and a tab for tsv when left out. Quotes have a meaning in csv files
            and wherever the delimiter is not a tab. Other formats pay no heed to it.
        name: For data in memory, the word in front of a place: `train` gives `train row 17`.

    Returns:
        Rows and problems in the order of the data. Files are read as they are asked for, in flat memory.

    Raises:
        DataError: a source can't be read at all. At once for paths, otherwise when the stream comes to it.
        ConfigError: `columns`, `encoding` or `delimiter` make no sense.
    """
    options = ReadOptions(columns, encoding, delimiter)
    if isinstance(source, str | os.PathLike):
        return read_files(files_of(os.fspath(source)), options)
    if columns is not None:
        raise ConfigError("columns: names the columns of a file without a header; data in memory has its own names")
    return read_memory(source, name)


def rows(
    source: Any,
    *,
    columns: Sequence[str] | None = None,
    encoding: str = "utf-8",
    delimiter: str | None = None,
    name: str = "",
) -> list[Row]:
    """Read all rows; the arguments are those of `read`.

    Raises:
        DataError: with every problem of the data.
        ConfigError: an argument makes no sense.
    """
    sound: list[Row] = []
    problems: list[Problem] = []
    try:
        for item in read(source, columns=columns, encoding=encoding, delimiter=delimiter, name=name):
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


def files_of(source: str) -> list[str]:
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
        return in_folder(source)
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


def in_folder(folder: str) -> list[str]:
    """Names of the data files right in a folder, in order; other files are passed over, hidden ones too.

    Raises:
        DataError: there are none, or one of them can't be read.
    """
    try:
        inside = sorted(path.name for path in Path(folder).iterdir() if not path.name.startswith("."))
    except OSError as error:
        missing(folder, error)
    names = [f"{folder.rstrip('/')}/{name}" for name in inside]
    names = [name for name in names if claimants(ending_of(name)) and not Path(name).is_dir()]
    for name in names:
        check_file(name)
    names = [name for name in names if is_data(name)]
    if not names:
        shown = printable(", ".join(inside)) if inside else "nothing"
        fail(folder, "no-file", f"the folder holds no file that ends in {', '.join(endings())}; found {shown}")
    return names


def check_file(name: str) -> None:
    """Refuse what can't be read before anything is opened that might block.

    Raises:
        DataError: it is no regular file, can't be opened, is compressed, or no reader knows its ending.
    """
    try:
        mode = Path(name).stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "a pipe, device or other special file"
            fail(name, "not-a-file", f"is {kind}; a regular file is expected")
        with Path(name).open("rb") as file:
            head = file.read(4)
    except OSError as error:
        missing(name, error)
    ending = ending_of(name)
    possible = claimants(ending)
    for magic, (code, message, fix) in MAGIC.items():
        if head.startswith(magic) and not any(reader.binary for reader in possible):
            fail(name, code, message, fix=fix)
    if not possible:
        shown = ending or "no ending"
        message = f"can't tell the format: found {shown}, expected one of {', '.join(endings())}"
        fail(name, "unknown-ending", message, fix=cure_of(ending))


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
        DataError: the file holds no record, was changed while it was read, or its reader can't go on.
        ConfigError: columns are given, and the records of this format name their own.
    """
    with Path(name).open("rb") as file:
        before, empty = os.fstat(file.fileno()), True
        reader = reader_of(name, lambda: decoded_head(name, file, options.encoding))
        if reader.named_columns and options.columns is not None:
            only = "columns: names the columns of a csv or tsv file without a header"
            raise ConfigError(f"{only}; {name} is {reader.name}")
        file.seek(0)
        for item in reader.read(name, file, options):
            empty = False
            yield item
        after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        fail(name, "changed", "the file was changed while it was read", fix="start again when nothing writes to it")
    if empty:
        fail(name, "no-rows", "no rows: the file " + ("holds none" if after.st_size else "is empty"))


def decoded_head(name: str, file: BinaryIO, encoding: str) -> Iterator[str]:
    """The first lines of an open file as text with their line ends, in its own encoding.

    Raises:
        DataError: the byte-order mark is that of another encoding.
    """
    file.seek(0)
    return (line.text for line in islice(lines_of(name, file, codec_of(name, file, encoding)), HEAD_LINES))
