"""Writers: which there are, and which of them writes a file.

A writer is one file beside this one that defines `WRITER`. Everything that is said of a format stands in its writer; no
other module names one.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, TextIO

from ..errors import ConfigError, Problem, printable
from ..records import Example, Output, Prediction, Row
from ..tasks.base import Task

DEFINITION = re.compile(r"^WRITER\b", re.MULTILINE)
STDOUT = "-"
"""What stands for the standard output in place of a path."""
DEFAULT = "jsonl"
"""Format of the standard output, where none is named."""
WITHOUT = {
    "marks": "{task} marks nothing in its texts",
    "words": "{task} has no tagged words",
    "answer": "{task} answers no questions",
}
"""Why predictions have no such format, by what it takes."""


class Answered(NamedTuple):
    """A prediction with what was asked."""

    row: Row
    example: Example
    prediction: Prediction


@dataclass(frozen=True, slots=True)
class Form:
    """What is common to all predictions of a file.

    Attributes:
        task: The fitted task of the model.
        columns: The columns of the data.
        keep: Whether the data's columns are written with the predictions.
    """

    task: Task
    columns: tuple[str, ...] = ()
    keep: bool = True

    @property
    def kept(self) -> tuple[str, ...]:
        """The columns of the data that are written with the predictions."""
        return self.columns if self.keep else ()

    def output(self, answered: Answered) -> Output:
        """A prediction as it is written."""
        return self.task.output(answered.example, answered.prediction)


def nothing(_form: Form) -> str:
    """Nothing speaks against writing predictions."""
    return ""


Fault = Callable[[Row], Problem | None]


def faultless() -> Fault:
    """No input stands in the way."""
    return lambda _row: None


Write = Callable[[TextIO, Iterable[Answered], Form], None]
Save = Callable[[Path, Iterable[Answered], Form], None]


@dataclass(frozen=True, slots=True)
class Writer:
    """A format of predictions and how to write it, in memory that does not grow with their number.

    Exactly one of `write` and `save` is there.

    Attributes:
        name: The format in one word, as messages and `--out-format` say it.
        endings: Endings of file names that ask for it, in lower case; that of a folder is `/`.
        summary: What a file holds, in a few words.
        write: Writes predictions to a text file, which may be the standard output.
        save: Writes them to a path, at which there is nothing yet.
        folder: Whether `save` makes a folder.
        takes: What the outputs of a task must hold (see `Task.gives`); empty where cells are enough.
        obstacle: Why predictions can't be written so, known before they are made; empty where they can.
        faults: Makes a function that is shown each row before any is predicted, and says what is wrong with it.
    """

    name: str
    endings: tuple[str, ...]
    summary: str
    write: Write | None = None
    save: Save | None = None
    folder: bool = False
    takes: str = ""
    obstacle: Callable[[Form], str] = nothing
    faults: Callable[[], Fault] = faultless

    def check(self, form: Form) -> None:
        """See that predictions of this form can be written.

        Raises:
            ConfigError: they can't.
        """
        reason = self.obstacle(form)
        if self.takes and self.takes not in form.task.gives:
            reason = WITHOUT[self.takes].format(task=form.task.name)
        if reason:
            fitting = ", ".join(
                writer.name for writer in writers() if not writer.takes or writer.takes in form.task.gives
            )
            raise ConfigError(f"out: no predictions as {self.name}: {reason}; there are: {fitting}")


@cache
def writers() -> tuple[Writer, ...]:
    """All writers, in order of their names."""
    paths = sorted(Path(__file__).parent.glob("*.py"))
    stems = [path.stem for path in paths if DEFINITION.search(path.read_text(encoding="utf-8"))]
    return tuple(sorted((import_module(f"{__package__}.{stem}").WRITER for stem in stems), key=lambda one: one.name))


def find(name: str) -> Writer:
    """The writer with the given name.

    Raises:
        ConfigError: there is none; lists the existing ones.
    """
    known = {writer.name: writer for writer in writers()}
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f", did you mean {close[0]!r}?" if close else "."
        raise ConfigError(f"out_format: {printable(name)} is not a format{hint} There are: {', '.join(known)}")
    return known[name]


def writer_of(out: str, name: str | None = None) -> Writer:
    """What writes predictions to a place.

    Args:
        out: A file or folder, or `-` for the standard output.
        name: The format; without it the ending decides, and on the standard output it is jsonl.

    Raises:
        ConfigError: there is no such format, none has that ending, or it can't be written to the standard output.
    """
    if name is None and out == STDOUT:
        name = DEFAULT
    if name is not None:
        writer = find(name)
        if out == STDOUT and writer.write is None:
            kind = "folder" if writer.folder else "file"
            raise ConfigError(f"out: {name} goes to a {kind}, not to the standard output; name one (--out)")
        return writer
    ending = "/" if out.endswith("/") else Path(out).suffix.lower()
    found = next((writer for writer in writers() if ending in writer.endings), None)
    if found is None:
        known = ", ".join(ending for writer in writers() for ending in writer.endings if ending != "/")
        raise ConfigError(
            f"out: {printable(out)} must end in {known}, or be - for the standard output; "
            "or name the format (--out-format; `afina formats` lists them)"
        )
    return found
