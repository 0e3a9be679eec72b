"""A second device for machines without a GPU: it computes on the CPU, and refuses what a GPU refuses.

torch's place for devices of others (`PrivateUse1`) is filled with a kernel for everything: it looks at the same memory
as a tensor of the CPU, computes there, and looks at the result from the device. Tensors of both sides don't mix, no
array of numpy's is made of one, and a copy is needed to read one, as on a GPU. `AFINA_TEST_DEVICE=pretend` runs the
tests on it. It packs nothing and captures nothing: what afina does on CUDA alone, it does not show. What is written
into a view of a tensor has no right gradient here.
"""

from __future__ import annotations

import ctypes
from typing import Any

import torch
from torch.library import Library
from torch.nn import functional as F
from torch.utils import _pytree
from torch.utils.backend_registration import _DummyBackendModule, _setup_privateuseone_for_python_backend

NAME = "pretend"
KEY = "PrivateUse1"
HERE, THERE = 1, 12
"""DLPack's numbers of a CPU and of a device of another's."""
CPU_INDICES = {"aten::index", "aten::index_put", "aten::index_put_", "aten::_index_put_impl_"}
"""Operations that take indices of the CPU beside tensors of a device, on a GPU too."""
LIBRARIES: list[Library] = []

_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype, _pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]


class Module(_DummyBackendModule):
    """What torch asks a device's module, beside what the one that it has for tests answers."""

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]

    def get_rng_state(self, device: Any = None) -> torch.Tensor:
        return torch.get_rng_state()

    def set_rng_state(self, state: torch.Tensor, device: Any = None) -> None:
        torch.set_rng_state(state)


def seen_from(tensor: torch.Tensor, side: int) -> torch.Tensor:
    """The same memory as a tensor of the other side."""
    capsule = torch._C._to_dlpack(tensor)
    address = _pointer(capsule, b"dltensor")
    ctypes.c_int32.from_address(address + ctypes.sizeof(ctypes.c_void_p)).value = side
    seen: torch.Tensor = torch._C._from_dlpack(capsule)
    return seen


def is_there(value: Any) -> bool:
    """Whether a value is a tensor of the pretended device, or names it."""
    device = value.device if isinstance(value, torch.Tensor) else value
    return isinstance(device, torch.device) and device.type == NAME


def compute(operation: Any, *arguments: Any, **keywords: Any) -> Any:
    """Any operation: on the CPU, with tensors of the device alone."""
    pairs: list[tuple[torch.Tensor, torch.Tensor]] = []

    def down(value: Any) -> Any:
        if isinstance(value, torch.device):
            return torch.device("cpu") if is_there(value) else value
        if not isinstance(value, torch.Tensor):
            return value
        if not is_there(value):
            if value.dim() and operation._schema.name not in CPU_INDICES:
                raise RuntimeError(
                    f"{operation}: Expected all tensors to be on the same device: {NAME}, {value.device}"
                )
            return value
        # An output without elements gets its size from the operation, in memory of its own.
        lower = seen_from(value, HERE) if value.numel() else torch.empty(value.shape, dtype=value.dtype)
        pairs.append((value, lower))
        return lower

    def up(value: Any) -> Any:
        if not isinstance(value, torch.Tensor):
            return value
        given = next((upper for upper, lower in pairs if lower is value), None)
        return seen_from(value, THERE) if given is None else given

    arguments, keywords = _pytree.tree_map(down, (arguments, keywords))
    result = operation(*arguments, **keywords)
    for upper, lower in pairs:
        if upper.shape != lower.shape:
            upper.data = seen_from(lower, THERE)
    return _pytree.tree_map(up, result)


def empty(size: Any, *, dtype: torch.dtype | None = None, **_: Any) -> torch.Tensor:
    """`torch.empty` there."""
    return seen_from(torch.empty(size, dtype=dtype), THERE)


def empty_strided(size: Any, stride: Any, *, dtype: torch.dtype | None = None, **_: Any) -> torch.Tensor:
    """`torch.empty_strided` there."""
    return seen_from(torch.empty_strided(size, stride, dtype=dtype), THERE)


def copy(source: torch.Tensor, target: torch.Tensor, non_blocking: bool = False) -> torch.Tensor:
    """A copy from one side to the other."""
    one, other = (seen_from(tensor, HERE) if is_there(tensor) else tensor for tensor in (source, target))
    other.copy_(one)
    return target


def item(tensor: torch.Tensor) -> Any:
    """A single number, read."""
    return seen_from(tensor, HERE).item()


def convolution(*arguments: Any) -> Any:
    """A convolution; torch asks devices of others for their own."""
    return compute(torch.ops.aten.convolution.default, *arguments)


def convolution_backward(*arguments: Any) -> Any:
    """Its gradients, of the bias too: a number an output channel."""
    return compute(torch.ops.aten.convolution_backward.default, *arguments[:3], [len(arguments[2])], *arguments[3:])


def pad_sequence(
    sequences: list[torch.Tensor], batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> torch.Tensor:
    """torch's own writes into views of its result, whose places in memory autograd does not learn here."""
    longest, rest = max(map(len, sequences)), (0, 0) * (sequences[0].dim() - 1)
    gaps = [(0, longest - len(one)) if padding_side == "right" else (longest - len(one), 0) for one in sequences]
    padded = [F.pad(one, (*rest, *gap), value=padding_value) for one, gap in zip(sequences, gaps, strict=True)]
    return torch.stack(padded, dim=0 if batch_first else 1)


def cast_first(operation: Any) -> Any:
    """A product of matrices under autocast: in bf16, whatever its factors are."""

    def cast(value: Any) -> Any:
        return value.to(torch.bfloat16) if isinstance(value, torch.Tensor) and value.is_floating_point() else value

    def kernel(*arguments: Any, **keywords: Any) -> Any:
        with torch.autocast(NAME, enabled=False):
            return operation(*map(cast, arguments), **keywords)

    return kernel


def install() -> torch.device:
    """Make the device known to torch, for the rest of the process."""
    if not LIBRARIES:
        _setup_privateuseone_for_python_backend(NAME, Module())
        everything, own = Library("_", "IMPL"), Library("aten", "IMPL")  # type: ignore[no-untyped-call]
        LIBRARIES.extend((everything, own))  # a library that is collected takes its kernels with it
        everything.fallback(compute, KEY)  # type: ignore[no-untyped-call]
        kernels = {
            "empty.memory_format": empty, "empty_strided": empty_strided, "_copy_from": copy,
            "_copy_from_and_resize": copy, "_local_scalar_dense": item, "convolution_overrideable": convolution,
            "convolution_backward_overrideable": convolution_backward,
        }  # fmt: skip
        for name, kernel in kernels.items():
            own.impl(name, kernel, KEY)  # type: ignore[no-untyped-call]
        everything.fallback(torch.library.fallthrough_kernel, f"Autocast{KEY}")  # type: ignore[no-untyped-call]
        for product in ("mm", "bmm", "addmm", "baddbmm", "matmul", "linear"):
            kernel = cast_first(getattr(torch.ops.aten, product))
            own.impl(product, kernel, f"Autocast{KEY}")  # type: ignore[no-untyped-call]
        own.impl("pad_sequence", pad_sequence, f"Autograd{KEY}")  # type: ignore[no-untyped-call]
    return torch.device(NAME, 0)
