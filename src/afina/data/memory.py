"""Data in memory as rows: lists of dicts, dicts of columns, frames, tables, data sets."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..errors import printable
from ..records import Row
from .lines import Item, RecordError, fail, surrogate_in
from .names import check_names


def read_memory(mappings: Iterator[Any], name: str) -> Iterator[Item]:
    number = 0
    for number, values in enumerate(mappings, 1):
        place = f"{name} row {number}".lstrip()
        try:
            yield Row(named_values(values), place)
        except RecordError as fault:
            yield fault.at(place)
    if not number:
        fail(name or "data", "no-rows", "no rows")


def named_values(values: Any) -> dict[str, Any]:
    if not isinstance(values, Mapping):
        found = f"{type(values).__name__} {printable(values)}"
        raise RecordError("not-a-row", f"a dict of column names and values is expected, found {found}")
    for key, value in values.items():
        if not isinstance(key, str):
            raise RecordError("bad-name", f"a column name must be text, found {printable(key)}")
        if isinstance(value, str) and (fault := surrogate_in(value)):
            raise fault
    return {key: plain(value) for key, value in values.items()}


def plain(value: Any) -> Any:
    """The value in Python's own types; None for everything that stands for a missing value."""
    if hasattr(value, "tolist"):  # numpy's scalars and arrays, and tensors
        value = value.tolist()
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return None if is_missing(value) else value


def is_missing(value: Any) -> bool:
    if isinstance(value, float):
        return math.isnan(value)
    return type(value).__name__ in {"NAType", "NaTType"}  # pandas' own, known by name: pandas is never imported


def mappings_of(source: Any) -> Iterator[Any]:
    """The rows of anything that holds rows, by what it can do: no other package is imported."""
    if isinstance(source, Mapping):
        return from_columns(source)
    for method, adapt in (("itertuples", from_pandas), ("to_pylist", from_arrow), ("iter_rows", from_polars)):
        if hasattr(source, method):
            return adapt(source)
    if not isinstance(source, Iterable) or isinstance(source, bytes | bytearray):
        expected = "a path, a list of dicts, a dict of columns, a frame or a table"
        fail("data", "unreadable", f"can't read rows from {type(source).__name__}; expected {expected}")
    return iter(source)


def from_columns(source: Mapping[Any, Any]) -> Iterator[Any]:
    names = list(source)
    check_names("data", names)
    columns = [column_of(name, values) for name, values in source.items()]
    lengths = [len(values) for values in columns]
    if len(set(lengths)) > 1:
        found = ", ".join(f"{name!r} has {length:,}" for name, length in zip(names, lengths, strict=True))
        fail("data", "ragged-columns", f"the columns must be equally long: {found}")
    return (dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True))


def column_of(name: str, values: Any) -> Any:
    if hasattr(values, "column_names"):
        fail("data", "not-a-column", f"{name!r} is a data set of its own", f"choose one: data[{name!r}]")
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__len__"):
        message = f"{name!r} holds {printable(values)}, which is not a column of values"
        fail("data", "not-a-column", message, "if this is one row, put the dict into a list")
    return values.to_pylist() if hasattr(values, "to_pylist") else values


def from_pandas(frame: Any) -> Iterator[Any]:
    names = list(frame.columns)
    check_names("data", names)
    return (dict(zip(names, values, strict=True)) for values in frame.itertuples(index=False, name=None))


def from_arrow(table: Any) -> Iterator[Any]:
    check_names("data", list(getattr(table, "column_names", ())))
    return iter(table.to_pylist())


def from_polars(frame: Any) -> Iterator[Any]:
    check_names("data", list(frame.columns))
    rows: Iterator[Any] = frame.iter_rows(named=True)
    return rows
