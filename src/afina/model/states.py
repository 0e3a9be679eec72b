"""Keep the states at the frozen boundary, so that no frozen layer is computed twice: in memory, and on disk for others.

On disk an entry is a folder named by a hash of everything that made it: the frozen weights, the configuration, the cut,
the windows, the versions. It holds `states.bin` and, written last, `entry.json`; it is made aside and renamed, so that
it is complete or absent. One entry serves every epoch, seed, learning rate and run with the same frozen part.
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
from ..records import States, Window
from ..work import Work, drain, run_with_backoff
from .network import Network

FORMAT = 1
"""Version of the entries; others are not read."""
UNRELATED = ("id2label", "label2id", "problem_type", "architectures", "_name_or_path", "transformers_version", "dtype")
"""Entries of a model's configuration that don't change what its frozen layers compute."""
LOCK = ".lock"
"""Ends the name of the file whose lock says that a folder is being made."""
Array = np.ndarray[Any, Any]


class KeptStates:
    """The states of many windows at a network's cut.

    Attributes:
        vectors: All states in one tensor, windows in order; in memory, or a file mapped into it. [N, d] (one line a
            token, or one a window when pooled)
    """

    def __init__(self, vectors: torch.Tensor, lengths: Sequence[int], *, pooled: bool) -> None:
        self.vectors = vectors
        self.pooled = pooled
        lines = torch.ones(len(lengths), dtype=torch.long) if pooled else torch.tensor(lengths)
        self.starts = torch.cat([torch.zeros(1, dtype=torch.long), lines.cumsum(0)]).tolist()

    def take(self, indices: Sequence[int]) -> States:
        """The states of some windows, in the order asked for."""
        if self.pooled:
            return States(self.vectors[list(indices)], pooled=True)
        return States(torch.cat([self.vectors[self.starts[i] : self.starts[i + 1]] for i in indices]))


@dataclass(frozen=True, slots=True)
class Entry:
    """What an entry on disk says of itself.

    Attributes:
        format: Version of the entry's form.
        model: Name of the model.
        layers: Frozen layers below the cut.
        windows: How many windows.
        rows: Lines of the table.
        width: Numbers a line, fp32.
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
        """Size of the table."""
        return self.rows * self.width * 4


@dataclass(frozen=True, slots=True)
class StoragePlan:
    """What becomes of a table of states.

    Attributes:
        bytes: Its size.
        in_memory: Whether memory has room for it.
        on_disk: Whether the disk has, so that other runs find it.
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
    """Where states are kept, and how much of them.

    Attributes:
        folder: Folder of the entries on disk.
        memory: Bytes that states may take in memory.
        disk: Bytes that all entries together may take on disk; the ones used longest ago go first.
    """

    folder: Path
    memory: float
    disk: float

    def plan(self, needed: int) -> StoragePlan:
        """What would be done with a table of that many bytes."""
        return StoragePlan(needed, in_memory=needed <= self.memory, on_disk=needed <= self.disk)

    def states(
        self,
        network: Network,
        windows: Sequence[Window],
        parameter_hashes: Mapping[str, str],
        *,
        model: str,
    ) -> Work[KeptStates | None]:
        """The states of windows: found, or computed and kept; None where neither memory nor disk has room.

        Args:
            network: With a cut above the embeddings.
            windows: What to keep states of.
            parameter_hashes: Hashes of the network's parameters.
            model: Name of the model, for the list.
        """
        needed = states_size(network, windows)
        if not self.plan(needed).kept:
            return None
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
        """The table of an entry, or None; a damaged entry is removed."""
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
        """Compute a table, and keep it on disk where it has room there; None where only the disk had room, and is full.

        A disk that is full costs the next run its time, not this one its life.
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
        """A folder to make an entry in, where the disk may be used; it is locked, and gone at the end."""
        making = self.folder / f"{ASIDE}{uuid4().hex}"
        with ExitStack() as stack:
            place = None
            with suppress(OSError, Locked):
                if needed <= self.disk:
                    self.folder.mkdir(parents=True, exist_ok=True)
                    self.sweep()
                    self.evict(needed)
                    # The lock comes first and goes last: whoever sweeps finds no folder without it.
                    stack.callback(remove, lock_of(making))
                    stack.enter_context(locked(lock_of(making)))
                    stack.callback(remove, making)
                    making.mkdir(mode=0o700)
                    place = making
            yield place

    def blank(self, about: Entry, aside: Path | None) -> Array | None:
        """An empty table in memory, or else in a file; None where neither has room."""
        shape = (about.rows, about.width)
        if about.bytes <= self.memory:
            return np.empty(shape, np.float32)
        if aside is None:
            return None
        try:
            with (aside / "states.bin").open("wb") as file:
                # Take the room now: writing into a mapped file without room kills the process.
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(file.fileno(), 0, about.bytes)
                else:
                    file.truncate(about.bytes)
            return np.memmap(aside / "states.bin", np.float32, "r+", shape=shape)
        except OSError:
            return None

    def keep(self, name: str, about: Entry, *, table: Array, aside: Path) -> None:
        """Make what lies aside an entry: synced, described, renamed.

        Raises:
            OSError: the disk is full, or another run made the same entry meanwhile.
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
        """Name, description and time of last use of all entries, the latest first."""
        found = []
        for place in self.folder.iterdir() if self.folder.is_dir() else ():
            about = read_entry(place)
            if about is not None:
                found.append((place.name, about, (place / "entry.json").stat().st_mtime))
        return sorted(found, key=lambda one: -one[2])

    def evict(self, needed: int) -> None:
        """Remove the entries used longest ago until so many bytes more have room."""
        kept = self.entries()
        while kept and sum(about.bytes for _, about, _ in kept) + needed > self.disk:
            name, _, _ = kept.pop()
            remove(self.folder / name)

    def sweep(self) -> None:
        """Remove what dead runs left half made, and their locks."""
        for place in {place.with_name(place.name.removesuffix(LOCK)) for place in self.folder.glob(f"{ASIDE}*")}:
            with suppress(OSError, Locked):
                with locked(lock_of(place)):
                    remove(place)
                remove(lock_of(place))

    def clear(self) -> int:
        """Remove all entries and what interrupted runs left; how many bytes that were."""
        freed = 0
        for place in [one for one in self.folder.glob("*") if one.is_dir()]:
            freed += sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
            remove(place)
        return freed


def states_folder() -> Path:
    """The folder `states` in `AFINA_CACHE` or, without it, in the user's cache folder of the system."""
    return Path(os.environ.get("AFINA_CACHE") or platformdirs.user_cache_path("afina", appauthor=False)) / "states"


