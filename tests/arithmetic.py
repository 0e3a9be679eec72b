"""Where the tests compute and in what arithmetic, and how near two results of that arithmetic are.

`AFINA_TEST_DEVICE` names the device: cpu, cuda, or pretend (`tests/pretended.py`); by default the best there is.
`AFINA_TEST_PRECISION` is what `training.precision: auto` comes to: fp32, which tells small mistakes from rounding, or
bf16.
"""

from __future__ import annotations

import os
from typing import Any, Literal

import pytest
import torch

from afina import compute, devices
from afina.compute import Compute
from tests import pretended

ASKED = os.environ.get("AFINA_TEST_DEVICE", "auto")
PRECISION: Literal["fp32", "bf16"] = "bf16" if os.environ.get("AFINA_TEST_PRECISION") == "bf16" else "fp32"
DEVICE = pretended.install() if ASKED == pretended.NAME else devices.best() if ASKED == "auto" else torch.device(ASKED)
ON_CPU = DEVICE.type == "cpu"
HERE = Compute(DEVICE, PRECISION)
"""The tests' device and arithmetic."""
best_device, bf16_pays = devices.best, compute.bf16_pays
"""afina's own choices."""
# What is best is settled, here and in every process that imports this: no test depends on a measurement.
vars(devices).update(best=lambda: DEVICE)
if ASKED == pretended.NAME:
    known = devices.find
    vars(devices).update(find=lambda name: DEVICE if name in ("auto", str(DEVICE)) else known(name))
vars(compute).update(bf16_pays=lambda device: PRECISION == "bf16")
ROUGH = 0.05
"""What two ways through a few layers in bf16, which rounds to 1/256, may differ by: a share of the largest number."""


def close(
    found: torch.Tensor,
    expected: torch.Tensor,
    *,
    atol: float = 1e-6,
    rtol: float = 1e-5,
    largest: float | None = None,
    msg: str | None = None,
) -> None:
    """Two tensors, wherever they are, agree as nearly as the arithmetic allows.

    Args:
        found: What was computed.
        expected: What it is compared with.
        atol: Largest difference in fp32 on a CPU; ten times as much on a GPU, which sums in another order.
        rtol: The same as a share of what is expected.
        largest: The largest number of those that are compared together, whose rounding may be another's noise; None for
            that of `expected`.
        msg: What is compared.
    """
    one, other = (tensor.detach().cpu().double() for tensor in (found, expected))
    if PRECISION == "bf16":
        own = float(other.abs().max()) if other.numel() else 0.0
        atol, rtol = max(atol, ROUGH * (own if largest is None else largest)), max(rtol, ROUGH)
    elif not ON_CPU:
        atol, rtol = 10 * atol, 10 * rtol
    torch.testing.assert_close(one, other, atol=atol, rtol=rtol, msg=msg)


def same(found: torch.Tensor, expected: torch.Tensor, *, msg: str | None = None) -> None:
    """Two tensors agree bit by bit, which is promised on a CPU alone; on a GPU as nearly as the arithmetic allows."""
    if ON_CPU:
        torch.testing.assert_close(found, expected, atol=0, rtol=0, msg=msg)
    else:
        close(found, expected, msg=msg)


def near(expected: Any, *, rel: float = 1e-5, abs: float = 1e-8) -> Any:
    """`pytest.approx` for what comes out of a network: as near as the arithmetic allows."""
    if PRECISION == "bf16":
        return pytest.approx(expected, rel=max(rel, ROUGH), abs=max(abs, ROUGH))
    return pytest.approx(expected, rel=rel, abs=abs) if ON_CPU else pytest.approx(expected, rel=10 * rel, abs=10 * abs)
