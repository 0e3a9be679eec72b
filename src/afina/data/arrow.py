"""Arrow tables as rows: feather, the files and streams of Arrow, and what all forms of its tables share.

Record batches are read one by one. Values are those of jsonl; dates, times and decimals, which JSON has not, become
text in ISO form and numbers. Numbers of labels get their names where the schema holds them (see `schemas`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from ..errors import MissingExtra
from ..records import Row
from . import misnamed
from .formats import Reader
from .lines import Item, ReadOptions, RecordError, fail, too_long
from .memory import named_values
from .names import check_names
from .schemas import decoder_of, decoder_of_arrow

ROWS = 1000
"""Rows that are taken apart at once."""
FILE, STREAM, OLD = b"ARROW1\0\0", b"\xff\xff\xff\xff", b"FEA1"
"""First bytes of files and streams of Arrow, and of feather's first version."""
END = b"\xff\xff\xff\xff\0\0\0\0"
"""Last bytes of a stream that is whole."""
INDEX = re.compile(r"__index_level_\d+__")
"""Columns that hold an index of pandas without a name."""
ODD = re.compile(r"date|time|duration|decimal|binary")
"""Types with values that JSON has not."""


def pyarrow(kind: str) -> Any:
    """The package that reads Arrow's tables.

    Args:
        kind: What is to be read, as a message says it.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import pyarrow
        import pyarrow.ipc
        import pyarrow.parquet
    except ImportError:
        raise MissingExtra("pyarrow", "parquet", f"reading {kind}") from None
    return pyarrow


def read_arrow(name: str, file: BinaryIO, options: ReadOptions, *, features: Any = None) -> Iterator[Item]:
    """The rows of a feather file, or of a file or stream of Arrow.

    Args:
        name: Its path.
        file: The file, open at its beginning.
        options: Is told what is left out.
        features: Features of `datasets`, where they stand elsewhere than in the file.

    Raises:
        DataError: it is none, is damaged, or its columns can't be told apart.
        MissingExtra: pyarrow is not installed.
    """
    arrow = pyarrow("feather and Arrow files")
    start = file.read(len(FILE))
    if start.startswith(OLD):
        fail(name, "old-feather", "feather of version 1", fix="write it again, by to_feather or to_parquet of pandas")
    if not start.startswith((FILE, STREAM)):
        misnamed.refuse(name, file, "feather or Arrow")
    if start.startswith(STREAM):
        file.seek(max(0, file.seek(0, os.SEEK_END) - len(END)))
        if file.read() != END:
            options.note(f"{name}: has no mark at its end, and may be cut short")
    file.seek(0)
    whole = start.startswith(FILE)
    return rows_of(name, lambda: opened(arrow, file, whole=whole), options.note, features=features)


def opened(arrow: Any, file: BinaryIO, *, whole: bool) -> tuple[Any, Iterator[Any]]:
    """The schema and the record batches of a file, or else of a stream."""
    if whole:
        reader = arrow.ipc.open_file(file)
        return reader.schema, (reader.get_batch(i) for i in range(reader.num_record_batches))
    reader = arrow.ipc.open_stream(file)
    return reader.schema, iter(reader)


# ---- batches to rows


def rows_of(
    name: str, open_table: Callable[[], tuple[Any, Iterable[Any]]], note: Callable[[str], None], *, features: Any = None
) -> Iterator[Item]:
    """The rows of a table, counted from 1.

    Args:
        name: Path of the file.
        open_table: Gives its schema and its record batches.
        note: Is told what is left out.
        features: Features of `datasets`; by default those of its schema.

    Raises:
        DataError: it is damaged, or its columns can't be told apart.
    """
    number = 0
    try:
        schema, batches = open_table()
        check_names(name, schema.names)
        indices = [column for column in schema.names if INDEX.fullmatch(column)]
        if indices:
            note(f"{name}: {', '.join(indices)} is left out: an index of pandas that has no name")
        odd = {field.name for field in schema if ODD.search(str(field.type))}
        decode = decoder_of(features) or decoder_of_arrow(schema) or dict
        for values in mappings(batch.drop_columns(indices) if indices else batch for batch in batches):
            number += 1
            yield row_of(values, f"{name}:{number}", odd=odd, decode=decode)
    except (ValueError, OSError, MemoryError, OverflowError, LookupError, NotImplementedError) as error:
        where = f"{name}:{number + 1}" if number else name
        message = f"cut short or damaged: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
        fail(where, "damaged", message, fix="fetch or write it again")


def mappings(batches: Iterable[Any]) -> Iterator[dict[str, Any] | RecordError]:
    """The rows of record batches as mappings, or what is wrong with them."""
    for batch in batches:
        check(batch)
        for start in range(0, batch.num_rows, ROWS):
            part = batch.slice(start, ROWS)
            try:
                yield from part.to_pylist()
            except UnicodeDecodeError:
                yield from (single(part.slice(i, 1)) for i in range(part.num_rows))


def check(batch: Any) -> None:
    """Refuse a record batch that is damaged: pyarrow trusts it, and would read anywhere in memory.

    Raises:
        ValueError: it is damaged. A text that is not UTF-8 spoils its own row only, and is left for later.
    """
    for column in batch.columns:
        try:
            column.validate(full=True)
        except ValueError as error:
            if "UTF8" not in str(error) or column.type.num_fields:
                raise


def single(batch: Any) -> dict[str, Any] | RecordError:
    """The one row of a batch, or what is wrong with it."""
    try:
        values: dict[str, Any] = batch.to_pylist()[0]
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        return RecordError(
            "not-utf8", f"a text holds the byte 0x{byte:02X}, which is not utf-8", "write the text again"
        )
    return values


def row_of(values: Mapping[str, Any] | RecordError, place: str, *, odd: set[str], decode: Callable[[Any], Any]) -> Item:
    """A row, or what is wrong with it.

    Args:
        values: Its values, or what is wrong with them.
        place: Where it stands.
        odd: Columns with values that JSON has not.
        decode: Puts names in place of the numbers of labels.
    """
    try:
        if isinstance(values, RecordError):
            raise values
        plain = {column: in_json(value) if column in odd else value for column, value in values.items()}
        row = named_values(decode(plain))
        texts = [value for value in row.values() if isinstance(value, str)]
        if error := too_long(texts, sum(map(len, texts))):
            raise error
    except RecordError as error:
        return error.at(place)
    return Row(row, place)


def in_json(value: Any) -> Any:
    """A value as JSON would hold it; bytes that are no text stay as they are."""
    if isinstance(value, Mapping):
        return {key: in_json(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [in_json(part) for part in value]
    return text_of(value) if isinstance(value, bytes) else value


def text_of(value: bytes) -> str | bytes:
    """Bytes as text where they are UTF-8."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


READER = Reader(
    "arrow",
    (".feather", ".arrow", ".ipc"),
    read_arrow,
    summary="tables of Arrow; needs afina[parquet]",
    magic=(FILE, STREAM, OLD),
    named_columns=True,
)
