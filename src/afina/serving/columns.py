"""The columns of data that a model is asked about: those it was trained on or, where these are missing, others.

Raw sentences do for a model that was trained on words, and a table with one column has no other for the text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..config import validated
from ..data.lines import unheard
from ..data.sources import columns_of
from ..errors import ConfigError, listed
from ..records import Row
from ..tasks.base import Task
from ..tasks.written import unwritten

Note = Callable[[str], None]


def reading_columns(task: Task, columns: Mapping[str, str]) -> Task:
    """The same task, reading other columns.

    Args:
        task: Fitted.
        columns: The columns' names by the option that says them: `text`, `pair`, `label`.

    Raises:
        ConfigError: the task has no such column.
    """
    options = validated(task.Options, {**task.options.model_dump(), **columns}, "options")
    return type(task)(options, task.fitted)


def asks_for_texts(columns: Mapping[str, str]) -> bool:
    """Whether columns are named that hold inputs, not only labels."""
    return bool(set(columns) - {"label"})


def fitting(
    task: Task, rows: Sequence[Row], *, labelled: bool = False, strict: bool = False, note: Note = unheard
) -> Task:
    """The task with the columns of the data.

    Args:
        task: Fitted.
        rows: The first rows, one at least.
        labelled: Whether the data must hold targets.
        strict: Whether the task's columns were asked for, so that no others are taken where they are missing.
        note: Is told which columns are taken in place of those of the training data.

    Raises:
        ConfigError: a column is missing, and none or several could be meant instead.
    """
    names = columns_of(rows)
    try:
        found = task.columns(names, rows=rows, labelled=labelled)
    except ConfigError:
        other = None if strict else elsewhere(task, names, rows, labelled=labelled)
        if other is None:
            raise
        found = other
    trained, taken = inputs_of(task), inputs_of(found)
    if trained and taken != trained:
        note(f"the model was trained on {listed(trained)}; here {listed(taken)} is read (--text NAME for another)")
    return found


def elsewhere(task: Task, names: Sequence[str], rows: Sequence[Row], *, labelled: bool) -> Task | None:
    """The task with its inputs in other columns: the only one there is, or those with well-known names.

    None where it takes another number of texts from them, or nothing decides. What columns hold does not decide: the
    first rows of a stream are few.
    """
    roles = roles_of(task)
    if not roles:
        return None
    if len(names) == len(roles) == 1 and not labelled:
        (name,), (role,) = names, roles
        lists = any(isinstance(unwritten(row.values.get(name)), list) for row in rows)
        return task.with_options(**{"text" if role == "tokens" and not lists else role: name})
    try:
        found = task.with_options(**dict.fromkeys(roles)).columns(names, labelled=False)
        if labelled:
            found = found.columns(names, rows=rows)
    except ConfigError:
        return None
    same = len(inputs_of(found)) == len(roles) and (not labelled or bool(found.inputs) == bool(task.inputs))
    return found if same else None


def roles_of(task: Task) -> list[str]:
    """The options that name the columns of an input."""
    inputs = inputs_of(task)
    return [role for role in task.options.roles if getattr(task.options, role) in inputs]


def inputs_of(task: Task) -> tuple[str, ...]:
    """The columns of an input; of a task that was trained on words, that of their lists."""
    return task.inputs or ((task.words_column,) if task.words_column else ())


def by_name(task: Task, names: Sequence[str]) -> bool:
    """Whether columns can be those of a task's inputs, by their names alone."""
    return bool(names) and any(
        known_to(each, names) for each in (task, task.with_options(**dict.fromkeys(roles_of(task))))
    )


def known_to(task: Task, names: Sequence[str]) -> bool:
    """Whether a task finds its inputs by the names of columns."""
    try:
        task.columns(names, labelled=False)
    except ConfigError:
        return False
    return True
