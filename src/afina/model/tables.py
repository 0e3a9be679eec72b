"""Tables of states: where they lie, how windows are taken from them, and how they are read and written.

A table is one tensor: in the memory of the network's GPU, in that of the machine, or in a mapped file. What it holds
is in the arithmetic of the network. Bytes are moved, written and summed in blocks, so that a table on a GPU needs no
second one in the machine's memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..devices import send
from ..records import Batch, States

BLOCK = 2**24
"""Bytes that are moved, written and summed at once."""
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
"""Types of states, by the names that entries on disk have for them."""
Array = np.ndarray[Any, Any]


class KeptStates:
    """The states of many windows at a network's cut.

    Attributes:
        vectors: All states in the order of the windows, on the network's device, in memory, or in a mapped file. There
            is one row per token, or one per window when pooled. [N, d]
        pooled: Whether there is one state per window.
        device: Device of the network, on which states are wanted.
        starts: First row of each window, and the number of rows. [W + 1]
    """

    def __init__(
        self, vectors: torch.Tensor, lengths: Sequence[int], *, pooled: bool, device: torch.device | None = None
    ) -> None:
        self.vectors = vectors
        self.pooled = pooled
        self.device = vectors.device if device is None else device
        rows = np.ones(len(lengths), np.int64) if pooled else np.asarray(lengths, np.int64)
        self.starts = np.concatenate([np.zeros(1, np.int64), rows.cumsum()])

    @property
    def at_hand(self) -> bool:
        """Whether the table lies where the network computes, so that selecting rows of it crosses nothing."""
        return self.vectors.device == self.device

    def rows(self, indices: Sequence[int], batch: Batch | None = None) -> Array:
        """Rows of the table for some windows, in that order. [n]

        Args:
            indices: The windows.
            batch: A batch of them, where a row is wanted for each that the encoder gives; padding repeats the first.
        """
        chosen = np.asarray(indices, np.int64)
        firsts, sizes = self.starts[chosen], self.starts[chosen + 1] - self.starts[chosen]
        before = sizes.cumsum() - sizes  # rows of the windows before each one
        rows: Array = np.repeat(firsts - before, sizes) + np.arange(sizes.sum())
        return rows if batch is None else batch.spread(rows, pooled=self.pooled, filler=rows[0])

    def take(self, indices: Sequence[int], batch: Batch | None = None) -> States:
        """The states of some windows on the network's device. Arguments are those of `rows`.

        From a table elsewhere they are gathered into memory that a GPU reads by itself, and sent without waiting. The
        whole table is not held in such memory, which torch locks and rounds up to a power of two.
        """
        rows = torch.from_numpy(self.rows(indices, batch))
        if self.at_hand:
            return States(self.vectors.index_select(0, send(rows, self.device)), pooled=self.pooled)
        gathered = torch.empty(
            (len(rows), self.vectors.shape[1]), dtype=self.vectors.dtype, pin_memory=self.device.type == "cuda"
        )
        torch.index_select(self.vectors, 0, rows, out=gathered)
        return States(gathered.to(self.device, non_blocking=True), pooled=self.pooled)

    def put(self, indices: Sequence[int], states: torch.Tensor) -> None:
        """Write the states of the windows at the given indices, in that order. [n, d]"""
        rows = send(torch.from_numpy(self.rows(indices)), self.vectors.device)
        self.vectors.index_copy_(0, rows, states.to(self.vectors.device, self.vectors.dtype))


# ---------------------------------------------------------------------------------------------------------------------
# Tables and files.


def mapped(file: Path, shape: tuple[int, int], dtype: torch.dtype, *, write: bool = False) -> torch.Tensor:
    """A table in a file of its size.

    Args:
        file: The file.
        shape: Rows and columns.
        dtype: Type of the values.
        write: Whether what is written to the table goes into the file.

    Raises:
        OSError: the file can't be opened, or memory has no addresses for it.
    """
    try:
        table = torch.from_file(str(file), shared=write, size=shape[0] * shape[1], dtype=dtype)
    except RuntimeError as error:  # torch knows no other
        raise OSError(str(error)) from error
    return table.view(shape)


def read(file: Path, table: torch.Tensor) -> str:
    """Fill a table with the bytes of a file.

    Returns:
        blake2b of the bytes.

    Raises:
        OSError: the file can't be read.
        ValueError: it is too short.
    """
    summed = hashlib.blake2b(digest_size=16)
    with file.open("rb") as stream:
        for block in blocks(table):
            host = block if block.device.type == "cpu" else torch.empty_like(block, device="cpu")
            content = bytes_of(host)
            if stream.readinto(content.data) != content.size:
                raise ValueError("too short")
            summed.update(content.data)
            if host is not block:
                block.copy_(host)
    return summed.hexdigest()


def write(table: torch.Tensor, file: Path) -> str:
    """Write the bytes of a table. Returns their blake2b.

    Raises:
        OSError: the file can't be written.
    """
    summed = hashlib.blake2b(digest_size=16)
    with file.open("wb") as stream:
        for block in blocks(table):
            content = bytes_of(block.cpu()).data
            stream.write(content)
            summed.update(content)
    return summed.hexdigest()


def digest(table: torch.Tensor) -> str:
    """blake2b of a table's bytes."""
    summed = hashlib.blake2b(digest_size=16)
    for block in blocks(table):
        summed.update(bytes_of(block.cpu()).data)
    return summed.hexdigest()


def blocks(table: torch.Tensor) -> Iterator[torch.Tensor]:
    """A table in parts of consecutive rows."""
    return iter(torch.split(table, max(1, BLOCK // (table.shape[1] * table.itemsize))))


def bytes_of(table: torch.Tensor) -> Array:
    """The bytes of a table on the CPU, which share its memory. numpy has no bf16."""
    content: Array = table.view(torch.uint8).reshape(-1).numpy()
    return content
