"""A checkpoint is whole or not believed, and the one before stays until the next is whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from afina.errors import ConfigError, TrainingError
from afina.training import checkpoint
from afina.training.events import Note, Scored
from tests.runs import bytes_of, events, finished, stopped

BETTER = {"training__metric": "log_loss"}
"""Settings whose second epoch is better than the first."""


@pytest.fixture(scope="module")
def checkpoints(tiny: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two checkpoints of one run, after its first and its second evaluation, the second the better."""
    root = tmp_path_factory.mktemp("checkpoints")
    for number in (1, 2):
        stopped(events(tiny("bert"), root / "run", **BETTER), after=1, kind=Scored)
        shutil.copytree(next((root / "run" / "checkpoints").glob("step-*")), root / str(number))
    return root / "1", root / "2"


def damaged(file: Path, how: str, other: Path) -> None:
    raw = file.read_bytes()
    file.unlink()
    half = len(raw) // 2
    contents = {
        "empty": b"",
        "one byte": raw[:1],
        "half": raw[:half],
        "a byte less": raw[:-1],
        "a byte more": raw + b" ",
        "flip": raw[:-3] + bytes([raw[-3] ^ 4]) + raw[-2:],
        "zero": raw[:half] + bytes(len(raw) - half),
        "another step's": other.read_bytes(),
    }
    if how in contents:
        file.write_bytes(contents[how])
    elif how == "folder":
        file.mkdir()
    elif how == "link":
        file.with_name("elsewhere").write_bytes(raw)
        file.symlink_to(file.with_name("elsewhere"))
    elif how == "dangling link":
        file.symlink_to(file.with_name("elsewhere"))
    elif how == "no rights":
        file.write_bytes(raw)
        file.chmod(0)


DAMAGE = [
    "delete", "empty", "one byte", "half", "a byte less", "a byte more", "flip", "zero", "another step's", "folder",
    "link", "dangling link", "no rights",
]  # fmt: skip
BLANKS = ["a byte less", "a byte more"]
"""What they do to a manifest, a text that ends in a newline, is no damage."""
TENSORS = ["weights.safetensors", "optimiser.safetensors", "best.safetensors"]


DAMAGED = [
    (name, how)
    for how in DAMAGE
    for name in (*TENSORS, "state.json", "manifest.json")
    if (name, how) not in [("manifest.json", blank) for blank in BLANKS]
]


@pytest.mark.parametrize("how", BLANKS)
def test_a_blank_at_the_end_of_a_manifest_means_nothing(
    checkpoints: tuple[Path, Path], how: str, tmp_path: Path
) -> None:
    older, newer = checkpoints
    place = tmp_path / "checkpoints" / "step-00000010"
    shutil.copytree(newer, place)
    damaged(place / "manifest.json", how, older / "manifest.json")
    found, skipped = checkpoint.latest(tmp_path)
    assert found is not None
    assert (found.state["counters"]["number"], skipped) == (10, [])


@pytest.mark.parametrize(("name", "how"), DAMAGED)
def test_a_damaged_checkpoint_is_named_and_skipped(
    checkpoints: tuple[Path, Path], name: str, how: str, tmp_path: Path
) -> None:
    if how == "no rights" and os.geteuid() == 0:
        pytest.skip("root may read everything")
    older, newer = tmp_path / "checkpoints" / "step-00000005", tmp_path / "checkpoints" / "step-00000010"
    for source, place in zip(checkpoints, (older, newer), strict=True):
        shutil.copytree(source, place)
    found, skipped = checkpoint.latest(tmp_path)
    assert found is not None
    assert (found.state["counters"]["number"], skipped) == (10, [])
    damaged(newer / name, how, older / name)
    found, skipped = checkpoint.latest(tmp_path)
    assert found is not None
    assert found.state["counters"]["number"] == 5
    assert len(skipped) == 1
    assert skipped[0].startswith(str(newer if name == "manifest.json" else newer / name))
    with pytest.raises(ConfigError):
        checkpoint.read(newer)


@pytest.mark.usefixtures("same_bytes")
def test_a_run_goes_on_from_the_newest_checkpoint_that_is_whole(
    checkpoints: tuple[Path, Path], tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    whole = finished(events(tiny("bert"), tmp_path / "whole", **BETTER))
    for _ in range(2):
        stopped(events(tiny("bert"), tmp_path / "run", **BETTER), after=1, kind=Scored)
    shutil.copytree(checkpoints[0], tmp_path / "run" / "checkpoints" / "step-00000005")
    newest = tmp_path / "run" / "checkpoints" / "step-00000010"
    (newest / "best.safetensors").unlink()
    run = list(events(tiny("bert"), tmp_path / "run", **BETTER))
    notes = [event.text for event in run if isinstance(event, Note)]
    assert f"skipped: {newest / 'best.safetensors'}: missing, or not a plain file" in notes
    assert "taken up after step 5" in notes
    assert bytes_of(tmp_path / "run") == bytes_of(whole.folder)


def test_files_of_two_checkpoints_do_not_mix(interrupted: Path, tiny: Callable[[str], Path]) -> None:
    good = interrupted / "checkpoints" / "step-00000003"
    kept = good.parent.parent / "kept"
    shutil.copytree(good, kept)
    shutil.move(kept, interrupted.parent / "kept")
    stopped(events(tiny("bert"), interrupted), after=2)
    (newer,) = (interrupted / "checkpoints").iterdir()
    shutil.copy(interrupted.parent / "kept" / "weights.safetensors", newer / "weights.safetensors")
    with pytest.raises(ConfigError, match=r"weights.safetensors: damaged"):
        checkpoint.read(newer)


@pytest.mark.parametrize("stop", range(12))
def test_a_save_that_dies_at_any_file_leaves_the_old_one(
    interrupted: Path, stop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every place where something is written, synced or renamed, one after the other."""
    before, _ = checkpoint.latest(interrupted)
    assert before is not None
    count = 0

    class Died(BaseException):
        pass

    def dying(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count > stop:
                raise Died
            return function(*args, **kwargs)

        return call

    for name in ("save_file", "write", "sync"):
        monkeypatch.setattr(checkpoint, name, dying(getattr(checkpoint, name)))
    monkeypatch.setattr(Path, "rename", dying(Path.rename))
    later = checkpoint.Checkpoint({**before.state, "counters": {"number": 4}}, before.weights, before.optimiser, {})
    try:
        checkpoint.save(interrupted, 4, later)
        finished_saving = True
    except Died:
        finished_saving = False
    monkeypatch.undo()
    found, skipped = checkpoint.latest(interrupted)
    assert found is not None
    assert skipped == []
    assert found.state["counters"]["number"] in ((4,) if finished_saving else (3, 4))
    checkpoint.save(interrupted, 5, later)  # the next one sweeps what the dead one left
    assert [place.name for place in (interrupted / "checkpoints").iterdir()] == ["step-00000005"]


def test_a_full_disk_stops_the_run_and_keeps_what_there_was(
    interrupted: Path, tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(TrainingError, match=r"can't be written \(No space left on device; .* MB are free\).*--resume"):
        list(events(tiny("bert"), interrupted))
    found, skipped = checkpoint.latest(interrupted)
    assert found is not None
    assert found.state["counters"]["number"] == 3
    assert skipped == []
