"""Files and data in memory as rows that know their place. Nothing is lost: each record is a `Row` or a `Problem`.

    path -> files -> lines (numbered bytes and text) -> records -> Row | Problem
    list, columns, frame, table -> mappings -> Row | Problem

A fault of one record is a `Problem` in the stream; a fault of the whole file (no such file, a header with twins, the
wrong encoding) is a `DataError`. Text stays text: `NA`, `null` and `007` are strings like all others.
"""

from __future__ import annotations

import difflib
import glob
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from ..errors import ConfigError, DataError, Problem, printable
from ..records import Row
from . import formats
from .formats import ending_of
from .lines import Item, ReadOptions, codec_of, fail, lines_of
from .memory import mappings_of, read_memory

CURES = {
    ".spacy": "write each document of DocBin().from_disk(FILE).get_docs(nlp.vocab) as a line of a .jsonl file: "
    "json.dumps(doc.to_json())"
}
"""Ways from an ending that can't be read to one that can."""
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
        source: A csv, tsv, txt (tab separated), jsonl or ndjson file, a folder of them, or a pattern such as
            `data/*.csv`; or a list of dicts, a dict of columns, a pandas or polars frame, an Arrow table, a Hugging
            Face data set.
        columns: Column names, for csv and tsv files that have no header.
        encoding: Encoding of the files. A UTF-8 byte-order mark is left out.
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
    return read_memory(mappings_of(source), name)


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
    found: list[Row] = []
    problems: list[Problem] = []
    try:
        for item in read(source, columns=columns, encoding=encoding, delimiter=delimiter, name=name):
            if isinstance(item, Row):
                found.append(item)
            else:
                problems.append(item)
    except DataError as error:
        problems.extend(error.problems)
    if problems:
        raise DataError(problems)
    return found


def columns_of(rows: Sequence[Row]) -> list[str]:
    """All column names, in the order in which they first appear."""
    return list(dict.fromkeys(name for row in rows for name in row.values))


def files_of(source: str) -> list[str]:
    """Names of the files that a path, folder or pattern stands for; each one can be opened."""
    try:
        mode = Path(source).stat().st_mode
    except (OSError, ValueError) as error:
        if any(sign in source for sign in "*?["):
            return matches_of(source)
        missing(source, error)
    if stat.S_ISDIR(mode):
        return files_in(source)
    check_file(source)
    return [source]


def matches_of(pattern: str) -> list[str]:
    names = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 (pathlib would rewrite the path as given)
    if not names:
        fail(pattern, "no-file", "no file matches this pattern")
    for name in names:
        check_file(name)
    return names


def files_in(folder: str) -> list[str]:
    try:
        inside = sorted(path.name for path in Path(folder).iterdir() if not path.name.startswith("."))
    except OSError as error:
        missing(folder, error)
    names = [f"{folder.rstrip('/')}/{name}" for name in inside]
    names = [name for name in names if ending_of(name) in formats.endings() and not Path(name).is_dir()]
    for name in names:
        check_file(name)
    names = [name for name in names if formats.is_data(name)]
    if not names:
        found = printable(", ".join(inside)) if inside else "nothing"
        fail(folder, "no-file", f"the folder holds no file that ends in {', '.join(formats.endings())}; found {found}")
    return names


def check_file(name: str) -> None:
    """Refuse what can't be read before anything is opened that might block."""
    try:
        mode = Path(name).stat().st_mode
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "a pipe, device or other special file"
            fail(name, "not-a-file", f"is {what}; a regular file is expected")
        with Path(name).open("rb") as file:
            head = file.read(4)
    except OSError as error:
        missing(name, error)
    for magic, fault in MAGIC.items():
        if head.startswith(magic):
            fail(name, *fault)
    if ending_of(name) not in formats.endings():
        found = ending_of(name) or "no ending"
        message = f"can't tell the format: found {found}, expected one of {', '.join(formats.endings())}"
        fail(name, "unknown-ending", message, CURES.get(found, ""))


def missing(name: str, error: OSError | ValueError) -> NoReturn:
    if not isinstance(error, FileNotFoundError):
        fail(name, "unreadable", f"can't be read: {getattr(error, 'strerror', None) or error}")
    folder = Path(name).parent
    if not folder.is_dir():
        fail(name, "no-file", f"there is no such file, and no folder {printable(str(folder))}")
    close = difflib.get_close_matches(Path(name).name, [path.name for path in folder.iterdir()], n=1)
    fail(name, "no-file", "there is no such file", f"did you mean {printable(close[0])}?" if close else "")


def read_files(names: list[str], options: ReadOptions) -> Iterator[Item]:
    for name in names:
        yield from read_file(name, options)


def read_file(name: str, options: ReadOptions) -> Iterator[Item]:
    """The records of one file, whole and unchanged while it is read."""
    with Path(name).open("rb") as file:
        before, found = os.fstat(file.fileno()), False
        reader = formats.reader_of(name, lambda: first_lines(name, file, options))
        if options.columns is not None and not reader.names_columns:
            raise ConfigError(
                f"columns: names the columns of a csv or tsv file without a header; {name} is {reader.name}"
            )
        for item in reader.read(name, file, options):
            found = True
            yield item
        after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        fail(name, "changed", "the file was changed while it was read", "start again when nothing writes to it")
    if not found:
        fail(name, "no-rows", "no rows: the file " + ("holds none" if after.st_size else "is empty"))


def first_lines(name: str, file: BinaryIO, options: ReadOptions) -> Iterator[str]:
    """The text of an open file's lines; afterwards it stands at its beginning again."""
    try:
        for line in lines_of(name, file, codec_of(name, file, options.encoding)):
            yield line.text
    finally:
        file.seek(0)
