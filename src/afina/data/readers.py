"""Files and data in memory as rows that know their place. Nothing is lost: each record is a `Row` or a `Problem`.

    path -> files -> lines (numbered bytes and text) -> records -> Row | Problem
    list, columns, frame, table -> mappings -> Row | Problem

A fault of one record is a `Problem` in the stream; a fault of the whole file (no such file, a header with twins, the
wrong encoding) is a `DataError`. Text stays text: `NA`, `null` and `007` are strings like all others.
"""

from __future__ import annotations

import codecs
import csv
import difflib
import glob
import json
import math
import os
import re
import stat
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, NoReturn, TextIO

from ..errors import ConfigError, DataError, Problem, printable
from ..records import Row
from .conll import SNIFFED, looks_like_columns, read_columns, read_conllu
from .exports import read_export, row_of
from .squad import articles_of, read_squad

Item = Row | Problem

ENDINGS = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".conll", ".iob", ".bio", ".conllu", ".json")
"""Endings of the files that can be read; `.txt` is tab separated, or holds sentences in CoNLL columns;
`.json` is SQuAD's form, an array of records, or the export of an annotation tool."""
FIELD_LIMIT = 10_000_000
"""Characters that one field may hold."""
DEPTH_LIMIT = 100
"""Arrays and objects that may stand inside one another in a jsonl line, the line's own object included."""

