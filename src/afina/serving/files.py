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
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import devices
from ..about import FILE, home_of, recalibrate, task_in
from ..data.choosing import FIRST
from ..data.sources import columns_of, read
from ..errors import ConfigError, DataError, Problem, Tally
from ..model.families import locate
from ..outputs.places import place, text_file
from ..outputs.screen import write_screen
from ..outputs.writers import STDOUT, Answered, Fault, Form, Writer, writer_of
from ..records import Row
from ..tasks.aims import read_label
from ..tasks.calibrations import VALIDATION, bound_of, check_precision, source_of
from ..tasks.inputs import present
from .columns import asks_for_texts, fitting, reading_columns
from .explanations import Explanation, check_method
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
    alpha: float | None = None,
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
        alpha: As for `Predictor.predict_sets`, whose sets are then part of the predictions.

    Raises:
        ConfigError: the output can't be written, the task's predictions have no such form, a column is missing, the
            device is not there, or the model has no sets for this alpha.
        DataError: lists the rows that can't be read.
        ModelError: the model can't be loaded.
    """
    devices.check(device)
    if alpha is not None:
        bound_of(task_in(model), alpha)
    chosen = SCREEN if shown and out == STDOUT and out_format is None else writer_of(out, out_format)
    reading = reading or {}
    names = inspected(model, data, columns=columns or {}, reading=reading, fault=chosen.faults())
    chosen.check(Form(task_in(model), tuple(names), keep))
    with destination(chosen, out, data if isinstance(data, str) else "") as target:
        note = reading.get("note", logger.info)
        predictor = open_model(model, columns or {}, device=device, note=note)
        known = predictor.artifact.task.calibration
        if alpha is not None and known.data == VALIDATION:
            note(f"sets by the {source_of(known)}; afina calibrate {model} --data FILE takes data of their own")
        form = Form(predictor.artifact.task, tuple(names), keep)
        losses: list[int] = []
        number = count()
        answers = predictor.stream_rows(data, on_truncated=losses.append, alpha=alpha, **reading)
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


def explain_file(
    model: str,
    data: Any,
    *,
    label: str | None = None,
    method: str,
    columns: Mapping[str, str] | None = None,
    reading: Mapping[str, Any] | None = None,
    device: str = "auto",
) -> Iterator[Explanation]:
    """The words that mattered for the answer to each input, in order.

    Args:
        model: A run of afina's, a model folder, or a hub id.
        data: Path of a file, a folder or a glob; or a list of texts or pairs of texts.
        label: What to explain in place of the model's answers: a label, or characters of the text (`12:17:PERSON`).
        method: As for `Predictor.explain`.
        columns: As for `predict_file`.
        reading: As for `predict_file`.
        device: As for `predict_file`.

    Raises:
        ConfigError: there is no such method or label, a column is missing, or the device is not there.
        DataError: lists the rows that can't be read.
        ModelError: the model can't be loaded.
    """
    devices.check(device)
    check_method(method)
    wanted = read_label(task_in(model), label)
    reading = reading or {}
    inspected(model, data, columns=columns or {}, reading=reading, fault=lambda _: None)
    predictor = open_model(model, columns or {}, device=device, note=reading.get("note", logger.info))
    yield from predictor.explain_rows(data, label=wanted, method=method, **reading)


def evaluate_file(
    model: str,
    data: str,
    *,
    unseen: str = "refuse",
    group_by: str | None = None,
    columns: Mapping[str, str] | None = None,
    reading: Mapping[str, Any] | None = None,
    device: str = "auto",
    precision: float | None = None,
    alpha: float | None = None,
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
        precision: As for `Predictor.evaluate`.
        alpha: As for `Predictor.evaluate`.

    Raises:
        ConfigError: `unseen` is something else, a column is missing, the device is not there, or the task or the model
            has no such precision or sets.
        DataError: rows can't be used, or hold labels that the model does not know; all are listed.
        ModelError: the model can't be loaded.
    """
    devices.check(device)
    if precision is not None:
        check_precision(task_in(model), precision)
    if alpha is not None:
        bound_of(task_in(model), alpha)
    predictor = labelled_model(
        model, data, unseen=unseen, columns=columns, reading=reading, device=device, group_by=group_by
    )
    return predictor.evaluate(
        data, unseen=unseen, group_by=group_by, precision=precision, alpha=alpha, **(reading or {})
    )


