"""Kept states: the bits that computing them anew gives, found again, never wrong, never in the way."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch

from afina.assembly import open_network, open_tokenizer, parameter_hashes
from afina.compute import Compute
from afina.config import load
from afina.data.parts import read_data
from afina.model.network import Network
from afina.model.states import StateStore, states_key, states_size
from afina.model.tables import KeptStates
from afina.records import Example, Window
from afina.text.layouts import Packed
from afina.training.events import Done, Note
from afina.training.run import stream
from afina.work import drain
from tests.arithmetic import same
from tests.networks import network_of, task_of, windows_of

TEXTS = [
    f"the {thing} {verb}" + " on the mat" * i
    for i, thing in enumerate(("cat", "dog", "bird"))
    for verb in ("sleeps", "barks")
]
ROWS = [{"text": text, "label": label} for text in TEXTS for label in ("good",)] + [
    {"text": f"a {word} {thing}", "label": "bad"} for word in ("poor", "awful") for thing in ("film", "meal", "room")
]


BITS = "the states of a window on a GPU depend on its company in their last bits"


def made(folder: Path, layers: int = 1, head: str = "native", **more: Any) -> tuple[Network, list[Window]]:
    return network_of(folder, layers=layers, head=head, **more), windows_of(folder, TEXTS)


def states(store: StateStore, network: Network, windows: list[Window]) -> KeptStates | None:
    return drain(store.states(network, windows, parameter_hashes(network), model="tiny"))


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """States are computed in several batches, on little data."""
    monkeypatch.setattr(Packed, "budget", 50)


@pytest.fixture
def store(tmp_path: Path) -> StateStore:
    return StateStore(tmp_path / "states", 1e9, 1e9)


@pytest.mark.parametrize(("layers", "head"), [(0, "native"), (0, "mean"), (1, "native"), (2, "native")])
def test_found_states_equal_computed_ones(
    store: StateStore, layers: int, head: str, tiny: Callable[[str], Path]
) -> None:
    network, windows = made(tiny("bert"), layers, head)
    first = states(store, network, windows)
    (entry,) = store.folder.iterdir()
    written = (entry / "states.bin").stat().st_mtime_ns
    again = states(store, network, windows)
    mapped = states(replace(store, memory=0), network, windows)
    nowhere = states(replace(store, disk=0), network, windows)
    assert (entry / "states.bin").stat().st_mtime_ns == written
    assert first is not None
    for other in (again, mapped, nowhere):
        assert other is not None
        same(first.vectors, other.vectors)
        same(first.take([3, 0, 5]).vectors, other.take([3, 0, 5]).vectors)
    assert states(replace(store, memory=0, disk=0), network, windows) is None


@pytest.mark.parametrize("layers", [1, 2])
def test_states_in_bf16_take_half_the_room_wherever_they_lie(
    store: StateStore, layers: int, tiny: Callable[[str], Path]
) -> None:
    plain, windows = made(tiny("bert"), layers)
    network = network_of(tiny("bert"), layers=layers, compute=Compute(precision="bf16"))
    size = states_size(network, windows)
    assert 2 * size == states_size(plain, windows)
    first = states(store, network, windows)
    ((_, about, _),) = store.entries()
    assert (about.dtype, about.bytes) == ("bfloat16", size)
    stores = store, replace(store, memory=0), replace(store, disk=0)
    others = [states(one, network, windows) for one in stores]
    fresh = states(replace(store, folder=store.folder.with_name("other"), memory=0), network, windows)  # made in a file
    assert first is not None
    for other in (*others, fresh):
        assert other is not None
        assert other.vectors.dtype == torch.bfloat16
        assert torch.equal(first.vectors, other.vectors)
    states(store, plain, windows)
    assert sorted(about.dtype for _, about, _ in store.entries()) == ["bfloat16", "float32"]


def test_another_type_of_states_is_another_key(tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    network, windows = made(tiny("bert"))
    known = parameter_hashes(network)
    key = states_key(network, windows, known)
    monkeypatch.setattr(Network, "state_dtype", torch.bfloat16)
    assert states_key(network, windows, known) != key


def test_what_lies_on_a_gpu_takes_no_room_in_memory(store: StateStore, tiny: Callable[[str], Path]) -> None:
    network, windows = made(tiny("bert"))
    kept = states(store, network, windows)
    assert kept is not None
    size = kept.vectors.nbytes
    assert store.after(None) == store
    assert store.after(kept) == replace(store, memory=store.memory - size)
    assert replace(store, memory=size - 1).after(kept) == replace(store, memory=size - 1)  # it is mapped
    kept.vectors = kept.vectors.to("meta")  # as good as a GPU
    on_gpu = replace(store, gpu=1e6)
    assert on_gpu.after(kept) == replace(on_gpu, gpu=1e6 - size)


def test_a_gpu_that_has_no_room_after_all_leaves_them_in_memory(
    store: StateStore, tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    network, windows = made(tiny("bert"))
    plain, real, refused = states(replace(store, disk=0), network, windows), torch.empty, []

    def full(*args: Any, **settings: Any) -> torch.Tensor:
        if settings.get("device") == network.device:
            refused.append(args)
            raise torch.OutOfMemoryError
        return real(*args, **settings)

    monkeypatch.setattr(torch, "empty", full)
    kept = states(replace(store, gpu=1e9), network, windows)
    assert len(refused) == 1
    assert kept is not None
    assert plain is not None
    assert torch.equal(kept.vectors, plain.vectors)


def test_everything_that_matters_makes_another_key(tiny: Callable[[str], Path]) -> None:
    network, windows = made(tiny("bert"), compute=Compute())
    known = parameter_hashes(network)
    keys = {states_key(network, windows, known)}
    keys.add(states_key(network, windows[::-1], known))
    keys.add(states_key(network, windows[:-1], known))
    frozen = next(name for name, parameter in network.named_parameters() if not parameter.requires_grad)
    keys.add(states_key(network, windows, {**known, frozen: "another"}))
    network.packing = False
    keys.add(states_key(network, windows, known))
    network.packing = True
    others = [Compute(precision="bf16"), Compute(tf32=True), Compute(threads=torch.get_num_threads() + 1)]
    for network.compute in others:
        keys.add(states_key(network, windows, known))
    network.compute = Compute()
    with pytest.MonkeyPatch.context() as patch:  # another processor, or on a GPU another name of it
        patch.setattr("platform.machine", lambda: "another")
        keys.add(states_key(network, windows, known))
        patch.setattr(torch.cuda, "get_device_name", lambda device: "a GPU")
        network.compute = Compute(torch.device("cuda"))
        keys.add(states_key(network, windows, known))
        patch.setattr(torch.cuda, "get_device_name", lambda device: "another GPU")
        keys.add(states_key(network, windows, known))
    network.compute = Compute()
    network.train_last(2)
    keys.add(states_key(network, windows, known))
    network.train_last(1)
    network.backbone.config.layer_norm_eps = 1e-3
    keys.add(states_key(network, windows, known))
    assert len(keys) == 13
    network, windows = made(tiny("bert"), compute=Compute())
    trained = [name for name, parameter in network.named_parameters() if parameter.requires_grad]
    assert states_key(network, windows, {**known, trained[0]: "another"}) in keys


@pytest.mark.parametrize("damage", ["truncate", "flip", "no entry", "bad entry", "format", "no dtype", "odd dtype"])
def test_a_damaged_entry_is_computed_again(store: StateStore, damage: str, tiny: Callable[[str], Path]) -> None:
    network, windows = made(tiny("bert"))
    first = states(store, network, windows)
    assert first is not None
    (entry,) = store.folder.iterdir()
    data, about = entry / "states.bin", entry / "entry.json"
    raw = bytearray(data.read_bytes())
    if damage == "truncate":
        data.write_bytes(raw[:-4])
    elif damage == "flip":
        raw[100] ^= 255
        data.write_bytes(raw)
    elif damage == "no entry":
        about.unlink()
    elif damage == "bad entry":
        about.write_text("{")
    else:
        written = json.loads(about.read_text())
        if damage == "no dtype":
            written.pop("dtype")
        else:
            written |= {"format": 99} if damage == "format" else {"dtype": ["float8"]}
        about.write_text(json.dumps(written))
    again = states(store, network, windows)
    assert again is not None
    same(first.vectors, again.vectors)


def test_a_full_disk_costs_no_run_its_life(
    store: StateStore, monkeypatch: pytest.MonkeyPatch, tiny: Callable[[str], Path]
) -> None:
    network, windows = made(tiny("bert"))

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    found = states(store, network, windows)
    assert found is not None
    assert list(store.folder.iterdir()) == []


def test_a_full_disk_and_little_memory_leave_nothing_behind(
    store: StateStore, monkeypatch: pytest.MonkeyPatch, tiny: Callable[[str], Path]
) -> None:
    network, windows = made(tiny("bert"))

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    assert states(replace(store, memory=0), network, windows) is None
    assert list(store.folder.iterdir()) == []


def test_what_is_half_made_goes_when_its_maker_stops_and_when_it_is_dead(
    store: StateStore, tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    network, windows = made(tiny("bert"))
    monkeypatch.setattr(Packed, "budget", 5)
    mine = replace(store, memory=0).states(network, windows, parameter_hashes(network), model="tiny")
    next(mine)
    dead, orphan = store.folder / ".making-dead", store.folder / ".making-gone.lock"
    dead.mkdir()
    orphan.touch()  # its maker died when all was done but that
    other = replace(store, memory=0).states(network, windows[:2], parameter_hashes(network), model="tiny")
    next(other)
    assert not dead.exists()
    making = [place for place in store.folder.iterdir() if place.is_dir()]
    assert len(making) == 2
    assert set(store.folder.iterdir()) == {*making, *(place.with_name(f"{place.name}.lock") for place in making)}
    for work in (mine, other):
        work.close()
    assert list(store.folder.iterdir()) == []


def test_what_a_dead_run_left_goes_when_its_entry_is_found_too(store: StateStore, tiny: Callable[[str], Path]) -> None:
    """It died when its entry had its name, and the lock was still there."""
    network, windows = made(tiny("bert"))
    states(store, network, windows)
    (entry,) = store.folder.iterdir()
    (store.folder / ".making-gone.lock").touch()
    (store.folder / ".making-dead").mkdir()
    states(store, network, windows)
    assert list(store.folder.iterdir()) == [entry]


def test_entries_of_older_formats_go_and_those_of_later_ones_stay(
    store: StateStore, tiny: Callable[[str], Path]
) -> None:
    network, windows = made(tiny("bert"))
    contents = {"old": '{"format": 1}', "later": '{"format": 99}', "odd": "[]", "broken": "{"}
    for name, content in contents.items():
        (store.folder / name).mkdir(parents=True)
        (store.folder / name / "entry.json").write_text(content)
    states(store, network, windows)
    assert {name for name in contents if (store.folder / name).exists()} == {"later", "odd", "broken"}


def test_the_oldest_entries_go_first(store: StateStore, tiny: Callable[[str], Path]) -> None:
    network, windows = made(tiny("bert"))
    for number in (1, 2, 3):
        states(store, network, windows[:number])
        (name, *_) = (name for name, about, _ in store.entries() if about.windows == number)
        os.utime(store.folder / name / "entry.json", (number, number))
    room = sum(states_size(network, windows[:number]) for number in (2, 3, 4))
    states(replace(store, disk=room), network, windows[:4])
    assert sorted(about.windows for _, about, _ in store.entries()) == [2, 3, 4]
    states(replace(store, disk=room), network, windows[:1])
    assert sorted(about.windows for _, about, _ in store.entries()) == [1, 3, 4]
    assert store.clear() > 0
    assert store.entries() == []


def trained(model: str | Path, out: Path, rows: list[dict[str, str]] = ROWS, **more: Any) -> tuple[Done, list[str]]:
    settings = {
        "model.name": str(model), "training.epochs": 3, "training.batch_size": 4, "training.learning_rate": 1e-2,
        "out": str(out), **{name.replace("__", "."): value for name, value in more.items()},
    }  # fmt: skip
    config = load(None, settings)
    events = list(stream(config, read_data(config, {"train": rows, "validation": rows[::2]})))
    last = events[-1]
    assert isinstance(last, Done)
    return last, [event.text for event in events if isinstance(event, Note)]


@pytest.mark.cpu(BITS)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("strategy", ["head", "last-1", "last-2"])
@pytest.mark.parametrize("head", ["native", "mean"])
def test_a_run_from_kept_states_equals_one_without_bit_by_bit(
    precision: str, strategy: str, head: str, tiny: Callable[[str], Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("AFINA_CACHE", str(tmp_path / "kept"))
    folder = tiny("bert")
    more: dict[str, Any] = {"strategy": strategy, "model__head": head, "training__precision": precision}
    cold, notes = trained(folder, tmp_path / "a", **more)
    assert any("kept in memory, and on disk for other runs" in note for note in notes)
    warm, _ = trained(folder, tmp_path / "b", **more)
    mapped, notes = trained(folder, tmp_path / "c", training__cache_memory=0, **more)
    assert any("kept on disk" in note for note in notes)
    none, notes = trained(folder, tmp_path / "d", training__cache_memory=0, training__cache_disk=0, **more)
    assert any("recomputed every epoch" in note for note in notes)
    weights = dict(cold.artifact.network.named_parameters())
    for other in (warm, mapped, none):
        for name, parameter in other.artifact.network.named_parameters():
            assert torch.equal(parameter, weights[name]), name
        assert other.validation == cold.validation
    steps = [(done.folder / "steps.jsonl").read_text() for done in (cold, warm, mapped, none)]
    assert len(set(steps)) == 1


@pytest.mark.cpu(BITS)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize(("strategy", "head"), [("head", "native"), ("head", "mean"), ("last-2", "native")])
def test_the_same_at_a_real_size_with_texts_of_many_lengths(
    precision: str, strategy: str, head: str, embedded: str, tmp_path: Path
) -> None:
    """Small models are computed by other parts of the libraries for matrices, which round otherwise."""
    rows = [{**row, "text": row["text"] + " and so on" * (7 * i % 11)} for i, row in enumerate(ROWS)]
    more: dict[str, Any] = {"strategy": strategy, "model__head": head, "training__precision": precision, "rows": rows}
    cold, _ = trained(embedded, tmp_path / "a", training__cache_disk=0, **more)
    none, notes = trained(embedded, tmp_path / "b", training__cache_memory=0, training__cache_disk=0, **more)
    assert any("recomputed every epoch" in note for note in notes)
    assert (cold.folder / "steps.jsonl").read_bytes() == (none.folder / "steps.jsonl").read_bytes()
    folders = [done.folder / "model" for done in (cold, none)]
    one, other = ({file.name: file.read_bytes() for file in folder.rglob("*.safetensors")} for folder in folders)
    assert one
    assert one == other


@pytest.mark.parametrize(
    ("precision", "threads", "layers", "head"),
    [
        ("fp32", 1, 0, "native"),
        ("fp32", 1, 0, "mean"),
        ("fp32", 2, 0, "native"),
        ("fp32", 2, 3, "native"),
        ("bf16", 1, 0, "native"),
        ("bf16", 1, 3, "native"),
    ],
)
def test_the_company_of_a_window_does_not_matter_at_a_real_size(
    precision: Literal["fp32", "bf16"], threads: int, layers: int, head: str, embedded: str
) -> None:
    task, tokenizer = task_of(), open_tokenizer(embedded)
    compute = Compute(precision=precision, threads=threads)
    texts = [f"{text}{' and so on' * (7 * i % 11)}" for i, text in enumerate(TEXTS)]
    windows = [features.windows[0] for features in tokenizer.encode([Example(text) for text in texts])]
    with compute.active():
        network = open_network(embedded, task, tokenizer=tokenizer, compute=compute, head=head)
        network.train_last(layers)
        network.eval()
        together = network.lower(network.collate(windows)).vectors
        alone = [network.lower(network.collate([window])).vectors for window in windows]
    assert torch.equal(together, torch.cat(alone))


def test_sizes_are_what_is_written(store: StateStore, tiny: Callable[[str], Path]) -> None:
    for layers in (0, 1):
        network, windows = made(tiny("bert"), layers)
        states(store, network, windows)
        expected = states_size(network, windows)
        assert expected in [about.bytes for _, about, _ in store.entries()]
        assert f"{expected / 1e6:,.1f} MB" in str(store.plan(expected))
    sizes = [np.prod((place / "states.bin").stat().st_size) for place in store.folder.iterdir()]
    assert sorted(sizes) == sorted(about.bytes for _, about, _ in store.entries())


@pytest.mark.parametrize(
    ("memory", "disk", "says"),
    [
        (2e6, 2e6, "computed once, 2.0 MB of states kept in memory, and on disk for other runs"),
        (2e6, 0, "computed once, 2.0 MB of states kept in memory"),
        (0, 2e6, "computed once, 2.0 MB of states kept on disk"),
        (0, 0, "2.0 MB of states are more than --cache-memory and --cache-disk allow; recomputed every epoch"),
    ],
)
def test_where_states_are_kept_is_a_record(memory: float, disk: float, says: str) -> None:
    plan = StateStore(Path("states"), memory, disk).plan(2_000_000)
    assert (plan.bytes, plan.in_memory, plan.on_disk) == (2_000_000, memory > 0, disk > 0)
    assert plan.kept == bool(memory or disk)
    assert str(plan) == says
    on_gpu = StateStore(Path("states"), memory, disk, gpu=2e6).plan(2_000_000)
    assert on_gpu.kept
    others = ", and on disk for other runs" if disk else ""
    assert str(on_gpu) == f"computed once, 2.0 MB of states kept on the GPU{others}"
    assert plan.refusal == "2.0 MB of states are more than --cache-memory and --cache-disk allow"
