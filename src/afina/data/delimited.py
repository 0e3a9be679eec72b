"""Tables as text: csv, tsv and txt files with a header and one record a row.

Where a table has quotes, a field may stand in them and hold delimiters and line ends. Where it has none, as between
tabs, a quote is a character like all others, and a record is a line. `dialects` finds out which it is.
"""

from __future__ import annotations

import csv
import re
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import BinaryIO

from ..errors import DataError, printable
from ..printing import many
from ..records import Row
from .dialects import (
    DELIMITERS,
    SAMPLE,
    Dialect,
    is_data,
    is_quoted,
    is_table,
    promised,
    proposed,
    recognise,
    records,
    title_lines,
    written_with,
)
from .exports import row_of_cells
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
    head_of,
    lines_of,
    long_field,
    too_long,
)
from .names import check_names

TOLD = re.compile(r"sep=([;,|\t])", re.IGNORECASE)
PEEK = 5
"""Records that are looked at for a wrong delimiter."""


def read_table(name: str, file: BinaryIO, options: ReadOptions) -> Iterator[Item]:
    """The rows of a table.

    Raises:
        DataError: the header, the delimiter or the encoding is wrong, or there is no row.
    """
    head = head_of(name, file, options.encoding)
    ending = ending_of(name)
    told = told_delimiter(head)
    titles = 0 if told or options.columns else title_lines(head)
    sample = head[titles or bool(told) :]
    form = recognise(sample, ending=ending, delimiter=options.delimiter or told, quote=options.quote)
    usual = promised(ending) if options.delimiter is None else written_with(options.delimiter)
    if form != (usual if options.quote is None else usual._replace(quote=options.quote)):
        options.note(f"{name}: a table with {form}")
    file.seek(0)
    lines = lines_of(name, file, codec_of(name, file, options.encoding), any_end=bool(form.quote))
    if titles:
        options.note(f"{name}: passed over {titles} line{'s' * (titles > 1)} above the header")
    for _ in range(titles or bool(told)):
        next(lines)
    found = quoted_records(lines, form) if form.quote else plain_records(lines, form.delimiter)
    names = header_of(name, found, sample, form=form, options=options)
    first = list(islice(found, PEEK))
    check_start(name, names, first, given=bool(options.columns))
    if len(names) > 1 and options.delimiter is None:
        check_delimiter(f"{name}:{first[0].number}", first, columns=len(names), others=other_signs(form))
    yield from rows_of(name, chain(first, found), names=names, form=form, note=options.note)


def told_delimiter(head: Sequence[str]) -> str | None:
    """The delimiter that a first line `sep=;` tells, as Excel writes and reads it."""
    match = TOLD.fullmatch(head[0].strip("\r\n\ufeff")) if head else None
    return match[1] if match else None


def rows_of(
    name: str, found: Iterable[Record], *, names: Sequence[str], form: Dialect, note: Callable[[str], None]
) -> Iterator[Item]:
    """Records as rows, without the columns that have no name."""
    kept = [i for i, column in enumerate(names) if column.strip()]
    spare = [i for i, column in enumerate(names) if not column.strip()]
    index, spilled, doubled, number = set(spare[:1]) & {0}, 0, 0, 0
    for number, record in enumerate(found, 1):
        yield item_of(name, record, names=names, kept=kept, delimiter=form.delimiter)
        if spare and len(record.fields) == len(names):
            index = {0} if index and record.fields[0] in (str(number), str(number - 1)) else set()
            spilled += any(record.fields[i].strip() for i in spare if i not in index)
        if not form.quote and '""' in record.lines[0].text:
            doubled += any(is_quoted(field, '"') and '""' in field[1:-1] for field in record.fields)
    if spare:
        note(
            f"{name}: {nameless(spare, index)}" + (f"; {many(spilled, 'row')} with something there" if spilled else "")
        )
    if doubled:
        message = f"{many(doubled, 'row')} with doubled quotes inside fields in quotes, which are kept as text"
        note(f"{name}: {message}; --quote '\"' reads them as csv has them")


