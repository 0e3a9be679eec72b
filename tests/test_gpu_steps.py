"""Steps as a GPU takes them: the same gradients as on a CPU, no read on the host, masks without an empty row."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from afina.assembly import EncodedDataset, encode_dataset, with_targets
from afina.inference import window_logits
from afina.model import flash
from afina.model.families import FAMILIES
from afina.model.network import Network
from afina.model.states import kept_states
from afina.records import Example
from afina.tasks.base import Task
from afina.text.buckets import Rectangle, Row
from afina.training.objective import Supervised
from tests import emulation, tiny
from tests.fake_gpu import examples_of
from tests.networks import FITTED, network_of, task_of, tokenizer_of, windows_of

ROOT = Path(__file__).parent.parent
TEXTS = ["a lovely film", "the cat sleeps on the mat and the dog barks at the bird " * 3, "bad", "a great room"]


@pytest.fixture
def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Called, it arranges windows as on a GPU, and emulates the attention there."""

    def switch() -> None:
        def layout(network: Network) -> Row | Rectangle:
            packs = network.packing and network.backbone.family.packs
            return Row(network.pad) if packs else Rectangle(network.pad, widest=network.backbone.positions)

        monkeypatch.setattr(Network, "layout", property(layout))
        monkeypatch.setattr(flash, "attend", emulation.attend)

    return switch


def data_of(task: Task, folder: Path, examples: Sequence[Example]) -> EncodedDataset:
    """A task's data; a long example has several windows."""
    return with_targets(encode_dataset(tokenizer_of(folder, 24), task, examples), task)


def gradients(network: Network, objective: Supervised) -> tuple[float, float, dict[str, torch.Tensor]]:
    """Loss, count and gradients of a step without dropout."""
    network.zero_grad()
    network.train()
    units = objective.units(range(objective.examples), 0)
    batch = network.collate([window for unit in units for window in unit.windows])
    loss, count = objective.loss(network, batch, objective.stage(units, batch))
    loss.backward()  # type: ignore[no-untyped-call]
    found = {name: weights.grad for name, weights in network.named_parameters() if weights.grad is not None}
    return float(loss.detach()), float(count), found


def alike(one: tuple[float, float, dict[str, torch.Tensor]], other: tuple[float, float, Any]) -> None:
    """Compare two steps, in fp32 to 1e-5 of the largest gradient."""
    assert one[1] == other[1]
    assert one[0] == pytest.approx(other[0], rel=1e-5)
    assert set(one[2]) == set(other[2])
    most = max(float(gradient.abs().max()) for gradient in other[2].values())
    for name, gradient in other[2].items():
        far = float((one[2][name] - gradient).abs().max())
        assert far <= 1e-5 * most, name


@pytest.mark.parametrize("name", FITTED)
@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_a_step_with_padding_has_the_gradients_of_one_without(
    family: str, name: str, tiny: Callable[[str], Path], as_on_a_gpu: Callable[[], None]
) -> None:
    folder = tiny(family)
    options: dict[str, Any] = {} if name in ("tokens", "answers") else {"long": "windows"}
    task = task_of(name, **options)
    network = network_of(folder, task, dropout=0.0, head_dropout=0.0)
    objective = Supervised(task, data_of(task, folder, examples_of(name, TEXTS)))
    plain = gradients(network, objective)
    as_on_a_gpu()
    assert network.layout.name in ("row", "rectangle")
    alike(gradients(network, objective), plain)


def test_every_slot_belongs_to_an_example_or_to_padding(tiny: Callable[[str], Path]) -> None:
    """A gradient of a mean would not be written where a slot belongs to none."""
    folder, task = tiny("bert"), task_of(long="windows")
    objective = Supervised(task, data_of(task, folder, examples_of("classification", TEXTS)))
    units = objective.units(range(objective.examples), 0)
    windows = [window for unit in units for window in unit.windows]
    assert len(windows) > len(units)
    for layout in (Row(0), Rectangle(0)):
        batch = layout.collate(windows)
        staged = objective.stage(units, batch)
        assert len(staged["counts"]) == len(staged["targets"]) == int(staged["counts"].sum()) == batch.slots


