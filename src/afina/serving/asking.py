"""How a question is put: a text or a file, in Python and on the command line."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..about import task_in
from ..data.formats import ending_of, owner_of
from ..data.pipes import piped
from ..errors import ConfigError, printable
from ..tasks.base import Task

STDIN = "-"
WAYS = 'give a text, or name data: afina {} RUN "a text", --data FILE, or --data - for the standard input'


def asked(inputs: Any, data: Any) -> Any:
    """What `predict` is given: a text alone as a list of one, anything else as it is.

    Raises:
        ConfigError: nothing is given, or both; or a text is the name of a file.
    """
    if inputs is not None and data is not None:
        raise ConfigError("data: given beside other inputs; predict(TEXTS), or predict(data=FILE)")
    if not isinstance(inputs, str):
        return data if inputs is None else inputs
    if fault := no_text(inputs):
        shown = printable(inputs)
        cure = f"for the file: predict(Path({shown})) or predict(data={shown}); for the text: predict([{shown}])"
        raise ConfigError(f"{shown}: a text is expected; {fault}. {cure[0].upper()}{cure[1:]}")
    return [inputs]


def no_text(text: str) -> str:
    """Why a text is probably the name of a file; empty where it is none."""
    try:
        if Path(text).is_file():
            return "a file of this name exists"
    except (OSError, ValueError):  # too long for a name, or with a sign that no name has
        return ""
    looks = not any(sign.isspace() for sign in text) and owner_of(ending_of(text)) is not None
    return "this looks like the name of a file, and there is none" if looks else ""


@contextmanager
def question(
    model: str,
    texts: Sequence[str],
    *,
    data: str | None,
    question: str | None = None,
    context: str | None = None,
    command: str = "predict",
) -> Iterator[Any]:
    """What the command line asks: a list of texts or pairs of texts, or the path of a file.

    Args:
        model: Whom it asks, as for `task_in`.
        texts: Texts, or the two of a pair.
        data: Path of a file, a folder or a pattern; `-` for the standard input, which is one too without anything else.
        question: A question about `context`.
        context: A passage.
        command: The command that asks.

    Raises:
        ConfigError: nothing is given, or what does not go together; or a text is the name of a file.
        DataError: nothing comes from the standard input.
        ModelError: there is no model, or what it says of itself can't be used.
    """
    about = (question, context) != (None, None)
    if data is not None and (texts or about):
        raise ConfigError(f"--data {printable(data)} and a text are given; one of them is asked about at a time")
    if texts and about:
        raise ConfigError(f"the text {printable(texts[0], 40)} beside --question and --context; one of them is enough")
    if texts or about:
        for text in texts:
            if fault := no_text(text):
                raise ConfigError(f"{printable(text)}: a text is expected; {fault}; did you mean --data {text}?")
        task = task_in(model)
        yield [passage(task, question, context)] if about else together(task, texts)
    elif data is None and not waits():
        raise ConfigError(f"nothing to {command}: {WAYS.format(command)}")
    else:
        with source(data or STDIN) as path:
            yield path


@contextmanager
def source(data: str) -> Iterator[str]:
    """The path of a file that was named, also of what comes through a pipe.

    Args:
        data: Path of a file, a folder or a pattern; `-` for the standard input.

    Raises:
        ConfigError: the standard input is closed, or somebody sits there and might wait for an answer.
        DataError: nothing comes from there, or it can't be read.
    """
    if data != STDIN:
        yield data
    elif sys.stdin is None or sys.stdin.closed:
        raise ConfigError("--data -: the standard input is closed; name a file, --data FILE")
    elif sys.stdin.isatty():
        raise ConfigError("--data -: this is a terminal; pipe data in (COMMAND | afina ... --data -), or --data FILE")
    else:
        with piped(sys.stdin.buffer) as path:
            yield path


def waits() -> bool:
    """Whether the standard input is a pipe or a file."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (AttributeError, OSError, ValueError):  # closed, or not of this system
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode)


def together(task: Task, texts: Sequence[str]) -> list[Any]:
    """The texts of a command as items: two are a pair, where the task takes pairs.

    Raises:
        ConfigError: a pair has another number of texts.
    """
    if len(task.inputs) < 2:
        return list(texts)
    if len(texts) != len(task.inputs):
        names = ", ".join(task.inputs)
        raise ConfigError(f"expected two texts ({names}), found {len(texts)}; the model was trained on pairs")
    return [tuple(texts)]


def passage(task: Task, question: str | None, context: str | None) -> tuple[str, str]:
    """A question and its passage.

    Raises:
        ConfigError: one of them is missing, or the task takes neither.
    """
    if not {"question", "context"} <= set(task.options.roles):
        taken = "two texts" if len(task.inputs) == 2 else "a text"
        raise ConfigError(f"--question and --context are for the task answers; a model of {task.name} takes {taken}")
    if question is None or context is None:
        raise ConfigError(f"--{'question' if question is None else 'context'}: missing; a question needs its passage")
    return question, context
