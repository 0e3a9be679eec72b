"""Files whose names promise a binary form that they are not in: what they are instead, and how to read them."""

from __future__ import annotations

import re
from typing import BinaryIO, NoReturn

from . import formats
from .lines import fail, head_of

MARKUP = re.compile(r"\ufeff?\s*<(!doctype|html|head|meta|table|\?xml)\b", re.IGNORECASE)
"""What web pages begin with, and workbooks that are XML."""


def refuse(name: str, file: BinaryIO, kind: str) -> NoReturn:
    """Say that an open file is not what its name says, and what it looks like.

    Args:
        name: Its path.
        file: The file.
        kind: What it should be: "parquet".

    Raises:
        DataError: always.
    """
    message = f"not {kind}, whatever its name says"
    file.seek(0)
    start = file.read(16)
    if not start:
        fail(name, "no-rows", "no rows: the file is empty")
    lines = head_of(name, file, None)
    if MARKUP.match("".join(lines[:9])):
        fix = "open it in a spreadsheet program and save it as csv"
        fail(name, "misnamed", f"{message}, but a web page or XML", fix=fix)
    text = "".join(lines).lstrip("\ufeff \r\n")
    begun = (reader for reader in formats.readers() if reader.begins and text.startswith(reader.begins))
    reader = formats.reader_of("", lambda: lines, start) or next(begun, None)
    if reader is not None:
        fail(name, "misnamed", f"{message}, but {reader.name}, as it looks", fix=f"--format {reader.name}")
    fail(name, "misnamed", f"{message}: it begins with {start!r}", fix="write it again, or name its form with --format")