def nameless(spare: Sequence[int], index: Collection[int]) -> str:
    """Columns without a name, for a note."""
    if index and len(spare) == 1:
        return "the first column counts the rows, has no name, and is left out"
    listed = ", ".join(str(i + 1) for i in spare)
    several = "has no name and is left out" if len(spare) == 1 else "have no names and are left out"
    return f"column{'s' * (len(spare) > 1)} {listed} {several}"


def item_of(name: str, record: Record, *, names: Sequence[str], kept: Sequence[int], delimiter: str) -> Item:
    """A record as a row, or what is wrong with it."""
    place = f"{name}:{record.number}"
    error = record.fault
    if error is None and len(record.fields) != len(names):
        error = ragged_row(len(record.fields), len(names), delimiter=delimiter)
    if error is not None:
        return error.at(place, record.raw)
    return row_of_cells(Row({names[i]: record.fields[i] for i in kept}, place, record.raw))


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


def header_of(
    name: str, found: Iterator[Record], head: Sequence[str], *, form: Dialect, options: ReadOptions
) -> Sequence[str]:
    """The column names: as given, or from the first record. Columns without a name have an empty one.

    Raises:
        DataError: there is none, it can't be read or is a record like the others, its names can't be told apart, or
            another delimiter divides it.
    """
    if options.columns:
        return options.columns
    record = next(found, None)
    if record is None:
        fail(name, "no-rows", "no rows: the file is empty")
    place = f"{name}:{record.number}"
    if record.fault:
        raise DataError(record.fault.at(place, record.raw))
    if len(record.fields) == 1 and options.delimiter is None:
        refuse_delimiter(place, [sign for sign in other_signs(form) if sign in record.fields[0]])
    others = list(islice(records(head, form), 1, SAMPLE))
    if is_data(record.fields, others):
        names = ",".join(proposed(record.fields, others))
        message = f"the first line looks like the others: {printable(form.delimiter.join(record.fields))}"
        fix = f"if there is no header, name all {many(len(record.fields), 'column')}: --header {names}"
        fail(place, "no-header", message, fix=fix)
    check_names(place, [column for column in record.fields if column.strip()])
    return record.fields


def other_signs(form: Dialect) -> list[str]:
    """Delimiters that a table does not have."""
    return [sign for sign in DELIMITERS if sign != form.delimiter]


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


def quoted_records(lines: Iterator[Line], form: Dialect) -> Iterator[Record]:
    """Records of one or more lines, by the rules of csv; after a fault the next line begins a new record."""
    recorder = LineRecorder(lines)
    reader = csv.reader(recorder, strict=True, **form.rules)
    while True:
        try:
            fields = next_fields(reader)
        except StopIteration:
            return
        except csv.Error as error:
            fault = quote_error(error, recorder, form)
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


def quote_error(error: csv.Error, recorder: LineRecorder, form: Dialect) -> RecordError:
    """What the csv module could not read, in our words. A quoted field that is too long is taken to its end."""
    exceeded = "field limit" in str(error)
    never_closed = take_to_the_quote(recorder, form.quote) if exceeded else "end of data" in str(error)
    if never_closed:
        lines = many(len(recorder.taken), "line")
        message = f"the quote opened here swallows the rest of the file ({lines})"
        fix = "put a quote at the end of the field, or double the quote or remove it if it is text"
        return RecordError("open-quote", message, fix)
    if exceeded:
        return long_field()
    sign = printable(form.delimiter)
    message = f"line {recorder.taken[-1].number}: after a closing quote a {sign} or the line's end is expected"
    return RecordError("bad-quote", message, f"double every quote that is part of a quoted text: {form.quote * 2}")


def take_to_the_quote(recorder: LineRecorder, quote: str) -> bool:
    """Take the remaining lines of a quoted field that is too long; True when its end never comes."""
    quotes = sum(line.text.count(quote) for line in recorder.taken)
    while quotes % 2:
        try:
            quotes += next(recorder).count(quote)
        except StopIteration:
            return True
    return False


READER = Reader(
    "table",
    (".csv", ".tsv"),
    read_table,
    summary="tables with a header, a record a row",
    sniff=is_table,
    specificity=0,
)
