"""Bytes to numbered lines of text: encodings, byte-order marks, line ends, and what no text may hold.

A fault of one record is a `RecordError` until its place is known, then a `Problem`; a fault of the whole file is a
`DataError` at once. Bytes that can't be decoded spoil the record they stand in and no other.
"""

from __future__ import annotations

import codecs
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import count
from typing import Any, BinaryIO, NamedTuple, NoReturn, TextIO

from ..errors import ConfigError, DataError, Problem, printable
from ..records import Row
from .names import check_names

Item = Row | Problem
"""A record that was read, or what is wrong with it."""
CHUNK = 1 << 20
"""Bytes that are read at once."""
FIELD_LIMIT = 10_000_000
"""Characters that one field may hold."""
HEAD_BYTES = 1 << 18
"""Bytes that are looked at to recognise a format."""
BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte-order marks and their encodings, the longer first: the mark of UTF-32-LE begins with that of UTF-16-LE."""


def unheard(_note: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the caller says about the files.

    Attributes:
        columns: Column names, for files of fields that have no header.
        encoding: Encoding of text files; None leaves it to `encodings`.
        delimiter: The character between fields; None leaves it to the reader.
        quote: The character around fields that hold delimiters; None leaves it to the reader, "" for none.
        format: Name of the reader; None leaves it to the content.
        sheet: Name of the sheet of a workbook; None for the first that is a table.
        note: Is told what was decided about a file, or passed over in it: a sentence that begins with its path.

    Raises:
        ConfigError: the encoding is unknown, or delimiter or quote is not one character.
        DataError: the column names can't be told apart.
    """

    columns: Sequence[str] | None = None
    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    format: str | None = None
    sheet: str | None = None
    note: Callable[[str], None] = unheard

    def __post_init__(self) -> None:
        if self.columns is not None:
            check_names("columns", self.columns)
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n\0'):
            raise ConfigError(f"delimiter: one character is expected, found {printable(self.delimiter)}")
        if self.quote is not None and (len(self.quote) > 1 or self.quote in "\r\n\0\t" * bool(self.quote)):
            raise ConfigError(f"quote: one character is expected, found {printable(self.quote)}")
        try:
            "\n".encode(self.encoding or "utf-8")
        except (LookupError, ValueError):
            known = "utf-8, cp1252, latin-1, utf-16 and all others that Python knows"
            raise ConfigError(f"encoding: {printable(self.encoding)} is unknown; known are {known}") from None


