"""Tables as text: csv, tsv and txt files with a header and one record a row.

In a csv file, and wherever the delimiter is not a tab, a field may stand in quotes and hold delimiters and line ends.
In a file with tabs a quote is a character like all others, and a record is a line.
"""

from __future__ import annotations

import csv
import threading
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import BinaryIO

from ..errors import DataError, printable
from ..records import Row
from .formats import Reader, ending_of
from .lines import (
    FIELD_LIMIT,
    Item,
    Line,
    ReadOptions,
    Record,
    RecordError,
    codec_of,
    fail,
    lines_of,
    long_field,
    too_long,
)
from .names import check_names

DELIMITERS = (";", "\t", "|", ",")
PEEK = 5
"""Records that are looked at for a wrong delimiter."""


def read_table(name: str, file: BinaryIO, options: ReadOptions) -> Iterator[Item]:
    """The rows of a table.

    Raises:
        DataError: the header, the delimiter or the encoding is wrong, or there is no row.
    """
    is_csv = ending_of(name) == ".csv"
    delimiter = options.delimiter or ("," if is_csv else "\t")
    quoted = is_csv or delimiter != "\t"
    lines = lines_of(name, file, codec_of(name, file, options.encoding), any_end=quoted)
    records = quoted_records(lines, delimiter) if quoted else plain_records(lines, delimiter)
    others = [] if options.delimiter else [sign for sign in DELIMITERS if sign != delimiter]
    names = options.columns or header_of(name, records, others)
    first = list(islice(records, PEEK))
    check_start(name, names, first, given=bool(options.columns))
    if len(names) > 1:
        check_delimiter(f"{name}:{first[0].number}", first, columns=len(names), others=others)
    for record in chain(first, records):
        yield item_of(name, record, names=names, delimiter=delimiter)


def has_tab(head: Iterable[str]) -> bool:
    """Whether a tab stands in the first line, up to the first LF."""
    for line in head:
        if "\t" in line:
            return True
        if line.endswith("\n"):
            return False
    return False


def item_of(name: str, record: Record, *, names: Sequence[str], delimiter: str) -> Item:
    """A record as a row, or what is wrong with it."""
    place = f"{name}:{record.number}"
    error = record.fault
    if error is None and len(record.fields) != len(names):
        error = ragged_row(len(record.fields), len(names), delimiter=delimiter)
    if error is not None:
        return error.at(place, record.raw)
    return Row(dict(zip(names, record.fields, strict=True)), place, record.raw)


def ragged_row(number: int, expected: int, *, delimiter: str) -> RecordError:
    """A record with more or fewer fields than there are columns."""
    sign = "tab" if delimiter == "\t" else printable(delimiter)
    message = f"found {number} {'field' if number == 1 else 'fields'}, expected {expected}"
    if number < expected:
        fix = f"is a {sign} missing, or is there a line break inside a text?"
    elif delimiter == "\t":
        fix = "is there a tab inside a text? Replace it by a blank"
    else:
        fix = f"is there an unquoted {sign} inside a text? Put that field into double quotes"
    return RecordError("ragged-row", message, fix)


# ---- header and delimiter


def header_of(name: str, records: Iterator[Record], others: Sequence[str]) -> list[str]:
    """The column names, from the first record.

    Raises:
        DataError: there is none, it can't be read, its names can't be told apart, or another delimiter divides it.
    """
    record = next(records, None)
    if record is None:
        fail(name, "no-rows", "no rows: the file is empty")
    place = f"{name}:{record.number}"
    if record.fault:
        raise DataError(record.fault.at(place, record.raw))
    if len(record.fields) == 1:
        refuse_delimiter(place, [sign for sign in others if sign in record.fields[0]])
    check_names(place, record.fields)
    return record.fields


def check_start(name: str, names: Sequence[str], first: Sequence[Record], *, given: bool) -> None:
    """Refuse a file without a record, and one with a header where the column names are given as well.

    Raises:
        DataError: it is such a file.
    """
    if not first:
        fail(name, "no-rows", "no rows: " + ("the file is empty" if given else "there is only a header"))
    if given and first[0].fields == list(names):
        place = f"{name}:{first[0].number}"
        fail(place, "header", "the first line holds the column names", fix="leave out columns: the file has a header")


