"""Parquet is read a part at a time. What all forms of Arrow's tables share is tested with them."""

from __future__ import annotations

from afina.data import parquet
from afina.data.lines import ReadOptions
from tests.data.arrow_tables import arrow, as_parquet, table
from tests.data.reading import Write


def test_memory_holds_no_more_than_is_being_read(write: Write) -> None:
    """One row group of forty megabytes, as pandas writes it."""
    made = table({"text": [f"text {i} " * 40 for i in range(100_000)]})
    path = write("a.parquet", as_parquet(made))
    del made
    before = arrow.total_allocated_bytes()
    peak = 0
    with open(path, "rb") as file:  # noqa: PTH123
        for item in parquet.read_parquet(path, file, ReadOptions()):
            if item.place.endswith("000"):
                peak = max(peak, arrow.total_allocated_bytes() - before)
    assert 0 < peak < 10_000_000
