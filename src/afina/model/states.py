"""Keep the states at the cut, in memory and on disk, so that no frozen layer is computed twice.

An entry on disk is a folder named by a hash of everything that determines its states: the frozen weights, the
configuration, the cut, the windows and the versions. It holds `states.bin` and, written last, `entry.json`. It is
written under a temporary name and renamed, so that it is complete or absent. One entry serves all epochs, seeds,
learning rates and runs with the same frozen part.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import platformdirs
import torch

from ..disk import ASIDE, Locked, locked, remove, settle
from ..records import Batch, States, Window
from ..work import Work, drain, run_with_backoff
from .network import Network

FORMAT = 1
"""Version of the format of entries. Entries of other versions are not read."""
UNRELATED = ("id2label", "label2id", "problem_type", "architectures", "_name_or_path", "transformers_version", "dtype")
"""Entries of a model's configuration that don't change what its frozen layers compute."""
LOCK = ".lock"
"""Suffix of the file whose lock shows that a folder is being written."""
Array = np.ndarray[Any, Any]


class KeptStates:
    """The states of many windows at a network's cut.

    Attributes:
        vectors: All states in the order of the windows, in memory or in a memory-mapped file. There is one row per
            token, or one per window when pooled. [N, d]
        pooled: Whether there is one state per window.
    """

    def __init__(self, vectors: torch.Tensor, lengths: Sequence[int], *, pooled: bool) -> None:
        self.vectors = vectors
        self.pooled = pooled
        lines = torch.ones(len(lengths), dtype=torch.long) if pooled else torch.tensor(lengths)
        self.starts = torch.cat([torch.zeros(1, dtype=torch.long), lines.cumsum(0)]).tolist()

    def rows(self, indices: Sequence[int], batch: Batch | None = None) -> Array:
        """Rows of the table for some windows, in that order.

        Args:
            indices: The windows.
            batch: A batch of them, where a row is wanted for each that the encoder gives; padding repeats the first.
        """
        rows = np.concatenate([np.arange(self.starts[i], self.starts[i + 1]) for i in indices])
        return rows if batch is None else batch.spread(rows, pooled=self.pooled, filler=rows[0])

    def take(self, indices: Sequence[int], batch: Batch | None = None) -> States:
        """The states of some windows, where the table is. Arguments are those of `rows`."""
        rows = torch.from_numpy(self.rows(indices, batch)).to(self.vectors.device)
        return States(self.vectors.index_select(0, rows), pooled=self.pooled)


@dataclass(frozen=True, slots=True)
class Entry:
    """Description of an entry on disk.

    Attributes:
        format: Version of the entry's form.
        model: Name of the model.
        layers: Number of frozen layers below the cut.
        windows: Number of windows.
        rows: Number of rows of the table.
        width: Number of fp32 values of each row.
        digest: blake2b of `states.bin`.
    """

    format: int
    model: str
    layers: int
    windows: int
    rows: int
    width: int
    digest: str

    @property
    def bytes(self) -> int:
        """Size of the table in bytes."""
        return self.rows * self.width * 4


@dataclass(frozen=True, slots=True)
class StoragePlan:
    """Where a table of states is kept.

    Attributes:
        bytes: Size of the table.
        in_memory: Whether memory has room for the table.
        on_disk: Whether the disk has room for the table, so that other runs can use it.
    """

    bytes: int
    in_memory: bool
    on_disk: bool

    @property
    def size(self) -> str:
        """The size, for people."""
        return f"{self.bytes / 1e6:,.1f} MB of states"

    @property
    def kept(self) -> bool:
        """Whether it is kept at all."""
        return self.in_memory or self.on_disk

    @property
    def refusal(self) -> str:
        """Why it is not kept."""
        return f"{self.size} are more than --cache-memory and --cache-disk allow"

    def __str__(self) -> str:
        if not self.kept:
            return f"{self.refusal}; recomputed every epoch"
        where = "in memory" if self.in_memory else "on disk"
        others = ", and on disk for other runs" if self.in_memory and self.on_disk else ""
        return f"computed once, {self.size} kept {where}{others}"


@dataclass(frozen=True, slots=True)
class StateStore:
    """Where states are kept, and how many bytes they may take.

    Attributes:
        folder: Folder of the entries on disk.
        memory: Bytes that states may take in memory.
        disk: Bytes that all entries together may take on disk; the least recently used ones are evicted first.
    """

    folder: Path
    memory: float
    disk: float

    def plan(self, needed: int) -> StoragePlan:
        """Where a table of `needed` bytes would be kept."""
        return StoragePlan(needed, in_memory=needed <= self.memory, on_disk=needed <= self.disk)

    def states(
        self,
        network: Network,
        windows: Sequence[Window],
        parameter_hashes: Mapping[str, str],
        *,
        model: str,
    ) -> Work[KeptStates | None]:
        """The states of windows, read from disk or computed and kept; None where neither memory nor disk has room.

        Args:
            network: With a cut above the embeddings.
            windows: What to keep states of.
            parameter_hashes: Hashes of the network's parameters.
            model: Name of the model, for the list.
        """
        needed = states_size(network, windows)
        if not self.plan(needed).kept:
            return None
        self.sweep()  # here, since a run whose entry is found makes none
        lengths, pooled = [len(window) for window in windows], is_pooled(network)
        name = states_key(network, windows, parameter_hashes)
        vectors = self.find(name) if needed <= self.disk else None
        if vectors is None:
            about = Entry(
                FORMAT,
                model,
                network.frozen_layers,
                len(windows),
                needed // (4 * network.backbone.width),
                network.backbone.width,
                "",
            )
            vectors = yield from self.make(name, about, network=network, windows=windows)
        if vectors is None:
            return None
        return KeptStates(torch.from_numpy(vectors), lengths, pooled=pooled)

    def find(self, name: str) -> Array | None:
        """The table of an entry, or None where there is none. A damaged entry is removed."""
        place = self.folder / name
        about = read_entry(place)
        if about is None:
            return None
        try:
            if (place / "states.bin").stat().st_size != about.bytes:
                raise ValueError("wrong size")
            if about.bytes > self.memory:
                table: Array = np.memmap(place / "states.bin", np.float32, "c", shape=(about.rows, about.width))
            else:
                table = np.fromfile(place / "states.bin", np.float32).reshape(about.rows, about.width)
                if hashed(table) != about.digest:
                    raise ValueError("wrong bytes")
            os.utime(place / "entry.json")
        except (OSError, ValueError):
            shutil.rmtree(place, ignore_errors=True)
            return None
        return table

    def make(self, name: str, about: Entry, *, network: Network, windows: Sequence[Window]) -> Work[Array | None]:
        """Compute a table and keep it on disk where there is room; None where only the disk had room, and is full.

        A full disk does not stop this run; the next run computes the states again.
        """
        with self.aside(about.bytes) as aside:
            table = self.blank(about, aside)
            if table is None:
                return None
            yield from fill(network, windows, torch.from_numpy(table))
            if aside is not None:
                with suppress(OSError):
                    self.keep(name, about, table=table, aside=aside)
        return table

    @contextmanager
    def aside(self, needed: int) -> Iterator[Path | None]:
        """A locked temporary folder for writing an entry, removed at the end; None where the disk can't be used."""
        making = self.folder / f"{ASIDE}{uuid4().hex}"
        with ExitStack() as stack:
            place = None
            with suppress(OSError, Locked):
                if needed <= self.disk:
                    self.folder.mkdir(parents=True, exist_ok=True)
                    self.evict(needed)
                    # The lock is taken first and removed last, so that a sweep never finds the folder without it.
                    stack.callback(remove, lock_of(making))
                    stack.enter_context(locked(lock_of(making)))
                    stack.callback(remove, making)
                    making.mkdir(mode=0o700)
                    place = making
            yield place

    def blank(self, about: Entry, aside: Path | None) -> Array | None:
        """An empty table in memory or, failing that, in a file; None where neither has room."""
        shape = (about.rows, about.width)
        if about.bytes <= self.memory:
            return np.empty(shape, np.float32)
        if aside is None:
            return None
        try:
            with (aside / "states.bin").open("wb") as file:
                # Allocate the space now: writing to a memory-mapped file on a full disk kills the process.
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(file.fileno(), 0, about.bytes)
                else:
                    file.truncate(about.bytes)
            return np.memmap(aside / "states.bin", np.float32, "r+", shape=shape)
        except OSError:
            return None

    def keep(self, name: str, about: Entry, *, table: Array, aside: Path) -> None:
        """Turn a temporary folder into an entry: sync it, describe it and rename it.

        Raises:
            OSError: the disk is full, or another run has made the same entry in the meantime.
        """
        if isinstance(table, np.memmap):
            table.flush()
        else:
            table.tofile(aside / "states.bin")
        described = {**asdict(about), "digest": hashed(table)}
        (aside / "entry.json").write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")
        settle(aside)
        aside.rename(self.folder / name)

    def entries(self) -> list[tuple[str, Entry, float]]:
        """Name, description and time of last use of all entries, the most recently used first."""
        entries = []
        for place in self.folder.iterdir() if self.folder.is_dir() else ():
            about = read_entry(place)
            if about is not None:
                entries.append((place.name, about, (place / "entry.json").stat().st_mtime))
        return sorted(entries, key=lambda entry: -entry[2])

    def evict(self, needed: int) -> None:
        """Remove the least recently used entries until `needed` more bytes fit."""
        entries = self.entries()
        while entries and sum(about.bytes for _, about, _ in entries) + needed > self.disk:
            name, _, _ = entries.pop()
            remove(self.folder / name)

    def sweep(self) -> None:
        """Remove the unfinished entries of runs that died, and their locks."""
        for place in {place.with_name(place.name.removesuffix(LOCK)) for place in self.folder.glob(f"{ASIDE}*")}:
            with suppress(OSError, Locked):
                with locked(lock_of(place)):
                    remove(place)
                remove(lock_of(place))

    def clear(self) -> int:
        """Remove all entries and the remains of interrupted runs. Returns the number of bytes freed."""
        freed = 0
        for place in [path for path in self.folder.glob("*") if path.is_dir()]:
            freed += sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
            remove(place)
        return freed


