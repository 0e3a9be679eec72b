"""A device is found by its name, or refused before any work with what there is."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import afina
from afina import devices
from afina.errors import ConfigError
from tests.arithmetic import best_device
from tests.conftest import REPOSITORY
from tests.runs import reviews, write_csv


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with two GPUs."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda i: f"GPU {i}")


@pytest.fixture(autouse=True)
def choice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The choice of a device is afina's own, not the one that is settled for the tests."""
    monkeypatch.setattr(devices, "best", best_device)


def test_a_device_is_found_by_its_name(two_gpus: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert devices.find("cpu") == torch.device("cpu")
    assert devices.find("auto") == devices.find("cuda") == torch.device("cuda")
    assert devices.find("cuda:1") == torch.device("cuda:1")
    with pytest.raises(ConfigError, match=r"device: cuda:2: this machine has 2 CUDA devices, cuda:0 \(GPU 0\), cuda:1"):
        devices.find("cuda:2")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ConfigError, match=r"1 CUDA device, cuda:0 \(GPU 0\); they are counted from 0"):
        devices.find("cuda:1")


def test_without_a_gpu_the_cpu_is_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert devices.find("auto").type == "cpu"
    with pytest.raises(ConfigError, match="no Apple GPU"):
        devices.find("mps")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert devices.find("auto").type == devices.find("mps").type == "mps"


def test_why_there_is_no_gpu_is_said_with_a_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.version, "hip", None)
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(ConfigError, match="is a build without CUDA, which can use no GPU; install torch's build for"):
        devices.find("cuda")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    with pytest.raises(ConfigError, match="its driver is missing or too old"):
        devices.find("cuda:1")


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "cuda:-1", "cpu:0", "mps:0", "", "CUDA"])
def test_what_is_no_name_of_a_device_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"device: expected auto, cpu, cuda, cuda:1 \(the second GPU\) or mps"):
        devices.find(name)


def test_the_cpu_is_checked_without_torch() -> None:
    code = "import sys; from afina.devices import check; check('auto'); check('cpu'); print('torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "False"


def test_a_device_that_is_not_there_is_refused_with_everything_else_that_is_wrong(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    data = write_csv(tmp_path / "train.csv", reviews())
    with pytest.raises(ConfigError, match=r"no such model folder|model") as caught:
        afina.train(train=data, model=tmp_path / "nowhere", device="cuda", out=tmp_path / "run")
    assert "device: cuda: torch" in str(caught.value)
    assert not (tmp_path / "run").exists()
    with pytest.raises(ConfigError, match="device: cuda"):
        afina.plan(train=data, model=tiny("bert"), device="cuda")
    with pytest.raises(ConfigError, match="device: cuda"):
        afina.check(train=data, model=tiny("bert"), device="cuda", labels=True)
    with pytest.raises(ConfigError, match=r"training\.device: expected auto, cpu, cuda"):
        afina.train(train=data, model=tiny("bert"), device="gpu", out=tmp_path / "run")


def test_a_run_and_its_model_compute_where_they_are_told(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = afina.train(
        train=reviews(), validation=reviews(8), model=tiny("bert"), device="cpu", epochs=1, out=tmp_path / "run"
    )
    assert run.record["machine"]["device"] == "cpu"
    (said,) = (note for note in run.notes if note.startswith("device cpu ("))
    assert "; arithmetic fp32; " in said
    assert "CPU thread" in said
    assert afina.load(run.folder, device="cpu").artifact.network.device.type == "cpu"
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(ConfigError, match="device: cuda"):
        afina.load(run.folder, device="cuda")


def test_only_a_gpus_own_memory_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert devices.free_memory(torch.device("cpu")) == 0
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (100, 1000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 50)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 20)
    assert devices.free_memory(torch.device("cuda:1")) == 130


def test_the_cpu_sends_nothing_to_itself() -> None:
    tensor = torch.arange(3)
    assert devices.send(tensor, torch.device("cpu")) is tensor
    devices.wait(torch.device("cpu"))


def test_nothing_crosses_to_a_gpu_by_accident() -> None:
    """Tried on tensors without values, which know where they would be."""
    said = subprocess.run(
        [sys.executable, "-m", "tests.crossings"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    wrong = {line["check"]: line["wrong"] for line in map(json.loads, said.splitlines())}
    assert len(wrong) == 6
    assert "at least two devices" in wrong.pop("what_mixes_devices")
    assert not any(wrong.values()), wrong
