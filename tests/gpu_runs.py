"""Whole runs as on a CUDA GPU, on a machine without one, beside the same runs on the CPU.

The pretended device computes with real numbers and refuses what crosses from the CPU. On it rows are packed in few
shapes, the door to torch's attention is a dense one, steps are recorded and replayed, and read a step later: all that
afina does on CUDA, but for CUDA. The device is there for the whole process, so this is a program:

    python -m tests.gpu_runs FOLDER FAMILIES TASKS      # names with commas between them

It prints a line of JSON for each family, task, strategy and arithmetic.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

os.environ["AFINA_TEST_DEVICE"] = "pretend"

import torch

from afina.model import flash
from afina.model.flash import Slots
from afina.model.network import Network
from afina.training import trainer
from afina.training.captured import Captured
from afina.training.events import Event, Note, Scored, Step
from afina.training.loop import Steps
from afina.training.loop import steps as usual_steps
from afina.training.objective import Objective
from afina.training.recipe import Recipe
from tests.arithmetic import DEVICE
from tests.recorders import Recorder
from tests.runs import events, stopped
from tests.tiny import tiny_model

STRATEGIES = ("full", "last-1", "head")
EXACT = {"training__precision": "fp32", "model__dropout": 0.0, "model__head_dropout": 0.0}
"""Dropout draws other numbers on another device."""


def attend(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, slots: Slots, *, scale: float, rate: float, reach: int | None
) -> torch.Tensor:
    """As `flash.attend` without dropout, dense, and without asking the host."""
    assert rate == 0.0
    places = torch.arange(len(k), device=k.device)
    owners = torch.searchsorted(slots.cumulative[1:].contiguous(), places.int(), right=True)
    firsts = len(q) == len(slots.cumulative) - 1 != len(k)
    asking = (torch.arange(len(q), device=k.device), slots.cumulative[:-1]) if firsts else (owners, places)
    seen = asking[0][:, None] == owners
    if reach is not None:
        seen = seen & ((asking[1][:, None] - places).abs() <= reach)
    scores = torch.einsum("qhd,khd->hqk", q.to(v.dtype), k.to(v.dtype)).float() * scale
    shares = torch.softmax(scores.masked_fill(~seen, -torch.inf), dim=-1)
    return torch.einsum("hqk,khd->qhd", shares.to(v.dtype), v)


def capture(network: Network, objective: Objective, recipe: Recipe, *, notes: list[Note]) -> Captured | None:
    """As `captured.capture` where there is CUDA."""
    if network.device != DEVICE:
        return None
    found = Captured(network, objective, Recorder(), notes=notes, least=1)
    if not objective.static(network):
        found.give_up("the loss of this head or task asks the host", "info")
    return found


def steps(network: Network, *args: Any, **settings: Any) -> Steps:
    """As `loop.steps` where there is CUDA."""
    return usual_steps(network, *args, **settings, lag=int(network.device == DEVICE))


def as_with_cuda() -> None:
    """Let the pretended device be used as one of CUDA's is."""
    flash.shut = lambda device, dtype, width, *, local=False: ""  # type: ignore[assignment]
    vars(flash)["attend"] = attend
    vars(trainer).update(capture=capture, steps=steps)


def told(run: Sequence[Event]) -> dict[str, Any]:
    """What is compared of a run: losses of its steps, scores of its evaluations; and what it said of captures."""
    return {
        "losses": [event.loss for event in run if isinstance(event, Step)],
        "scores": [value for event in run if isinstance(event, Scored) for value in asdict(event)["metrics"].values()],
        "captures": [event.text for event in run if isinstance(event, Note) and "captured" in event.text],
    }


def on_both(model: Path, out: Path, task: str, **more: Any) -> dict[str, Any]:
    """A run on the pretended device, and the same on the CPU."""
    gpu = told(list(events(model, out / "gpu", task, **more)))
    return {"gpu": gpu, "cpu": told(list(events(model, out / "cpu", task, training__device="cpu", **more)))}


def moved(model: Path, out: Path, task: str, **more: Any) -> dict[str, Any]:
    """A run that was stopped on one device and goes on on the other, in both directions: the steps that were left."""
    found = {}
    for name, begun, ended in (("gpu", {}, {"training__device": "cpu"}), ("cpu", {"training__device": "cpu"}, {})):
        stopped(events(model, out / f"moved-{name}", task, **begun, **more), after=7)
        found[name] = told(list(events(model, out / f"moved-{name}", task, **ended, **more)))
    return found


def main(folder: Path, families: Sequence[str], tasks: Sequence[str]) -> None:
    as_with_cuda()
    for family in families:
        model = tiny_model(folder / family, family)
        for task in tasks:
            for strategy in STRATEGIES:
                if family == "albert" and strategy == "last-1":  # its layers share their weights
                    continue
                out = folder / f"{family}-{task}-{strategy}"
                about = {"family": family, "task": task, "strategy": strategy}
                print(json.dumps(about | on_both(model, out, task, strategy=strategy, **EXACT)), flush=True)
            if family == families[0]:
                out = folder / f"{family}-{task}-moved"
                print(json.dumps(about | {"moved": moved(model, out, task, **EXACT)}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2].split(","), sys.argv[3].split(","))
