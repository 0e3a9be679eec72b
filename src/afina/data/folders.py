"""Folders that hold a whole data set: files or folders for training, validation and test, known by their names."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .formats import reader_of_folder
from .memory import holds_rows
from .sources import Files, is_folder

SPLITS = {
    "train": ("train", "training", "treino"),
    "validation": ("validation", "valid", "val", "dev", "development", "trial", "validacao", "validação"),
    "test": ("test", "testing", "teste", "eval"),
}
"""Words in names by split."""
SIGNS = re.compile(r"[\W\d_]+")
"""What stands between words of a name: `en_ewt-ud-train.conllu`, `train-00000-of-00002.parquet`."""


def split_of(name: str) -> str | None:
    """The split that a name tells: that of the one word that is such a word; None without one, or with several."""
    words = set(SIGNS.split(name.lower()))
    told = [split for split, known in SPLITS.items() if words & {*known}]
    return told[0] if len(told) == 1 else None


def splits_in(folder: str) -> dict[str, list[str]]:
    """Paths of a folder's files (or inner folders) by split; empty unless there are training data and another split."""
    found: dict[str, list[str]] = {split: [] for split in SPLITS}
    for path in sorted(Path(folder).iterdir()):
        split = split_of(path.name)
        if split and not path.name.startswith("."):
            found[split].append(f"{folder.rstrip('/')}/{path.name}")
    found = {split: paths for split, paths in found.items() if paths}
    return found if "train" in found and len(found) > 1 else {}


def splits_of(source: Mapping[Any, Any]) -> tuple[dict[str, Any], list[str]]:
    """The splits of a dict of data sets, such as a `DatasetDict`, and what was decided; other dicts are training data.

    Two data sets for one split are left to the reader, who asks for a choice.
    """
    names = {name: split_of(str(name)) for name, part in source.items() if holds_rows(part)}
    found = {split: source[name] for name, split in names.items() if split}
    if "train" not in found or len(found) < len([*filter(None, names.values())]):
        return {"train": source}, []
    shown = ", ".join(f"{split} = {name!r}" for name, split in names.items() if split)
    left = ", ".join(repr(name) for name, split in names.items() if split is None)
    return found, [f"data sets of the dict: {shown}" + (f"; left out: {left}" if left else "")]


def with_splits(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The sources of a run, where a folder or a dict of data sets that is the only one is taken apart into its splits.

    Args:
        given: Sources by split.

    Returns:
        Sources by split, and what was decided, in words.
    """
    source = given.get("train")
    if set(given) == {"train"} and isinstance(source, Mapping):
        return splits_of(source)
    if set(given) != {"train"} or not isinstance(source, str | os.PathLike) or not is_folder(source):
        return dict(given), []
    folder = os.fspath(source)
    reader = reader_of_folder(folder)
    found = splits_in(folder) if reader is None else {split: [path] for split, path in reader.splits(folder).items()}
    if not found:
        return dict(given), []
    shown = [f"{split}: {', '.join(Path(path).name for path in paths)}" for split, paths in found.items()]
    notes = [f"{folder}: taken as splits by their names: {'; '.join(shown)}"]
    taken = {Path(path).name for paths in found.values() for path in paths}
    # A reader's own folder holds files about its parts too.
    others = [path for path in Path(folder).iterdir() if path.name not in taken and path.name[0] != "."]
    left = sorted(path.name for path in others if reader is None or path.is_dir())
    if left:
        notes.append(f"{folder}: left out {', '.join(left)}")
    return {split: Files(paths) for split, paths in found.items()}, notes
