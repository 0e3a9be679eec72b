"""Parquet files, read a row group at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from . import misnamed
from .arrow import ROWS, pyarrow, rows_of
from .formats import Reader
from .lines import CHUNK, Item, ReadOptions

MAGIC = b"PAR1"


def read_parquet(name: str, file: BinaryIO, options: ReadOptions) -> Iterator[Item]:
    """The rows of a parquet file.

    Raises:
        DataError: it is none, is damaged, or its columns can't be told apart.
        MissingExtra: pyarrow is not installed.
    """
    arrow = pyarrow("parquet files")
    if file.read(len(MAGIC)) != MAGIC:
        misnamed.refuse(name, file, "parquet")
    file.seek(0)
    return rows_of(name, lambda: opened(arrow, file), options.note)


def opened(arrow: Any, file: BinaryIO) -> tuple[Any, Iterator[Any]]:
    """The schema and the record batches of a file; of a row group as much is in memory as is being read."""
    table = arrow.parquet.ParquetFile(file, buffer_size=CHUNK, pre_buffer=False)
    return table.schema_arrow, table.iter_batches(batch_size=ROWS)


READER = Reader(
    "parquet",
    (".parquet", ".pq"),
    read_parquet,
    summary="tables of Arrow, compressed; needs afina[parquet]",
    magic=(MAGIC,),
    named_columns=True,
)
