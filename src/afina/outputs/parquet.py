"""parquet: columns with types, everything in full.

What type a column has is known when all rows are: they lie in a file without a name until then.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, TypeVar

from ..errors import MissingExtra
from .columns import cell, flat_record
from .writers import Answered, Form, Writer

T = TypeVar("T")
ROWS = 5000
"""Rows of a row group."""
WIDEST = 1000
"""Characters of a type's name, beyond which a column holds JSON as text: objects with ever new keys have no type."""


def save_parquet(path: Path, answers: Iterable[Answered], form: Form) -> None:
    """A column a value, by row groups.

    Raises:
        MissingExtra: pyarrow is not installed.
    """
    arrow = pyarrow()
    types: dict[str, Any] = {}
    with TemporaryFile("w+", encoding="utf-8", newline="\n", dir=path.parent) as rows:
        for batch in groups(flat_record(answered, form) for answered in answers):
            for name in dict.fromkeys(name for row in batch for name in row):
                found = type_of(arrow, [row.get(name) for row in batch])
                types[name] = united(arrow, types.get(name, arrow.null()), found)
            rows.writelines(json.dumps(row) + "\n" for row in batch)
        rows.seek(0)
        schema = arrow.schema(list(types.items()))
        with arrow.parquet.ParquetWriter(path, schema) as file:
            for lines in groups(rows):
                file.write_table(arrow.table(list(columns_of(arrow, lines, types)), schema=schema))


def groups(rows: Iterable[T]) -> Iterator[list[T]]:
    """Rows in lists of a row group each."""
    stream = iter(rows)
    while group := list(islice(stream, ROWS)):
        yield group


def pyarrow() -> Any:
    """The package that writes parquet.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtra("pyarrow", "parquet", "writing parquet files") from None
    return pyarrow


def type_of(arrow: Any, values: list[Any]) -> Any:
    """The type of a column's values; text where they have no common one."""
    try:
        found = arrow.array(values).type
    except (arrow.ArrowInvalid, arrow.ArrowTypeError, arrow.ArrowNotImplementedError, OverflowError):
        return arrow.string()
    return arrow.string() if "struct<>" in str(found) or len(str(found)) > WIDEST else found


def united(arrow: Any, one: Any, other: Any) -> Any:
    """The type that holds the values of two; text where there is none."""
    schemas = [arrow.schema([("value", kind)]) for kind in (one, other)]
    try:
        found = arrow.unify_schemas(schemas, promote_options="permissive").field(0).type
    except (arrow.ArrowInvalid, arrow.ArrowTypeError):
        return arrow.string()
    return arrow.string() if len(str(found)) > WIDEST else found


def columns_of(arrow: Any, lines: Iterable[str], types: Mapping[str, Any]) -> Iterator[Any]:
    """Some rows as columns."""
    rows = [json.loads(line) for line in lines]
    for name, kind in types.items():
        values = [row.get(name) for row in rows]
        if kind == arrow.string():
            values = [None if value is None else cell(value) for value in values]
        if kind == arrow.float64():  # whole numbers among them may be larger than Arrow would round
            values = [None if value is None else float(value) for value in values]
        yield arrow.array(values, kind)


WRITER = Writer("parquet", (".parquet",), "columns with types, everything in full (pip install 'afina[parquet]')",
                save=save_parquet)  # fmt: skip
