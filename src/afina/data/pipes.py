"""The standard input as a file: kept on disk as long as it is needed, since files are looked at before they are read.

Its places are those of `stdin`, whatever the copy is called: `stdin:17`.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from ..errors import DataError, Problem
from .lines import CHUNK, Item, fail

NAME = "stdin"


class Piped(str):
    """Path of a copy of the standard input."""

    __slots__ = ()

    def shown(self, text: str) -> str:
        """What is said of the copy, as said of the standard input."""
        return text.replace(str(self), NAME)

    def renamed(self, problem: Problem) -> Problem:
        """A problem at its place in the standard input."""
        return replace(problem, place=self.shown(problem.place), message=self.shown(problem.message))

    def items(self, read: Callable[[], Iterator[Item]]) -> Iterator[Item]:
        """The records at their places in the standard input.

        Args:
            read: Reads the copy.

        Raises:
            DataError: it can't be read at all.
        """
        try:
            for item in read():
                yield self.renamed(item) if isinstance(item, Problem) else replace(item, place=self.shown(item.place))
        except DataError as error:
            raise DataError([self.renamed(problem) for problem in error.problems]) from None


@contextmanager
def piped(stream: BinaryIO) -> Iterator[Piped]:
    """The standard input as a file, which is gone afterwards; memory does not grow with it.

    Args:
        stream: Where it comes from.

    Raises:
        DataError: it is empty, or can't be read or kept.
    """
    with tempfile.TemporaryDirectory(prefix="afina-") as folder:
        path = Path(folder) / NAME
        try:
            with path.open("wb") as file:
                shutil.copyfileobj(stream, file, CHUNK)
        except (OSError, ValueError) as error:  # ValueError: it was closed
            fail(NAME, "unreadable", f"can't be read, or kept in {tempfile.gettempdir()}: {error}")
        if not path.stat().st_size:
            fail(NAME, "no-rows", "nothing came in", fix="afina predict RUN --data - < FILE, or COMMAND | afina ...")
        yield Piped(path)