@pytest.mark.parametrize("family", ["bert", "modernbert", "deberta"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=9))
def test_the_gradients_are_the_same_for_all_lengths(
    family: str, lengths: list[int], tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, task = tiny(family), task_of()
    network = network_of(folder, task, dropout=0.0, head_dropout=0.0)
    words = TEXTS[1].split()
    examples = [Example(" ".join(words[:n]), target="abc"[n % 3]) for n in lengths]
    objective = Supervised(task, data_of(task, folder, examples))
    plain = gradients(network, objective)
    with monkeypatch.context() as patch:
        layout = Row(network.pad) if network.backbone.family.packs else Rectangle(network.pad)
        patch.setattr(Network, "layout", property(lambda _: layout))
        patch.setattr(flash, "attend", emulation.attend)
        alike(gradients(network, objective), plain)


@pytest.mark.parametrize("head", ["mean", "max", "linear"])
@pytest.mark.parametrize("family", ["bert", "deberta"])
def test_heads_pool_no_padding(
    family: str, head: str, tiny: Callable[[str], Path], as_on_a_gpu: Callable[[], None]
) -> None:
    folder, task = tiny(family), task_of()
    network = network_of(folder, task, head=head, dropout=0.0, head_dropout=0.0)
    objective = Supervised(task, data_of(task, folder, examples_of("classification", TEXTS)))
    plain = gradients(network, objective)
    as_on_a_gpu()
    alike(gradients(network, objective), plain)


@pytest.mark.parametrize("family", ["bert", "deberta"])
def test_a_head_with_its_own_loss_is_asked_about_real_tokens(
    family: str, tiny: Callable[[str], Path], as_on_a_gpu: Callable[[], None]
) -> None:
    folder, task = tiny(family), task_of("tokens")
    network = network_of(folder, task, head="crf", dropout=0.0, head_dropout=0.0)
    objective = Supervised(task, data_of(task, folder, examples_of("tokens", TEXTS)))
    assert not objective.static(network)
    plain = gradients(network, objective)
    as_on_a_gpu()
    alike(gradients(network, objective), plain)


@pytest.mark.parametrize("name", ["classification", "tokens"])
def test_a_loss_that_knows_no_ignored_rows_is_asked_about_real_ones(
    name: str, tiny: Callable[[str], Path], as_on_a_gpu: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task of another package may read on the host: its steps are right, and not captured."""
    folder, task = tiny("bert"), task_of(name)
    network = network_of(folder, task, dropout=0.0, head_dropout=0.0)
    objective = Supervised(task, data_of(task, folder, examples_of(name, TEXTS)))
    plain = gradients(network, objective)
    monkeypatch.setattr(type(task), "ignored", None)
    assert not objective.static(network)
    as_on_a_gpu()
    alike(gradients(network, objective), plain)


@pytest.mark.parametrize(("name", "layers"), [("classification", 0), ("classification", 1), ("tokens", 1)])
def test_kept_states_are_laid_out_as_the_encoder_would_give_them(
    name: str, layers: int, tiny: Callable[[str], Path], as_on_a_gpu: Callable[[], None]
) -> None:
    for family in ("bert", "deberta"):
        folder, task = tiny(family), task_of(name)
        network = network_of(folder, task, layers=layers, dropout=0.0, head_dropout=0.0)
        data = data_of(task, folder, examples_of(name, TEXTS))
        plain = gradients(network, Supervised(task, data))
        as_on_a_gpu()
        kept = kept_states(network, data.windows)
        assert len(kept.vectors) == (len(data.windows) if layers == 0 and name != "tokens" else sum(data.lengths))
        alike(gradients(network, Supervised(task, replace(data, kept=kept))), plain)


@pytest.mark.parametrize("name", ["classification", "tokens"])
@pytest.mark.parametrize("family", ["bert", "modernbert", "deberta"])
def test_answers_hold_no_padding(
    family: str, name: str, tiny: Callable[[str], Path], as_on_a_gpu: Callable[[], None]
) -> None:
    folder = tiny(family)
    network, windows = network_of(folder, task_of(name)), windows_of(folder, TEXTS, max_length=24)
    plain = window_logits(network, windows)
    as_on_a_gpu()
    for one, other in zip(window_logits(network, windows), plain, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


# ---------------------------------------------------------------------------------------------------------------------
# Masks of padded batches.


@pytest.mark.parametrize("family", [name for name, family in FAMILIES.items() if family.packs])
def test_every_query_of_a_padded_batch_has_a_key(
    family: str, tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A place of padding whose local window holds padding alone had none: ModernBERT's windows are 8 wide here."""
    masks: list[torch.Tensor | None] = []
    sdpa = torch.nn.functional.scaled_dot_product_attention

    def watched(*args: Any, **settings: Any) -> torch.Tensor:
        masks.append(settings["attn_mask"])
        return sdpa(*args, **settings)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", watched)
    network = network_of(tiny(family), packing=False)
    network.train()
    windows = windows_of(tiny(family), ["a cat " * n for n in (1, 20, 3)], max_length=60)
    assert len({len(window) for window in windows}) == 3
    for layout in (network.layout, Rectangle(network.pad, widest=60)):
        loss = network(layout.collate(windows)).sum()
        loss.backward()
    seen = [mask for mask in masks if mask is not None]
    assert len(seen) == len(masks) == 6
    assert all(bool(mask.any(dim=-1).all()) for mask in seen)
    assert all(bool(weights.grad.isfinite().all()) for weights in network.parameters() if weights.grad is not None)
    if family == "modernbert":
        local = seen[1][0, 0]  # every second layer sees a part
        assert int(local.sum(dim=-1).max()) == len(local)  # of padding alone: it may look everywhere
        assert not bool(local[0].all())


# ---------------------------------------------------------------------------------------------------------------------
# On tensors without values.


def taken(folder: Path, *families: str) -> list[dict[str, Any]]:
    """What a process says that takes steps on a fake GPU."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fake_gpu", str(folder), *families],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("families", [("bert",), pytest.param(tuple(tiny.FAMILIES), marks=pytest.mark.slow)])
def test_steps_on_a_gpu_read_nothing_on_the_host_and_have_one_shape(families: tuple[str, ...], tmp_path: Path) -> None:
    said = taken(tmp_path, *families)
    assert [one for one in said if one["wrong"]] == []
    assert {one["family"] for one in said} == set(families)
    assert {one["task"] for one in said} == set(FITTED)
    assert len(said) >= 10 * len(families)
