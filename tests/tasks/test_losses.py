"""Rows that a loss leaves out change neither its sum, nor its count, nor a gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from afina.tasks.losses import IGNORED, constant, weight_of, weights_for
from tests.networks import FITTED, task_of

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
WEIGHTED = {"classification", "multilabel", "tokens"}


def targets_of(name: str, rows: int, seed: int) -> torch.Tensor:
    """Targets of a task, as it encodes them. [rows, ...]"""
    drawn = np.random.default_rng(seed)
    made = {
        "classification": drawn.integers(0, 3, rows),
        "tokens": np.where(drawn.random(rows) < 0.3, IGNORED, drawn.integers(0, 3, rows)),
        "regression": drawn.normal(size=rows).astype(np.float32),
        "multilabel": drawn.integers(0, 2, (rows, 3)).astype(np.float32),
        "answers": np.eye(3, dtype=np.float32)[[0] * rows],
    }[name]
    if name == "answers":  # windows of two tokens whose first is the answer
        made[1::2, 0] = 0.0
        made[::2, 1:] = 1.0
    return torch.from_numpy(made).to(DEVICE)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", FITTED)
@settings(max_examples=30, deadline=None)
@given(pairs=st.integers(1, 12), gaps=st.lists(st.integers(0, 12), max_size=6), seed=st.integers(0, 2**31))
def test_ignored_rows_count_for_nothing(name: str, weighted: bool, pairs: int, gaps: list[int], seed: int) -> None:
    fitted = {**FITTED[name]}
    if weighted and name in WEIGHTED:
        fitted["weights"] = [0.5, 2.0, 3.0]
    task = task_of(name, fitted)
    assert task.ignored is not None
    targets = targets_of(name, 2 * pairs, seed)
    width = {"regression": 1, "answers": 2}.get(name, 3)
    logits = torch.randn(len(targets), width, generator=torch.Generator().manual_seed(seed)).to(DEVICE)
    # Rows to ignore, before, between and behind windows of two tokens.
    real = torch.ones(2 * pairs, dtype=torch.bool)
    parts, start = [], 0
    for gap in sorted(min(gap, pairs) for gap in gaps):
        parts += [real[start : 2 * gap], torch.zeros(2, dtype=torch.bool)]
        start = 2 * gap
    mask = torch.cat([*parts, real[start:]]).to(DEVICE)
    filled = targets.new_full((len(mask), *targets.shape[1:]), task.ignored)
    filled[mask] = targets
    others = torch.full((len(mask), width), 7.0, device=DEVICE)
    others[mask] = logits
    plain, padded = logits.requires_grad_(), others.requires_grad_()
    wanted, count = task.loss(plain, targets)
    total, counted = task.loss(padded, filled)
    torch.testing.assert_close(total, wanted, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(counted, count, rtol=1e-6, atol=0)
    wanted.backward()  # type: ignore[no-untyped-call]
    total.backward()  # type: ignore[no-untyped-call]
    assert plain.grad is not None
    assert padded.grad is not None
    torch.testing.assert_close(padded.grad[mask], plain.grad, rtol=1e-5, atol=1e-6)
    assert not bool(padded.grad[~mask].any())


def test_weights_are_copied_to_a_device_once() -> None:
    constant.cache_clear()
    logits = torch.zeros(2, 3, device=DEVICE)
    one = weights_for(logits, [1.0, 2.0, 3.0])
    assert one is weights_for(logits, [1.0, 2.0, 3.0])
    assert one is not None
    assert one.tolist() == [1.0, 2.0, 3.0]
    assert weights_for(logits, None) is None


def test_rows_count_or_weigh() -> None:
    targets = torch.tensor([0, IGNORED, 2, 2], device=DEVICE)
    assert float(weight_of(targets, None)) == 3.0
    assert float(weight_of(targets, torch.tensor([0.5, 9.0, 2.0], device=DEVICE))) == 4.5
