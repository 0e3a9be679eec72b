"""Devices: their names, which of them are there, how much memory is free on them, and how tensors get to them.

torch is imported where it is needed, so that a name can be checked without it.
"""

from __future__ import annotations

import re
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from .errors import ConfigError, printable
from .printing import many

if TYPE_CHECKING:
    import torch

NAMES = re.compile(r"auto|cpu|mps|cuda(:[0-9]+)?")
EXPECTED = "expected auto, cpu, cuda, cuda:1 (the second GPU) or mps"


def check(name: str) -> None:
    """See that a device is there, before anything is read. The CPU is, and torch is not loaded to see that.

    Raises:
        ConfigError: there is no such device; says what there is.
    """
    if name not in ("auto", "cpu"):
        find(name)


def find(name: str) -> torch.device:
    """A device by its name; for `auto`, the best there is.

    Raises:
        ConfigError: there is no such device; says what there is.
    """
    import torch

    if not NAMES.fullmatch(name):
        raise ConfigError(f"device: {EXPECTED}, found {printable(name)}")
    if name == "auto":
        return best()
    kind, _, number = name.partition(":")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise ConfigError("device: mps: torch finds no Apple GPU on this machine; use auto or cpu")
    if kind == "cuda" and int(number or 0) >= torch.cuda.device_count():
        raise ConfigError(f"device: {name}: {what_gpus()}")
    return torch.device(name)


def best() -> torch.device:
    """A CUDA or Apple GPU where there is one, else the CPU."""
    import torch

    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps") if torch.backends.mps.is_available() else torch.device("cpu")


def what_gpus() -> str:
    """The CUDA devices of this machine; or why there are none, and what to do."""
    import torch

    count = torch.cuda.device_count()
    if count:
        there = ", ".join(f"cuda:{i} ({torch.cuda.get_device_name(i)})" for i in range(count))
        return f"this machine has {many(count, 'CUDA device')}, {there}; they are counted from 0"
    if torch.version.cuda is None and torch.version.hip is None:
        return (
            f"torch {torch.__version__} is a build without CUDA, which can use no GPU; install torch's build for the "
            "CUDA version of your driver in its place, or use auto or cpu"
        )
    return (
        "torch finds no CUDA device: there is none, its driver is missing or too old for this build of torch, or "
        "CUDA_VISIBLE_DEVICES hides it (nvidia-smi lists them); use auto or cpu"
    )


def present(device: torch.device) -> AbstractContextManager[Any]:
    """The context in which a GPU with a number is the one that is meant where none is named: by graphs and streams."""
    import torch

    return torch.cuda.device(device) if device.type == "cuda" and device.index is not None else nullcontext()


def free_memory(device: torch.device) -> int:
    """Bytes of a GPU's own memory that are free, or that torch holds without use; 0 where there is no such memory."""
    import torch

    if device.type != "cuda":
        return 0
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def peak_memory(device: torch.device) -> dict[str, int | None]:
    """The most memory that was taken, in bytes.

    Returns:
        `process`: of this process since it began; None where the system does not count it. `gpu`: of the GPU, since
        `count_anew`; None elsewhere.
    """
    import torch

    try:
        from resource import RUSAGE_SELF, getrusage
    except ImportError:  # Windows
        process = None
    else:
        process = getrusage(RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {"process": process, "gpu": torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None}


def count_anew(device: torch.device) -> None:
    """Forget how much memory of a GPU was taken so far."""
    import torch

    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def send(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """A tensor of the CPU on a device. The CPU does not wait for a GPU that is still computing."""
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def wait(device: torch.device) -> None:
    """Wait until a GPU has done all that it was given, so that a clock shows it."""
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)
