"""Bytes to numbered lines of text, in any encoding; what is wrong with a line spoils that line alone."""

from __future__ import annotations

import codecs
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, NoReturn, TextIO

from ..errors import ConfigError, DataError, Problem, printable
from ..records import Row
from .names import check_names

Item = Row | Problem
"""A record that was read, or what is wrong with it."""
FIELD_LIMIT = 10_000_000
"""Characters that one field may hold."""
CHUNK = 1 << 20  # bytes
BOMS = (  # the longer marks first: that of UTF-32-LE begins with that of UTF-16-LE
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class RecordError(Exception):
    """What is wrong with one record, before its place is known."""

    def __init__(self, code: str, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.fix = code, message, fix

    def at(self, place: str, raw: bytes = b"") -> Problem:
        return Problem(place, self.message, self.fix, self.code, raw)


class Line(NamedTuple):
    """A physical line with its line end; `text` holds replacement characters where `fault` says so."""

    number: int
    raw: bytes
    text: str
    fault: RecordError | None


class Record(NamedTuple):
    """One or more lines that belong together, as fields."""

    lines: list[Line]
    fields: list[str]
    fault: RecordError | None = None

    @property
    def raw(self) -> bytes:
        return b"".join(line.raw for line in self.lines)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the caller says about the files."""

    columns: Sequence[str] | None
    encoding: str
    delimiter: str | None

    def __post_init__(self) -> None:
        if self.columns is not None:
            check_names("columns", self.columns)
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n\0'):
            raise ConfigError(f"delimiter: one character is expected, found {printable(self.delimiter)}")
        try:
            "\n".encode(self.encoding)
        except (LookupError, ValueError):
            known = "utf-8, cp1252, latin-1, utf-16 and all others that Python knows"
            raise ConfigError(f"encoding: {printable(self.encoding)} is unknown; known are {known}") from None


def fail(place: str, code: str, message: str, fix: str = "") -> NoReturn:
    raise DataError(Problem(place, message, fix, code))


def codec_of(name: str, file: BinaryIO, encoding: str) -> str:
    """The exact name of the encoding; the file is left behind its byte-order mark."""
    wanted = codecs.lookup(encoding).name.removesuffix("-sig")
    head = file.read(4)
    mark, found = next(((mark, found) for mark, found in BOMS if head.startswith(mark)), (b"", wanted))
    if not found.startswith(wanted):
        family = re.sub("-[bl]e$", "", found)
        message = f"the file begins with the byte-order mark of {found.upper()}, but is read as {wanted}"
        fail(f"{name}:1", "encoding", message, f"--encoding {family}")
    file.seek(len(mark))
    # Without a mark the byte order has to be settled: encoding a line again must not write a mark.
    return f"{found}-{sys.byteorder[0]}e" if found in {"utf-16", "utf-32"} else found


def lines_of(name: str, file: BinaryIO, codec: str, *, any_end: bool = False) -> Iterator[Line]:
    """Physical lines. A lone CR ends a line if `any_end` is set or if the file has no LF."""
    if "\n".encode(codec) != b"\n":
        return wide_lines(name, codec, any_end)
    raws = split_lines(file) if any_end or not has_newline(file) else file
    return (line_of(number, raw, codec) for number, raw in enumerate(raws, 1))


def has_newline(file: BinaryIO) -> bool:
    start = file.tell()
    found = any(b"\n" in chunk for chunk in iter(lambda: file.read(CHUNK), b""))
    file.seek(start)
    return found


def split_lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines that end at LF, CRLF or CR, as bytes.splitlines has it (str.splitlines would cut at U+2028 and more)."""
    rest = b""
    while chunk := file.read(CHUNK):
        pieces = (rest + chunk).splitlines(keepends=True)
        # A piece that ends in CR waits: the LF may be the first byte of the next chunk.
        rest = b"" if pieces[-1].endswith(b"\n") else pieces.pop()
        yield from pieces
    if rest:
        yield rest


def line_of(number: int, raw: bytes, codec: str) -> Line:
    try:
        text, fault = raw.decode(codec), None
    except UnicodeDecodeError as error:
        # Quotes and delimiters survive the replacement, so the lines around this one are still read rightly.
        text, fault = raw.decode(codec, "replace"), undecodable(number, error, codec)
    return Line(number, raw, text, fault or nul_in(number, text))


def undecodable(number: int, error: UnicodeDecodeError, codec: str) -> RecordError:
    byte, column = error.object[error.start], error.start + 1
    message = f"line {number}, column {column} (in bytes): the byte 0x{byte:02X} is not {codec}"
    likely = "cp1252" if codec == "utf-8" else "utf-8"
    fix = f"most likely the file is {likely}: --encoding {likely}, or convert the file to utf-8"
    return RecordError("not-utf8" if codec == "utf-8" else "not-decodable", message, fix)


def nul_in(number: int, text: str) -> RecordError | None:
    if "\0" not in text:
        return None
    fix = "remove it; if the file is UTF-16, --encoding utf-16"
    return RecordError("nul", f"line {number}, column {text.index(chr(0)) + 1}: a NUL character", fix)


def wide_lines(name: str, codec: str, any_end: bool) -> Iterator[Line]:
    """Lines of an encoding in which a line end is not the one byte LF: UTF-16, UTF-32, EBCDIC."""
    # With surrogatepass half a pair spoils its own line only, and every line has its bytes back when encoded.
    with Path(name).open(encoding=codec, errors="surrogatepass", newline="" if any_end else "\n") as file:
        for number in count(1):
            text = next_text(name, number, file)
            if not text:
                return
            text = text.removeprefix("\ufeff") if number == 1 else text
            yield Line(number, text.encode(codec, "surrogatepass"), text, surrogate_in(text) or nul_in(number, text))


def next_text(name: str, number: int, file: TextIO) -> str:
    try:
        return file.readline()
    except UnicodeDecodeError as error:
        fail(f"{name}:{number}", "not-decodable", f"here or soon after, bytes that are not {error.encoding}")


def surrogate_in(text: str) -> RecordError | None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(text[error.start]):04x}"
        message = f"found {half}, half of a surrogate pair, which is no character"
        return RecordError("lone-surrogate", message, "write the whole pair, or remove it")
    return None


def too_long(values: Iterable[Any], total: int) -> RecordError | None:
    if total > FIELD_LIMIT and any(isinstance(value, str) and len(value) > FIELD_LIMIT for value in values):
        return RecordError(
            "too-long", f"a field holds more than {FIELD_LIMIT:,} characters", "cut it into several rows"
        )
    return None
