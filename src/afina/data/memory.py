"""Data in memory as rows: lists of dicts, dicts of columns, frames and tables, by what they can do.

No other package is imported for them. Values become Python's own: numpy's numbers and arrays are taken apart, and
everything that stands for a missing value is None. Decimal numbers and dates become what the same table has in a file.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

from ..errors import printable
from ..records import Row
from .lines import Item, RecordError, fail, surrogate_in
from .names import check_names
from .schemas import Decode, decoder_of, decoder_of_arrow


def read_memory(source: Any, name: str = "") -> Iterator[Item]:
    """The rows of anything that holds rows.

    Args:
        source: A list of dicts, a dict of columns, a pandas or polars frame, an Arrow table, a Hugging Face data set.
        name: The word in front of a place: `train` gives `train row 17`.

    Raises:
        DataError: the source holds no rows (at once), or none at all (when the stream comes to its end).
    """
    # An Arrow table carries the schema of a Hugging Face data set in its metadata.
    schema = decoder_of(getattr(source, "features", None)) or decoder_of_arrow(getattr(source, "schema", None))
    return numbered_rows(mappings_of(source, name or "data"), name, *([schema] if schema else []))


def numbered_rows(mappings: Iterable[Any], name: str, decode: Decode = lambda values: values) -> Iterator[Item]:
    """Mappings as rows with their places, counted from 1.

    Args:
        mappings: The rows.
        name: The word in front of a place.
        decode: Puts names in place of the numbers of labels.

    Raises:
        DataError: there are none.
    """
    number = 0
    for number, values in enumerate(mappings, 1):
        place = f"{name} row {number}".lstrip()
        try:
            yield Row(named_values(decode(values)), place)
        except RecordError as error:
            yield error.at(place)
    if not number:
        fail(name or "data", "no-rows", "no rows")


def named_values(values: Any) -> dict[str, Any]:
    """The values of a row under their column names.

    Raises:
        RecordError: they are no mapping, a name is no text, or a text holds half a character.
    """
    if not isinstance(values, Mapping):
        fix = "name the columns: a frame, or a dict such as {'text': [...], 'label': [...]}"
        found = type(values).__name__  # not the value, so that a list of texts is one problem
        raise RecordError("not-a-row", f"a dict of column names and values is expected, found {found}", fix)
    for key in values:
        if not isinstance(key, str):
            raise RecordError("bad-name", f"a column name must be text, found {printable(key)}")
    plain = {key: plain_value(value) for key, value in values.items()}
    for text in texts_in(plain):
        if error := surrogate_in(text):
            raise error
    return plain


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a plain value, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from texts_in(part)


def plain_value(value: Any) -> Any:
    """The value in Python's own types; None for everything that stands for a missing value."""
    if hasattr(value, "tolist"):  # numpy's scalars and arrays, and tensors
        if (kind := getattr(getattr(value, "dtype", None), "kind", "")) in ("m", "M"):
            value = value.astype(f"{kind}8[us]")  # of nanoseconds numpy makes bare numbers
        value = value.tolist()
    if isinstance(value, Mapping):
        return {key: plain_value(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(part) for part in value]
    if is_missing(value):
        return None
    if isinstance(value, Decimal):
        return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)
    return str(value) if isinstance(value, date | time | timedelta) else value


def is_missing(value: Any) -> bool:
    """Whether a value stands for a missing one."""
    if isinstance(value, float):
        return math.isnan(value)
    if isinstance(value, Decimal):
        return value.is_nan()
    return type(value).__name__ in {"NAType", "NaTType"}  # pandas' own, known by name: pandas is never imported


# ---- what holds rows


def mappings_of(source: Any, place: str) -> Iterator[Any]:
    """The rows of anything that holds rows, each a mapping if all is well.

    Args:
        source: As for `read_memory`.
        place: What messages call it: `train`.

    Raises:
        DataError: the source holds no rows, or its columns do not fit together.
    """
    if isinstance(source, Mapping):
        return from_columns(source, place)
    for method, adapt in (("itertuples", from_pandas), ("to_pylist", from_arrow), ("iter_rows", from_polars)):
        if hasattr(source, method):
            return adapt(source, place)
    if not isinstance(source, Iterable) or isinstance(source, bytes | bytearray):
        expected = "a path, a list of dicts, a dict of columns, a frame or a table"
        fail(place, "unreadable", f"can't read rows from {type(source).__name__}; expected {expected}")
    return iter(source)


def holds_rows(source: Any) -> bool:
    """Whether an object is a frame, a table or a data set of its own."""
    return any(hasattr(source, sign) for sign in ("column_names", "itertuples", "iter_rows"))


def from_columns(source: Mapping[Any, Any], place: str) -> Iterator[Any]:
    """The rows of a dict of columns.

    Raises:
        DataError: a column is none, the columns are not equally long, or their names can't be told apart.
    """
    names = list(source)
    check_names(place, names)
    columns = [column_values(name, values, place) for name, values in source.items()]
    lengths = [len(values) for values in columns]
    if len(set(lengths)) > 1:
        shown = ", ".join(f"{name!r} has {length:,}" for name, length in zip(names, lengths, strict=True))
        fail(place, "ragged-columns", f"the columns must be equally long: {shown}")
    return (dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True))


def column_values(name: str, values: Any, place: str) -> Any:
    """The values of a column.

    Raises:
        DataError: they are a data set of their own, a single value, or of unknown number.
    """
    if holds_rows(values):
        fail(place, "not-a-column", f"{name!r} is a data set of its own", fix=f"choose one: data[{name!r}]")
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__len__"):
        message = f"{name!r} holds {printable(values)}, which is not a column of values"
        fail(place, "not-a-column", message, fix="if this is one row, put the dict into a list")
    return values.to_pylist() if hasattr(values, "to_pylist") else values


def from_pandas(frame: Any, place: str) -> Iterator[Any]:
    """The rows of a pandas frame; its index is left out.

    Raises:
        DataError: its column names can't be told apart.
    """
    names = list(frame.columns)
    check_names(place, names)
    return (dict(zip(names, values, strict=True)) for values in frame.itertuples(index=False, name=None))


def from_arrow(table: Any, place: str) -> Iterator[Any]:
    """The rows of an Arrow table.

    Raises:
        DataError: its column names can't be told apart.
    """
    check_names(place, list(getattr(table, "column_names", ())))
    return iter(table.to_pylist())


def from_polars(frame: Any, place: str) -> Iterator[Any]:
    """The rows of a polars frame.

    Raises:
        DataError: its column names can't be told apart.
    """
    check_names(place, list(frame.columns))
    mappings: Iterator[Any] = frame.iter_rows(named=True)
    return mappings