def states_folder() -> Path:
    """The folder `states` in `AFINA_CACHE` or, where that is not set, in the user's cache folder."""
    return Path(os.environ.get("AFINA_CACHE") or platformdirs.user_cache_path("afina", appauthor=False)) / "states"


def lock_of(place: Path) -> Path:
    """The file whose lock shows that a folder is being written."""
    return place.with_name(f"{place.name}{LOCK}")


def read_entry(place: Path) -> Entry | None:
    """The description of an entry, or None where the folder is not a readable entry."""
    try:
        about = Entry(**json.loads((place / "entry.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return about if about.format == FORMAT and not place.name.startswith(".") else None


def hashed(table: Array) -> str:
    """blake2b of a table's bytes."""
    return hashlib.blake2b(table.reshape(-1).view(np.uint8), digest_size=16).hexdigest()  # type: ignore[arg-type]


def states_key(network: Network, windows: Sequence[Window], parameter_hashes: Mapping[str, str]) -> str:
    """Hash of everything that determines the states: weights, configuration, cut, arithmetic, versions, windows."""
    frozen = {
        name: parameter_hashes[name] for name, parameter in network.named_parameters() if not parameter.requires_grad
    }
    config = {name: value for name, value in network.backbone.config.to_dict().items() if name not in UNRELATED}
    about = {
        "format": FORMAT,
        "frozen": frozen,
        "config": {name: value for name, value in config.items() if "dropout" not in name},
        "cut": network.frozen_layers,
        "reads": network.pooling if is_pooled(network) else "tokens",
        "layout": network.layout.name,
        "compute": network.compute.fingerprint(),
        "versions": [version(name) for name in ("afina", "torch", "transformers")],
    }
    digest = hashlib.blake2b(json.dumps(about, sort_keys=True, default=str).encode(), digest_size=16)
    for array in (
        np.array([len(window) for window in windows], np.int64),
        np.concatenate([window.ids for window in windows]),
        np.concatenate([window.types for window in windows]),
    ):
        digest.update(np.ascontiguousarray(array).view(np.uint8))  # type: ignore[arg-type]
    return digest.hexdigest()


def is_pooled(network: Network) -> bool:
    """Whether the part above the cut needs only one vector per window."""
    return network.frozen_layers == network.backbone.depth and network.pooling != "tokens"


def states_size(network: Network, windows: Sequence[Window]) -> int:
    """Bytes that the states of these windows take."""
    lines = len(windows) if is_pooled(network) else sum(map(len, windows))
    return lines * network.backbone.width * 4


def fill(network: Network, windows: Sequence[Window], vectors: torch.Tensor) -> Work[None]:
    """Run every window through the frozen part once, batch by batch.

    Args:
        network: A network with a cut above the embeddings.
        windows: Windows whose states are computed.
        vectors: Tensor that receives the states. [N, d]
    """
    network.eval()
    layout = network.layout
    lengths = [len(window) for window in windows]
    starts = [0, *np.cumsum(lengths).tolist()]

    def compute(indices: list[int]) -> None:
        batch = layout.collate([windows[i] for i in indices])
        states = batch.real(network.lower(batch).vectors, pooled=is_pooled(network)).cpu()
        if is_pooled(network):
            vectors[indices] = states
            return
        for i, part in zip(indices, torch.split(states, [lengths[i] for i in indices]), strict=True):
            vectors[starts[i] : starts[i + 1]] = part

    yield from run_with_backoff(lengths, layout.budget, split=layout.fill, compute=compute)


def kept_states(network: Network, windows: Sequence[Window]) -> KeptStates:
    """Compute the states of windows and keep them in memory only."""
    vectors = torch.empty(states_size(network, windows) // (4 * network.backbone.width), network.backbone.width)
    drain(fill(network, windows, vectors))
    return KeptStates(vectors, [len(window) for window in windows], pooled=is_pooled(network))
