"""brat: a folder with a text (`0000001.txt`) and its marks (`0000001.ann`) for each prediction."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import count
from pathlib import Path

from ..records import Mark
from .writers import Answered, Form, Writer

PIECE = re.compile(r"[^\r\n]+")
"""What a line holds: brat cuts marks at line ends."""


def save_brat(path: Path, answers: Iterable[Answered], form: Form) -> None:
    """Texts as they are, and their marks by characters."""
    path.mkdir()
    for number, answered in zip(count(1), answers, strict=False):
        output = form.output(answered)
        name = f"{number:07}"
        (path / f"{name}.txt").write_bytes(output.text.encode())
        lines = [line_of(i, mark, output.text) for i, mark in enumerate(output.marks, 1)]
        (path / f"{name}.ann").write_bytes("".join(lines).encode())


def line_of(number: int, mark: Mark, text: str) -> str:
    """A mark as brat writes it. Types of brat have no blanks: `_` stands for them."""
    pieces = [match.span() for match in PIECE.finditer(text, mark.start, mark.end)] or [(mark.start, mark.end)]
    places = ";".join(f"{start} {end}" for start, end in pieces)
    said = " ".join(re.sub(r"\s", " ", text[start:end]) for start, end in pieces)
    label = re.sub(r"\s", "_", mark.label)
    return f"T{number}\t{label} {places}\t{said}\n"


WRITER = Writer("brat", ("/",), "a folder of texts with their marks beside them", save=save_brat, folder=True,
                takes="marks")  # fmt: skip
