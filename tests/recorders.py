"""What stands for CUDA graphs on a machine without a GPU: the operations of a pass, done again without its Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils import _pytree
from torch.utils._python_dispatch import TorchDispatchMode

from afina.training.captured import Result

HOST = ("_local_scalar_dense", "lift_fresh", "nonzero", "masked_select", "_unique2")
"""Operations that ask the host, or bring its numbers to the device. A GPU refuses them in a capture."""


class Recorder:
    """Records the operations of a function, on the tensors that they were given, as a graph does.

    Attributes:
        recorded: Number of functions that were recorded.
        replayed: Number of times that one of them was computed again.
        freed: Number of times that recordings were freed.
    """

    size = 1_000_000

    def __init__(self) -> None:
        self.recorded = self.replayed = self.freed = self.live = 0

    def warm(self, function: Callable[[], Result]) -> Result:
        return function()

    def record(self, function: Callable[[], Result]) -> Callable[[], Result]:
        tape = Tape()
        with tape:
            results = function()
        self.recorded += 1
        self.live += 1
        freed = self.freed

        def replay() -> Result:
            assert freed == self.freed, "a recording was used that is freed"
            self.replayed += 1
            tape.play()
            return results

        return replay

    def free(self) -> None:
        self.freed += self.live > 0
        self.live = 0


class Tape(TorchDispatchMode):
    """Operations with what they were given and what they gave."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: list[tuple[Any, Any, Any, Any]] = []

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if operation.name().removeprefix("aten::").partition(".")[0] in HOST:
            raise RuntimeError(f"operation not permitted when stream is capturing: {operation}")
        result = operation(*args, **(kwargs or {}))
        self.calls.append((operation, args, kwargs or {}, result))
        return result

    @torch.no_grad()
    def play(self) -> None:
        """Do all of them again, into the same tensors."""
        for operation, args, kwargs, results in self.calls:
            again = operation(*args, **kwargs)
            for old, new in zip(_pytree.tree_leaves(results), _pytree.tree_leaves(again), strict=True):
                if isinstance(old, torch.Tensor) and old.data_ptr() != new.data_ptr():
                    old.copy_(new)
