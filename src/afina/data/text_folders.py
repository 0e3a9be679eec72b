"""Folders of plain texts, one folder a label: `pos/1.txt`, `neg/2.txt`. A file is a row; its folder is its label."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ..errors import DataError, listed
from ..records import Row
from .encodings import encoding_of
from .folders import split_of
from .formats import Reader
from .lines import Item, ReadOptions, codec_of, fail, lines_of

TEXT = ".txt"
ANNOTATIONS = ".ann"
FOLDER = "name the folder that holds a folder for each label"


def holds_texts(folder: Path) -> bool:
    """Whether a folder holds two or more folders of texts and no other data; folders of splits are something else."""
    inner = [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
    texts = len(inner) > 1 and all(only_texts(path) and split_of(path.name) is None for path in inner)
    return texts and not any(folder.glob("*.*sv")) and not any(folder.glob("*.json*"))


def only_texts(folder: Path) -> bool:
    """Whether a folder holds texts, and neither folders nor annotations."""
    names = [path for path in folder.iterdir() if not path.name.startswith(".")]
    return any(path.suffix == TEXT for path in names) and not any(
        path.suffix == ANNOTATIONS or path.is_dir() for path in names
    )


def read_folder(folder: str, options: ReadOptions) -> Iterator[Item]:
    """The texts of all labels, in the order of the labels and of the names of their files."""
    labels = sorted(path.name for path in Path(folder).iterdir() if path.is_dir() and not path.name.startswith("."))
    left = []
    for label in labels:
        for path in sorted(Path(folder, label).iterdir()):
            name = f"{folder.rstrip('/')}/{label}/{path.name}"
            if path.suffix == TEXT:
                yield text_of(name, label, options)
            elif not path.name.startswith("."):
                left.append(f"{label}/{path.name}")
    options.note(f"{folder}: each text file is a row, and the name of its folder its label: {listed(labels)}")
    if left:
        options.note(f"{folder}: left out {listed(left)}, which are no texts")


def text_of(name: str, label: str, options: ReadOptions) -> Item:
    """A whole file as a row, or what is wrong with it."""
    with Path(name).open("rb") as file:
        raw = file.read()
        try:
            encoding = options.encoding or encoding_of(name, file)[0]
            file.seek(0)
            lines = list(lines_of(name, file, codec_of(name, file, encoding)))
        except DataError as error:
            return error.problems[0]
    fault = next((line.fault for line in lines if line.fault), None)
    if fault is not None:
        return fault.at(name, raw)
    return Row({"text": "".join(line.text for line in lines), "label": label}, name, raw)


def read_alone(name: str, file: BinaryIO, options: ReadOptions) -> Iterator[Item]:
    """A file alone has no label.

    Raises:
        DataError: always.
    """
    fail(name, "not-a-folder", "a file; its label would be the name of its folder", fix=FOLDER)


READER = Reader(
    "texts",
    (),
    read_alone,
    summary="folders of texts, one folder a label",
    holds=holds_texts,
    read_folder=read_folder,
    named_columns=True,
)
