"""Files of texts, one a line. Training needs labels beside its texts, so that only predictions know such files.

The content decides, as for all files: what has a header with a column that a model reads is a table.
"""

from __future__ import annotations

import csv
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..data.compression import start_of
from ..data.dialects import DELIMITERS
from ..data.formats import ending_of, owner_of
from ..data.lines import ReadOptions, head_of, unheard
from ..data.pipes import Piped
from ..data.sources import is_folder, read, reader_for
from ..errors import DataError, listed
from ..records import Row
from ..tasks.base import Task
from .columns import by_name, inputs_of

LINES, TABLE = "lines", "table"
NEVER = "\x1f"
"""A delimiter that stands in no text: the commas of a single column are its own."""
DOUBTFUL = ("table", "columns")
"""Readers that may take sentences with as many commas each, or of as many words, for rows."""


def form_of(task: Task, path: str | os.PathLike[str], options: ReadOptions) -> dict[str, Any]:
    """How to read a file, with its format where it holds a text a line or a single column.

    Args:
        task: Fitted.
        path: The file; what is a folder, a pattern or not there is left to the reader.
        options: What the caller says about it.

    Raises:
        DataError: it is compressed and damaged.
    """
    given = {name: getattr(options, name) for name in ReadOptions.__dataclass_fields__}
    name = os.fspath(path)
    told = (options.format, options.delimiter, options.columns, options.quote) != (None, None, None, None)
    if told or len(inputs_of(task)) > 1 or is_folder(name) or not Path(name).is_file():
        return given
    if not isinstance(path, Piped) and owner_of(ending_of(name)) is not None:
        return given
    shown = path.shown(name) if isinstance(path, Piped) else name
    reader = reader_for(name, options)
    if reader is None:
        header = header_of(name, options)
        if by_name(task, header):
            options.note(f"{shown}: read as a table with {listed(header)} above it (--format {LINES} for texts alone)")
            return {**given, "format": TABLE, **({"delimiter": NEVER} if len(header) == 1 else {})}
    elif reader.name not in DOUBTFUL or by_name(task, names_in(name, options)):
        return given
    options.note(f"{shown}: read as texts, one a line (--format NAME for another)")
    return {**given, "format": LINES}


def header_of(name: str, options: ReadOptions) -> list[str]:
    """The first line of a file as names of columns; none where they look like a sentence."""
    with Path(name).open("rb") as packed:
        _, file = start_of(name, packed)
        first = next((line.strip() for line in head_of(name, file, options.encoding)), "")
    fields = next(csv.reader([first], delimiter=next((sign for sign in DELIMITERS if sign in first), ",")), [])
    return [] if any(field != field.strip() or field.isdecimal() for field in fields) else fields


def names_in(name: str, options: ReadOptions) -> list[str]:
    """The columns of a file's first record; none where there is no record."""
    quiet = replace(options, note=unheard)
    try:
        first = next(read(name, **{one: getattr(quiet, one) for one in quiet.__dataclass_fields__}), None)
    except DataError:
        return []
    return list(first.values) if isinstance(first, Row) else []
