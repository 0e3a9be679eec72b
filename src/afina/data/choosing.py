"""What the first rows of some data decide: the columns of the task, and whether another task is meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from ..errors import ConfigError, InputError, Problem
from ..records import Row
from ..tasks.base import Task, load, names
from ..tasks.inputs import present
from .sources import columns_of

T = TypeVar("T")
FIRST = 1000
"""Rows that are looked at to choose the columns."""
Started = tuple[list[Row | Problem], Iterator[Row | Problem]]
"""The first records of some data, and the others."""


def peek(items: Iterator[Row | Problem]) -> Started:
    """The first records, among them so many rows, and the others."""
    head: list[Row | Problem] = []
    rows = 0
    for item in items:
        head.append(item)
        rows += isinstance(item, Row)
        if rows == FIRST:
            break
    return head, items


def columns_for(task: Task) -> Callable[[list[Row]], Task]:
    """What names a task's columns by rows."""
    return lambda rows: task.columns(columns_of(rows), rows=rows)


def having(setting: str, column: str, rows: Sequence[Row]) -> str:
    """The column that a setting of the data names, which some rows must have.

    Raises:
        ConfigError: they have none of this name.
    """
    return present(f"data.{setting}", column, columns_of(rows))


def suits(kind: type[Task], rows: Sequence[Row]) -> bool:
    """Whether a task, left to itself, finds its columns in some rows and can read the first of them."""
    try:
        kind(kind.Options()).columns(columns_of(rows), rows=rows).read(rows[0])
    except InputError:
        return False
    return True


def tasks_for(rows: Sequence[Row], asked: Task) -> list[type[Task]]:
    """The tasks that suit some rows, but for the one asked for."""
    found = []
    for name in names():
        try:
            kind = load(name)
            fitting = suits(kind, rows)
        except (ImportError, AttributeError):  # a package whose task can't be loaded
            continue
        if fitting and name != asked.name:
            found.append(kind)
    return found


def suggestion(fitting: Sequence[type[Task]]) -> list[str]:
    """Other tasks that suit the data, as a problem; none without any."""
    return (
        [f"task: the data suit another: --task {' or --task '.join(kind.name for kind in fitting)}"] if fitting else []
    )


def refuse_other_task(rows: Sequence[Row], asked: Task) -> None:
    """Refuse a task that nobody named where its columns have no well-known names and those of a task of tokens have.

    The questions of SQuAD can be classified by the titles of their articles, but nobody means that.

    Raises:
        ConfigError: names the tasks.
    """
    try:
        asked.columns(columns_of(rows))
    except ConfigError:
        fitting = [kind for kind in tasks_for(rows, asked) if kind.level == "token"]
        if fitting:
            raise ConfigError([*suggestion(fitting), f"or name this one: --task {asked.name}"]) from None


def choose(
    decide: Callable[[list[Row]], T], head: list[Row | Problem], rest: Iterator[Row | Problem]
) -> tuple[T, Started]:
    """What the first rows decide or, where they lack a column, all of them; and the rows again.

    Raises:
        ConfigError: a column can't be found.
    """
    try:
        return decide(rows_of(head)), (head, rest)
    except ConfigError:
        more = list(rest)
        if not more:
            raise
        head += more
        return decide(rows_of(head)), (head, iter(()))


def ungrouped(column: str | None, started: dict[str, Started]) -> list[str]:
    """Notes on the data to be scored that lack the column of groups, where there is one.

    Raises:
        ConfigError: there are validation data, so that no groups are held out, and no data to be scored have groups.
    """
    scored = [name for name in ("validation", "test") if name in started and column is not None]
    lacking = {}
    for name in scored:
        try:
            _, started[name] = choose(
                lambda rows: present("data.group_by", str(column), columns_of(rows)), *started[name]
            )
        except ConfigError as error:
            lacking[name] = error
    if "validation" in scored and len(lacking) == len(scored):
        raise lacking["validation"]
    return [f"{name}: no column {column!r}; in its intervals each example counts alone" for name in lacking]


def rows_of(items: Iterable[Row | Problem]) -> list[Row]:
    """Those that could be read."""
    return [item for item in items if isinstance(item, Row)]
