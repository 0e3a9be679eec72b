"""Where a model computes, and in what arithmetic: chosen once, used by everything, given back at the end.

One rule holds for training, validation, final scores and prediction: all layers, frozen ones too, compute in the
arithmetic of the run. A saved model remembers it, so that it scores the same in a fresh process.
"""

from __future__ import annotations

import math
import os
import platform
import random
import time
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Literal, TypeVar

import torch

from . import devices
from .errors import ConfigError
from .printing import many

Precision = Literal["auto", "fp32", "bf16"]
Item = TypeVar("Item")
Result = TypeVar("Result")
DENORMAL = 1e-40
"""A number that fp32 holds only as a denormal one."""
GAIN = 1.5
"""How many times as fast products in bf16 must be on a CPU for a training to be faster: the rest of it gains little."""

WORKSPACE, SETTINGS = "CUBLAS_WORKSPACE_CONFIG", (":4096:8", ":16:8")
"""The variable with which cuBLAS gives the same bits again, and the values that do it. It is read once a process."""

CPU = torch.device("cpu")


@dataclass(frozen=True, slots=True)
class Compute:
    """The device and the arithmetic of a model.

    Attributes:
        device: Where the weights and the batches are.
        precision: `fp32`, or `bf16` for layers that compute on copies of fp32 weights (Micikevicius et al. 2018, with
            bfloat16).
        tf32: Whether matrix products of fp32 numbers may round their factors to TF32, on GPUs that have it.
        threads: Number of CPU threads; None leaves the number that the process has.
        rank: Number of this process among those that train together, from 0.
        world: Number of processes that train together.
        strict: Whether only kernels run that give the same bits again. A CPU's do; `choose` sets it on a GPU alone.
    """

    device: torch.device = CPU
    precision: Literal["fp32", "bf16"] = "fp32"
    tf32: bool = False
    threads: int | None = None
    rank: int = 0
    world: int = 1
    strict: bool = False

    @property
    def name(self) -> str:
        """Name of the GPU, or kind of the processor."""
        return torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else platform.machine()

    @property
    def described(self) -> str:
        """Device, arithmetic and threads, in a line."""
        parts = [
            f"device {self.device} ({self.name})",
            f"arithmetic {self.precision}{', TF32 in what remains of fp32' if self.tf32 else ''}",
            many(self.threads or torch.get_num_threads(), "CPU thread"),
            *(["strict"] if self.strict else []),
        ]
        return "; ".join(parts)

    @property
    def emulates(self) -> bool:
        """Whether this GPU has no units for the arithmetic, and computes it slowly with others."""
        if self.precision != "bf16" or self.device.type != "cuda":
            return False
        with devices.present(self.device):
            return not torch.cuda.is_bf16_supported(including_emulation=False)

    @property
    def prefers_fp32(self) -> bool:
        """Whether this is a CPU that was asked for bf16, and is faster in fp32."""
        return self.precision == "bf16" and self.device.type == "cpu" and not bf16_pays("cpu")

    @property
    def dtype(self) -> torch.dtype:
        """The type that matrix products compute in."""
        return torch.bfloat16 if self.precision == "bf16" else torch.float32

    @property
    def micro_tokens(self) -> int:
        """Number of tokens that go through a model at once in training: what caches hold, or what fills a GPU."""
        return 2048 if self.device.type == "cpu" else 16384

    def autocast(self, *, mixed: bool = False) -> AbstractContextManager[Any]:
        """The context of a forward pass: whatever a caller's autocast is, torch casts nothing but what has to be.

        Args:
            mixed: Whether the modules inside mix types, so that torch must cast what meets in a product to bf16.
        """
        enabled = mixed and self.precision == "bf16"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=enabled, cache_enabled=False)

    @contextmanager
    def active(self) -> Iterator[None]:
        """Set what belongs to the whole process, and put it back.

        That is: threads, the present GPU, TF32, which kernels may run, denormals and random generators.
        """
        threads, flushes = torch.get_num_threads(), float(torch.tensor(DENORMAL) * 1.0) == 0.0
        gpus = [] if self.device.type == "cpu" else [self.device]
        drawn = random.getstate()  # a library that is imported on the way may draw a number
        with (
            torch.random.fork_rng(devices=gpus),
            devices.present(self.device),
            matrix_products(tf32=self.tf32),
            without_cudnn_attention(),
            same_bits() if self.strict else nullcontext(),
        ):
            try:
                set_threads(self.threads or threads)
                torch.set_flush_denormal(True)  # processors are slow with denormal numbers
                yield
            finally:
                set_threads(threads)
                torch.set_flush_denormal(flushes)
                random.setstate(drawn)

    def running(self, work: Generator[Item, None, Result]) -> Generator[Item, None, Result]:
        """The same generator, active while it computes and not while whoever consumes it has the word."""
        try:
            while True:
                with self.active():
                    try:
                        item = next(work)
                    except StopIteration as end:
                        result: Result = end.value
                        return result
                yield item
        finally:
            with self.active():
                work.close()

    def fingerprint(self) -> dict[str, Any]:
        """What decides the last bits of a result: part of the key of kept states, of checkpoints and of `run.json`."""
        about = asdict(self) | {"device": self.device.type, "threads": self.threads or torch.get_num_threads()}
        return {**about, "name": self.name}


