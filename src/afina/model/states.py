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
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

import numpy as np
import platformdirs
import torch

from ..disk import ASIDE, Locked, locked, remove, settle
from ..records import Window
from ..work import Work, drain, run_with_backoff
from . import tables
from .network import Network
from .tables import KeptStates

FORMAT = 2
"""Version of the format of entries. Entries of other versions are not read."""
UNRELATED = ("id2label", "label2id", "problem_type", "architectures", "_name_or_path", "transformers_version", "dtype")
"""Entries of a model's configuration that don't change what its frozen layers compute."""
LOCK = ".lock"
"""Suffix of the file whose lock shows that a folder is being written."""
TABLE = "states.bin"
"""Name of an entry's table."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Description of an entry on disk.

    Attributes:
        format: Version of the entry's form.
        model: Name of the model.
        layers: Number of frozen layers below the cut.
        windows: Number of windows.
        rows: Number of rows of the table.
        width: Number of values of each row.
        dtype: Name of their type, `float32` or `bfloat16`.
        digest: blake2b of `states.bin`; empty while it is made.
    """

    format: int
    model: str
    layers: int
    windows: int
    rows: int
    width: int
    dtype: str
    digest: str = ""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the table."""
        return self.rows, self.width

    @property
    def type(self) -> torch.dtype:
        """Type of the values."""
        return tables.DTYPES[self.dtype]

    @property
    def bytes(self) -> int:
        """Size of the table in bytes."""
        return self.rows * self.width * self.type.itemsize


@dataclass(frozen=True, slots=True)
class StoragePlan:
    """Where a table of states is kept.

    Attributes:
        bytes: Size of the table.
        in_memory: Whether memory has room for the table.
        on_disk: Whether the disk has room for the table, so that other runs can use it.
        on_gpu: Whether the network's GPU has room for the table, which comes first.
    """

    bytes: int
    in_memory: bool
    on_disk: bool
    on_gpu: bool = False

    @property
    def size(self) -> str:
        """The size, for people."""
        return f"{self.bytes / 1e6:,.1f} MB of states"

    @property
    def kept(self) -> bool:
        """Whether it is kept at all."""
        return self.on_gpu or self.in_memory or self.on_disk

    @property
    def refusal(self) -> str:
        """Why it is not kept."""
        return f"{self.size} are more than --cache-memory and --cache-disk allow"

    def __str__(self) -> str:
        if not self.kept:
            return f"{self.refusal}; recomputed every epoch"
        where = "on the GPU" if self.on_gpu else "in memory" if self.in_memory else "on disk"
        others = ", and on disk for other runs" if self.on_disk and where != "on disk" else ""
        return f"computed once, {self.size} kept {where}{others}"


@dataclass(frozen=True, slots=True)
class StateStore:
    """Where states are kept, and how many bytes they may take.

    Attributes:
        folder: Folder of the entries on disk.
        memory: Bytes that states may take in memory.
        disk: Bytes that all entries together may take on disk; the least recently used ones are evicted first.
        gpu: Bytes that states may take in the memory of the network's GPU, where it has one.
    """

    folder: Path
    memory: float
    disk: float
    gpu: float = 0.0

    def plan(self, needed: int) -> StoragePlan:
        """Where a table of `needed` bytes would be kept."""
        return StoragePlan(
            needed, in_memory=needed <= self.memory, on_disk=needed <= self.disk, on_gpu=needed <= self.gpu
        )

    def after(self, kept: KeptStates | None) -> StateStore:
        """The same store, with less room where a table now lies. A mapped file takes none that counts."""
        if kept is None:
            return self
        size = kept.vectors.nbytes
        if kept.vectors.device.type != "cpu":
            return replace(self, gpu=self.gpu - size)
        return replace(self, memory=self.memory - size) if size <= self.memory else self

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
        table = self.find(name, network.device) if needed <= self.disk else None
        if table is not None:
            return KeptStates(table, lengths, pooled=pooled, device=network.device)
        dtype, width = network.state_dtype, network.backbone.width
        about = Entry(
            FORMAT,
            model,
            network.frozen_layers,
            windows=len(windows),
            rows=needed // (width * dtype.itemsize),
            width=width,
            dtype=str(dtype).removeprefix("torch."),
        )
        with self.aside(about.bytes) as aside:
            table = self.blank(about, aside, network.device)
            if table is None:
                return None
            kept = KeptStates(table, lengths, pooled=pooled, device=network.device)
            yield from fill(network, windows, kept)
            if aside is not None:
                with suppress(OSError):  # a full disk does not stop this run; the next one computes the states again
                    self.keep(name, about, table=table, aside=aside)
        return kept

    def find(self, name: str, device: torch.device) -> torch.Tensor | None:
        """The table of an entry, or None where there is none. A damaged entry is removed."""
        place = self.folder / name
        about = read_entry(place)
        if about is None:
            return None
        try:
            if (place / TABLE).stat().st_size != about.bytes:
                raise ValueError("wrong size")
            table = self.room(about, device)
            if table is None:
                table = tables.mapped(place / TABLE, about.shape, about.type)
            elif tables.read(place / TABLE, table) != about.digest:
                raise ValueError("wrong bytes")
            os.utime(place / "entry.json")
        except (OSError, ValueError):
            shutil.rmtree(place, ignore_errors=True)
            return None
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

    def room(self, about: Entry, device: torch.device) -> torch.Tensor | None:
        """An empty table on the network's device or in memory; None where neither has room."""
        if about.bytes <= self.gpu:
            with suppress(torch.OutOfMemoryError):
                return torch.empty(about.shape, dtype=about.type, device=device)
        return torch.empty(about.shape, dtype=about.type) if about.bytes <= self.memory else None

    def blank(self, about: Entry, aside: Path | None, device: torch.device) -> torch.Tensor | None:
        """An empty table on the device, in memory or, failing that, in a file; None where none has room."""
        table = self.room(about, device)
        if table is not None or aside is None:
            return table
        try:
            with (aside / TABLE).open("wb") as file:
                # Allocate the space now: writing to a memory-mapped file on a full disk kills the process.
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(file.fileno(), 0, about.bytes)
                else:
                    file.truncate(about.bytes)
            return tables.mapped(aside / TABLE, about.shape, about.type, write=True)
        except OSError:
            return None

    def keep(self, name: str, about: Entry, *, table: torch.Tensor, aside: Path) -> None:
        """Turn a temporary folder into an entry: sync it, describe it and rename it.

        Raises:
            OSError: the disk is full, or another run has made the same entry in the meantime.
        """
        digest = tables.digest(table) if (aside / TABLE).exists() else tables.write(table, aside / TABLE)
        described = json.dumps(asdict(replace(about, digest=digest)), indent=1)
        (aside / "entry.json").write_text(described + "\n", encoding="utf-8")
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
        """Remove the unfinished entries of runs that died with their locks, and entries of older formats."""
        for place in self.folder.glob("*/entry.json"):
            if is_outdated(place):
                remove(place.parent)
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
        known = about.format == FORMAT and about.dtype in tables.DTYPES
    except (OSError, ValueError, TypeError):
        return None
    return about if known and not place.name.startswith(".") else None


