"""Sentences in columns: CoNLL files of any columns, between tabs, blanks or `|||`. One sentence, one row of lists.

A row has the columns `1`, `2`, ... or those that a header names; each is a list with one entry a word. Comments and
marks of documents are no words; they are counted. `column_layouts` finds out how a file is written.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from ..errors import Problem, printable
from ..printing import many
from ..records import Row
from .column_layouts import ID, RANGE, TABLE_SIGNS, Layout, fields, is_blank, layout_of
from .dialects import is_table, recognise
from .formats import Reader
from .lines import Item, Line, ReadOptions, codec_of, fail, head_of, lines_of, raw_of

WHOLE = 100
"""Lines from which a file without a single empty line is no sentence."""
SURE = 0.8
"""Share of the lines that must look like words with tags."""
SENTENCE = 1.5
"""Lines that a sentence has on the average, or more."""
ENTITY = re.compile(r"O|[BIESLUM][-_]\S+")
"""Tags that nothing else looks like."""


def read_columns(name: str, file: BinaryIO, options: ReadOptions) -> Iterator[Item]:
    """The sentences of a CoNLL file; a sentence with a ragged line is a problem.

    Raises:
        DataError: the file is long and has no empty line, so that no sentence ends; or it is a table by its content.
    """
    head = head_of(name, file, options.encoding)
    layout = layout_of(head, options.delimiter)
    if options.format is None and looks_like_table(head, layout):
        message = "the lines are those of a table, not words with tags (if they are, the format is columns)"
        fail(f"{name}:1", "not-columns", message, fix="--format table")
    file.seek(0)
    passed: Counter[str] = Counter()
    shown: dict[str, str] = {}
    lines = lines_of(name, file, codec_of(name, file, options.encoding))
    for number, (block, ended) in enumerate(blocks(lines, layout, passed, shown)):
        if not (number or ended) and len(block) >= WHOLE:
            refuse_endless(name, block, layout)
        yield sentence_of(name, block, layout)
    if layout.names:
        options.note(f"{name}: the columns are named {', '.join(layout.names)}")
    for kind, count in passed.items():
        options.note(f"{name}: {count:,} {kind} passed over, such as {printable(shown[kind])}")


def blocks(
    lines: Iterable[Line], layout: Layout, passed: Counter[str] | None = None, shown: dict[str, str] | None = None
) -> Iterator[tuple[list[Line], bool]]:
    """Runs of lines that are words of one sentence, and whether something ends them but the end of the file.

    Args:
        lines: Of a file.
        layout: How it is written.
        passed: Counts the lines that are no words, by what they are.
        shown: Gets the first of each kind.
    """
    passed, shown = Counter() if passed is None else passed, {} if shown is None else shown
    block: list[Line] = []
    for line in lines:
        text = line.text.strip("\r\n")
        kind = layout.kind(text, line.number, first=not block)
        if kind:
            passed[kind] += 1
            shown.setdefault(kind, text)
        if block and (is_blank(text) or kind in layout.ends):
            yield block, True
            block = []
        elif not kind and not is_blank(text):
            block.append(line)
    if block:
        yield block, False


def sentence_of(name: str, block: Sequence[Line], layout: Layout) -> Item:
    """The words of a sentence as a row, or what is wrong with one of its lines."""
    table = [fields(line.text.strip("\r\n"), layout.sign) for line in block]
    odd = next((i for i, words in enumerate(table) if len(words) != layout.width or "" in words), None)
    problem = unreadable(name, block)
    if problem is None and odd is not None:
        place = f"{name}:{block[odd].number}"
        problem = ragged_line(place, block[odd].text, words=table[odd], expected=layout.width, raw=raw_of(block))
    if problem is not None:
        return problem
    if layout.names[:1] == (ID,):  # words that are written as one, and words that are understood, have ids of their own
        table = [words for words in table if not RANGE.fullmatch(words[0])]
    names = layout.names or [str(i) for i in range(1, layout.width + 1)]
    columns = zip(*table, strict=True)
    values = {column: list(words) for column, words in zip(names, columns, strict=True)}
    return Row(values, f"{name}:{block[0].number}", raw_of(block))


def unreadable(name: str, block: Sequence[Line]) -> Problem | None:
    """The first line of a sentence that can't be read, as a problem of the whole sentence."""
    for line in block:
        if line.fault:
            return line.fault.at(f"{name}:{line.number}", raw_of(block))
    return None