def choose(
    *, precision: Precision = "auto", threads: int | None = None, device: str = "auto", strict: bool = False
) -> Compute:
    """The best device there is, and the arithmetic for it.

    Args:
        precision: `auto` is bf16 where it pays (`bf16_pays`), and fp32 elsewhere.
        threads: Number of CPU threads; None leaves the number that the process has.
        device: `auto` takes a CUDA or Apple GPU where there is one; else `cpu`, `cuda`, `cuda:1` or `mps`.
        strict: Whether a GPU has to give the same bits again. A CPU does so anyway.

    Raises:
        ConfigError: the device is not there, or the GPU was used before in a way that can't be strict.
    """
    place = devices.find(device)
    on_gpu = place.type == "cuda"
    if strict and on_gpu:
        begin_strictly()
    if precision == "auto":
        with devices.present(place):
            precision = "bf16" if bf16_pays(place.type) else "fp32"
    # Who asks for fp32 gets it; beside layers in bf16, the products of the head need no more than TF32.
    return Compute(place, precision, tf32=on_gpu and precision == "bf16", threads=threads, strict=strict and on_gpu)


def begin_strictly() -> None:
    """See that cuBLAS will give the same bits again, before it is used for the first time.

    The variable is not taken back: cuBLAS and torch read it once, and it says how they began.

    Raises:
        ConfigError: the GPU has been used in this process without it.
    """
    if os.environ.get(WORKSPACE) in SETTINGS:
        return
    gpus: Any = torch.cuda
    if gpus.is_initialized():
        raise ConfigError(
            f"training.strict: this process has used the GPU already, without {WORKSPACE}; set it to {SETTINGS[0]} "
            "before the program starts, or train in a fresh process"
        )
    os.environ[WORKSPACE] = SETTINGS[0]


@contextmanager
def same_bits() -> Iterator[None]:
    """Only kernels that give the same bits again; an operation that has none is an error.

    Only `warn_only=False` makes the backward passes of attention choose theirs. Memory that is not written yet is left
    as it is, since we read none: torch would fill all of it, which is one more pass over everything.
    """
    cudnn: Any = torch.backends.cudnn
    memory: Any = torch.utils.deterministic
    algorithms = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    before = cudnn.enabled, cudnn.deterministic, cudnn.benchmark, memory.fill_uninitialized_memory
    try:
        torch.use_deterministic_algorithms(True, warn_only=False)
        cudnn.enabled, cudnn.deterministic, cudnn.benchmark = False, True, False
        memory.fill_uninitialized_memory = False
        yield
    finally:
        torch.use_deterministic_algorithms(algorithms[0], warn_only=algorithms[1])
        cudnn.enabled, cudnn.deterministic, cudnn.benchmark, memory.fill_uninitialized_memory = before


@cache
def bf16_pays(device: str) -> bool:
    """Whether layers in bf16 are clearly faster than in fp32 on a kind of device.

    A CUDA GPU knows it. On a CPU products of matrices are measured in both, which takes a tenth of a second at most and
    is done once a process: the flags of a processor don't tell. Some that list bf16 instructions compute them at half
    the rate of fp32, others at four times that rate.

    Args:
        device: Type of the device, as torch names it.
    """
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # Where a processor has no such instructions, the small product shows it before the large one takes long.
    return device == "cpu" and all(gain_of_bf16(rows, width) >= GAIN for rows, width in ((64, 256), (512, 768)))


def gain_of_bf16(rows: int, width: int) -> float:
    """How many times as fast a product of matrices is in bf16 as in fp32, on this CPU."""
    best = {torch.float32: math.inf, torch.bfloat16: math.inf}
    factors = {dtype: (torch.ones(rows, width, dtype=dtype), torch.ones(width, width, dtype=dtype)) for dtype in best}
    for _ in range(6):
        for dtype, (x, weight) in factors.items():
            start = time.perf_counter()
            torch.nn.functional.linear(x, weight)
            best[dtype] = min(best[dtype], time.perf_counter() - start)
    return best[torch.float32] / best[torch.bfloat16]


@contextmanager
def matrix_products(*, tf32: bool) -> Iterator[None]:
    """How matrix products of fp32 numbers round inside: to TF32 on a GPU if that is asked for, and nowhere else.

    A program may have asked for less, with `torch.set_float32_matmul_precision`, on a CPU too. The settings by backend
    are the ones that can be read and put back whatever it used; torch's flag for all of them can't.
    """
    backends: Any = torch.backends
    gpu, cpu = backends.cuda.matmul, backends.mkldnn.matmul
    before = gpu.fp32_precision, cpu.fp32_precision
    try:
        gpu.fp32_precision, cpu.fp32_precision = "tf32" if tf32 else "ieee", "ieee"
        yield
    finally:
        gpu.fp32_precision, cpu.fp32_precision = before


@contextmanager
def without_cudnn_attention() -> Iterator[None]:
    """Without cuDNN's attention, which plans half a second for each new shape. The setting is the whole process's."""
    cuda: Any = torch.backends.cuda
    before = cuda.cudnn_sdp_enabled()
    try:
        cuda.enable_cudnn_sdp(False)
        yield
    finally:
        cuda.enable_cudnn_sdp(before)


def set_threads(number: int) -> None:
    """Set the number of CPU threads where it is another one."""
    if torch.get_num_threads() != number:
        torch.set_num_threads(number)