CURES = {
    ".spacy": "write each document of DocBin().from_disk(FILE).get_docs(nlp.vocab) as a line of a .jsonl file: "
    "json.dumps(doc.to_json())"
}
"""Ways from an ending that can't be read to one that can."""
JSON_ENDINGS = (".jsonl", ".ndjson")
COLUMN_ENDINGS = (".conll", ".iob", ".bio")
DELIMITERS = (";", "\t", "|", ",")
CHUNK = 1 << 20  # bytes
PEEK = 5  # records that are looked at for a wrong delimiter
BLANKS = " \t\r\n"  # what JSON calls white space
MAGIC = {
    b"\x1f\x8b": ("gzip", "the file is compressed with gzip", "unpack it first, for example with gunzip"),
    b"PK\x03\x04": (
        "zip",
        "the file is a zip archive, as Excel's workbooks are",
        "unpack it, or save it as csv (UTF-8)",
    ),
}
"""What the first bytes of a file say about it, whatever its name: code, message and cure."""
BOMS = (  # the longer marks first: that of UTF-32-LE begins with that of UTF-16-LE
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


# ---- the public functions


def read(
    source: Any,
    *,
    columns: Sequence[str] | None = None,
    encoding: str = "utf-8",
    delimiter: str | None = None,
    name: str = "",
) -> Iterator[Item]:
    """Read data as a stream in which every record comes out once, as a `Row` or as a `Problem`.

    Args:
        source: A csv, tsv, txt (tab separated), jsonl or ndjson file, a folder of them, or a pattern such as
            `data/*.csv`; or a list of dicts, a dict of columns, a pandas or polars frame, an Arrow table, a Hugging
            Face data set.
        columns: Column names, for csv and tsv files that have no header.
        encoding: Of the files. A UTF-8 byte-order mark is left out.
        delimiter: One character; a comma for csv and a tab for tsv when left out. Quotes have a meaning in csv files
            and wherever the delimiter is not a tab. Other formats pay no heed to it.
        name: For data in memory, the word in front of a place: `train` gives `train row 17`.

    Returns:
        Rows and problems in the order of the data. Files are read as they are asked for, in flat memory.

    Raises:
        DataError: a source can't be read at all. At once for paths, otherwise when the stream comes to it.
        ConfigError: `columns`, `encoding` or `delimiter` make no sense.
    """
    layout = ReadOptions(columns, encoding, delimiter)
    if isinstance(source, str | os.PathLike):
        return _read_files(_files(os.fspath(source)), layout)
    if columns is not None:
        raise ConfigError("columns: names the columns of a file without a header; data in memory has its own names")
    return _read_memory(_mappings(source), name)


def rows(
    source: Any,
    *,
    columns: Sequence[str] | None = None,
    encoding: str = "utf-8",
    delimiter: str | None = None,
    name: str = "",
) -> list[Row]:
    """Read all rows; the arguments are those of `read`.

    Raises:
        DataError: with every problem of the data.
        ConfigError: an argument makes no sense.
    """
    found: list[Row] = []
    problems: list[Problem] = []
    try:
        for item in read(source, columns=columns, encoding=encoding, delimiter=delimiter, name=name):
            if isinstance(item, Row):
                found.append(item)
            else:
                problems.append(item)
    except DataError as error:
        problems.extend(error.problems)
    if problems:
        raise DataError(problems)
    return found


def columns_of(rows: Sequence[Row]) -> list[str]:
    """All column names, in the order in which they first appear."""
    return list(dict.fromkeys(name for row in rows for name in row.values))


# ---- small nouns


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
            _check_names("columns", self.columns)
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n\0'):
            raise ConfigError(f"delimiter: one character is expected, found {printable(self.delimiter)}")
        try:
            "\n".encode(self.encoding)
        except (LookupError, ValueError):
            known = "utf-8, cp1252, latin-1, utf-16 and all others that Python knows"
            raise ConfigError(f"encoding: {printable(self.encoding)} is unknown; known are {known}") from None


def _fail(place: str, code: str, message: str, fix: str = "") -> NoReturn:
    raise DataError(Problem(place, message, fix, code))


# ---- which files


def _files(source: str) -> list[str]:
    """Names of the files that a path, folder or pattern stands for; each one can be opened."""
    try:
        mode = Path(source).stat().st_mode
    except (OSError, ValueError) as error:
        if any(sign in source for sign in "*?["):
            return _matches(source)
        _missing(source, error)
    if stat.S_ISDIR(mode):
        return _in_folder(source)
    _check_file(source)
    return [source]


def _matches(pattern: str) -> list[str]:
    names = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 (pathlib would rewrite the path as given)
    if not names:
        _fail(pattern, "no-file", "no file matches this pattern")
    for name in names:
        _check_file(name)
    return names


def _in_folder(folder: str) -> list[str]:
    try:
        inside = sorted(path.name for path in Path(folder).iterdir() if not path.name.startswith("."))
    except OSError as error:
        _missing(folder, error)
    names = [f"{folder.rstrip('/')}/{name}" for name in inside]
    names = [name for name in names if _ending(name) in ENDINGS and not Path(name).is_dir()]
    for name in names:
        _check_file(name)
    names = [name for name in names if _ending(name) != ".txt" or _has_tab(name) or _is_columns(name)]
    if not names:
        found = printable(", ".join(inside)) if inside else "nothing"
        _fail(folder, "no-file", f"the folder holds no file that ends in {', '.join(ENDINGS)}; found {found}")
    return names


def _check_file(name: str) -> None:
    """Refuse what can't be read before anything is opened that might block."""
    try:
        mode = Path(name).stat().st_mode
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "a pipe, device or other special file"
            _fail(name, "not-a-file", f"is {what}; a regular file is expected")
        with Path(name).open("rb") as file:
            head = file.read(4)
    except OSError as error:
        _missing(name, error)
    for magic, fault in MAGIC.items():
        if head.startswith(magic):
            _fail(name, *fault)
    if _ending(name) not in ENDINGS:
        found = _ending(name) or "no ending"
        message = f"can't tell the format: found {found}, expected one of {', '.join(ENDINGS)}"
        _fail(name, "unknown-ending", message, CURES.get(found, ""))


def _missing(name: str, error: OSError | ValueError) -> NoReturn:
    if not isinstance(error, FileNotFoundError):
        _fail(name, "unreadable", f"can't be read: {getattr(error, 'strerror', None) or error}")
    folder = Path(name).parent
    if not folder.is_dir():
        _fail(name, "no-file", f"there is no such file, and no folder {printable(str(folder))}")
    close = difflib.get_close_matches(Path(name).name, [path.name for path in folder.iterdir()], n=1)
    _fail(name, "no-file", "there is no such file", f"did you mean {printable(close[0])}?" if close else "")


def _ending(name: str) -> str:
    return Path(name).suffix.lower()


def _is_columns(name: str) -> bool:
    """Whether a .txt file in a folder holds sentences in columns; in whatever encoding, blanks are blanks."""
    with Path(name).open(encoding="utf-8", errors="replace") as file:
        return looks_like_columns(islice(file, SNIFFED))


def _has_tab(name: str) -> bool:
    with Path(name).open("rb") as file:
        return b"\t" in file.readline(CHUNK)


# ---- a file as rows


def _read_files(names: list[str], layout: ReadOptions) -> Iterator[Item]:
    for name in names:
        yield from _read_file(name, layout)


def _read_file(name: str, layout: ReadOptions) -> Iterator[Item]:
    if _ending(name) in (*JSON_ENDINGS, ".json") and layout.columns is not None:
        kind = "json" if _ending(name) == ".json" else "jsonl"
        raise ConfigError(f"columns: names the columns of a csv or tsv file without a header; {name} is {kind}")
    with Path(name).open("rb") as file:
        before, found = os.fstat(file.fileno()), False
        for item in _items(name, file, layout):
            found = True
            yield item
        after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        _fail(name, "changed", "the file was changed while it was read", "start again when nothing writes to it")
    if not found:
        _fail(name, "no-rows", "no rows: the file " + ("holds none" if after.st_size else "is empty"))


def _items(name: str, file: BinaryIO, layout: ReadOptions) -> Iterator[Item]:
    codec = _codec(name, file, layout.encoding)
    if _ending(name) in JSON_ENDINGS:
        yield from _read_objects(name, _lines(name, file, codec))
    elif _ending(name) == ".json":
        yield from _read_tree(name, _lines(name, file, codec))
    elif _ending(name) == ".conllu":
        yield from read_conllu(name, _lines(name, file, codec))
    elif _ending(name) in COLUMN_ENDINGS or (_ending(name) == ".txt" and _has_columns(name, file, codec)):
        yield from read_columns(name, _lines(name, file, codec))
    else:
        yield from _read_table(name, file, codec, layout)


def _has_columns(name: str, file: BinaryIO, codec: str) -> bool:
    start = file.tell()
    found = looks_like_columns(line.text for line in islice(_lines(name, file, codec), SNIFFED))
    file.seek(start)
    return found


def _read_table(name: str, file: BinaryIO, codec: str, layout: ReadOptions) -> Iterator[Item]:
    _check_txt(name, layout)
    is_csv = _ending(name) == ".csv"
    delimiter = layout.delimiter or ("," if is_csv else "\t")
    signs = [] if layout.delimiter else [sign for sign in DELIMITERS if sign != delimiter]
    if is_csv or delimiter != "\t":
        records = _quoted_records(_lines(name, file, codec, any_end=True), delimiter)
    else:
        records = _plain_records(_lines(name, file, codec), delimiter)
    names = layout.columns or _header(name, records, signs)
    first = list(islice(records, PEEK))
    _check_start(name, names, first, given=bool(layout.columns))
    if len(names) > 1:
        _check_delimiter(f"{name}:{first[0].lines[0].number}", first, len(names), signs)
    for record in chain(first, records):
        yield _item(name, record, names, delimiter)


def _check_txt(name: str, layout: ReadOptions) -> None:
    if _ending(name) == ".txt" and not (layout.columns or layout.delimiter or _has_tab(name)):
        message = "a .txt file is read as tab separated; found no tab in its first line"
        _fail(name, "unknown-format", message, "give its --delimiter, or its column names if it has no header")


def _item(name: str, record: Record, names: Sequence[str], delimiter: str) -> Item:
    place = f"{name}:{record.lines[0].number}"
    fault = record.fault
    if fault is None and len(record.fields) != len(names):
        fault = _ragged(len(record.fields), len(names), delimiter)
    if fault is not None:
        return fault.at(place, record.raw)
    return Row(dict(zip(names, record.fields, strict=True)), place, record.raw)


def _ragged(found: int, expected: int, delimiter: str) -> RecordError:
    sign = "tab" if delimiter == "\t" else printable(delimiter)
    message = f"found {found} {'field' if found == 1 else 'fields'}, expected {expected}"
    if found < expected:
        fix = f"is a {sign} missing, or is there a line break inside a text?"
    elif delimiter == "\t":
        fix = "is there a tab inside a text? Replace it by a blank"
    else:
        fix = f"is there an unquoted {sign} inside a text? Put that field into double quotes"
    return RecordError("ragged-row", message, fix)


# ---- header


def _header(name: str, records: Iterator[Record], signs: list[str]) -> list[str]:
    record = next(records, None)
    if record is None:
        _fail(name, "no-rows", "no rows: the file is empty")
    place = f"{name}:{record.lines[0].number}"
    if record.fault:
        raise DataError(record.fault.at(place, record.raw))
    if len(record.fields) == 1:
        _refuse_delimiter(place, [sign for sign in signs if sign in record.fields[0]])
    _check_names(place, record.fields)
    return record.fields


def _check_names(place: str, names: Sequence[Any]) -> None:
    """Refuse names that are no text, empty, equal, or too alike to be told apart."""
    problems = [
        Problem(place, f"column {number} has no name", "name it or remove it (pandas: index=False)", "empty-name")
        for number, name in enumerate(names, 1)
        if isinstance(name, str) and not name.strip()
    ]
    problems += [
        Problem(place, f"a column name must be text, found {printable(name)}", code="bad-name")
        for name in names
        if not isinstance(name, str)
    ]
    problems += [
        Problem(place, f"the columns {_quoted(same)} {_likeness(same)}", "rename or remove all but one", "twin-names")
        for same in _twins([name for name in names if isinstance(name, str) and name.strip()])
    ]
    if problems:
        raise DataError(problems)


def _twins(names: list[str]) -> list[list[str]]:
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(name.strip().casefold(), []).append(name)
    return [same for same in alike.values() if len(same) > 1]


def _likeness(same: list[str]) -> str:
    return "have the same name" if len(set(same)) == 1 else "differ only by case or by blanks around the name"


def _quoted(names: Iterable[str]) -> str:
    return " and ".join(printable(name) for name in names)


def _check_start(name: str, names: Sequence[str], first: list[Record], *, given: bool) -> None:
    if not first:
        _fail(name, "no-rows", "no rows: " + ("the file is empty" if given else "there is only a header"))
    if given and first[0].fields == list(names):
        place = f"{name}:{first[0].lines[0].number}"
        _fail(place, "header", "the first line holds the column names", "leave out columns: the file has a header")


def _check_delimiter(place: str, first: list[Record], columns: int, signs: list[str]) -> None:
    """Refuse a file whose first records all have one field, and all the right number with another delimiter."""
    if len(first) > 1 and all(len(record.fields) == 1 for record in first):
        texts = [record.fields[0] for record in first]
        _refuse_delimiter(place, [sign for sign in signs if all(text.count(sign) == columns - 1 for text in texts)])


def _refuse_delimiter(place: str, signs: list[str]) -> None:
    if signs:
        sign, option = ("a tab", "$'\\t'") if signs[0] == "\t" else (repr(signs[0]), repr(signs[0]))
        _fail(
            place, "wrong-delimiter", f"found one column; the file looks separated by {sign}", f"--delimiter {option}"
        )


# ---- bytes to lines


def _codec(name: str, file: BinaryIO, encoding: str) -> str:
    """The exact name of the encoding; the file is left behind its byte-order mark."""
    wanted = codecs.lookup(encoding).name.removesuffix("-sig")
    head = file.read(4)
    mark, found = next(((mark, found) for mark, found in BOMS if head.startswith(mark)), (b"", wanted))
    if not found.startswith(wanted):
        family = re.sub("-[bl]e$", "", found)
        message = f"the file begins with the byte-order mark of {found.upper()}, but is read as {wanted}"
        _fail(f"{name}:1", "encoding", message, f"--encoding {family}")
    file.seek(len(mark))
    # Without a mark the byte order has to be settled: encoding a line again must not write a mark.
    return f"{found}-{sys.byteorder[0]}e" if found in {"utf-16", "utf-32"} else found


def _lines(name: str, file: BinaryIO, codec: str, *, any_end: bool = False) -> Iterator[Line]:
    """Physical lines. A lone CR ends a line if `any_end` is set or if the file has no LF."""
    if "\n".encode(codec) != b"\n":
        return _wide_lines(name, codec, any_end)
    raws = _split(file) if any_end or not _has_newline(file) else file
    return (_line(number, raw, codec) for number, raw in enumerate(raws, 1))


def _has_newline(file: BinaryIO) -> bool:
    start = file.tell()
    found = any(b"\n" in chunk for chunk in iter(lambda: file.read(CHUNK), b""))
    file.seek(start)
    return found


def _split(file: BinaryIO) -> Iterator[bytes]:
    """Lines that end at LF, CRLF or CR, as bytes.splitlines has it (str.splitlines would cut at U+2028 and more)."""
    rest = b""
    while chunk := file.read(CHUNK):
        pieces = (rest + chunk).splitlines(keepends=True)
        # A piece that ends in CR waits: the LF may be the first byte of the next chunk.
        rest = b"" if pieces[-1].endswith(b"\n") else pieces.pop()
        yield from pieces
    if rest:
        yield rest


def _line(number: int, raw: bytes, codec: str) -> Line:
    try:
        text, fault = raw.decode(codec), None
    except UnicodeDecodeError as error:
        # Quotes and delimiters survive the replacement, so the lines around this one are still read rightly.
        text, fault = raw.decode(codec, "replace"), _undecodable(number, error, codec)
    return Line(number, raw, text, fault or _nul(number, text))


def _undecodable(number: int, error: UnicodeDecodeError, codec: str) -> RecordError:
    byte, column = error.object[error.start], error.start + 1
    message = f"line {number}, column {column} (in bytes): the byte 0x{byte:02X} is not {codec}"
    likely = "cp1252" if codec == "utf-8" else "utf-8"
    fix = f"most likely the file is {likely}: --encoding {likely}, or convert the file to utf-8"
    return RecordError("not-utf8" if codec == "utf-8" else "not-decodable", message, fix)


def _nul(number: int, text: str) -> RecordError | None:
    if "\0" not in text:
        return None
    fix = "remove it; if the file is UTF-16, --encoding utf-16"
    return RecordError("nul", f"line {number}, column {text.index(chr(0)) + 1}: a NUL character", fix)


def _wide_lines(name: str, codec: str, any_end: bool) -> Iterator[Line]:
    """Lines of an encoding in which a line end is not the one byte LF: UTF-16, UTF-32, EBCDIC."""
    # With surrogatepass half a pair spoils its own line only, and every line has its bytes back when encoded.
    with Path(name).open(encoding=codec, errors="surrogatepass", newline="" if any_end else "\n") as file:
        for number in count(1):
            text = _next_text(name, number, file)
            if not text:
                return
            text = text.removeprefix("\ufeff") if number == 1 else text
            yield Line(number, text.encode(codec, "surrogatepass"), text, _surrogate(text) or _nul(number, text))


def _next_text(name: str, number: int, file: TextIO) -> str:
    try:
        return file.readline()
    except UnicodeDecodeError as error:
        _fail(f"{name}:{number}", "not-decodable", f"here or soon after, bytes that are not {error.encoding}")


def _surrogate(text: str) -> RecordError | None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(text[error.start]):04x}"
        message = f"found {half}, half of a surrogate pair, which is no character"
        return RecordError("lone-surrogate", message, "write the whole pair, or remove it")
    return None


