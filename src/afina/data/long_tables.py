"""Tables with one row a word become rows with one sentence each, for tasks that label words.

A column tells the sentences apart: on each row, or on the first row of a sentence only. Where there is none, rows
without any value stand between sentences. A sentence is a row of lists, one entry a word; what tells it apart is one
value. It stands at the place of its first word and has the bytes of all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, pairwise
from typing import Any, NamedTuple

from ..errors import DataError, Problem, printable
from ..records import Row
from ..tasks.base import Task
from ..tasks.contents import simple
from .lines import Item, unheard

SENTENCES = {
    "sentence", "sentenceid", "sentenceidx", "sentenceindex", "sentenceno", "sentencenumber", "sentencenum", "sent",
    "sentid", "sentidx", "sentno", "sentnum", "sid", "idsentence", "idsent", "frase", "fraseid", "idfrase", "numfrase",
    "sentenca", "sentencaid", "idsentenca", "numsentenca",
}  # fmt: skip
DOCUMENTS = {
    "doc", "docid", "document", "documentid", "iddoc", "file", "filename", "documento", "iddocumento", "paragraph",
    "paragraphid", "arquivo",
}  # fmt: skip
WEAK = {"id", "idx", "index", "group"}
"""Names of what may tell sentences apart where nothing else does and values repeat."""
WORDS = {"word", "words", "token", "tokens", "form", "palavra", "palavras"}
FIRST = 1000
"""Rows that are looked at."""
WHOLE = 0.9
"""Share of the words that must have no blank inside."""
ENOUGH = 10
"""Single words from which a table without sentences is one row a word."""
Key = tuple[Any, ...]


class Shape(NamedTuple):
    """How a table with one row a word is made.

    Attributes:
        word: The column of the words.
        keys: The columns that tell sentences apart; without any, rows without a value do.
        each: Whether they are filled on each row, not only on the first of a sentence.
    """

    word: str
    keys: tuple[str, ...]
    each: bool

    def __str__(self) -> str:
        names = " and ".join(map(printable, self.keys))
        if not self.keys:
            return "a sentence ends at a row without any value"
        return (
            f"a sentence is the rows with the same {names}"
            if self.each
            else f"a sentence begins where {names} is filled"
        )

    def key(self, row: Row, before: Key | None) -> Key | None:
        """What tells the sentence of a row apart, None where that is unknown.

        Args:
            row: The row.
            before: The same of the row before it.
        """
        file = file_of(row.place)
        values = [row.values.get(name) for name in self.keys]
        if not any(map(missing, values)):
            return file, *values
        if self.each or before is None or before[0] != file:
            return None
        return before[0], *(old if missing(value) else value for value, old in zip(values, before[1:], strict=True))


@dataclass(slots=True)
class Sentence:
    """The rows of a sentence, as they come.

    Attributes:
        key: What tells it apart.
        rows: Its words.
        problems: What is wrong with them.
        raw: The bytes of all of them in order.
        unsure: Whether the last of them can't be read, so that it may belong to the next sentence.
    """

    key: Key | None
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    raw: bytearray = field(default_factory=bytearray)
    unsure: bool = False

    def item(self, shape: Shape) -> Item:
        """The sentence as one row, or the first of its problems with the bytes of all of it."""
        if self.problems:
            return replace(self.problems[0], raw=bytes(self.raw))
        first_row = self.rows[0]
        lists: dict[str, Any] = {name: [row.values.get(name) for row in self.rows] for name in first_row.values}
        told = zip(shape.keys, (self.key or ())[1:], strict=False)
        return Row({**lists, **dict(told)}, first_row.place, bytes(self.raw))


def for_task(task: Task, items: Iterable[Item], note: Callable[[str], None] = unheard) -> Iterator[Item]:
    """The records as a task reads them: those of a task that labels words with one sentence a row.

    Args:
        task: What the records are for.
        items: Records as they were read.
        note: Is told what was decided.

    Raises:
        DataError: there is one row a word, and nothing tells the sentences apart.
    """
    stream = iter(items)
    if task.label_unit != "word":
        yield from stream
        return
    asked = getattr(task.options, "tokens", None)
    head: list[Item] = []
    for item in stream:
        head.append(item)
        if len(head) == FIRST or not (isinstance(item, Problem) or may_be_word(item.values, asked)):
            break
    shape = shape_of([item for item in head if isinstance(item, Row)], asked)
    whole = chain(head, stream)
    yield from whole if shape is None else sentences(whole, shape, note)


def may_be_word(values: Mapping[str, Any], asked: str | None) -> bool:
    """Whether a record may be a word with its tags: it has a column of words, and no lists."""
    return word_column(values, asked) is not None and not any(isinstance(value, list) for value in values.values())


def word_column(names: Iterable[str], asked: str | None) -> str | None:
    """The column of the words: as asked, or the first with a well-known name."""
    return next((name for name in names if (name == asked if asked else simple(name) in WORDS)), None)


def shape_of(rows: Sequence[Row], asked: str | None) -> Shape | None:
    """How a table is made, by its first rows; None where a row is no word.

    Raises:
        DataError: there is one row a word, and nothing tells the sentences apart.
    """
    names = list(rows[0].values) if rows else []
    word = word_column(names, asked)
    words = [value for row in rows if not missing(value := row.values.get(word))] if word else []
    texts = [text for text in words if isinstance(text, str)]
    single = [text for text in texts if " " not in text.strip() and not text.startswith("[")]
    if word is None or not texts or len(single) < WHOLE * len(words):
        return None
    known = [name for name in names if simple(name) in SENTENCES | DOCUMENTS and name != word]
    for keys in filter(None, (known, [name for name in names if simple(name) in WEAK])):
        told = [[row.values.get(name) for name in keys] for row in rows if not empty(row)]
        repeated = any(one == other and not any(map(missing, one)) for one, other in pairwise(told))
        sparse = any(any(map(missing, one)) for one in told) and not repeated
        if keys is known or repeated or sparse:
            return Shape(word, tuple(keys), each=not sparse)
    if any(map(empty, rows)):
        return Shape(word, (), each=False)
    if len(texts) >= ENOUGH and len(names) > 1:
        message = f"one row a word (column {printable(word)}), and no column tells the sentences apart"
        fix = (
            "add a column sentence_id with the number of each word's sentence; or put an empty line after each "
            "sentence, and --format columns --delimiter SIGN"
        )
        raise DataError(Problem(rows[0].place, message, fix, "no-sentences"))
    return None


def sentences(items: Iterable[Item], shape: Shape, note: Callable[[str], None] = unheard) -> Iterator[Item]:
    """One row a sentence. A word that can't be used, or may belong to a sentence, makes a problem of all of it."""
    seen: set[Key] = set()
    sentence, told = Sentence(None), False
    for item in items:
        if isinstance(item, Problem):
            sentence.problems.append(item)
            sentence.raw += item.raw
            sentence.unsure = True
            continue
        if not told:
            note(f"{item.place}: one row a word ({printable(shape.word)}); {shape}")
            told = True
        if empty(item):
            if not shape.keys and (sentence.rows or sentence.problems):
                yield sentence.item(shape)
                sentence = Sentence(None)
            continue
        key = shape.key(item, sentence.key)
        if key is not None and key != sentence.key:
            unsure = sentence.unsure and (shape.each or not shape.keys)
            if sentence.rows or sentence.problems:
                yield sentence.item(shape)
            sentence = Sentence(key, problems=[*(doubt(item) for _ in range(unsure)), *again(item, key, seen, shape)])
        sentence.rows.append(item)
        sentence.raw += item.raw
        fault = no_key(item, shape) if key is None else fault_of(item, shape)
        sentence.problems += [fault] if fault else []
        sentence.unsure = key is None
    if sentence.rows or sentence.problems:
        yield sentence.item(shape)


