"""csv: a header and a record a prediction, quoted where needed."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import Any, TextIO

from .columns import table
from .writers import Answered, Form, Writer


def write_csv(file: TextIO, answers: Iterable[Answered], form: Form) -> None:
    """The data's columns, the answer, its confidence, and probabilities with 4 digits."""
    csv_writer(file).writerows(table(answers, form))


def csv_writer(file: TextIO, quoting: Any = csv.QUOTE_MINIMAL) -> Any:
    """A writer of csv with lines that end at LF, and every line break inside a value in quotes.

    Python's writer quotes only what its own line end holds: with LF alone, a value with CR would be read as two rows.
    """
    return csv.writer(Lines(file), lineterminator="\r\n", quoting=quoting)


class Lines:
    """A text file whose records end at LF though they are given with CRLF."""

    def __init__(self, file: TextIO) -> None:
        self.file = file

    def write(self, record: str) -> int:
        """One whole record."""
        return self.file.write(record.removesuffix("\r\n") + "\n")


WRITER = Writer("csv", (".csv",), "columns of the data, answer, confidence, probabilities with 4 digits", write_csv)
