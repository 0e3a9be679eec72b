"""What a file is that is not what its name says."""

from __future__ import annotations

import io

import pytest

from afina.data import misnamed
from afina.errors import DataError


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no rows: the file is empty"),
        (b'{"text": "a"}\n' * 4, "but jsonl, as it looks; --format jsonl"),
        (b"a\tb\nc\td\ne\tf\n", "but table, as it looks; --format table"),
        (b"\n <HTML><body>", "but a web page or XML; open it in a spreadsheet program and save it as csv"),
        (b'<?xml version="1.0"?><Workbook>', "but a web page or XML"),
        (b"PAR1....PAR1", "but parquet, as it looks; --format parquet"),
        (b"\0\1\2", r"whatever its name says: it begins with b'\x00\x01\x02'; write it again, or name its form"),
    ],
)
def test_it_is_said_what_it_looks_like(data: bytes, says: str) -> None:
    with pytest.raises(DataError) as caught:
        misnamed.refuse("a.xls", io.BytesIO(data), "Excel")
    assert says in str(caught.value)