# ---- lines to records


def _plain_records(lines: Iterator[Line], delimiter: str) -> Iterator[Record]:
    """One line, one record; a quote is a character like all others."""
    for line in lines:
        text = line.text.removesuffix("\n").removesuffix("\r")
        if text:
            fields = text.split(delimiter)
            yield Record([line], fields, line.fault or _too_long(fields, len(text)))


def _too_long(values: Iterable[Any], total: int) -> RecordError | None:
    if total > FIELD_LIMIT and any(isinstance(value, str) and len(value) > FIELD_LIMIT for value in values):
        return RecordError(
            "too-long", f"a field holds more than {FIELD_LIMIT:,} characters", "cut it into several rows"
        )
    return None


class LineRecorder:
    """The text of lines, for csv.reader; remembers the lines that were taken since the last cut."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self.lines = lines
        self.taken: list[Line] = []

    def __iter__(self) -> LineRecorder:
        return self

    def __next__(self) -> str:
        line = next(self.lines)
        self.taken.append(line)
        return line.text

    def cut(self) -> list[Line]:
        taken, self.taken = self.taken, []
        return taken


def _quoted_records(lines: Iterator[Line], delimiter: str) -> Iterator[Record]:
    """Records of one or more lines, by the rules of csv; after a fault the next line begins a new record."""
    tape = LineRecorder(lines)
    reader = csv.reader(tape, delimiter=delimiter, strict=True)
    while True:
        try:
            fields = _next_fields(reader)
        except StopIteration:
            return
        except csv.Error as error:
            fault = _quote_fault(error, tape, delimiter)
            yield Record(tape.cut(), [], fault)
            continue
        taken = tape.cut()
        if fields:
            yield Record(taken, fields, next((line.fault for line in taken if line.fault), None))


_limit_lock = threading.Lock()


def _next_fields(reader: Iterator[list[str]]) -> list[str]:
    """The next record. Python's limit for a field belongs to the whole process: raised for this moment only."""
    with _limit_lock:
        before = csv.field_size_limit(FIELD_LIMIT)
        try:
            return next(reader)
        finally:
            csv.field_size_limit(before)


