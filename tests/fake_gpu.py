"""A GPU that computes nothing: every step of every family on tensors that have a device and a shape, but no values.

torch's fake tensors refuse to be read on the host, and refuse operations between devices. So a step that passes does
neither. The device is torch's spare one under the name `gpu`: what a build of torch without CUDA lacks for `cuda` can
be registered for it. That is for the whole process, so this is a program:

    python -m tests.fake_gpu FOLDER FAMILY ...

It prints a line of JSON for each family, task and number of trained layers.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch._subclasses.fake_impls import register_op_impl
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode

from afina.assembly import EncodedDataset, encode_dataset, with_targets
from afina.compute import Compute
from afina.model import flash, vocabulary
from afina.model.backbone import Backbone
from afina.model.families import find_family
from afina.model.network import Network
from afina.model.states import is_pooled, states_size
from afina.model.tables import KeptStates
from afina.model.views import replaced
from afina.records import Example
from afina.tasks.base import Task
from afina.text.spans import Span
from afina.training.objective import Supervised
from tests.networks import FITTED, network_of, task_of, tokenizer_of
from tests.tiny import tiny_model

LAYERS = (None, 2, 0)
LONG = "the cat sleeps on the mat and the dog barks at the bird " * 2
STEPS = (["a lovely film", LONG, "bad"], [LONG, "a film", "bad"])
"""Texts of two steps whose tokens differ in number and place, and whose shapes do not."""


class Module:
    """What torch asks of a device's module."""

    def is_available(self) -> bool:
        return True

    def device_count(self) -> int:
        return 1

    def manual_seed_all(self, seed: int) -> None:
        pass

    def _is_in_bad_fork(self) -> bool:
        return False

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]

    def is_autocast_enabled(self) -> bool:
        return False

    def get_autocast_dtype(self) -> torch.dtype:
        return torch.bfloat16


class Trace(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes every operation: its name, the shapes of its tensors, and its numbers."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.lines: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        shapes = torch.utils._pytree.tree_map(
            lambda one: tuple(one.shape) if isinstance(one, torch.Tensor) else one, (args, kwargs or {})
        )
        self.lines.append(f"{func} {shapes}")
        return func(*args, **(kwargs or {}))


def examples_of(name: str, texts: Sequence[str]) -> list[Example]:
    """Examples of a task on some texts."""
    targets: Mapping[str, Any] = {"classification": "b", "multilabel": ("a", "c"), "regression": 2.0}
    if name in targets:
        return [Example(text, target=targets[name]) for text in texts]
    if name == "tokens":
        return [Example(text, target=("A",), words=((0, len(text.split()[0])),)) for text in texts]
    return [Example("what is it?", text, target=(Span(0, len(text.split()[0]), ""),)) for text in texts]


