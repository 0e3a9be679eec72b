"""Data files that are answered and scored.

A model is loaded, and torch imported, when the files are known to be right.
"""

from __future__ import annotations

import logging
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from .. import devices
from ..about import task_in
from ..data.choosing import FIRST
from ..data.sources import columns_of, read
from ..errors import DataError, Problem, Tally
from ..outputs.places import place, text_file
from ..outputs.screen import write_screen
from ..outputs.writers import STDOUT, Answered, Fault, Form, Writer, writer_of
from ..records import Row
from ..tasks.inputs import present
from .columns import asks_for_texts, fitting, reading_columns
from .inputs import check_unseen, look_through, read_inputs

if TYPE_CHECKING:
    from ..inference import Evaluation
    from .predictor import Predictor

logger = logging.getLogger("afina")
SCREEN = Writer("screen", (), "lines for people", write_screen)


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
    data: Any,
    *,
    out: str = "-",
    out_format: str | None = None,
    keep: bool = True,
    shown: bool = False,
    columns: Mapping[str, str] | None = None,
    reading: Mapping[str, Any] | None = None,
    device: str = "auto",
) -> Summary:
    """Write one prediction for each input, in order. The output is complete or absent.

    Args:
        model: A run of afina's, a model folder, or a hub id.
        data: Path of a file, a folder or a glob; or a list of texts or pairs of texts.
        out: A file whose ending is that of its format, a folder, or `-` for the standard output.
        out_format: Name of the format, where the ending does not say it; jsonl on the standard output.
        keep: Whether to copy the data's columns in front of the predictions.
        shown: Whether a person looks at the standard output: without a format, predictions are lines for people.
        columns: Columns in place of the model's own, as for `Predictor.with_columns`.
        reading: `columns`, `encoding`, `delimiter` of the file.
        device: `auto`, `cpu`, `cuda`, `cuda:1` or `mps`.

    Raises:
        ConfigError: the output can't be written, the task's predictions have no such form, a column is missing, or the
            device is not there.
        DataError: lists the rows that can't be read.
        ModelError: the model can't be loaded.
    """
    devices.check(device)
    chosen = SCREEN if shown and out == STDOUT and out_format is None else writer_of(out, out_format)
    reading = reading or {}
    names = inspected(model, data, columns=columns or {}, reading=reading, fault=chosen.faults())
    chosen.check(Form(task_in(model), tuple(names), keep))
    with destination(chosen, out, data if isinstance(data, str) else "") as target:
        predictor = open_model(model, columns or {}, device=device, note=reading.get("note", logger.info))
        form = Form(predictor.artifact.task, tuple(names), keep)
        losses: list[int] = []
        number = count()
        answers = predictor.stream_rows(data, on_truncated=losses.append, **reading)
        target((answer for answer, _ in zip(answers, number, strict=False)), form)
    return Summary(next(number), len(losses), sum(losses), predictor.artifact.tokenizer.max_length)


@contextmanager
def destination(writer: Writer, out: str, data: str) -> Iterator[Callable[[Iterator[Answered], Form], None]]:
    """What takes predictions and writes them, once a model is loaded; the place is tried before.

    Raises:
        ConfigError: the place can't be written, or is the data.
    """
    if writer.save is not None:
        save = writer.save
        with place(out, data, folder=writer.folder) as path:
            yield lambda answers, form: save(path, answers, form)
    elif writer.write is not None:
        write = writer.write
        with text_file(out, data) as file:
            yield lambda answers, form: write(file, answers, form)


def evaluate_file(
    model: str,
    data: str,
    *,
    unseen: str = "refuse",
    group_by: str | None = None,
    columns: Mapping[str, str] | None = None,
    reading: Mapping[str, Any] | None = None,
    device: str = "auto",
) -> Evaluation:
    """Scores of a model on a file of labelled data, with intervals.

    Args:
        model: A run of afina's, a model folder, or a hub id.
        data: Path of the file, a folder or a glob.
        unseen: `count` takes labels that the model does not know as missed, where the task can; else `refuse`.
        group_by: Column of groups, as for `Predictor.evaluate`.
        columns: Columns in place of the model's own, as for `Predictor.with_columns`.
        reading: `columns`, `encoding`, `delimiter` of the file.
        device: `auto`, `cpu`, `cuda`, `cuda:1` or `mps`.

    Raises:
        ConfigError: `unseen` is something else, a column is missing, or the device is not there.
        DataError: rows can't be used, or hold labels that the model does not know; all are listed.
        ModelError: the model can't be loaded.
    """
    reading = reading or {}
    check_unseen(unseen)
    devices.check(device)
    columns = columns or {}
    task = reading_columns(task_in(model), columns)
    rows = scan(data, **reading)
    fitting(task, rows, labelled=True, strict=asks_for_texts(columns))
    if group_by is not None:
        present("group_by", group_by, columns_of(rows))
    predictor = open_model(model, columns, device=device, note=reading.get("note", logger.info))
    return predictor.evaluate(data, unseen=unseen, group_by=group_by, **reading)


def open_model(
    model: str, columns: Mapping[str, str], *, device: str = "auto", note: Callable[[str], None]
) -> Predictor:
    """A fine-tuned model, with other columns in place of its own, on as many CPU threads as suit the machine now.

    Args:
        model: A run of afina's, a model folder, or a hub id.
        columns: As for `Predictor.with_columns`.
        device: Where it is to compute, as for `afina.load`.
        note: Is told why not all threads are taken.

    Raises:
        ModelError: it can't be loaded.
        ConfigError: its task has no such column, or the device is not there.
    """
    from ..machine import FIXED, suited
    from .predictor import load

    predictor = load(model, device=device).with_columns(columns)
    network = predictor.artifact.network
    network.compute, said = suited(network.compute, fix=f"{FIXED}=")
    if said:
        note(said)
    return predictor


def inspected(
    model: str, data: Any, *, columns: Mapping[str, str], reading: Mapping[str, Any], fault: Fault
) -> list[str]:
    """See that a model, which is not loaded yet, can answer for all inputs.

    Returns:
        The names of all columns of the data.

    Raises:
        ConfigError: a column is missing.
        DataError: lists the inputs that can't be used.
        ModelError: there is no model, or what it says of itself can't be used.
    """
    task = reading_columns(task_in(model), columns)
    try:
        return look_through(read_inputs(task, data, strict=asks_for_texts(columns), **reading), fault)
    except DataError as error:
        if not (isinstance(data, str) and " " in data and error.problems[0].code == "no-file"):
            raise
        cure = f"if this is a text: afina predict RUN {shlex.quote(data)}"
        raise DataError(error.problems, cure) from None


def scan(data: str, **reading: Any) -> list[Row]:
    """Read a data file once, before a model is loaded: its first rows, and those with further columns.

    Args:
        data: Path of the file, a folder or a glob.
        reading: `columns`, `encoding`, `delimiter` of the file.

    Raises:
        DataError: lists the rows that can't be read.
    """
    rows: list[Row] = []
    names: set[str] = set()
    tally = Tally()
    for item in read(data, **reading):
        if isinstance(item, Problem):
            tally.add(item)
        elif len(rows) < FIRST or not names.issuperset(item.values):
            rows.append(item)
            names.update(item.values)
    if tally.total:
        raise DataError(tally)
    return rows