def _quote_fault(error: csv.Error, tape: LineRecorder, delimiter: str) -> RecordError:
    too_long = "field limit" in str(error)
    open_quote = _run_to_the_quote(tape) if too_long else "end of data" in str(error)
    if open_quote:
        fix = "put a quote at the end of the field, or double the quote or remove it if it is text"
        return RecordError(
            "open-quote", f"the quote opened here swallows the rest of the file ({_lines_of(tape)})", fix
        )
    if too_long:
        return RecordError(
            "too-long", f"a field holds more than {FIELD_LIMIT:,} characters", "cut it into several rows"
        )
    message = (
        f"line {tape.taken[-1].number}: after a closing quote a {printable(delimiter)} or the line's end is expected"
    )
    return RecordError("bad-quote", message, 'double every quote that is part of a quoted text: ""')


def _lines_of(tape: LineRecorder) -> str:
    return "1 line" if len(tape.taken) == 1 else f"{len(tape.taken):,} lines"


def _run_to_the_quote(tape: LineRecorder) -> bool:
    """Take the remaining lines of a quoted field that is too long; True when its end never comes."""
    quotes = sum(line.text.count('"') for line in tape.taken)
    while quotes % 2:
        try:
            quotes += next(tape).count('"')
        except StopIteration:
            return True
    return False