def blank(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """A tensor of the same shape on a device. Under a fake mode it has no values."""
    return torch.empty(tensor.shape, dtype=tensor.dtype, device=device)


def move(network: Network, device: torch.device) -> None:
    """Put a network's weights and buffers on a device, without their values."""
    known: dict[int, torch.Tensor] = {}
    for module in network.modules():
        for table in (module._parameters, module._buffers):
            for name, tensor in table.items():
                if tensor is None or tensor.device == device:
                    continue
                if id(tensor) not in known:
                    moved = blank(tensor, device)
                    known[id(tensor)] = (
                        torch.nn.Parameter(moved, requires_grad=tensor.requires_grad)
                        if isinstance(tensor, torch.nn.Parameter)
                        else moved
                    )
                tables: Any = table
                tables[name] = known[id(tensor)]
    network.compute = replace(network.compute, device=device)


def rebuild(network: Network, layers: int | None) -> None:
    """Make all views of a network anew, on the weights that it has now."""
    network.backbone = Backbone(network.backbone.base, network.compute.dtype)
    network.train_last(layers)
    if layers is not None:
        network.vocabulary = None
    if network.vocabulary is not None:
        found = vocabulary.find(network.backbone.base)
        assert found is not None
        found[1].weight.requires_grad_(False)
        network.top = tuple(part and replaced(part, found[0], network.vocabulary) for part in network.top)


def data_of(network: Network, folder: Path, task: Task, texts: Sequence[str]) -> EncodedDataset:
    """A task's data, with states at the cut where there is one. They have no meaning."""
    data = with_targets(encode_dataset(tokenizer_of(folder, 32), task, examples_of(task.name, texts)), task)
    if network.frozen_layers == 0:
        return data
    width, pooled = network.backbone.width, is_pooled(network)
    rows = states_size(network, data.windows) // (network.state_dtype.itemsize * width)
    vectors = torch.zeros(rows, width, dtype=network.state_dtype)
    return replace(data, kept=KeptStates(vectors, [len(window) for window in data.windows], pooled=pooled))


def step(network: Network, objective: Supervised, mode: FakeTensorMode) -> tuple[Any, list[str]]:
    """Forward and backward pass of one step. Returns what is the same for many steps, and the operations."""
    device = network.device
    units = objective.units(range(objective.examples), 0)
    layout: Any = network.layout
    batch = replace(layout, device="cpu").collate([window for unit in units for window in unit.windows])
    staged = objective.stage(units, batch)
    shape = batch.shape, {name: tuple(tensor.shape) for name, tensor in staged.items()}
    trace = Trace()
    with mode, trace:
        batch = batch.with_tensors({name: blank(one, device) for name, one in batch.tensors().items()})
        loss, count = objective.loss(network, batch, {name: blank(one, device) for name, one in staged.items()})
        loss.backward()  # type: ignore[no-untyped-call]
    assert loss.device == count.device == device
    assert loss.shape == count.shape == ()
    return shape, trace.lines


def check(folder: Path, name: str, layers: int | None) -> None:
    """Take two steps of a task with the last layers of a model.

    Raises:
        AssertionError: the steps have other shapes or operations, or leave a weight without a gradient.
        RuntimeError: a step reads on the host or mixes devices.
    """
    options: dict[str, Any] = {} if name in ("tokens", "answers") else {"long": "windows"}
    task = task_of(name, **options)
    # The device has no rules for autocast, which the families that don't pack need in bf16.
    half = layers != 2 and find_family(folder.name).packs
    network = network_of(folder, task, compute=Compute(precision="bf16" if half else "fp32"))
    network.restrict_vocabulary(range(50))
    mode = FakeTensorMode()
    with mode:
        move(network, torch.device("gpu:0"))
        rebuild(network, layers)
    network.train()
    taken = []
    for texts in (STEPS[0], *STEPS):  # the first makes what is kept from then on, as a step before a capture does
        network.zero_grad()
        objective = Supervised(task, data_of(network, folder, task, texts))
        assert objective.static(network)
        taken.append(step(network, objective, mode))
    _, (shape, lines), (other, others) = taken
    assert shape == other, "the steps have other shapes"
    for line, another in zip(lines, others, strict=True):
        assert line == another, f"{line} in one step, {another} in the other"
    lost = [path for path, weights in network.named_parameters() if weights.requires_grad and weights.grad is None]
    assert not lost, f"no gradient: {lost}"


@register_op_impl(torch.ops.aten._efficient_attention_backward.default)
def _shapes_of_gradients(_: FakeTensorMode, __: Any, gradient: Any, *tensors: Any, **___: Any) -> tuple[Any, ...]:
    """torch's own answer for fake tensors can't be given a scale."""
    return (*(torch.empty_like(one) for one in tensors[:3]), gradient.new_empty(()))


def as_on_a_gpu() -> None:
    """Register the device, and open the door to its attention."""
    from transformers.models.deberta_v2 import modeling_deberta_v2

    backend_registration._setup_privateuseone_for_python_backend("gpu", backend_module=Module())

    def shut(device: torch.device, dtype: torch.dtype, width: int, *, local: bool) -> str:
        return "whole windows only" if local and dtype == torch.float32 else ""

    flash.shut = shut  # type: ignore[assignment]
    # The table of relative positions is made once, before a step is captured.
    modeling_deberta_v2.build_relative_position = lambda query, key, **_: torch.zeros(
        1, query.shape[-2], key.shape[-2], dtype=torch.long, device=query.device
    )


def main(folder: Path, families: Sequence[str]) -> None:
    from transformers import masking_utils

    as_on_a_gpu()
    for family in families:
        # Of fake tensors transformers reads no masks. Where ours are asked for, it must not read real ones either. The
        # mask of MPNet it does read, except where a step is captured.
        masking_utils.is_tracing = lambda *_, eager=family == "mpnet": eager
        model = tiny_model(folder / family, family)
        cut = network_of(model).backbone.layers is not None
        for name in FITTED:
            for layers in LAYERS if cut else (None, 0):
                try:
                    check(model, name, layers)
                    wrong = ""
                except Exception as error:
                    wrong = f"{type(error).__name__}: {error}"[:1000]
                print(json.dumps({"family": family, "task": name, "layers": layers, "wrong": wrong}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