def calibrate(run: str | Path, data: Any, *, unseen: str = "refuse", device: str = "auto", **reading: Any) -> Predictor:
    """Calibrate a model on labelled data that it was not trained on, and write what is learned into its folder.

    Its answers stay as they are. Its probabilities are given at the temperature that suits these data best, and its
    prediction sets (`Predictor.predict_sets`) hold what is right as often as they promise for data like these.

    Args:
        run: A run of afina's, or a model folder that it saved.
        data: Labelled data, as for `Predictor.evaluate`.
        unseen: `count` takes labels that the model does not know as missed, where the task can; else `refuse`.
        device: Where to compute: `auto`, `cpu`, `cuda`, `cuda:1` or `mps`.
        reading: `columns`, `encoding`, `delimiter` of a file.

    Raises:
        ConfigError: the model is no folder of afina's, its task can't be calibrated, or the folder can't be written.
        DataError: rows can't be used, or hold labels that the model does not know; all are listed.
        ModelError: the model can't be loaded.
    """
    from .predictor import load

    folder = own_folder(str(run))
    found = load(run, device=device).calibrate(data, unseen=unseen, **reading)
    recalibrate(folder, found.artifact.task.calibration)
    return found


def calibrate_file(
    model: str,
    data: str,
    *,
    unseen: str = "refuse",
    columns: Mapping[str, str] | None = None,
    reading: Mapping[str, Any] | None = None,
    device: str = "auto",
) -> tuple[Predictor, Path]:
    """Calibrate a model on a file of labelled data, and write what is learned into its folder.

    Args:
        model: A run of afina's, or a model folder that it saved.
        data: Path of the file, a folder or a glob: labelled data that the model was not trained on.
        unseen: As for `evaluate_file`.
        columns: As for `evaluate_file`.
        reading: As for `evaluate_file`.
        device: As for `evaluate_file`.

    Returns:
        The calibrated model, and the file into which it was written.

    Raises:
        ConfigError: as for `evaluate_file`; or the model is no folder of afina's, or can't be written.
        DataError: as for `evaluate_file`.
        ModelError: the model can't be loaded.
    """
    devices.check(device)
    folder = own_folder(model)
    predictor = labelled_model(model, data, unseen=unseen, columns=columns, reading=reading, device=device)
    found = predictor.calibrate(data, unseen=unseen, **(reading or {}))
    recalibrate(folder, found.artifact.task.calibration)
    return found, folder / FILE


def own_folder(model: str) -> Path:
    """The folder that holds the `afina.json` of a model.

    Raises:
        ConfigError: it has none: somebody else saved it, or it lies on a hub.
        ModelError: there is no model.
    """
    source = locate(model)
    folder = home_of(Path(source.path))
    if not source.local or not (folder / FILE).is_file():
        raise ConfigError(f"calibrate: {model} has no {FILE} to write into; only models that afina saved have one")
    return folder


def labelled_model(
    model: str,
    data: str,
    *,
    unseen: str,
    columns: Mapping[str, str] | None,
    reading: Mapping[str, Any] | None,
    device: str,
    group_by: str | None = None,
) -> Predictor:
    """A model that is loaded when a file of labelled data is known to be right; as for `evaluate_file`."""
    reading, columns = reading or {}, columns or {}
    check_unseen(unseen)
    devices.check(device)
    task = reading_columns(task_in(model), columns)
    rows = scan(data, **reading)
    fitting(task, rows, labelled=True, strict=asks_for_texts(columns))
    if group_by is not None:
        present("group_by", group_by, columns_of(rows))
    return open_model(model, columns, device=device, note=reading.get("note", logger.info))


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
