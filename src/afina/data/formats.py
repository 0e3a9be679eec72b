"""The forms of data files. One form is one file beside this one that holds a `READER`, or another package's offer.

Other packages offer a `Reader` under the entry-point group `afina.readers`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from .lines import Item, ReadOptions

GROUP = "afina.readers"
SNIFFED = 2000
"""Lines that are looked at where several forms share an ending."""


@dataclass(frozen=True, slots=True)
class Reader:
    """How files of one form become rows.

    Attributes:
        name: Name of the form.
        endings: Endings of its files, in small letters, with the dot.
        read: Gives the records of an open file, each as a row or as a problem: (name, file, options).
        sniff: Whether lines are of this form, where the ending is another form's too; None where the ending decides.
        names_columns: Whether the caller may name the columns of a file without a header.
    """

    name: str
    endings: tuple[str, ...]
    read: Callable[[str, BinaryIO, ReadOptions], Iterator[Item]]
    sniff: Callable[[Iterable[str]], bool] | None = None
    names_columns: bool = False


@cache
def readers() -> tuple[Reader, ...]:
    """All readers: those of the files beside this one, then those of other packages."""
    own = [path.stem for path in sorted(Path(__file__).parent.glob("*.py")) if holds_reader(path)]
    found = [import_module(f"{__package__}.{stem}").READER for stem in own]
    found += [point.load() for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)]
    return tuple(found)


def holds_reader(path: Path) -> bool:
    """Whether a file defines a reader."""
    return "\nREADER = " in path.read_text(encoding="utf-8")


def endings() -> list[str]:
    """The endings of files that can be read, in order."""
    return sorted({ending for reader in readers() for ending in reader.endings})


def candidates(name: str) -> list[Reader]:
    """The readers of a file's ending, in the order in which they look into the file; the last one is the rule."""
    return [reader for reader in readers() if ending_of(name) in reader.endings]


def reader_of(name: str, lines: Callable[[], Iterable[str]]) -> Reader:
    """The reader of a file whose ending is known.

    Args:
        name: Name of the file.
        lines: Gives the text of its lines from the beginning, for readers that look into it.
    """
    possible = candidates(name)
    for reader in possible[:-1]:
        if reader.sniff is not None and reader.sniff(islice(lines(), SNIFFED)):
            return reader
    return possible[-1]


def is_data(name: str) -> bool:
    """Whether a file of a folder is data: what shares its ending with other files, such as notes, is looked into."""
    possible = candidates(name)
    if len(possible) == 1:
        return True
    with Path(name).open(encoding="utf-8", errors="replace") as file:
        lines = list(islice(file, SNIFFED))
    return any(reader.sniff is not None and reader.sniff(lines) for reader in possible)


def ending_of(name: str) -> str:
    """The ending of a file's name, in small letters, with the dot."""
    return Path(name).suffix.lower()