class RecordError(Exception):
    """What is wrong with one record, before its place is known."""

    def __init__(self, code: str, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.fix = code, message, fix

    def at(self, place: str, raw: bytes = b"") -> Problem:
        """The same fault with the place and the bytes of its record."""
        return Problem(place, self.message, self.fix, self.code, raw)


class Line(NamedTuple):
    """A physical line with its line end.

    Attributes:
        number: Its number in the file, from 1.
        raw: Its bytes.
        text: Its text, with replacement characters for bytes that can't be decoded.
        fault: What makes it unreadable, or None.
    """

    number: int
    raw: bytes
    text: str
    fault: RecordError | None


class Record(NamedTuple):
    """One or more lines that belong together, as fields.

    Attributes:
        lines: Its lines, one or more.
        fields: Its fields as text; empty where the lines can't be divided.
        fault: What makes it unreadable, or None.
    """

    lines: list[Line]
    fields: list[str]
    fault: RecordError | None = None

    @property
    def number(self) -> int:
        """Number of its first line."""
        return self.lines[0].number

    @property
    def raw(self) -> bytes:
        """Its bytes in the file."""
        return raw_of(self.lines)


def raw_of(lines: Iterable[Line]) -> bytes:
    """The bytes of lines that belong together."""
    return b"".join(line.raw for line in lines)


def fail(place: str, code: str, message: str, *, fix: str = "") -> NoReturn:
    """Give up a whole file.

    Raises:
        DataError: always.
    """
    raise DataError(Problem(place, message, fix, code))


# ---- files to lines


def lines_of(name: str, file: BinaryIO, codec: str, *, any_end: bool = False) -> Iterator[Line]:
    """The lines of a file, in flat memory.

    Args:
        name: Path of the file as the user gave it; it stands in front of places.
        file: The file behind its byte-order mark, where `codec_of` leaves it. It is left anywhere.
        codec: What `codec_of` says.
        any_end: Whether a lone CR always ends a line; otherwise it does only in a file without any LF.

    Raises:
        DataError: UTF-16 or UTF-32 is malformed, when the stream comes to it.
    """
    if "\n".encode(codec) != b"\n":
        return wide_lines(name, file, codec, any_end=any_end)
    raws = split_lines(file) if any_end or not has_newline(file) else file
    return (line_of(number, raw, codec) for number, raw in enumerate(raws, 1))


def head_of(name: str, file: BinaryIO, encoding: str | None) -> list[str]:
    """The first lines of an open file as text with their line ends; a line that the head cuts is left out.

    Bytes that can't be decoded become replacement characters.

    Raises:
        DataError: the byte-order mark is that of another encoding.
    """
    file.seek(0)
    codec = codec_of(name, file, encoding)
    raw = file.read(HEAD_BYTES)
    lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", raw.decode(codec, "replace"))
    return lines[:-1] if len(lines) > 1 and file.read(1) else lines


def codec_of(name: str, file: BinaryIO, encoding: str | None) -> str:
    """The exact name of the encoding, by the byte-order mark or else UTF-8 where none is given.

    The file is left behind its byte-order mark.

    Raises:
        DataError: the byte-order mark is that of another encoding.
    """
    head = file.read(4)
    bom, marked = next(((bom, marked) for bom, marked in BOMS if head.startswith(bom)), (b"", ""))
    wanted = codecs.lookup(encoding).name.removesuffix("-sig") if encoding else marked or "utf-8"
    marked = marked or wanted
    if not marked.startswith(wanted):
        family = re.sub("-[bl]e$", "", marked)
        message = f"the file begins with the byte-order mark of {marked.upper()}, but is read as {wanted}"
        fail(f"{name}:1", "encoding", message, fix=f"--encoding {family}")
    file.seek(len(bom))
    # Without a mark the byte order has to be settled: encoding a line again must not write a mark.
    return f"{marked}-{sys.byteorder[0]}e" if marked in {"utf-16", "utf-32"} else marked


def has_newline(file: BinaryIO) -> bool:
    """Whether there is an LF in the rest of a file, which is left where it was."""
    start = file.tell()
    newline = any(b"\n" in chunk for chunk in iter(lambda: file.read(CHUNK), b""))
    file.seek(start)
    return newline


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
    """The bytes of a line as a line with its text."""
    try:
        text, fault = raw.decode(codec), None
    except UnicodeDecodeError as error:
        # Quotes and delimiters survive the replacement, so the lines around this one are still read rightly.
        text, fault = raw.decode(codec, "replace"), undecodable(number, error, codec)
    return Line(number, raw, text, fault or nul_in(number, text))


def wide_lines(name: str, file: BinaryIO, codec: str, *, any_end: bool) -> Iterator[Line]:
    """Lines of an encoding in which a line end is not the one byte LF: UTF-16, UTF-32, EBCDIC.

    Raises:
        DataError: the file holds bytes that can't be decoded; what lies behind them can't be divided into lines.
    """
    # With surrogatepass half a pair spoils its own line only, and every line has its bytes back when encoded.
    text = TextIOWrapper(file, encoding=codec, errors="surrogatepass", newline="" if any_end else "\n")
    try:
        for number in count(1):
            line = next_text(name, number, text)
            if not line:
                return
            yield Line(number, line.encode(codec, "surrogatepass"), line, surrogate_in(line) or nul_in(number, line))
    finally:
        with suppress(ValueError):  # the file was closed by a reader that gave it up
            text.detach()  # or the file would be closed with it


def next_text(name: str, number: int, file: TextIO) -> str:
    """The next line of a file that is decoded as it is read; empty at the end."""
    try:
        return file.readline()
    except UnicodeDecodeError as error:
        fail(f"{name}:{number}", "not-decodable", f"here or soon after, bytes that are not {error.encoding}")


# ---- what no text may hold


def undecodable(number: int, error: UnicodeDecodeError, codec: str) -> RecordError:
    """A byte that is none of the encoding."""
    byte, column = error.object[error.start], error.start + 1
    message = f"line {number}, column {column} (in bytes): the byte 0x{byte:02X} is not {codec}"
    fix = "correct or leave out the record, or name the file's encoding with --encoding"
    return RecordError("not-utf8" if codec == "utf-8" else "not-decodable", message, fix)


def nul_in(number: int, text: str) -> RecordError | None:
    """A NUL character in a line, if there is one."""
    if "\0" not in text:
        return None
    fix = "remove it; if the file is UTF-16, --encoding utf-16"
    return RecordError("nul", f"line {number}, column {text.index(chr(0)) + 1}: a NUL character", fix)


def surrogate_in(text: str) -> RecordError | None:
    """Half a surrogate pair in a text, if there is one: it could be written nowhere."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(text[error.start]):04x}"
        message = f"found {half}, half of a surrogate pair, which is no character"
        return RecordError("lone-surrogate", message, "write the whole pair, or remove it")
    return None


def too_long(values: Iterable[Any], total: int) -> RecordError | None:
    """A field that holds more than `FIELD_LIMIT` characters, if there is one.

    Args:
        values: The fields of a record; only texts are measured.
        total: Characters of the whole record, which may spare looking at each field.
    """
    if total > FIELD_LIMIT and any(isinstance(value, str) and len(value) > FIELD_LIMIT for value in values):
        return long_field()
    return None


def long_field() -> RecordError:
    """A field that holds more than `FIELD_LIMIT` characters."""
    return RecordError("too-long", f"a field holds more than {FIELD_LIMIT:,} characters", "cut it into several rows")
