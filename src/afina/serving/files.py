"""Data files that are answered, and predictions as files: csv, tsv or jsonl, one line an input, complete or absent.

A model is loaded, and torch imported, when the files are known to be right.
"""

from __future__ import annotations

import csv
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from ..data.sources import read
from ..errors import ConfigError, DataError, Problem, Tally, printable
from ..model.families import locate
from ..records import Prediction, Row

if TYPE_CHECKING:
    from ..inference import Evaluation
    from .predictor import Predictor


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a data file.

    Attributes:
        predictions: Number of predictions, one a row or, from a table of words, one a sentence.
        truncated: Number of texts that lost tokens to the length limit.
        truncated_tokens: Number of tokens that they lost.
        max_length: Number of tokens that the model takes at most.
    """

    predictions: int
    truncated: int
    truncated_tokens: int
    max_length: int


def predict_file(
    model: str,
    data: str,
    *,
    out: str = "-",
    keep: bool = False,
    columns: Mapping[str, str] | None = None,
    reading: Mapping[str, Any] | None = None,
) -> Summary:
    """Write one prediction for each row of a data file, in order. The output is complete or absent.

    Args:
        model: A run of afina's, a model folder, or a hub id.
        data: Path of the file, a folder or a glob.
        out: A file whose ending is that of its format, or `-` for jsonl on stdout.
        keep: Whether to copy the data's columns in front of the predictions.
        columns: Columns in place of the model's own, as for `Predictor.with_columns`.
        reading: `columns`, `encoding`, `delimiter` of the file.

    Raises:
        ConfigError: the output can't be written, or a column is missing.
        DataError: lists the rows that can't be read.
        ModelError: the model can't be loaded.
    """
    write = writer(out)
    reading = reading or {}
    names = scan(data, **reading)
    losses: list[int] = []
    number = count()
    with destination(out, data) as file:
        predictor = open_model(model, columns or {})
        answers = predictor.stream_rows(data, on_truncated=losses.append, **reading)
        write(file, (answer for answer, _ in zip(answers, number, strict=False)), kept=names if keep else [])
    return Summary(next(number), len(losses), sum(losses), predictor.artifact.tokenizer.max_length)


def evaluate_file(
    model: str,
    data: str,
    *,
    unseen: str = "refuse",
    columns: Mapping[str, str] | None = None,
    reading: Mapping[str, Any] | None = None,
) -> Evaluation:
    """Scores of a model on a file of labelled data, with intervals.

    Args:
        model: A run of afina's, a model folder, or a hub id.
        data: Path of the file, a folder or a glob.
        unseen: `count` takes labels that the model does not know as missed, where the task can; else `refuse`.
        columns: Columns in place of the model's own, as for `Predictor.with_columns`.
        reading: `columns`, `encoding`, `delimiter` of the file.

    Raises:
        ConfigError: `unseen` is something else, or a column is missing.
        DataError: rows can't be used, or hold labels that the model does not know; all are listed.
        ModelError: the model can't be loaded.
    """
    reading = reading or {}
    scan(data, **reading)
    if unseen not in ("refuse", "count"):
        raise ConfigError(f"--unseen: expected refuse or count, found {printable(unseen)}")
    return open_model(model, columns or {}).evaluate(data, unseen=unseen, **reading)


def open_model(model: str, columns: Mapping[str, str]) -> Predictor:
    """A fine-tuned model, with other columns in place of its own.

    Raises:
        ModelError: it can't be loaded; a folder that is not there is named before anything heavy is imported.
        ConfigError: its task has no such column.
    """
    locate(model)
    from .predictor import load

    return load(model).with_columns(columns)


def scan(data: str, **reading: Any) -> list[str]:
    """Read a data file once, before a model is loaded: all its columns.

    Args:
        data: Path of the file, a folder or a glob.
        reading: `columns`, `encoding`, `delimiter` of the file.

    Raises:
        DataError: lists the rows that can't be read.
    """
    columns: dict[str, None] = {}
    tally = Tally()
    for item in read(data, **reading):
        if isinstance(item, Problem):
            tally.add(item)
        else:
            columns.update(dict.fromkeys(item.values))
    if tally.total:
        raise DataError(tally)
    return list(columns)


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
    names = {}
    for name in kept:
        new = name
        while new in used or (new != name and new in kept):
            new = f"input_{new}"
        names[name] = new
    return names


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
