"""Predictions as columns: their names, beside those of the data, and their values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..records import Output
from ..tasks.base import Task
from .writers import Answered, Form

CONFIDENCE = "confidence"
"""Column of how sure the model is of an answer."""


def record(answered: Answered, form: Form) -> dict[str, Any]:
    """A prediction as an object: the data's columns, everything that was predicted, and the confidence."""
    output = form.output(answered)
    more = {name: value for name, value in output.cells.items() if unsaid(name, answered)}
    said = answered.prediction | more
    said |= {name: value for name, value in confidence(output, form).items() if name not in said}
    names = free_names(form.kept, said, form.task)
    return {names[name]: value for name, value in answered.row.values.items() if name in names} | said


def unsaid(name: str, answered: Answered) -> bool:
    """Whether a cell says what the prediction does not say itself; the parts of an object are said by that."""
    said = answered.prediction
    return name not in said and not any(
        isinstance(one, dict) and name.startswith(f"{key}_") for key, one in said.items()
    )


def flat_record(answered: Answered, form: Form) -> dict[str, Any]:
    """The same with a column for each probability, and one for each value of any other object."""
    output, said = form.output(answered), answered.prediction
    values = {name: said.get(name, value) for name, value in output.cells.items()}
    values |= {name: value for name, value in said.items() if name not in values and not isinstance(value, dict)}
    values |= {name: value for name, value in confidence(output, form).items() if name not in values}
    values |= probabilities(output)
    names = free_names(form.kept, values, form.task)
    return {names[name]: answered.row.values.get(name) for name in form.kept} | values


def table(answers: Iterable[Answered], form: Form) -> Iterator[list[str]]:
    """The header of a table and the cells of each prediction.

    The data's columns come first, then the answer, the confidence, and each label's probability with 4 digits.
    """
    header: list[str] = []
    for answered in answers:
        cells = cells_of(answered, form)
        if not header:
            header = list(cells)
            yield [*free_names(form.kept, header, form.task).values(), *header]
        values = answered.row.values
        yield [*(cell(values.get(name)) for name in form.kept), *(cells.get(name, "") for name in header)]


def cells_of(answered: Answered, form: Form) -> dict[str, str]:
    """A prediction as cells by column."""
    output = form.output(answered)
    cells = {name: cell(value) for name, value in output.cells.items()}
    chances = {**confidence(output, form), **probabilities(output)}
    return cells | {name: digits(value) for name, value in chances.items() if name not in cells}


def confidence(output: Output, form: Form) -> dict[str, float | None]:
    """The column of the confidence, where answers of the task have one."""
    there = output.confidence is not None or output.probabilities or form.task.gives
    return {CONFIDENCE: output.confidence} if there else {}


def digits(chance: float | None) -> str:
    """A probability with 4 digits."""
    return "" if chance is None else f"{chance:.4f}"


def probabilities(output: Output) -> dict[str, float | None]:
    """The probability of each label by its column, `probability_LABEL`. Names that differ by case only get a number."""
    found: dict[str, float | None] = {}
    used: set[str] = set()
    for label, value in output.probabilities.items():
        name, number = f"probability_{label}", 1
        while folded(name) in used:
            number += 1
            name = f"probability_{label}_{number}"
        used.add(folded(name))
        found[name] = value
    return found


def folded(name: str) -> str:
    """A name as readers compare names: case and blanks at its edges don't count."""
    return name.strip().casefold()


def cell(value: Any) -> str:
    """A value as text; what is neither text nor number is JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def free_names(kept: Sequence[str], taken: Iterable[str], task: Task) -> dict[str, str]:
    """The data's columns to their names beside predictions.

    `input_` goes before a name that a prediction has, and before the columns of the right answers: who reads the file
    as data should take the predictions for the answers.
    """
    used = {*map(folded, [*taken, *targets(task)])}
    given = {*map(folded, kept)}
    names = {}
    for name in kept:
        new = name
        while folded(new) in used or (new != name and folded(new) in given):
            new = f"input_{new}"
        names[name] = new
    return names


def targets(task: Task) -> set[str]:
    """The columns in which the training data held the right answers."""
    read: set[str] = {*task.inputs, *([task.words_column] if task.words_column else [])}
    chosen: Mapping[str, list[str]] = task.options.chosen
    return {*task.options.also, *(name for names in chosen.values() for name in names)} - read