def ragged_line(place: str, text: str, *, words: Sequence[str], expected: int, raw: bytes) -> Problem:
    """What is wrong with a line that has other columns than the rest.

    Args:
        place: The place of the line.
        text: The line.
        words: Its columns.
        expected: How many columns the other lines have.
        raw: The bytes of the sentence.
    """
    line = text.strip("\r\n")
    if len(words) != expected:
        message = f"expected {many(expected, 'column')} as in the other lines, found {len(words)}: {printable(line)}"
    else:
        message = f"column {[*words].index('') + 1} is empty: {printable(line)}"
    if "\t" in line and " " in line:
        fix = "a line with a tab is cut at tabs only; write either tabs or blanks between columns"
    elif line.startswith("#"):
        fix = "a comment stands before the first word of a sentence; a word has its tags behind it"
    else:
        fix = "one word and its tags a line, an empty line after each sentence"
    return Problem(place, message, fix, "ragged-line", raw)


def refuse_endless(name: str, block: Sequence[Line], layout: Layout) -> None:
    """Refuse a file whose sentences are not apart.

    Raises:
        DataError: always.
    """
    size = f"{many(len(block), 'line')} of {many(layout.width, 'column')}"
    message = f"the file has {size} and no empty line, so that no sentence ends"
    fix = "put an empty line after each sentence (one at the end is enough, if the file is a single sentence)"
    fail(f"{name}:{block[0].number}", "no-sentences", message, fix=fix)


# ---- recognition


def looks_like_columns(head: Sequence[str]) -> bool:
    """Whether lines are sentences in columns beyond doubt.

    Nearly all have the same number of fields, two or more, without blanks inside; empty lines stand between runs of
    them, most of several lines; and some column other than the words repeats its values, as tags do. A table has blanks
    in its texts, or commas in all lines, or a header that names texts.
    """
    layout = layout_of(head)
    if layout.width < 2 or layout.is_table or head[0].startswith("#FORMAT"):
        return False
    if layout.named:
        return True
    runs = [block for block, _ in blocks(as_lines(head), layout)]
    lines = [line.text.strip("\r\n") for run in runs for line in run]
    table = [words for line in lines if len(words := fields(line)) == layout.width and "" not in words]
    gaps = any(is_blank(line.strip("\r\n")) for line in head)
    if not gaps or len(lines) < SENTENCE * len(runs) or len(table) < SURE * len(lines):
        return False
    if any(sum(sign in line for line in lines) >= SURE * len(lines) for sign in TABLE_SIGNS):
        return False
    return are_words_with_tags(list(zip(*table, strict=True)))


def looks_like_table(head: Sequence[str], layout: Layout) -> bool:
    """Whether lines are a table: they have its delimiters, or a header that names texts, or texts with blanks."""
    if looks_like_columns(head):
        return False
    table = [fields(text, layout.sign) for line in head if not is_blank(text := line.strip("\r\n"))]
    columns = zip(*(words for words in table if len(words) == layout.width > 1), strict=True)
    texts = any(2 * sum(" " in word.strip() for word in column) > len(column) for column in columns)
    return layout.is_table or texts or (is_table(head) and recognise(head, ending="").delimiter != "\t")


def are_words_with_tags(columns: Sequence[Sequence[str]]) -> bool:
    """Whether columns are words and tags: without blanks, not only numbers, and one repeats itself or is tags."""
    lines = len(columns[0])
    whole = all(sum(" " not in word for word in column) >= SURE * lines for column in columns)
    lettered = [column for column in columns if 2 * sum(any(map(str.isalpha, word)) for word in column) >= lines]
    few = any(2 * len({*column}) <= max(2, lines) or all(map(ENTITY.fullmatch, column)) for column in columns[1:])
    return whole and few and bool(lettered)


def as_lines(head: Iterable[str]) -> Iterator[Line]:
    """Lines of text as lines of a file."""
    return (Line(number, b"", text, None) for number, text in enumerate(head, 1))


READER = Reader(
    "columns",
    (".conll", ".iob", ".bio", ".conllup"),
    read_columns,
    summary="sentences, a word and its tags a line (CoNLL)",
    sniff=looks_like_columns,
)
