"""How a table is written: what divides its fields and what stands around them, found by trying what tables have.

Each delimiter is tried with each quote on the first records. A form fits as well as the records have as many fields
as the first one, which must have two or more. The form that the file's name promises is kept wherever it fits.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

DELIMITERS = ("\t", ";", ",", "|")
SAMPLE = 400
"""Records that are looked at."""
FITS = 0.9
"""Share of the records that must have as many fields as the first."""
TITLES = 10
"""Records above a header that may be a title."""
QUOTED = 0.8
"""Share of the filled fields of a column in quotes from which the quotes belong to the form."""
PROMISED = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
"""Delimiters that endings promise."""
NAMES = {"\t": "tab", " ": "blank"}


class Dialect(NamedTuple):
    """The form of a table.

    Attributes:
        delimiter: What stands between fields.
        quote: What stands around fields that hold delimiters or line ends; empty where a quote is a sign like others.
        escape: What stands before a quote inside quotes; empty where such a quote is doubled.
    """

    delimiter: str
    quote: str
    escape: str = ""

    @property
    def rules(self) -> dict[str, Any]:
        """The form in the terms of the module csv."""
        return {"delimiter": self.delimiter, "quotechar": self.quote, "escapechar": self.escape or None}

    def __str__(self) -> str:
        between = f"{NAMES.get(self.delimiter, repr(self.delimiter))} between fields"
        around = f"{self.quote} around them" if self.quote else "quotes kept as text"
        return ", ".join([between, around, *([f"{self.escape} before quotes inside"] if self.escape else [])])


def promised(ending: str) -> Dialect:
    """The form that an ending promises."""
    return written_with(PROMISED.get(ending, ","))


def written_with(delimiter: str) -> Dialect:
    """The usual form of tables with a delimiter: quotes are text between tabs, and stand around fields elsewhere."""
    return Dialect(delimiter, "" if delimiter == "\t" else '"')


def recognise(head: Sequence[str], *, ending: str, delimiter: str | None = None, quote: str | None = None) -> Dialect:
    """The form of a table.

    Args:
        head: Its first lines with their line ends.
        ending: The ending of its name, which is kept to where it fits.
        delimiter: What the user says of it.
        quote: What the user says of it.
    """
    usual = delimiter or promised(ending).delimiter
    signs = [usual] if delimiter is not None else [usual, *DELIMITERS]
    chosen = delimiter_of(head, signs) or usual
    form = Dialect(chosen, quote_of(head, chosen, ending=ending) if quote is None else quote)
    escaped = form._replace(escape="\\")
    return escaped if form.quote and fit(head, escaped) >= FITS > fit(head, form) else form


def delimiter_of(head: Sequence[str], signs: Sequence[str]) -> str | None:
    """The first of some delimiters, or else the best of them, that divides a table into records of as many fields."""
    forms = ("", ""), ('"', ""), ("'", ""), ('"', "\\")
    fits = {sign: max(fit(head, Dialect(sign, *form)) for form in forms) for sign in signs}
    best = signs[0] if fits[signs[0]] >= FITS else max(fits, key=lambda sign: fits[sign])
    return best if fits[best] >= FITS else None


def is_table(head: Sequence[str]) -> bool:
    """Whether lines are a table beyond doubt: nearly all have the same number of fields, two or more."""
    if not head or head[0].lstrip("\ufeff ").startswith(("{", "[")):  # JSON, which is full of commas
        return False
    head = head[title_lines(head) :]
    form = recognise(head, ending="")
    sample = list(islice(records(head, form), SAMPLE))
    if form.delimiter == "\t" and any(not line.strip() for line in head[: len(sample)]):
        return False  # lines with tabs and empty ones between are words with tags
    certain = 2 if form.delimiter == "\t" else 3
    return len(sample) >= certain and fit(head, form) >= FITS


def fit(head: Sequence[str], form: Dialect) -> float:
    """The share of records that have as many fields as the first one; 0 where that has one field only."""
    counts = [len(fields) for fields in islice(records(head, form), SAMPLE)]
    return counts.count(counts[0]) / len(counts) if counts and counts[0] > 1 else 0.0


def title_lines(head: Sequence[str]) -> int:
    """Number of lines above the header of a table: titles and remarks, which have no second value."""
    top = next((i for i, line in enumerate(head) if not is_title(line)), 0)
    spread = any(sign in line for line in head[:top] for sign in DELIMITERS)
    if not 0 < top <= TITLES or (delimiter_of(head, DELIMITERS) and not spread):
        return 0
    sign = delimiter_of(head[top:], DELIMITERS)
    found = list(islice(records(head[top:], written_with(sign)), SAMPLE)) if sign else []
    return top if len(found) >= FEW and not is_data(found[0], found[1:]) else 0


def is_title(line: str) -> bool:
    """Whether a line above a header may be a title: a remark, a few words in the first field, or nothing at all."""
    first, *others = re.split(r"[\t;,|]", line.strip("\r\n"))
    return line.startswith("#") or (not any(map(str.strip, others)) and len(first.split()) not in (1, 2))


def records(head: Iterable[str], form: Dialect) -> Iterator[list[str]]:
    """The records of the first lines, an empty one for a fault."""
    if not form.quote:
        yield from (text.split(form.delimiter) for line in head if (text := line.rstrip("\r\n")))
        return
    reader = csv.reader(head, strict=True, **form.rules)
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield []
        else:
            if fields:
                yield fields


# ---- quotes


def quote_of(head: Sequence[str], delimiter: str, *, ending: str) -> str:
    """The quote of a table whose delimiter is known.

    Between tabs a quote is text, unless the file is called .csv, or the fields in double quotes hold doubled ones,
    stand so in nearly all of a column, or hold line ends, and no field begins with a quote for another reason. Between
    other signs fields stand in double quotes, or in single ones where nearly all of a column do.
    """
    whole = list(islice(records(head, Dialect(delimiter, "")), SAMPLE))
    if delimiter != "\t" or ending == ".csv":
        fits = fit(head, Dialect(delimiter, "'")) >= FITS > fit(head, Dialect(delimiter, '"'))
        single = fits and any(field.startswith("'") for fields in whole for field in fields)
        return "'" if single or stands_in(whole, "'") else '"'
    if fit(head, Dialect(delimiter, '"')) >= FITS > fit(head, Dialect(delimiter, "")):
        return '"'
    opening = [field for fields in whole for field in fields if field.startswith('"')]
    if not opening or not all(is_quoted(field, '"') for field in opening):
        return ""
    doubled = any('""' in field[1:-1] for field in opening)
    return '"' if doubled or stands_in(whole, '"') else ""


def stands_in(whole: Sequence[Sequence[str]], sign: str) -> bool:
    """Whether nearly all fields of a column stand in quotes, those of the header too, or there are many of them."""
    header, rows = whole[:1], whole[1:]
    quoted = bool(header) and all(field.startswith(sign) for field in header[0])
    columns = list(zip(*rows, strict=False)) if quoted or len(rows) >= MANY else []
    return any(begin_with(column, sign) >= QUOTED for column in columns)


def begin_with(fields: Sequence[str], sign: str) -> float:
    """The share of the filled fields that begin with a sign."""
    filled = [field for field in fields if field]
    return sum(field.startswith(sign) for field in filled) / max(1, len(filled))


def is_quoted(field: str, sign: str) -> bool:
    """Whether a field stands in quotes, all of those inside doubled."""
    inner = field[1:-1].replace(sign * 2, "")
    return len(field) > 1 and field.startswith(sign) and field.endswith(sign) and sign not in inner


# ---- headers

NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?([eE][-+]?\d+)?")
MANY = 10
"""Records from which a column that stands in quotes is no chance."""
FEW = 3
"""Records under which nothing is said about a header."""
KNOWN = re.compile(
    r"(text|sentence|label|class|category|target|score|id|index|idx|question|answer|context|premise|hypothesis|title|"
    r"tokens?|words?|tags?|texto|frase|rótulo|rotulo|classe|nota|comentário|comentario)\w*",
    re.IGNORECASE,
)
"""Cells that are names of columns whatever stands below them."""


def is_data(first: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    """Whether the first record of a table is no header but a record like the others.

    It is one where a cell is a number in a column of numbers, or stands again in its column, which repeats its values;
    but not where cells are well-known names, or count the columns as pandas does.
    """
    rows = [fields for fields in others if len(fields) == len(first)]
    counts = [[str(i) for i in range(start, start + len(first))] for start in (0, 1)]
    if len(rows) < FEW or list(first) in counts or any(KNOWN.fullmatch(cell.strip()) for cell in first):
        return False
    for cell, column in zip(first, zip(*rows, strict=True), strict=True):
        filled = [value for value in column if value.strip()]
        if not cell.strip() or not filled:
            continue
        if NUMBER.fullmatch(cell.strip()) and all(NUMBER.fullmatch(value.strip()) for value in filled):
            return True
        if cell in filled and 2 * len(set(filled)) <= len(filled) + 1:
            return True
    return False


def proposed(first: Sequence[str], others: Sequence[Sequence[str]]) -> list[str]:
    """Names for the columns of a table without a header: `text` for most values, `label` for fewest."""
    rows = [fields for fields in (first, *others) if len(fields) == len(first)]
    columns = list(zip(*rows, strict=True))
    text = max(range(len(columns)), key=lambda i: (len(set(columns[i])), sum(map(len, columns[i]))))
    names = [f"column{i}" for i in range(1, len(columns) + 1)]
    repeats = [i for i, column in enumerate(columns) if i != text and is_label(column)]
    names[text] = "text"
    if repeats:
        names[min(repeats, key=lambda i: (len(set(columns[i])), sum(map(len, columns[i]))))] = "label"
    return names


def is_label(column: Sequence[str]) -> bool:
    """Whether a column has two or more values that repeat."""
    counts = Counter(value for value in column if value.strip())
    return 1 < len(counts) <= max(2, len(column) // 2)