def is_outdated(description: Path) -> bool:
    """Whether the description of an entry is of an older format, which nothing can read any more."""
    try:
        return bool(json.loads(description.read_text(encoding="utf-8"))["format"] < FORMAT)
    except (OSError, ValueError, TypeError, KeyError):
        return False


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
        "dtype": str(network.state_dtype),
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
    """Bytes that the states of these windows take, in the type that the network gives them."""
    lines = len(windows) if is_pooled(network) else sum(map(len, windows))
    return lines * network.backbone.width * network.state_dtype.itemsize


def fill(network: Network, windows: Sequence[Window], kept: KeptStates) -> Work[None]:
    """Run every window through the frozen part once, batch by batch.

    Args:
        network: A network with a cut above the embeddings.
        windows: Windows whose states are computed.
        kept: Receives the states.
    """
    network.eval()
    layout = network.layout

    def compute(indices: list[int]) -> None:
        batch = layout.collate([windows[i] for i in indices])
        kept.put(indices, batch.real(network.lower(batch).vectors, pooled=is_pooled(network)))

    yield from run_with_backoff([len(window) for window in windows], layout.budget, split=layout.fill, compute=compute)


def kept_states(network: Network, windows: Sequence[Window]) -> KeptStates:
    """Compute the states of windows and keep them on the network's device only."""
    width, dtype = network.backbone.width, network.state_dtype
    rows = states_size(network, windows) // (width * dtype.itemsize)
    table = torch.empty(rows, width, dtype=dtype, device=network.device)
    kept = KeptStates(table, [len(window) for window in windows], pooled=is_pooled(network))
    drain(fill(network, windows, kept))
    return kept