# ---- jsonl


def _read_objects(name: str, lines: Iterator[Line]) -> Iterator[Item]:
    filled = (line for line in lines if line.text.strip(BLANKS))
    first = next(filled, None)
    if first is None:
        _fail(name, "no-rows", "no rows: the file is empty")
    _check_array(f"{name}:{first.number}", first.text)
    for line in chain([first], filled):
        place = f"{name}:{line.number}"
        try:
            yield row_of(_object(line), place, line.raw)
        except RecordError as fault:
            yield fault.at(place, line.raw)


def _object(line: Line) -> dict[str, Any]:
    if line.fault:
        raise line.fault
    text = line.text.rstrip(BLANKS)
    value = _parse(text)
    if not isinstance(value, dict):
        raise RecordError(
            "not-an-object", f"a JSON object is expected, found {_json_word(value)}", 'write {"column": value}'
        )
    fault = _too_deep(text, value) or _too_long(value.values(), len(text)) or _halves(text, value)
    if fault:
        raise fault
    return value


def _parse(text: str) -> Any:
    try:
        return _decoder.decode(text)
    except json.JSONDecodeError as error:
        raise _not_json(text, error) from None
    except RecursionError:
        raise _depth_fault() from None
    except ValueError:  # int() has a limit of its own
        raise _digits_fault() from None


