"""Readers: which there are, and which of them reads a file.

A reader is one file beside this one that defines `READER`, or an object that another package offers through the entry
point `afina.readers`. Everything that is said of a format (its endings, how it is recognised, what to do with a
related file that can't be read) stands in its reader; no other module names a reader.
"""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import ConfigError, printable
from .compression import bare
from .lines import Item, ReadOptions

LOG = logging.getLogger("afina")
GROUP = "afina.readers"
"""Entry-point group under which other packages offer readers: `name = "package.module:READER"`."""
DEFINITION = re.compile(r"^READER\b", re.MULTILINE)
ENDING = re.compile(r"\.[^./\\A-Z]+")


def never(_head: Sequence[str]) -> bool:
    """No file is recognised by its first lines."""
    return False


def no_folder(_folder: Path) -> bool:
    """No folder is recognised."""
    return False


def no_splits(_folder: str) -> Mapping[str, str]:
    """No folder holds several splits."""
    return {}


@dataclass(frozen=True, slots=True)
class Reader:
    """A format and how to read it.

    `read` gives every record of a file once, in order: as a row, or as a problem with its place and its bytes. Places
    begin with the path as it was given (`train.csv:17`). What spoils the whole file is a `DataError`; what was decided
    about it, or passed over in it, is told once by `options.note`. Memory does not grow with the file where the format
    allows it, and a package that only this format needs is imported when `read` is called.

    Attributes:
        name: The format in one word, as messages and `--format` say it.
        endings: Endings of file names that belong to this format, in lower case: (".jsonl", ".ndjson").
        read: From the path as the user gave it, the file open at its beginning, and the options to rows and problems.
        summary: What the files hold, in a few words.
        sniff: Whether a file is in this format, from its first lines with their line ends. Content decides: it is asked
            for every file whatever its ending, and must say no where it is not sure.
        specificity: How special the format is: the most specific is asked first, and among equals the one that owns the
            ending. One of 0 takes no file whose ending belongs to another, unless that can't be.
        begins: What a text file of this format begins with, if that is fixed.
        magic: First bytes that only files of this format have.
        holds: Whether a whole folder is one data set in this format, such as texts with an annotation file beside each.
        read_folder: From the path of such a folder and the options to rows and problems.
        splits: Paths of what is in such a folder by split (train, validation, test), where it holds several.
        named_columns: Whether records name their own columns, so that `ReadOptions.columns` is a mistake.
        cures: Endings of related files that can't be read, and how to turn such a file into one that can.

    Raises:
        ConfigError: an ending is malformed.
    """

    name: str
    endings: tuple[str, ...]
    read: Callable[[str, BinaryIO, ReadOptions], Iterator[Item]]
    _: KW_ONLY
    summary: str = ""
    sniff: Callable[[Sequence[str]], bool] = never
    specificity: int = 1
    begins: tuple[str, ...] = ()
    magic: tuple[bytes, ...] = ()
    holds: Callable[[Path], bool] = no_folder
    read_folder: Callable[[str, ReadOptions], Iterator[Item]] | None = None
    splits: Callable[[str], Mapping[str, str]] = no_splits
    named_columns: bool = False
    cures: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for ending in (*self.endings, *self.cures):
            if not ENDING.fullmatch(ending):
                expected = "a dot and lower-case characters, such as '.csv'"
                raise ConfigError(f"reader {self.name!r}: expected {expected}, found the ending {printable(ending)}")


# ---- which readers there are


@cache
def readers() -> tuple[Reader, ...]:
    """All readers: those of the files beside this one, then those of other packages, each in order of name."""
    own = own_readers()
    return (*own, *offered_readers(own))


def own_readers() -> list[Reader]:
    """The readers of the files beside this one."""
    # Files that define no reader are not imported: they use this one, and bring what readers do not need.
    paths = sorted(Path(__file__).parent.glob("*.py"))
    stems = [path.stem for path in paths if DEFINITION.search(path.read_text(encoding="utf-8"))]
    return [import_module(f"{__package__}.{stem}").READER for stem in stems]


def offered_readers(own: Sequence[Reader]) -> list[Reader]:
    """The readers of other packages. One that is broken or claims what is taken is named in a warning, and left out."""
    offered: list[Reader] = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            reader = point.load()
        except Exception as error:  # whatever a stranger's module raises
            fault = f"can't be imported: {type(error).__name__}: {error}"
        else:
            fault = fault_of(reader, [*own, *offered])
        if fault:
            LOG.warning("%s: %s = %s is left out: %s", GROUP, point.name, point.value, fault)
        else:
            offered.append(reader)
    return offered


def fault_of(reader: Any, known: Sequence[Reader]) -> str:
    """Why something that is offered can't be used beside the known readers; empty where it can."""
    if not isinstance(reader, Reader):
        return f"expected a Reader of {__name__}, found {type(reader).__name__}"
    if reader.name in {other.name for other in known}:
        return f"there is a reader {reader.name!r} already"
    taken = [(ending, other.name) for other in known for ending in reader.endings if ending in other.endings]
    return f"{taken[0][0]} belongs to the reader {taken[0][1]!r}; a `sniff` can take such files" if taken else ""


def find(name: str) -> Reader:
    """The reader with the given name.

    Raises:
        ConfigError: there is none; lists the existing ones.
    """
    known = {reader.name: reader for reader in readers()}
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f", did you mean {close[0]!r}?" if close else "."
        raise ConfigError(f"format: {printable(name)} is not a format{hint} There are: {', '.join(sorted(known))}")
    return known[name]


def endings() -> list[str]:
    """Endings of all files that can be read, in alphabetical order."""
    return sorted({ending for reader in readers() for ending in reader.endings})


def cure_of(ending: str) -> str:
    """How to turn a file with an ending that can't be read into one that can; empty where no reader knows."""
    return next((reader.cures[ending] for reader in readers() if ending in reader.cures), "")


# ---- which of them reads a file


def ending_of(name: str) -> str:
    """The ending of a path in lower case, with its dot, but for one that says how it is compressed; may be empty."""
    return Path(bare(name)).suffix.lower()


def owner_of(ending: str) -> Reader | None:
    """The reader to which an ending belongs."""
    return next((reader for reader in readers() if ending in reader.endings), None)


def reader_of(name: str, head: Callable[[], Sequence[str]], start: bytes = b"") -> Reader | None:
    """The reader of a file: the one that recognises its content or, where none does, the one that owns its ending.

    Args:
        name: Path of the file.
        head: Gives the first lines of its text.
        start: Its first bytes.
    """
    for reader in readers():
        if any(start.startswith(sign) for sign in reader.magic):
            return reader
    owner = owner_of(ending_of(name))
    if owner and owner.magic:  # a file that is not what its name says; its reader has to say so
        return owner
    lines = head()
    order = sorted(readers(), key=lambda reader: (-reader.specificity, reader is not owner))
    misnamed = owner is not None and owner.begins and not "".join(lines).lstrip().startswith(owner.begins)
    asked = (reader for reader in order if reader.specificity or misnamed or owner in (None, reader))
    return next((reader for reader in asked if reader.sniff(lines)), owner)


def reader_of_folder(folder: str) -> Reader | None:
    """The reader that takes a whole folder as one data set."""
    return next((reader for reader in readers() if reader.holds(Path(folder))), None)
