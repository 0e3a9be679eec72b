"""Readers: which there are, and which of them reads a file.

A reader is one file beside this one that defines `READER`, or an object that another package offers through the entry
point `afina.readers`. Everything that is said of a format (its endings, how it is recognised, what to do with a
related file that can't be read) stands in its reader; no other module names a reader.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import BinaryIO

from ..errors import ConfigError, printable
from .lines import Item, ReadOptions, head_of

GROUP = "afina.readers"
"""Entry-point group under which other packages offer readers: `name = "package.module:READER"`."""
DEFINITION = re.compile(r"^READER\b", re.MULTILINE)
ENDING = re.compile(r"\.[^./\\A-Z]+")


def never(_head: Iterable[str]) -> bool:
    """No file is recognised by its first lines."""
    return False


@dataclass(frozen=True, slots=True)
class Reader:
    """A format and how to read it.

    `read` gives every record of a file once, in order: as a row, or as a problem with its place and its bytes. Places
    begin with the path as it was given (`train.csv:17`). What spoils the whole file is a `DataError`. Memory does not
    grow with the file where the format allows it, and a package that only this format needs is imported when `read` is
    called.

    Attributes:
        name: The format in one word, as messages say it.
        endings: Endings of file names that belong to this format, in lower case: (".jsonl", ".ndjson").
        read: From the path as the user gave it, the file open at its beginning, and the options to rows and problems.
        shared_endings: Endings that other files have too, such as (".txt",); `sniff` tells them apart.
        sniff: Whether a file with a shared ending is in this format, from its first lines with their line ends.
        specificity: How special the format is: of the readers that share an ending the most specific is asked first.
            Where no reader owns the ending, the least specific one takes every file that no other recognises, and has
            to say what is wrong with it.
        named_columns: Whether records name their own columns, so that `ReadOptions.columns` is a mistake.
        binary: Whether the files are no text, so that they may begin like a compressed file or an archive.
        cures: Endings of related files that can't be read, and how to turn such a file into one that can.

    Raises:
        ConfigError: an ending is malformed, or is shared without a `sniff`.
    """

    name: str
    endings: tuple[str, ...]
    read: Callable[[str, BinaryIO, ReadOptions], Iterator[Item]]
    _: KW_ONLY
    shared_endings: tuple[str, ...] = ()
    sniff: Callable[[Iterable[str]], bool] = never
    specificity: int = 1
    named_columns: bool = False
    binary: bool = False
    cures: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for ending in (*self.endings, *self.shared_endings, *self.cures):
            if not ENDING.fullmatch(ending):
                expected = "a dot and lower-case characters, such as '.csv'"
                raise ConfigError(f"reader {self.name!r}: expected {expected}, found the ending {printable(ending)}")
        if self.shared_endings and self.sniff is never:
            raise ConfigError(f"reader {self.name!r}: shares {printable(self.shared_endings)} and needs a `sniff`")


# ---- which readers there are


@cache
def readers() -> tuple[Reader, ...]:
    """All readers: those of the files beside this one, then those of other packages, each in the order of their names.

    Raises:
        ConfigError: another package offers something that is no reader.
    """
    own = own_readers()
    return (*own, *offered_readers({reader.name for reader in own}))


def own_readers() -> list[Reader]:
    """The readers of the files beside this one."""
    # Files that define no reader are not imported: they use this one, and bring what readers do not need.
    paths = sorted(Path(__file__).parent.glob("*.py"))
    stems = [path.stem for path in paths if DEFINITION.search(path.read_text(encoding="utf-8"))]
    return [import_module(f"{__package__}.{stem}").READER for stem in stems]


def offered_readers(taken: Iterable[str]) -> list[Reader]:
    """The readers of other packages, but for those whose name is taken.

    Raises:
        ConfigError: an entry point leads to something that is no reader.
    """
    offered: list[Reader] = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        if point.name in taken:
            continue
        reader = point.load()
        if not isinstance(reader, Reader):
            kind = type(reader).__name__
            raise ConfigError(f"{GROUP}: {point.name} = {point.value}: expected a Reader of {__name__}, found {kind}")
        offered.append(reader)
    return offered


def endings() -> list[str]:
    """Endings of all files that can be read, in alphabetical order."""
    return sorted({ending for reader in readers() for ending in (*reader.endings, *reader.shared_endings)})


def cure_of(ending: str) -> str:
    """How to turn a file with an ending that can't be read into one that can; empty where no reader knows."""
    return next((reader.cures[ending] for reader in readers() if ending in reader.cures), "")


# ---- which of them reads a file


def ending_of(name: str) -> str:
    """The ending of a path in lower case, with its dot; empty where there is none."""
    return Path(name).suffix.lower()


def claimants(ending: str) -> list[Reader]:
    """The readers of an ending in the order in which they are asked; the last one takes what no other recognises."""
    sharing = [reader for reader in readers() if ending in reader.shared_endings]
    owning = [reader for reader in readers() if ending in reader.endings]
    return [*sorted(sharing, key=lambda reader: reader.specificity, reverse=True), *owning[:1]]


def reader_of(name: str, head: Callable[[], Iterable[str]]) -> Reader:
    """The reader of a file whose ending is known.

    Args:
        name: Path of the file.
        head: Gives the first lines of its text, anew at each call; called only where several readers share the ending.
    """
    *others, last = claimants(ending_of(name))
    return next((reader for reader in others if reader.sniff(head())), last)


def is_data(name: str) -> bool:
    """Whether a file of a folder, which nobody named, is data: its ending says so, or its first lines do."""
    ending = ending_of(name)
    return any(ending in reader.endings or reader.sniff(head_of(name)) for reader in claimants(ending))
