"""The score tables of a run, kept so that they can be compared: `scores.safetensors`.

For each split there is the table that the metrics read, which examples its lines are of, and which of them belong
together, one entry or row an example:

    SPLIT/table/COLUMN   a column of the table
    SPLIT/examples       64 bits that identify the example and its gold answer (`data.identity.identity`)
    SPLIT/groups         the number of its group; absent where every example stands alone

Columns of types that safetensors lacks (texts, times) are kept as their bytes, and columns of objects as JSON. The
order of the columns, their types and a checksum of each split stand in the header, and what the task was fitted to, so
that its metrics can be computed where no model was kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import disk
from ..errors import ConfigError

Array = np.ndarray[Any, Any]
FORMAT = 1
"""Version of the file. A change that older code can't read counts up."""
HEADER = "afina"
"""The only entry of the header: several would come in an order that changes from run to run."""
JSON = "json"
"""Stands for the type of a column of objects."""


class NotKept(Exception):
    """A column holds what is no number, text, time or JSON value."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """The scored examples of a split.

    Attributes:
        table: The columns that the metrics read, in order. [n] or [n, ...] each
        examples: 64 bits that identify each example and its gold answer. [n]
        groups: Number of the group of each example; None where every example stands alone. [n]
    """

    table: Mapping[str, Array]
    examples: Array
    groups: Array | None = None


def write(file: Path, splits: Mapping[str, Scored], *, task: Mapping[str, Any] | None = None) -> None:
    """Write the scored examples of some splits, complete or absent. The same tables give the same bytes.

    Args:
        file: Where to.
        splits: The examples by the name of their split.
        task: Name, options and fitted values of the task; JSON values only.

    Raises:
        NotKept: names a column that can't be kept.
        OSError: the file can't be written.
    """
    from safetensors.numpy import save

    tensors: dict[str, Array] = {}
    header: dict[str, Any] = {"format": FORMAT, "task": task, "splits": {}}
    for name, scored in splits.items():
        own = {"examples": scored.examples.astype(np.uint64)}
        if scored.groups is not None:
            own["groups"] = scored.groups.astype(np.int64)
        types = {}
        for column, values in scored.table.items():
            own[f"table/{column}"], types[column] = stored(column, values)
        header["splits"][name] = {"rows": len(scored.examples), "columns": types, "sha256": checksum(own)}
        tensors |= {f"{name}/{part}": values for part, values in own.items()}
    disk.write(file, save(tensors, {HEADER: json.dumps(header)}))


def read(file: Path, split: str) -> Scored:
    """Read the scored examples of a split, and verify them.

    Raises:
        ConfigError: the file is missing, damaged or of a newer format, or has no such split.
    """
    with opened(file) as (tensors, header):
        known = header["splits"]
        if split not in known:
            raise ConfigError(f"{file}: no scores of {split}; there are: {', '.join(known)}")
        start = f"{split}/"
        names = [name for name in tensors.keys() if name.startswith(start)]  # noqa: SIM118 - not a dict
        own = {name.removeprefix(start): tensors.get_tensor(name) for name in names}
        return verified(own, known[split])


def read_task(file: Path) -> dict[str, Any] | None:
    """Name, options and fitted values of the task; None in a file that lacks them.

    Raises:
        ConfigError: the file is missing, damaged or of a newer format.
    """
    with opened(file) as (_, header):
        task: dict[str, Any] | None = header.get("task")
        return task


@contextmanager
def opened(file: Path) -> Iterator[tuple[Any, dict[str, Any]]]:
    """The opened file and its header.

    Raises:
        ConfigError: the file is missing, damaged or of a newer format.
    """
    from safetensors import SafetensorError, safe_open

    if not file.is_file():
        raise ConfigError(f"{file}: missing; runs of an earlier version have no such file")
    try:
        with safe_open(file, framework="numpy") as tensors:
            header = json.loads((tensors.metadata() or {})[HEADER])
            if header["format"] != FORMAT:
                form = header["format"]
                raise ConfigError(f"{file}: format {form}; this version reads {FORMAT}: pip install -U afina")
            yield tensors, header
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"{file}: damaged: {error}; copy it again, or train again") from None


def verified(own: Mapping[str, Array], about: Mapping[str, Any]) -> Scored:
    """The scored examples of a split from its tensors.

    Args:
        own: The tensors by the end of their name.
        about: What the header says of the split.

    Raises:
        ValueError, KeyError, TypeError: the tensors are not those of the header.
    """
    if checksum(own) != about["sha256"]:
        raise ValueError("its checksum is not that of its header")
    table = {column: restored(own[f"table/{column}"], kind) for column, kind in about["columns"].items()}
    found = Scored(table, own["examples"], own.get("groups"))
    columns = [found.examples, *table.values(), *([] if found.groups is None else [found.groups])]
    if any(len(values) != about["rows"] for values in columns) or found.examples.dtype != np.uint64:
        raise ValueError("its columns are not of its examples")
    return found


def stored(column: str, values: Array) -> tuple[Array, str]:
    """A column in a type of safetensors, and the name of its own type.

    Raises:
        NotKept: it holds what is no number, text, time or JSON value.
    """
    kind = values.dtype
    if kind.kind == "O":
        try:
            text = json.dumps(values.tolist())
        except (TypeError, ValueError) as error:
            raise NotKept(f"column {column!r} of the score table can't be kept: {error}") from None
        return np.frombuffer(text.encode(), np.uint8), JSON
    if kind.kind in "biuf" and kind.itemsize <= np.dtype(np.float64).itemsize:
        plain = kind.newbyteorder("=")
        return np.ascontiguousarray(values, plain), plain.str
    whole = np.ascontiguousarray(values)
    return whole.view(np.uint8).reshape(*values.shape, kind.itemsize), kind.str


def restored(values: Array, kind: str) -> Array:
    """A column as it was, from what `stored` gives."""
    if kind == JSON:
        return np.array(json.loads(values.tobytes()), object)
    own = np.dtype(kind)
    if own == values.dtype:
        return values
    return np.ascontiguousarray(values).view(own).reshape(values.shape[:-1])


def checksum(tensors: Mapping[str, Array]) -> str:
    """SHA-256 of the names, types, shapes and values of tensors, whatever their order."""
    total = hashlib.sha256()
    for name in sorted(tensors):
        values = tensors[name]
        total.update(f"{name} {values.dtype.str} {values.shape}\n".encode("utf-8", "surrogatepass"))
        total.update(np.ascontiguousarray(values).tobytes())
    return total.hexdigest()
