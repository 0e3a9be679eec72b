"""Tables with a delimiter: csv, tsv, and txt that is tab separated. A quote has a meaning unless tabs delimit."""

from __future__ import annotations

import csv
import threading
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

from ..errors import DataError, printable
from ..records import Row
from .formats import Reader, ending_of
from .lines import (
    CHUNK,
    FIELD_LIMIT,
    Item,
    Line,
    ReadOptions,
    Record,
    RecordError,
    codec_of,
    fail,
    lines_of,
    too_long,
)
from .names import check_names

DELIMITERS = (";", "\t", "|", ",")
PEEK = 5  # records that are looked at for a wrong delimiter


def read_table(name: str, file: BinaryIO, options: ReadOptions) -> Iterator[Item]:
    """The records of a table."""
    codec = codec_of(name, file, options.encoding)
    check_txt(name, options)
    is_csv = ending_of(name) == ".csv"
    delimiter = options.delimiter or ("," if is_csv else "\t")
    signs = [] if options.delimiter else [sign for sign in DELIMITERS if sign != delimiter]
    if is_csv or delimiter != "\t":
        records = quoted_records(lines_of(name, file, codec, any_end=True), delimiter)
    else:
        records = plain_records(lines_of(name, file, codec), delimiter)
    names = options.columns or header_of(name, records, signs)
    first = list(islice(records, PEEK))
    check_start(name, names, first, given=bool(options.columns))
    if len(names) > 1:
        check_delimiter(f"{name}:{first[0].lines[0].number}", first, len(names), signs)
    for record in chain(first, records):
        yield item_of(name, record, names, delimiter)


def has_tab_in_first(lines: Iterable[str]) -> bool:
    """Whether a tab stands in the first of some lines."""
    return "\t" in next(iter(lines), "")


def has_tab(name: str) -> bool:
    """Whether a tab stands in the first line of a file."""
    with Path(name).open("rb") as file:
        return b"\t" in file.readline(CHUNK)


def check_txt(name: str, options: ReadOptions) -> None:
    if ending_of(name) == ".txt" and not (options.columns or options.delimiter or has_tab(name)):
        message = "a .txt file is read as tab separated; found no tab in its first line"
        fail(name, "unknown-format", message, "give its --delimiter, or its column names if it has no header")


def item_of(name: str, record: Record, names: Sequence[str], delimiter: str) -> Item:
    place = f"{name}:{record.lines[0].number}"
    fault = record.fault
    if fault is None and len(record.fields) != len(names):
        fault = ragged(len(record.fields), len(names), delimiter)
    if fault is not None:
        return fault.at(place, record.raw)
    return Row(dict(zip(names, record.fields, strict=True)), place, record.raw)


def ragged(found: int, expected: int, delimiter: str) -> RecordError:
    sign = "tab" if delimiter == "\t" else printable(delimiter)
    message = f"found {found} {'field' if found == 1 else 'fields'}, expected {expected}"
    if found < expected:
        fix = f"is a {sign} missing, or is there a line break inside a text?"
    elif delimiter == "\t":
        fix = "is there a tab inside a text? Replace it by a blank"
    else:
        fix = f"is there an unquoted {sign} inside a text? Put that field into double quotes"
    return RecordError("ragged-row", message, fix)


def header_of(name: str, records: Iterator[Record], signs: list[str]) -> list[str]:
    record = next(records, None)
    if record is None:
        fail(name, "no-rows", "no rows: the file is empty")
    place = f"{name}:{record.lines[0].number}"
    if record.fault:
        raise DataError(record.fault.at(place, record.raw))
    if len(record.fields) == 1:
        refuse_delimiter(place, [sign for sign in signs if sign in record.fields[0]])
    check_names(place, record.fields)
    return record.fields


def check_start(name: str, names: Sequence[str], first: list[Record], *, given: bool) -> None:
    if not first:
        fail(name, "no-rows", "no rows: " + ("the file is empty" if given else "there is only a header"))
    if given and first[0].fields == list(names):
        place = f"{name}:{first[0].lines[0].number}"
        fail(place, "header", "the first line holds the column names", "leave out columns: the file has a header")


def check_delimiter(place: str, first: list[Record], columns: int, signs: list[str]) -> None:
    """Refuse a file whose first records all have one field, and all the right number with another delimiter."""
    if len(first) > 1 and all(len(record.fields) == 1 for record in first):
        texts = [record.fields[0] for record in first]
        refuse_delimiter(place, [sign for sign in signs if all(text.count(sign) == columns - 1 for text in texts)])


def refuse_delimiter(place: str, signs: list[str]) -> None:
    if signs:
        sign, option = ("a tab", "$'\\t'") if signs[0] == "\t" else (repr(signs[0]), repr(signs[0]))
        fail(place, "wrong-delimiter", f"found one column; the file looks separated by {sign}", f"--delimiter {option}")


def plain_records(lines: Iterator[Line], delimiter: str) -> Iterator[Record]:
    """One line, one record; a quote is a character like all others."""
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
        taken, self.taken = self.taken, []
        return taken


def quoted_records(lines: Iterator[Line], delimiter: str) -> Iterator[Record]:
    """Records of one or more lines, by the rules of csv; after a fault the next line begins a new record."""
    tape = LineRecorder(lines)
    reader = csv.reader(tape, delimiter=delimiter, strict=True)
    while True:
        try:
            fields = next_fields(reader)
        except StopIteration:
            return
        except csv.Error as error:
            fault = quote_fault(error, tape, delimiter)
            yield Record(tape.cut(), [], fault)
            continue
        taken = tape.cut()
        if fields:
            yield Record(taken, fields, next((line.fault for line in taken if line.fault), None))


limit_lock = threading.Lock()


def next_fields(reader: Iterator[list[str]]) -> list[str]:
    """The next record. Python's limit for a field belongs to the whole process: raised for this moment only."""
    with limit_lock:
        before = csv.field_size_limit(FIELD_LIMIT)
        try:
            return next(reader)
        finally:
            csv.field_size_limit(before)


def quote_fault(error: csv.Error, tape: LineRecorder, delimiter: str) -> RecordError:
    too_long = "field limit" in str(error)
    open_quote = run_to_the_quote(tape) if too_long else "end of data" in str(error)
    if open_quote:
        fix = "put a quote at the end of the field, or double the quote or remove it if it is text"
        return RecordError(
            "open-quote", f"the quote opened here swallows the rest of the file ({number_of_lines(tape)})", fix
        )
    if too_long:
        return RecordError(
            "too-long", f"a field holds more than {FIELD_LIMIT:,} characters", "cut it into several rows"
        )
    message = (
        f"line {tape.taken[-1].number}: after a closing quote a {printable(delimiter)} or the line's end is expected"
    )
    return RecordError("bad-quote", message, 'double every quote that is part of a quoted text: ""')


def number_of_lines(tape: LineRecorder) -> str:
    return "1 line" if len(tape.taken) == 1 else f"{len(tape.taken):,} lines"


def run_to_the_quote(tape: LineRecorder) -> bool:
    """Take the remaining lines of a quoted field that is too long; True when its end never comes."""
    quotes = sum(line.text.count('"') for line in tape.taken)
    while quotes % 2:
        try:
            quotes += next(tape).count('"')
        except StopIteration:
            return True
    return False


READER = Reader("table", (".csv", ".tsv", ".txt"), read_table, has_tab_in_first, names_columns=True)
