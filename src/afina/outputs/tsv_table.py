"""tsv: a header and a line a prediction, tabs between and no quotes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TextIO

from .columns import table
from .writers import Answered, Form, Writer


def write_tsv(file: TextIO, answers: Iterable[Answered], form: Form) -> None:
    """The columns of csv. Nothing is quoted: a tab or a line end in a value becomes a blank."""
    for cells in table(answers, form):
        file.write("\t".join(re.sub(r"[\t\r\n]", " ", text) for text in cells) + "\n")


WRITER = Writer("tsv", (".tsv",), "the same, unquoted: tabs and line ends become blanks", write_tsv)
