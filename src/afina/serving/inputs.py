"""What a model is asked: rows with columns, or texts without any, as the task takes them.

A list, series, array or generator of texts, of pairs of texts or of lists of words has no columns. Its items are named
by their number, from 1, and held against what the task was trained on.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any

from ..data.lines import surrogate_in
from ..data.long_tables import for_task
from ..data.memory import plain_value
from ..data.parts import Bad, example_of
from ..data.sources import read
from ..errors import ConfigError, DataError, Problem, Tally, printable
from ..records import Example, Row
from ..tasks.base import Task

ROWS = ("column_names", "itertuples", "iter_rows")
"""What a data set, a frame or a table has, and a list or a series of texts has not."""
EXPECTED = "expected a list of texts, rows (a list of dicts, a dict of columns, a frame, a table) or a path"


def read_inputs(task: Task, data: Any, **reading: Any) -> Iterator[Example | Bad]:
    """Unlabelled examples in order, or what is wrong with each input that gives none.

    Args:
        task: Fitted.
        data: Texts, pairs of texts or lists of words; rows; or the path of a data file.
        reading: `columns`, `encoding`, `delimiter` of a file.

    Raises:
        ConfigError: a column is missing.
        DataError: the data can't be read at all.
    """
    if isinstance(data, str | os.PathLike):
        return from_rows(task, for_task(task, read_path(data, **reading)))
    if isinstance(data, Mapping) or any(hasattr(data, name) for name in ROWS):
        return from_rows(task, for_task(task, read(data)))
    if isinstance(data, bytes | bytearray) or not isinstance(data, Iterable):
        raise DataError(Problem("data", f"{EXPECTED}, found {type(data).__name__} {printable(data)}", "", "unreadable"))
    stream = iter(data.to_pylist() if hasattr(data, "to_pylist") else data)
    head = list(islice(stream, 1))
    stream = chain(head, stream)
    if head and isinstance(head[0], Mapping):
        return from_rows(task, for_task(task, read(stream)))
    return (from_item(task, item, f"item {number}") for number, item in enumerate(stream, 1))


def read_path(data: str | os.PathLike[str], **reading: Any) -> Iterator[Row | Problem]:
    """The rows of a file, a folder or a pattern.

    Raises:
        DataError: there is none; who meant a text is told how to ask about one.
    """
    try:
        return read(data, **reading)
    except DataError as error:
        absent = isinstance(data, str) and error.problems[0].code == "no-file"
        raise DataError(error.problems, "if this is a text and no path: predict([TEXT])" if absent else "") from None


def from_rows(task: Task, rows: Iterator[Row | Problem]) -> Iterator[Example | Bad]:
    """Rows as examples without targets; the columns are chosen at the first row.

    Raises:
        ConfigError: a column is missing.
    """
    chosen: Task | None = None
    for row in rows:
        if chosen is None and isinstance(row, Row):
            try:
                chosen = task.columns(list(row.values), rows=[row], labelled=False)
            except ConfigError as error:
                raise ConfigError([f"{row.place}: {problem}" for problem in error.problems]) from None
        yield example_of(chosen or task, row, labelled=False)


def from_item(task: Task, item: Any, place: str) -> Example | Bad:
    """An item without columns as an example, or what is wrong with it."""
    value = plain_value(item)
    parts = value if isinstance(value, list) else [value]
    problem = next(filter(None, (fault_of(part, item, place) for part in parts)), None)
    if problem is not None:
        return (problem,)
    if task.words_column is not None and isinstance(value, list):
        return example_of(task, Row({task.words_column: value}, place), labelled=False)
    if len(parts) not in ((len(task.inputs),) if task.inputs else (1, 2)):
        return (misfit(task, parts, place),)
    return Example(parts[0], parts[1] if len(parts) == 2 else None, None, place)


def fault_of(part: Any, item: Any, place: str) -> Problem | None:
    """What makes a part of an item no text, if anything does."""
    if isinstance(part, str):
        half = surrogate_in(part)
        return None if half is None else half.at(place)
    if part is None:
        return Problem(
            place, "expected a text, found nothing", "write '' for an empty text, or leave it out", "no-text"
        )
    fix = "write numbers as texts, and decode bytes; rows are dicts, all of them"
    shown = f"{type(part).__name__} {printable(part)}"
    inside = "" if part is item or not isinstance(item, list | tuple) else f" in {printable(item)}"
    return Problem(place, f"expected a text, found {shown}{inside}", fix, "not-a-text")


def misfit(task: Task, texts: list[str], place: str) -> Problem:
    """An item with another number of texts than the task takes."""
    wanted = task.inputs
    if len(wanted) == 1:
        expected, fix = "one text", "the model was trained on single texts: give one an item"
    elif wanted:
        expected = f"two texts ({', '.join(wanted)})"
        fix = f"the model was trained on pairs: give a tuple an item, ({', '.join(wanted)})"
    else:
        expected, fix = "one text or two", "give a text, or a tuple of two"
    found = f"one, {printable(texts[0], 40)}" if len(texts) == 1 else f"{len(texts)}"
    return Problem(place, f"expected {expected}, found {found}", fix, "other-inputs")


def refuse(items: Iterable[Example | Bad]) -> None:
    """See that every input can be used.

    Raises:
        DataError: some can't; all are counted.
    """
    tally = Tally()
    for item in items:
        if not isinstance(item, Example):
            tally.add(*item)
    if tally.total:
        raise DataError(tally)


def sound(items: Iterable[Example | Bad]) -> Iterator[Example]:
    """The same inputs, each of which must be usable; nothing is dropped in silence.

    Raises:
        DataError: at the first that is not.
    """
    for item in items:
        if not isinstance(item, Example):
            raise DataError(item)
        yield item