def lock_of(place: Path) -> Path:
    """The file whose lock says that a folder is being made."""
    return place.with_name(f"{place.name}{LOCK}")


def read_entry(place: Path) -> Entry | None:
    """The description of an entry, or None for anything that is none."""
    try:
        about = Entry(**json.loads((place / "entry.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return about if about.format == FORMAT and not place.name.startswith(".") else None


def hashed(table: Array) -> str:
    """blake2b of a table's bytes."""
    return hashlib.blake2b(table.reshape(-1).view(np.uint8), digest_size=16).hexdigest()  # type: ignore[arg-type]


def states_key(network: Network, windows: Sequence[Window], parameter_hashes: Mapping[str, str]) -> str:
    """A hash of everything that makes the states: weights, configuration, cut, arithmetic, versions, windows."""
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
    found = hashlib.blake2b(json.dumps(about, sort_keys=True, default=str).encode(), digest_size=16)
    for array in (
        np.array([len(window) for window in windows], np.int64),
        np.concatenate([window.ids for window in windows]),
        np.concatenate([window.types for window in windows]),
    ):
        found.update(np.ascontiguousarray(array).view(np.uint8))  # type: ignore[arg-type]
    return found.hexdigest()


def is_pooled(network: Network) -> bool:
    """Whether one vector a window is all that is needed above the cut."""
    return network.frozen_layers == network.backbone.depth and network.pooling != "tokens"


def states_size(network: Network, windows: Sequence[Window]) -> int:
    """Bytes that the states of these windows take."""
    lines = len(windows) if is_pooled(network) else sum(map(len, windows))
    return lines * network.backbone.width * 4


def fill(network: Network, windows: Sequence[Window], vectors: torch.Tensor) -> Work[None]:
    """Run every window through the frozen part once, batch by batch.

    Args:
        network: With a cut above the embeddings.
        windows: The windows whose states are kept.
        vectors: Where to put the states. [N, d]
    """
    network.eval()
    layout = network.layout
    lengths = [len(window) for window in windows]
    starts = [0, *np.cumsum(lengths).tolist()]

    def compute(indices: list[int]) -> None:
        states = network.lower(layout.collate([windows[i] for i in indices])).vectors.cpu()
        if is_pooled(network):
            vectors[indices] = states
            return
        for i, part in zip(indices, torch.split(states, [lengths[i] for i in indices]), strict=True):
            vectors[starts[i] : starts[i + 1]] = part

    yield from run_with_backoff(lengths, layout.budget, split=layout.fill, compute=compute)


def kept_states(network: Network, windows: Sequence[Window]) -> KeptStates:
    """The states of windows in memory, and nowhere else."""
    vectors = torch.empty(states_size(network, windows) // (4 * network.backbone.width), network.backbone.width)
    drain(fill(network, windows, vectors))
    return KeptStates(vectors, [len(window) for window in windows], pooled=is_pooled(network))
