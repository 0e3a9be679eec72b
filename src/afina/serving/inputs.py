"""What a model is asked: rows with columns, or texts without any, as the task takes them.

A list, series, array or generator of texts, of pairs of texts or of lists of words has no columns. Its items are named
by their number, from 1, and held against what the task was trained on.

An input without a text (None, nan, an empty text or one of blanks; of a pair, either of the two) is an input like
others here. It is given no answer (`records.without_answer`), whatever the task.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from ..data.lines import ReadOptions, surrogate_in, unheard
from ..data.long_tables import for_task
from ..data.memory import holds_rows, plain_value
from ..data.parts import Bad, example_of
from ..data.sources import read
from ..errors import ConfigError, DataError, Problem, Tally, printable
from ..records import Example, Row
from ..tasks.base import Task
from ..text.spans import blank
from .columns import Note, fitting
from .forms import form_of

EXPECTED = "expected a text, a list of texts, rows (a list of dicts, a dict of columns, a frame, a table) or a Path"


@dataclass(frozen=True, slots=True)
class Input:
    """An input as it was given, and as a task takes it.

    Attributes:
        row: Its columns; for an item without any, those of the training data.
        example: The same without a target.
    """

    row: Row
    example: Example

    @property
    def empty(self) -> bool:
        """Whether there is no text to answer for."""
        return blank(self.example.text) or (self.example.pair is not None and blank(self.example.pair))


def read_inputs(task: Task, data: Any, *, strict: bool = False, **reading: Any) -> Iterator[Input | Bad]:
    """Inputs in order, or what is wrong with each that can't be used.

    Args:
        task: Fitted.
        data: Texts, pairs of texts or lists of words; rows; or the path of a data file, as a text or not.
        strict: Whether the task's columns were asked for, so that no others are taken where they are missing.
        reading: `columns`, `encoding`, `delimiter` of a file; `note` is told what was decided.

    Raises:
        ConfigError: a column is missing, or `reading` names what there is not.
        DataError: the data can't be read at all.
    """
    options = options_of(reading)
    note = options.note
    if isinstance(data, str | os.PathLike):
        rows = for_task(task, read(data, **form_of(task, data, options)), note)
        return from_rows(task, rows, strict=strict, note=note)
    if holds_rows(data) and hasattr(data, "__len__") and not len(data):
        return iter(())  # what a filter left of a frame, as an empty list
    if isinstance(data, Mapping) or holds_rows(data):
        return from_rows(task, for_task(task, read(data), note), strict=strict, note=note)
    if isinstance(data, bytes | bytearray) or not isinstance(data, Iterable):
        raise DataError(Problem("data", f"{EXPECTED}, found {type(data).__name__} {printable(data)}", "", "unreadable"))
    stream = iter(data.to_pylist() if hasattr(data, "to_pylist") else data)
    head = list(islice(stream, 1))
    stream = chain(head, stream)
    if head and isinstance(head[0], Mapping):
        return from_rows(task, for_task(task, read(stream), note), strict=strict, note=note)
    return (from_item(task, item, f"item {number}") for number, item in enumerate(stream, 1))


def options_of(reading: Mapping[str, Any]) -> ReadOptions:
    """What the caller says about a file. Data in memory need none of it, and a misspelt name is wrong there, too.

    Raises:
        ConfigError: there is no such option, or it makes no sense.
    """
    known = list(ReadOptions.__dataclass_fields__)
    if problems := [f"{name}: no such option; there are: {', '.join(known)}" for name in reading if name not in known]:
        raise ConfigError(problems)
    return ReadOptions(**reading)


def check_unseen(unseen: str) -> None:
    """See that it says what becomes of labels that a model does not know.

    Raises:
        ConfigError: it is neither `refuse` nor `count`.
    """
    if unseen not in ("refuse", "count"):
        raise ConfigError(f"unseen: expected refuse or count, found {printable(unseen)}")


def from_rows(
    task: Task, rows: Iterator[Row | Problem], *, strict: bool = False, note: Note = unheard
) -> Iterator[Input | Bad]:
    """Rows as inputs; the columns are chosen at the first row. See `read_inputs`.

    Raises:
        ConfigError: a column is missing.
    """
    chosen: Task | None = None
    for row in rows:
        if isinstance(row, Problem):
            yield (row,)
            continue
        if chosen is None:
            try:
                chosen = fitting(task, [row], strict=strict, note=note)
            except ConfigError as error:
                raise ConfigError([f"{row.place}: {problem}" for problem in error.problems]) from None
        yield from_row(chosen, row)


def from_row(task: Task, row: Row) -> Input | Bad:
    """A row as an input, or what is wrong with it."""
    example = example_of(task, row, labelled=False)
    return Input(row, example) if isinstance(example, Example) else example


def from_item(task: Task, item: Any, place: str) -> Input | Bad:
    """An item without columns as an input, or what is wrong with it."""
    value = plain_value(item)
    if task.words_column is not None and isinstance(value, list):
        parts = value
    else:
        wanted = len(task.inputs) or 1
        parts = [""] * wanted if value is None else ["" if part is None else part for part in as_list(value)]
    problem = next(filter(None, (fault_of(part, item, place) for part in parts)), None)
    if problem is not None:
        return (problem,)
    if task.words_column is not None and isinstance(value, list):
        return from_row(task, Row({task.words_column: value}, place))
    if len(parts) not in ((len(task.inputs),) if task.inputs else (1, 2)):
        return (misfit(task, parts, place),)
    names = task.inputs or ("text", "pair")
    row = Row(dict(zip(names, parts, strict=False)), place)
    return Input(row, Example(parts[0], parts[1] if len(parts) == 2 else None, None, place))


def as_list(value: Any) -> list[Any]:
    """The parts of an item: itself, where it is no list."""
    return value if isinstance(value, list) else [value]


def fault_of(part: Any, item: Any, place: str) -> Problem | None:
    """What makes a part of an item no text, if anything does."""
    if isinstance(part, str):
        half = surrogate_in(part)
        return None if half is None else half.at(place)
    if part is None:
        return Problem(place, "expected a word, found nothing", "leave it out", "no-text")
    fix = "write numbers as texts, and decode bytes; rows are dicts, all of them"
    shown = f"{type(part).__name__} {printable(part)}"
    inside = "" if part is item or not isinstance(item, list | tuple) else f" in {printable(item)}"
    return Problem(place, f"expected a text, found {shown}{inside}", fix, "not-a-text")


def misfit(task: Task, texts: Sequence[str], place: str) -> Problem:
    """An item with another number of texts than the task takes."""
    wanted = task.inputs
    if len(wanted) == 1:
        expected, fix = "one text", "the model was trained on single texts: give one an item"
    elif wanted:
        expected = f"two texts ({', '.join(wanted)})"
        fix = f"the model was trained on pairs: give a list of tuples, [({', '.join(wanted)})]"
    else:
        expected, fix = "one text or two", "give a text, or a tuple of two"
    found = f"one, {printable(texts[0], 40)}" if len(texts) == 1 else f"{len(texts)}"
    return Problem(place, f"expected {expected}, found {found}", fix, "other-inputs")


def look_through(items: Iterable[Input | Bad], fault: Callable[[Row], Problem | None] = lambda _: None) -> list[str]:
    """See that every input can be used.

    Args:
        items: The inputs.
        fault: What is wrong with the row of an input for what is done with its prediction.

    Returns:
        The names of all columns, in the order in which they first appear.

    Raises:
        DataError: some can't; all are counted.
    """
    tally = Tally()
    names: dict[str, None] = {}
    for item in items:
        if isinstance(item, Input):
            names.update(dict.fromkeys(item.row.values))
            problem = fault(item.row)
            tally.add(*([] if problem is None else [problem]))
        else:
            tally.add(*item)
    if tally.total:
        raise DataError(tally)
    return list(names)


def sound(items: Iterable[Input | Bad]) -> Iterator[Input]:
    """The same inputs, each of which must be usable; nothing is dropped in silence.

    Raises:
        DataError: at the first that is not.
    """
    for item in items:
        if not isinstance(item, Input):
            raise DataError(item)
        yield item
