"""Folders that `save_to_disk` of Hugging Face's datasets writes: one data set, or a dict of them by split.

A data set is a folder of Arrow streams beside its schema. A dict is a folder of such folders. Only pyarrow is needed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from .arrow import read_arrow
from .folders import split_of
from .formats import Reader
from .lines import Item, ReadOptions, fail

STATE, INFO, SPLITS = "state.json", "dataset_info.json", "dataset_dict.json"
"""Files that tell what a folder holds: the pieces of a data set, its features, or the names of several data sets."""


def is_saved(folder: Path) -> bool:
    """Whether a folder is a saved data set, or a dict of them."""
    return (folder / SPLITS).is_file() or ((folder / STATE).is_file() and (folder / INFO).is_file())


def splits_of(folder: str) -> dict[str, str]:
    """Paths of the data sets of a folder by split; empty where it is a single one, or its names are not clear.

    Raises:
        DataError: the names can't be read.
    """
    if not Path(folder, SPLITS).is_file():
        return {}
    names = names_in(folder)
    found = {split: name for name in names if (split := split_of(name))}
    clear = "train" in found and len(found) == sum(split_of(name) is not None for name in names)
    return {split: joined(folder, name) for split, name in found.items()} if clear else {}


def names_in(folder: str) -> list[str]:
    """Names of the data sets of a dict.

    Raises:
        DataError: they can't be read.
    """
    return strings(joined(folder, SPLITS), "splits", read_json(joined(folder, SPLITS)).get("splits"))


def read_saved(folder: str, options: ReadOptions) -> Iterator[Item]:
    """The rows of a saved data set, piece by piece.

    Raises:
        DataError: it is a dict of several, or a piece is missing or damaged.
        MissingExtra: pyarrow is not installed.
    """
    if Path(folder, SPLITS).is_file():
        names = names_in(folder)
        fix = f"name one of them: {joined(folder, names[0])}" if names else ""
        fail(folder, "several-sets", f"a dict of data sets: {', '.join(names)}", fix=fix)
    state = joined(folder, STATE)
    pieces = read_json(state).get("_data_files")
    if not isinstance(pieces, list) or not all(isinstance(piece, dict) for piece in pieces):
        fail(state, "damaged", "names no pieces under `_data_files`", fix="save the data set again")
    return read_pieces(folder, strings(state, "_data_files", [piece.get("filename") for piece in pieces]), options)


def read_pieces(folder: str, pieces: list[str], options: ReadOptions) -> Iterator[Item]:
    """The rows of the pieces of a data set.

    Raises:
        DataError: a piece is missing or damaged, or there is no row.
        MissingExtra: pyarrow is not installed.
    """
    features = read_json(joined(folder, INFO)).get("features")
    empty = True
    for piece in pieces:
        path = joined(folder, piece)
        try:
            file = Path(path).open("rb")  # noqa: SIM115
        except OSError as error:
            fail(path, "no-file", f"a piece of the data set can't be read: {error.strerror}", fix="save it again")
        with file:
            for item in read_arrow(path, file, options, features=features):
                empty = False
                yield item
    if empty:
        fail(folder, "no-rows", "no rows: the data set is empty")


def read_json(path: str) -> Mapping[str, Any]:
    """An object in a file of its own.

    Raises:
        DataError: there is none.
    """
    try:
        held = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        fail(path, "damaged", f"can't be read: {error}", fix="save the data set again")
    if not isinstance(held, dict):
        fail(path, "damaged", "holds no JSON object", fix="save the data set again")
    return held


def strings(path: str, what: str, names: Any) -> list[str]:
    """Names of files or folders right in a folder.

    Raises:
        DataError: they are something else.
    """
    if not isinstance(names, list) or not all(map(is_name, names)):
        fail(path, "damaged", f"`{what}` are no names of files", fix="save the data set again")
    return names


def is_name(value: Any) -> bool:
    """Whether a value is the name of something right in a folder."""
    return isinstance(value, str) and Path(value).name == value != ".."


def joined(folder: str, name: str) -> str:
    """A path inside a folder, which keeps its name as given."""
    return f"{folder.rstrip('/')}/{name}"


def read_piece(name: str, _file: BinaryIO, _options: ReadOptions) -> Iterator[Item]:
    """Refuse a single file.

    Raises:
        DataError: always.
    """
    fail(name, "not-a-folder", "a file; save_to_disk writes a folder", fix="name the folder, or give --format arrow")


READER = Reader(
    "datasets",
    (),
    read_piece,
    summary="folders of save_to_disk; needs afina[parquet]",
    holds=is_saved,
    read_folder=read_saved,
    splits=splits_of,
    named_columns=True,
)