# ---- what is wrong with a word or a sentence


def again(row: Row, key: Key, seen: set[Key], shape: Shape) -> Iterator[Problem]:
    """The problem of a sentence that began before and was ended by others."""
    if shape.keys and key in seen:
        told = ", ".join(f"{name} {printable(value)}" for name, value in zip(shape.keys, key[1:], strict=True))
        message = f"{told} comes back after other sentences"
        fix = "put the words of a sentence one after the other, and give each sentence an id of its own"
        yield Problem(row.place, message, fix, "scattered-sentence")
    seen.add(key)


def fault_of(row: Row, shape: Shape) -> Problem | None:
    """The problem of a row without a word."""
    value = row.values.get(shape.word)
    if isinstance(value, str) and value.strip():
        return None
    fix = "write the word; pandas takes NA and null for missing values: read_csv(..., keep_default_na=False)"
    if missing(value):
        return Problem(row.place, f"column {printable(shape.word)} holds no word", fix, "no-word")
    shown = f"{type(value).__name__} {printable(value)}"
    return Problem(
        row.place, f"column {printable(shape.word)}: expected a word, found {shown}", "write it as text", "no-word"
    )


def no_key(row: Row, shape: Shape) -> Problem:
    """The problem of a row that belongs to no sentence that is known."""
    told = " and ".join(map(printable, shape.keys))
    return Problem(row.place, f"no value in {told}: which sentence is it of?", "write it on the row", "no-sentence")


def doubt(row: Row) -> Problem:
    """The problem of a sentence whose first word may be one that can't be read."""
    message = "the row before this sentence can't be read, and may belong to it"
    return Problem(row.place, message, "mend that row", "no-sentence")


# ---- cells


def missing(value: Any) -> bool:
    """Whether a cell is empty."""
    return value is None or (isinstance(value, str) and not value.strip())


def empty(row: Row) -> bool:
    """Whether all cells of a row are empty."""
    return all(map(missing, row.values.values()))


def file_of(place: str) -> str:
    """The file in which a place lies; empty for data in memory."""
    return place.rpartition(":")[0]
