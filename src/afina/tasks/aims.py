"""What can be explained of an answer: sums of logits, of which each word of the input has its part.

An answer is made of numbers that the network gives for the windows of an example. An `Aim` says which of them, and how
they are added: the mean over the windows for one label of a text, the tags of the words of an entity, the two ends of a
stretch that answers a question.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from ..errors import ConfigError, listed, printable
from ..records import Example, Window
from .labels import as_label

if TYPE_CHECKING:
    from .base import Task

Array = np.ndarray[Any, Any]
Stretch: TypeAlias = tuple[int, int] | tuple[int, int, str]
"""Characters [start, end) of the text that an answer lies in, and the label that is asked about."""
Wanted: TypeAlias = str | int | float | bool | Stretch | None
"""What is to be explained: a label, a stretch of the text; None for what the model answers."""

WRITTEN = re.compile(r"(\d+):(\d+)(?::(.+))?")
"""A stretch of the text as the command line writes it: its characters and, if it is given, a label."""


class Term(NamedTuple):
    """A logit of a window, and the factor that it has in a sum.

    Attributes:
        window: Number of the window among those of the example.
        row: Number of the token; 0 where a window has one row.
        column: Number of the output.
        factor: What the logit is multiplied with.
    """

    window: int
    row: int
    column: int
    factor: float


@dataclass(frozen=True, slots=True)
class Aim:
    """A part of an answer whose reasons are asked for.

    Attributes:
        label: Its name: a label, a tag, the text of an answer, or the name of a number.
        score: The probability that the model gives it; for a number, the number. None where it can't say.
        terms: The logits that decide it.
        stretch: The characters [start, end) that it names, where it names any.
    """

    label: str
    score: float | None
    terms: tuple[Term, ...]
    stretch: tuple[int, int] | None = None

    def value(self, logits: Sequence[Array]) -> float:
        """The sum, from the logits of all windows ([k] or [n, k] each)."""
        return float(sum(term.factor * logit_of(logits[term.window], term) for term in self.terms))


def logit_of(logits: Array, term: Term) -> float:
    """A logit of a window. [k] or [n, k]"""
    return float(logits[term.column] if logits.ndim == 1 else logits[term.row, term.column])


def of_outputs(
    task: Task, example: Example, windows: Sequence[Window], logits: Sequence[Array], wanted: Wanted
) -> list[Aim]:
    """The aims of a task that has one output a label, or a single number: the mean of the windows' logits.

    Without a wish it is each label that is given or, where none is, the likeliest.

    Raises:
        ConfigError: there is no such label, or it is not known which outputs make an answer.
    """
    outputs = task.head.outputs
    if task.level != "example" or len(task.labels or [""]) != outputs:
        raise ConfigError(f"explain: the task {task.name} does not say which outputs make an answer (Task.aims)")
    said = task.decode(example, windows, logits)
    name, answer = next(iter(said.items()))
    if not task.labels:
        check_wish(task, wanted)
        return [Aim(name, float(answer), mean_of(windows, 0))]
    if wanted is None:
        given = answer if isinstance(answer, list) else [answer]
        chosen = given or [task.labels[int(np.mean(np.stack(logits), axis=0).argmax())]]
    else:
        chosen = [check_wish(task, wanted)]
    chances = said.get("probabilities", {})
    return [Aim(label, chances.get(label), mean_of(windows, task.labels.index(label))) for label in chosen]


def mean_of(windows: Sequence[Window], column: int) -> tuple[Term, ...]:
    """The mean of one output over the windows."""
    return tuple(Term(number, 0, column, 1 / len(windows)) for number in range(len(windows)))


def check_wish(task: Task, wanted: Wanted) -> str:
    """The label that is wished for, of a task whose answers are no parts of a text; without a wish the empty text.

    Raises:
        ConfigError: the task has no such label, or none at all.
    """
    if wanted is None:
        return ""
    if not task.labels:
        shown = f"found {printable(wanted)}; leave it out"
        raise ConfigError(f"label: {task.name} answers with a number, which is what is explained, {shown}")
    return known_label(wanted, task.labels)


def read_label(task: Task, label: str | None) -> Wanted:
    """A label as the command line writes it; `12:17` or `12:17:PERSON` are the characters of a stretch.

    Raises:
        ConfigError: the task has no such label.
    """
    if task.level == "example":
        check_wish(task, label)
    match = None if label is None or label in task.fitted.get("types", ()) else WRITTEN.fullmatch(label)
    if match is None or task.level == "example":
        return label
    start, end = int(match[1]), int(match[2])
    return (start, end) if match[3] is None else (start, end, match[3])


def known_label(wanted: Wanted, labels: Sequence[str]) -> str:
    """A label as the model spells it.

    Raises:
        ConfigError: it has no such label; lists those that there are.
    """
    label = as_label(wanted)
    if label is None or label not in labels:
        near = listed(labels, near=[str(wanted)])
        raise ConfigError(f"label: {printable(wanted)} is not a label of this model; there are: {near}")
    return label


def stretch_of(wanted: Wanted, example: Example, text: str) -> tuple[int, int, str | None]:
    """The characters that are asked about, and a label for them, if any.

    Raises:
        ConfigError: they are not inside the text.
    """
    parts: tuple[Any, ...] = wanted if isinstance(wanted, tuple) else ()
    start, end = parts[:2] if len(parts) in (2, 3) else (0, 0)
    if not (type(start) is int and type(end) is int and 0 <= start < end <= len(text)):
        expected = f"expected (start, end) or (start, end, label) with 0 <= start < end <= {len(text)}"
        raise refusal(example, f"{expected}, the characters of a stretch, found {printable(wanted)}")
    return start, end, parts[2] if len(parts) == 3 else None


def refusal(example: Example, why: str) -> ConfigError:
    """The error of a wish that an example can't fulfil."""
    return ConfigError(f"{example.place}: label: {why}" if example.place else f"label: {why}")