def _digits_fault() -> RecordError:
    return RecordError("too-long", "a whole number of too many digits", "write it as a string")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise RecordError(
            "duplicate-key", f"the key {printable(twice)} stands twice in one object", "remove one of them"
        )
    return values


def _not_finite(word: str) -> NoReturn:
    raise RecordError(
        "not-finite",
        f"{printable(word)} is not a finite number, and JSON has no others",
        "write null for a missing value",
    )


def _finite(word: str) -> float:
    value = float(word)
    return value if math.isfinite(value) else _not_finite(word)


_decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_not_finite, parse_float=_finite)


def _not_json(text: str, error: json.JSONDecodeError) -> RecordError:
    rest = text[error.pos :].lstrip(BLANKS)
    if error.msg.startswith("Extra data") and rest.startswith("{"):
        return RecordError(
            "bad-json", f"several objects on one line, the second at column {error.colno}", "write one a line"
        )
    comma = _trailing_comma(text, error)
    if comma is not None:
        return RecordError("bad-json", f"not JSON: a trailing comma at column {comma + 1}", "remove it")
    reason = error.msg[:1].lower() + error.msg[1:]
    return RecordError(
        "bad-json", f"not JSON: {reason} at column {error.colno}", "each line must be one whole JSON object"
    )


