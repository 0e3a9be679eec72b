"""Data files that are answered, and predictions as files: csv, tsv or jsonl, one line an input, complete or absent."""

from __future__ import annotations

import csv
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TextIO

from ..data.sources import read
from ..errors import SHOWN, ConfigError, DataError, Problem, printable
from ..records import Prediction, Row


def scan(data: str, **reading: Any) -> tuple[list[str], int]:
    """Read a data file once, before a model is loaded: all its columns, and the number of its rows.

    Args:
        data: Path of the file, a folder or a glob.
        reading: `columns`, `encoding`, `delimiter` of the file.

    Raises:
        DataError: lists the rows that can't be read.
    """
    columns: dict[str, None] = {}
    problems: list[Problem] = []
    count, wrong = 0, 0
    for item in read(data, **reading):
        count += 1
        if isinstance(item, Problem):
            wrong += 1
            problems += [item] if wrong <= SHOWN else []
        else:
            columns.update(dict.fromkeys(item.values))
    if wrong:
        raise DataError(problems, wrong)
    return list(columns), count


class Writer(Protocol):
    """Writes rows and their predictions to a file, with the kept columns of the rows in front."""

    def __call__(self, file: TextIO, answers: Iterable[tuple[Row, Prediction]], *, kept: Sequence[str]) -> None: ...


def writer(out: str) -> Writer:
    """What writes a file of that ending.

    Raises:
        ConfigError: there is none for it.
    """
    writers: dict[str, Writer] = {".csv": write_csv, ".tsv": write_tsv, ".jsonl": write_jsonl}
    ending = ".jsonl" if out == "-" else Path(out).suffix.lower()
    if ending not in writers:
        raise ConfigError(f"out: {printable(out)} must end in {', '.join(writers)}, or be - for jsonl on stdout")
    return writers[ending]


def write_jsonl(file: TextIO, answers: Iterable[tuple[Row, Prediction]], *, kept: Sequence[str]) -> None:
    """One JSON object a line."""
    for row, prediction in answers:
        names = free_names(kept, prediction)
        record = {names[name]: value for name, value in row.values.items() if name in names} | prediction
        file.write(json.dumps(record, ensure_ascii=False) + "\n")


def write_csv(file: TextIO, answers: Iterable[tuple[Row, Prediction]], *, kept: Sequence[str]) -> None:
    """A header and one record a row, quoted where needed."""
    csv_writer(file).writerows(flat_rows(answers, kept))


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


def write_tsv(file: TextIO, answers: Iterable[tuple[Row, Prediction]], *, kept: Sequence[str]) -> None:
    """A header and one line a row. Nothing is quoted: tabs and newlines in a value become spaces."""
    for cells in flat_rows(answers, kept):
        file.write("\t".join(re.sub(r"[\t\r\n]", " ", text) for text in cells) + "\n")


def flat_rows(answers: Iterable[tuple[Row, Prediction]], kept: Sequence[str]) -> Iterator[list[str]]:
    """The header, then the cells of each row: kept columns, then the prediction's values."""
    names: list[str] = []
    for row, prediction in answers:
        cells = flat(prediction)
        if not names:
            names = list(cells)
            yield [*free_names(kept, cells).values(), *names]
        yield [*(cell(row.values.get(name)) for name in kept), *(cells[name] for name in names)]


def flat(prediction: Prediction) -> dict[str, str]:
    """A prediction as cells: `label`, `probability_LABEL` for each label; or `score`."""
    cells: dict[str, str] = {}
    for name, value in prediction.items():
        if isinstance(value, dict):
            single = "probability" if name == "probabilities" else name
            cells |= {f"{single}_{key}": cell(part) for key, part in value.items()}
        else:
            cells[name] = cell(value)
    return cells


def cell(value: Any) -> str:
    """A value as text; what is neither text nor number is JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def free_names(kept: Sequence[str], taken: Iterable[str]) -> dict[str, str]:
    """Kept columns to their names in the output: `input_` goes before those that the prediction has."""
    used = {*taken}
    found = {}
    for name in kept:
        new = name
        while new in used or (new != name and new in kept):
            new = f"input_{new}"
        found[name] = new
    return found


@contextmanager
def destination(out: str, data: str) -> Iterator[TextIO]:
    """Where predictions go: stdout, or a file that is complete or absent.

    Raises:
        ConfigError: the file can't be written, or is the data.
    """
    if out == "-":
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(encoding="utf-8")
        yield sys.stdout
        return
    path = Path(out)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    if path.is_dir():
        raise ConfigError(f"out: {printable(out)} is a folder; name a file")
    if path.exists() and Path(data).exists() and path.samefile(data):
        raise ConfigError(f"out: {printable(out)} is the data; name another file")
    try:
        file = part.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise ConfigError(f"out: {printable(out)} can't be written: {error.strerror}") from None
    try:
        with file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
