"""Tables of Arrow in all their forms, for the tests of their readers."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

arrow: Any = pytest.importorskip("pyarrow")
parquet: Any = pytest.importorskip("pyarrow.parquet")
feather: Any = pytest.importorskip("pyarrow.feather")


def table(columns: Mapping[str, Any], features: Mapping[str, Any] | None = None) -> Any:
    made = arrow.table(columns)
    about = {"huggingface": json.dumps({"info": {"features": features}})} if features else {}
    return made.replace_schema_metadata(about)


def as_parquet(columns: Any, rows: int | None = None) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(columns, sink, row_group_size=rows)
    return sink.getvalue()


def as_feather(columns: Any, rows: int | None = None) -> bytes:
    sink = io.BytesIO()
    feather.write_feather(columns, sink, chunksize=rows)
    return sink.getvalue()


def as_file(columns: Any, rows: int | None = None) -> bytes:
    return written(arrow.ipc.new_file, columns, rows)


def as_stream(columns: Any, rows: int | None = None) -> bytes:
    return written(arrow.ipc.new_stream, columns, rows)


def written(writer: Callable[..., Any], columns: Any, rows: int | None) -> bytes:
    sink = io.BytesIO()
    with writer(sink, columns.schema) as out:
        out.write_table(columns, max_chunksize=rows)
    return sink.getvalue()


FORMS: dict[str, Callable[..., bytes]] = {
    ".parquet": as_parquet,
    ".pq": as_parquet,
    ".feather": as_feather,
    ".arrow": as_stream,
    ".ipc": as_file,
}