def _trailing_comma(text: str, error: json.JSONDecodeError) -> int | None:
    comma = text.rfind(",", 0, error.pos + 1)
    if comma < 0 or text[comma + 1 : error.pos].strip(BLANKS):
        return None
    after = text[comma + 1 :].lstrip(BLANKS)[:1]
    ends_line = not after and error.msg.startswith("Extra data")
    return comma if ends_line or (after and after in "}]") else None


def _too_deep(text: str, value: Any) -> RecordError | None:
    if text.count("[") + text.count("{") <= DEPTH_LIMIT:
        return None
    level, depth = [value], 0
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [part for item in level for part in (item.values() if isinstance(item, dict) else item)]
    return _depth_fault() if depth > DEPTH_LIMIT else None


def _depth_fault() -> RecordError:
    return RecordError(
        "too-deep", f"arrays and objects are nested more than {DEPTH_LIMIT} deep", "make the value flatter"
    )


def _halves(text: str, value: Any) -> RecordError | None:
    """Only an escape can write half a surrogate pair: the file itself was decoded strictly."""
    return _surrogate(json.dumps(value, ensure_ascii=False)) if "\\u" in text else None


def _json_word(value: Any) -> str:
    words = {list: "an array", str: "a string", bool: "a truth value", type(None): "null"}
    return words.get(type(value), "a number")


def _check_array(place: str, text: str) -> None:
    if text.lstrip(BLANKS).startswith("[") and _opens_array_of_objects(text):
        fix = "name it .json, or write one object a line: jq -c '.[]' data.json > data.jsonl"
        _fail(place, "json-array", "this is a JSON array; one object a line is expected", fix)


def _opens_array_of_objects(text: str) -> bool:
    try:
        return all(isinstance(item, dict) for item in json.loads(text))
    except RecursionError:
        return False
    except ValueError:  # the array goes on in the next line
        return True


# ---- json


def _read_tree(name: str, lines: Iterator[Line]) -> Iterator[Item]:
    """The records of a file that is one JSON value. It has no lines to name: places are paths in its tree."""
    text = "".join(_sound_lines(name, lines))
    try:
        tree = _decoder.decode(text)
        fault = _too_deep(text, tree)
    except json.JSONDecodeError as error:
        raise DataError(_not_a_tree(text, error).at(f"{name}:{error.lineno}")) from None
    except RecursionError:
        fault = _depth_fault()
    except RecordError as found:
        fault = found
    except ValueError:  # as in `_parse`
        fault = _digits_fault()
    if fault:
        raise DataError(fault.at(name))
    articles = articles_of(tree)
    for item in read_export(name, tree) if articles is None else read_squad(name, articles):
        yield item if isinstance(item, Problem) else _sound(item)


def _sound_lines(name: str, lines: Iterator[Line]) -> Iterator[str]:
    for line in lines:
        if line.fault:
            raise DataError(line.fault.at(f"{name}:{line.number}", line.raw))
        yield line.text


