"""How sentences in columns are written: how many columns, what their names are, and which lines are no words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from .dialects import KNOWN

DOCUMENT = "-DOCSTART-"
"""What a line begins with that separates documents and belongs to no sentence."""
GLOBAL = re.compile(r"# *global\.columns *= *(.+)")
"""The first line of CoNLL-U Plus, which names the columns."""
MARKUP = re.compile(r"</?[A-Za-z][^<>]*>")
"""A line that is a tag of XML, as vertical files of corpora have them around sentences and documents."""
COMMENT = re.compile(r"#(?:$|[ \t#]|\w*[:=]|(?:begin|end) )|%%")
"""What comments begin with; a hashtag is a word."""
COMMENTS, MARKS, HEADERS = "comment lines", "marks of documents or sentences", "header lines"
WORD_NAMES = {"word", "words", "token", "tokens", "form", "palavra", "palavras"}
TAG_NAMES = {
    "tag", "tags", "ner", "ner_tag", "ner_tags", "ner-tag", "iob", "bio", "label", "labels", "entity", "pos", "pos_tag",
    "pos_tags", "upos", "xpos", "chunk", "lemma", "etiqueta", "rótulo", "rotulo", "classe", "entidade",
}  # fmt: skip
ID = "id"
RANGE = re.compile(r"\d+[-.]\d+")
"""Ids of what is no word of its own in CoNLL-U: several words that are written as one, and words left unsaid."""
TABLE_SIGNS = (",", ";")
# Only these two separate columns: lines of real data hold U+00A0 and U+0085 inside words, where str.split would cut.
BLANKS = re.compile(r"[ \t]+")
BARS = re.compile(r"(?<=\S) *\|\|\| *(?=\S)")


class Layout(NamedTuple):
    """How a file of sentences in columns is written.

    Attributes:
        width: Number of columns; 0 where no line is a word.
        names: Names of the columns, where the file tells them.
        named: Whether it tells them as CoNLL-U Plus does.
        header: Number of the line that names the columns; 0 without one.
        is_table: Whether the first line names columns of a table of texts.
        tags: What stands in the last column.
        sign: What stands between columns, where the user says so.
    """

    width: int
    names: tuple[str, ...] = ()
    named: bool = False
    header: int = 0
    is_table: bool = False
    tags: frozenset[str] = frozenset()
    sign: str | None = None

    @property
    def ends(self) -> tuple[str, ...]:
        """Kinds of lines that end a sentence, as an empty line does."""
        return (MARKS,)

    def kind(self, text: str, number: int, *, first: bool) -> str:
        """What a line is that is no word; empty for words and for empty lines.

        Args:
            text: The line without its end.
            number: Its number in the file.
            first: Whether no word of its sentence stands before it.
        """
        if number == self.header:
            return HEADERS
        words = fields(text, self.sign)
        markup = MARKUP.fullmatch(text.strip(" \t"))
        if text.startswith(DOCUMENT) or (markup and (len(words) != self.width or '="' in text)):
            return MARKS
        # A sign is a word where it has a tag that others have.
        sign = words[0] in ("#", "%%") and words[-1] not in self.tags
        return COMMENTS if first and COMMENT.match(text) and (len(words) != self.width or sign) else ""


def layout_of(head: Sequence[str], sign: str | None = None) -> Layout:
    """How a file is written, by the majority of its first lines.

    Args:
        head: Its first lines.
        sign: What stands between columns, where the user says so.
    """
    lines = [(number, line.strip("\r\n")) for number, line in enumerate(head, 1)]
    told = next((match for _, line in lines[:1] if (match := GLOBAL.match(line))), None)
    words = [(number, fields(line, sign)) for number, line in lines if not is_blank(line) and not is_aside(line)]
    words = words or [(number, fields(line, sign)) for number, line in lines if not is_blank(line)]
    if not words:
        return Layout(0, sign=sign)
    width = Counter(len(one) for _, one in words).most_common(1)[0][0]
    tags = frozenset(one[-1] for _, one in words[1:] if len(one) == width)
    if told:
        names = tuple(told[1].lower().split())
        return Layout(len(names), names, named=True, tags=tags, sign=sign)
    number, first = words[0]
    names = names_in(first) if len(first) == width and first[-1] not in tags else ()
    known = len(first) > 1 and all(KNOWN.fullmatch(field.strip(" \"'")) for field in first)
    is_table = not names and known and "\t" in lines[number - 1][1]
    return Layout(width, names, header=number if names else 0, is_table=is_table, tags=tags, sign=sign)


def names_in(words: Sequence[str]) -> tuple[str, ...]:
    """The fields of a line where they are names of columns: one names words, another tags, and no two are equal."""
    names = [word.lstrip("#").strip() for word in words]
    known = {name.casefold() for name in names}
    sure = known & WORD_NAMES and known & TAG_NAMES and "" not in known
    return tuple(names) if sure and len(known) == len(names) else ()


def is_aside(text: str) -> bool:
    """Whether a line looks like a comment or a mark."""
    return bool(text.startswith(DOCUMENT) or COMMENT.match(text) or MARKUP.fullmatch(text.strip(" \t")))


def is_blank(text: str) -> bool:
    """Whether a line is empty but for tabs and blanks."""
    return not text.strip(" \t")


def fields(text: str, sign: str | None = None) -> list[str]:
    """The columns of a line: between signs as given, else tabs where there is one, else `|||`, else blanks."""
    if sign is not None and sign != " ":
        return text.split(sign)
    if "\t" in text:
        return text.split("\t")
    return BARS.split(text.strip(" ")) if BARS.search(text) else BLANKS.split(text.strip(" "))
