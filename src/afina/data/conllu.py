"""CoNLL-U files: sentences in ten columns, with comments. One sentence, one row of lists.

A row has the columns `form`, `lemma`, `upos`, `xpos`, `feats`, `deprel` and `misc`, each a list with one entry a word.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from ..errors import Problem, printable
from ..records import Row
from .columns import blocks, unreadable
from .formats import Reader
from .lines import Item, ReadOptions, codec_of, lines_of, raw_of

COLUMNS = ("form", "lemma", "upos", "xpos", "feats", "deprel", "misc")


def read_conllu(name: str, file: BinaryIO, options: ReadOptions) -> Iterator[Item]:
    """The sentences of a CoNLL-U file. Multi-word lines (`8-9`) and empty nodes (`8.1`) are not words of their own."""
    from conllu import parse
    from conllu.exceptions import ParseException

    for block in blocks(lines_of(name, file, codec_of(name, file, options.encoding))):
        place, raw = f"{name}:{block[0].number}", raw_of(block)
        problem = unreadable(name, block)
        if problem:
            yield problem
            continue
        try:
            (sentence,) = parse("".join(line.text for line in block) + "\n")
            words = [token for token in sentence if isinstance(token["id"], int)]
            yield Row({column: [text_of(word[column]) for word in words] for column in COLUMNS}, place, raw)
        except (ParseException, KeyError, ValueError) as error:
            message = f"not CoNLL-U: {printable(str(error))}"
            yield Problem(place, message, "ten columns with tabs between", "bad-conllu", raw)


def text_of(value: object) -> str:
    """A field as text; features as `Key=Value|Key=Value`, nothing as `_`."""
    if isinstance(value, dict):
        return "|".join(f"{key}={part}" for key, part in value.items()) or "_"
    return "_" if value is None else str(value)


READER = Reader("conllu", (".conllu",), read_conllu, summary="sentences in ten columns (Universal Dependencies)")