def _not_a_tree(text: str, error: json.JSONDecodeError) -> RecordError:
    if not text.strip(BLANKS):
        return RecordError("no-rows", "no rows: the file is empty")
    if error.msg.startswith("Extra data") and text[error.pos] == "{":
        return RecordError(
            "bad-json", "a second JSON object begins here", "name the file .jsonl if it has an object a line"
        )
    return RecordError("bad-json", f"not JSON: {error.msg[:1].lower()}{error.msg[1:]} at column {error.colno}")


def _sound(row: Row) -> Item:
    written = json.dumps(dict(row.values), ensure_ascii=False)
    fault = _too_long(row.values.values(), len(written)) or _surrogate(written)
    return fault.at(row.place) if fault else row


# ---- data in memory


def _read_memory(mappings: Iterator[Any], name: str) -> Iterator[Item]:
    number = 0
    for number, values in enumerate(mappings, 1):
        place = f"{name} row {number}".lstrip()
        try:
            yield Row(_named_values(values), place)
        except RecordError as fault:
            yield fault.at(place)
    if not number:
        _fail(name or "data", "no-rows", "no rows")


def _named_values(values: Any) -> dict[str, Any]:
    if not isinstance(values, Mapping):
        found = f"{type(values).__name__} {printable(values)}"
        raise RecordError("not-a-row", f"a dict of column names and values is expected, found {found}")
    for key, value in values.items():
        if not isinstance(key, str):
            raise RecordError("bad-name", f"a column name must be text, found {printable(key)}")
        if isinstance(value, str) and (fault := _surrogate(value)):
            raise fault
    return {key: _plain(value) for key, value in values.items()}


def _plain(value: Any) -> Any:
    """The value in Python's own types; None for everything that stands for a missing value."""
    if hasattr(value, "tolist"):  # numpy's scalars and arrays, and tensors
        value = value.tolist()
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return None if _is_missing(value) else value


def _is_missing(value: Any) -> bool:
    if isinstance(value, float):
        return math.isnan(value)
    return type(value).__name__ in {"NAType", "NaTType"}  # pandas' own, known by name: pandas is never imported


def _mappings(source: Any) -> Iterator[Any]:
    """The rows of anything that holds rows, by what it can do: no other package is imported."""
    if isinstance(source, Mapping):
        return _from_columns(source)
    for method, adapt in (("itertuples", _from_pandas), ("to_pylist", _from_arrow), ("iter_rows", _from_polars)):
        if hasattr(source, method):
            return adapt(source)
    if isinstance(source, Iterable) and not isinstance(source, bytes | bytearray):
        return iter(source)
    expected = "a path, a list of dicts, a dict of columns, a frame or a table"
    _fail("data", "unreadable", f"can't read rows from {type(source).__name__}; expected {expected}")


def _from_columns(source: Mapping[Any, Any]) -> Iterator[Any]:
    names = list(source)
    _check_names("data", names)
    columns = [_column(name, values) for name, values in source.items()]
    lengths = [len(values) for values in columns]
    if len(set(lengths)) > 1:
        found = ", ".join(f"{name!r} has {length:,}" for name, length in zip(names, lengths, strict=True))
        _fail("data", "ragged-columns", f"the columns must be equally long: {found}")
    return (dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True))


def _column(name: str, values: Any) -> Any:
    if hasattr(values, "column_names"):
        _fail("data", "not-a-column", f"{name!r} is a data set of its own", f"choose one: data[{name!r}]")
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__len__"):
        message = f"{name!r} holds {printable(values)}, which is not a column of values"
        _fail("data", "not-a-column", message, "if this is one row, put the dict into a list")
    return values.to_pylist() if hasattr(values, "to_pylist") else values


def _from_pandas(frame: Any) -> Iterator[Any]:
    names = list(frame.columns)
    _check_names("data", names)
    return (dict(zip(names, values, strict=True)) for values in frame.itertuples(index=False, name=None))


def _from_arrow(table: Any) -> Iterator[Any]:
    _check_names("data", list(getattr(table, "column_names", ())))
    return iter(table.to_pylist())


def _from_polars(frame: Any) -> Iterator[Any]:
    _check_names("data", list(frame.columns))
    rows: Iterator[Any] = frame.iter_rows(named=True)
    return rows
