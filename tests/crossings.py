"""A GPU that computes nothing: tensors with a device and a shape, and no values.

torch's fake tensors refuse operations between devices, and refuse to be read by the host. Only forward passes are
tried: torch takes backward ones in a thread of their own, where there are no fakes. The device is torch's spare one
under the name `gpu`, which is registered for the whole process; so this is a program:

    python -m tests.crossings

It prints a line of JSON for each check: its name, and what went wrong.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils import backend_registration

from afina.model.crf import CRF
from afina.model.heads import Linear
from afina.model.tables import KeptStates
from afina.training import checkpoint
from afina.training.optimisation import make_optimiser

GPU = "gpu:0"
LENGTHS = (3, 2, 4)


def at(module: torch.nn.Module) -> torch.nn.Module:
    """A module with its weights on the device."""
    for part in module.modules():
        for name, weights in part._parameters.items():
            if weights is not None:
                empty = torch.empty(weights.shape, device=GPU)
                part._parameters[name] = torch.nn.Parameter(empty, requires_grad=weights.requires_grad)
    return module


def states_from_a_table_on_the_device() -> None:
    kept = KeptStates(torch.empty(9, 4, dtype=torch.bfloat16, device=GPU), LENGTHS, pooled=False)
    assert kept.at_hand
    states = kept.take([2, 0]).vectors
    assert (str(states.device), states.dtype, states.shape) == (GPU, torch.bfloat16, (7, 4))
    kept.put([1], torch.empty(2, 4, device=GPU))


def states_from_a_table_in_memory() -> None:
    kept = KeptStates(torch.empty(9, 4), LENGTHS, pooled=False, device=torch.device(GPU))
    assert not kept.at_hand
    states = kept.take([2, 0]).vectors
    assert (str(states.device), states.shape) == (GPU, (7, 4))
    kept.put([1], torch.empty(2, 4, device=GPU))
    assert kept.vectors.device.type == "cpu"


def a_loss_of_a_crf() -> None:
    head = CRF(4, 3, 0.1)
    emissions = at(head)(torch.empty(9, 4, device=GPU), LENGTHS)
    loss, count = head.criterion(emissions, torch.empty(9, dtype=torch.long, device=GPU), LENGTHS)
    assert str(loss.device) == str(count.device) == GPU


def a_linear_head() -> None:
    logits = at(Linear(4, 3, dropout=0.1, pooling="first"))(torch.empty(5, 4, device=GPU))
    assert str(logits.device) == GPU


def a_checkpoint_that_was_read_on_the_cpu() -> None:
    weights = torch.nn.Parameter(torch.empty(4, 3, device=GPU))
    optimiser = make_optimiser([{"params": [weights]}])
    parts = {"step": torch.empty(()), "exp_avg": torch.empty(4, 3), "exp_avg_sq": torch.empty(4, 3)}
    checkpoint.restore_optimiser(optimiser, {weights: "w"}, {f"w|{part}": tensor for part, tensor in parts.items()})
    assert {str(tensor.device) for tensor in optimiser.state[weights].values()} == {GPU}
    weights.grad = torch.empty(4, 3, device=GPU)
    optimiser.step()
    assert {str(tensor.device) for tensor in checkpoint.optimiser_state(optimiser, {weights: "w"}).values()} == {GPU}


def what_mixes_devices() -> None:
    """A check that must fail, so that the others mean something."""
    KeptStates(torch.empty(9, 4), LENGTHS, pooled=False).take([0]).vectors + torch.empty(3, 4, device=GPU)


CHECKS: tuple[Callable[[], None], ...] = (
    states_from_a_table_on_the_device,
    states_from_a_table_in_memory,
    a_loss_of_a_crf,
    a_linear_head,
    a_checkpoint_that_was_read_on_the_cpu,
    what_mixes_devices,
)


def main() -> None:
    backend_registration._setup_privateuseone_for_python_backend("gpu")
    for check in CHECKS:
        wrong = ""
        with FakeTensorMode():
            try:
                check()
            except Exception as error:
                wrong = f"{type(error).__name__}: {error}"
        print(json.dumps({"check": check.__name__, "wrong": wrong}))


if __name__ == "__main__":
    main()