def check_delimiter(place: str, first: Sequence[Record], *, columns: int, others: Sequence[str]) -> None:
    """Refuse a file whose first records all have one field, and all the right number with another delimiter.

    Raises:
        DataError: it is such a file.
    """
    if len(first) > 1 and all(len(record.fields) == 1 for record in first):
        texts = [record.fields[0] for record in first]
        refuse_delimiter(place, [sign for sign in others if all(text.count(sign) == columns - 1 for text in texts)])


def refuse_delimiter(place: str, likely: Sequence[str]) -> None:
    """Name the delimiter that divides the file, if there is one.

    Raises:
        DataError: there is one.
    """
    if likely:
        sign, option = ("a tab", "$'\\t'") if likely[0] == "\t" else (repr(likely[0]), repr(likely[0]))
        message = f"found one column; the file looks separated by {sign}"
        fail(place, "wrong-delimiter", message, fix=f"--delimiter {option}")


# ---- lines to records


def plain_records(lines: Iterable[Line], delimiter: str) -> Iterator[Record]:
    """One line, one record; a quote is a character like all others. Empty lines are none."""
    for line in lines:
        text = line.text.removesuffix("\n").removesuffix("\r")
        if text:
            fields = text.split(delimiter)
            yield Record([line], fields, line.fault or too_long(fields, len(text)))


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
        """The lines that were taken since the last cut."""
        taken, self.taken = self.taken, []
        return taken


def quoted_records(lines: Iterator[Line], delimiter: str) -> Iterator[Record]:
    """Records of one or more lines, by the rules of csv; after a fault the next line begins a new record."""
    recorder = LineRecorder(lines)
    reader = csv.reader(recorder, delimiter=delimiter, strict=True)
    while True:
        try:
            fields = next_fields(reader)
        except StopIteration:
            return
        except csv.Error as error:
            fault = quote_error(error, recorder, delimiter)
            yield Record(recorder.cut(), [], fault)
            continue
        taken = recorder.cut()
        if fields:
            yield Record(taken, fields, next((line.fault for line in taken if line.fault), None))


_limit_lock = threading.Lock()


def next_fields(reader: Iterator[list[str]]) -> list[str]:
    """The next record. Python's limit for a field belongs to the whole process: it is raised for this moment only."""
    with _limit_lock:
        before = csv.field_size_limit(FIELD_LIMIT)
        try:
            return next(reader)
        finally:
            csv.field_size_limit(before)


def quote_error(error: csv.Error, recorder: LineRecorder, delimiter: str) -> RecordError:
    """What the csv module could not read, in our words. A quoted field that is too long is taken to its end."""
    exceeded = "field limit" in str(error)
    never_closed = take_to_the_quote(recorder) if exceeded else "end of data" in str(error)
    if never_closed:
        lines = "1 line" if len(recorder.taken) == 1 else f"{len(recorder.taken):,} lines"
        message = f"the quote opened here swallows the rest of the file ({lines})"
        fix = "put a quote at the end of the field, or double the quote or remove it if it is text"
        return RecordError("open-quote", message, fix)
    if exceeded:
        return long_field()
    sign = printable(delimiter)
    message = f"line {recorder.taken[-1].number}: after a closing quote a {sign} or the line's end is expected"
    return RecordError("bad-quote", message, 'double every quote that is part of a quoted text: ""')


def take_to_the_quote(recorder: LineRecorder) -> bool:
    """Take the remaining lines of a quoted field that is too long; True when its end never comes."""
    quotes = sum(line.text.count('"') for line in recorder.taken)
    while quotes % 2:
        try:
            quotes += next(recorder).count('"')
        except StopIteration:
            return True
    return False


READER = Reader(
    "table",
    (".csv", ".tsv"),
    read_table,
    summary="tables with a header, a record a row",
    sniff=has_tab,
    specificity=0,
)
