"""CoNLL: a word and its tag a line, an empty line after each text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TextIO

from .writers import Answered, Form, Writer

BLANKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ufeff]")
"""What would divide a line or a word."""


def write_conll(file: TextIO, answers: Iterable[Answered], form: Form) -> None:
    """Words and predicted tags, between tabs. A blank inside a word becomes `_`, as an empty word does.

    A text without words has no line.
    """
    for answered in answers:
        words = form.output(answered).words
        file.writelines(f"{solid(word)}\t{solid(tag)}\n" for word, tag in words)
        if words:
            file.write("\n")


def solid(word: str) -> str:
    """A word without blanks."""
    return BLANKS.sub("_", word) or "_"


WRITER = Writer("conll", (".conll",), "a word and its predicted tag a line", write_conll, takes="words")
