"""The door to torch's attention over cumulative lengths: what opens it, and what it must give."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from afina.model import flash
from afina.model.attention import Packed
from afina.model.flash import ARGUMENTS, Slots
from afina.text.buckets import shape
from tests import emulation

CUDA = torch.device("cuda")
GPU = torch.cuda.is_available()
on_a_gpu = pytest.mark.skipif(not GPU, reason="no CUDA GPU is here: the operators themselves run on one only")


def slots_of(lengths: Sequence[int], device: torch.device | str = "cpu") -> tuple[Slots, list[int]]:
    """The slots of a packed row, and their lengths, those of padding too."""
    places, slots, longest = shape(sum(lengths), len(lengths), max(lengths))
    spare, rest = slots - len(lengths), places - sum(lengths)
    sizes = [*lengths, *((rest + i) // spare for i in range(spare))]
    ends = torch.tensor([0, *torch.tensor(sizes).cumsum(0).tolist()], dtype=torch.int32, device=device)
    return Slots(ends, longest), sizes


# ---------------------------------------------------------------------------------------------------------------------
# The door.


@pytest.mark.parametrize("name", ARGUMENTS)
def test_the_operators_of_this_torch_are_those_that_are_known(name: str) -> None:
    assert flash.as_expected(name)


def test_other_arguments_or_results_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not flash.as_expected("_no_such_attention")
    name = "_flash_attention_forward"
    arguments, results = ARGUMENTS[name]
    for changed in ((arguments.replace("max_q", "max_rows"), results), (f"{arguments} more", 5), (arguments, 6)):
        monkeypatch.setitem(ARGUMENTS, name, changed)
        assert not flash.as_expected(name)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What torch says of a GPU that isn't there."""
    flash.shut.cache_clear()
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (9, 0))
    monkeypatch.setattr(torch.backends.cuda, "is_flash_attention_available", lambda: True)
    yield
    flash.shut.cache_clear()


@pytest.mark.usefixtures("gpu")
def test_the_door_is_open_on_a_gpu_that_can() -> None:
    assert flash.shut(CUDA, torch.bfloat16, 64, local=True) == ""
    assert flash.shut(CUDA, torch.float32, 64) == ""


@pytest.mark.usefixtures("gpu")
def test_a_shut_door_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "this is mps" in flash.shut(torch.device("mps"), torch.bfloat16, 64)
    assert "no heads of width 20" in flash.shut(CUDA, torch.bfloat16, 20)
    assert "no heads of width 6" in flash.shut(CUDA, torch.float32, 6)
    assert "whole windows only" in flash.shut(CUDA, torch.float32, 64, local=True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (7, 5))
    assert "this GPU has 7.5" in flash.shut(torch.device("cuda:1"), torch.bfloat16, 64)
    monkeypatch.setitem(ARGUMENTS, "_flash_attention_forward", ("query key", 1))
    assert "has another _flash_attention_forward" in flash.shut(torch.device("cuda:2"), torch.bfloat16, 64)
    monkeypatch.setattr(torch.version, "cuda", None)  # ROCm calls its GPUs cuda too
    assert "need a GPU with CUDA" in flash.shut(torch.device("cuda:3"), torch.bfloat16, 64)


# ---------------------------------------------------------------------------------------------------------------------
# What goes through it.


def called(monkeypatch: pytest.MonkeyPatch, name: str, results: int) -> list[Any]:
    """Calls of an operator that is replaced by one that gives its query."""
    calls: list[Any] = []

    def operator(*args: Any, **settings: Any) -> tuple[Any, ...]:
        calls.append((args, settings))
        return (args[0], *(args[0] for _ in range(results - 1)))

    monkeypatch.setattr(torch.ops, "aten", SimpleNamespace(**{name: operator}))
    return calls


@pytest.mark.parametrize(("reach", "seen"), [(None, None), (4, 4), (200, None)])
def test_flash_is_given_cumulative_lengths_and_a_window(
    reach: int | None, seen: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = called(monkeypatch, "_flash_attention_forward", 5)
    slots, sizes = slots_of([5, 9])
    k = torch.zeros(sum(sizes), 2, 8, dtype=torch.bfloat16)
    flash.attend(k, k, k, slots, scale=0.5, rate=0.1, reach=reach)
    flash.attend(k[: len(sizes)].float(), k, k, slots, scale=0.5, rate=0.1, reach=reach)
    ((args, settings), (firsts, _)) = calls
    assert args[3] is args[4] is slots.cumulative
    assert args[5:] == (slots.longest, slots.longest, 0.1, False, False)
    assert settings == {"scale": 0.5, "window_size_left": seen, "window_size_right": seen}
    assert firsts[3].tolist() == list(range(len(sizes) + 1))  # a query a slot
    assert firsts[4] is slots.cumulative
    assert firsts[5:7] == (1, slots.longest)
    assert firsts[0].dtype == torch.bfloat16


def test_fp32_goes_to_efficient_attention(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = called(monkeypatch, "_efficient_attention_forward", 6)
    slots, sizes = slots_of([5, 9])
    k = torch.randn(sum(sizes), 2, 8)
    assert torch.equal(flash.attend(k, k, k, slots, scale=0.5, rate=0.1, reach=None), k)
    ((args, settings),) = calls
    assert args[3] is None
    assert args[6:] == (slots.longest, slots.longest, 0.1, 0, True)
    assert settings == {"scale": 0.5}
    with pytest.raises(ValueError, match="whole windows only"):
        flash.attend(k, k, k, slots, scale=0.5, rate=0.1, reach=4)


# ---------------------------------------------------------------------------------------------------------------------
# What it must give. The emulation is what the operators are compared with on a GPU, and the packed row of a CPU here.

lengths = st.lists(st.integers(1, 140), min_size=1, max_size=12)


def gradients(attend: Any, tensors: Sequence[torch.Tensor], asked: torch.Tensor) -> list[torch.Tensor]:
    """What an attention gives for q, k, v, and the gradients of a weighted sum of it."""
    leaves = [tensor.clone().requires_grad_() for tensor in tensors]
    out = attend(*leaves)
    (out * asked).sum().backward()
    return [out.detach(), *(leaf.grad for leaf in leaves if leaf.grad is not None)]


@settings(max_examples=60, deadline=None)
@given(lengths=lengths, reach=st.sampled_from([None, 0, 3, 40]), firsts=st.booleans(), seed=st.integers(0, 2**31))
def test_slots_of_padding_change_no_window(lengths: list[int], reach: int | None, firsts: bool, seed: int) -> None:
    """To 1e-6, for the softmax is in fp32: against the attention of a CPU's packed row, which knows no padding."""
    slots, sizes = slots_of(lengths)
    drawn = torch.Generator().manual_seed(seed)
    n, places, reach = sum(lengths), sum(sizes), None if firsts else reach
    k, v = (torch.randn(places, 2, 4, dtype=torch.float64, generator=drawn) for _ in range(2))
    rows, real = (len(sizes), len(lengths)) if firsts else (places, n)
    q, asked = (torch.randn(rows, 2, 4, dtype=torch.float64, generator=drawn) for _ in range(2))
    asked[real:] = 0.0  # nothing reads what padding gives
    padded = gradients(
        lambda q, k, v: emulation.attend(q, k, v, slots, scale=0.5, rate=0.0, reach=reach), (q, k, v), asked
    )
    plain = gradients(
        lambda q, k, v: Packed.apply(q, k, v, tuple(lengths), 0.5, 0.0, reach),  # type: ignore[no-untyped-call]
        (q[:real], k[:n], v[:n]), asked[:real],
    )  # fmt: skip
    for one, other in zip(padded, plain, strict=True):
        torch.testing.assert_close(one[: len(other)], other, rtol=0, atol=1e-6)
    assert all(not one[len(other) :].any() for one, other in zip(padded[1:], plain[1:], strict=True))


@on_a_gpu
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize("firsts", [False, True])
@pytest.mark.parametrize("reach", [None, 64])
@pytest.mark.parametrize("lengths", [[1], [21, 203, 55, 3], [512] * 3, [7] * 33, [130, 1, 128]])
def test_the_operators_give_what_the_emulation_gives(
    lengths: list[int], reach: int | None, firsts: bool, dtype: torch.dtype
) -> None:
    if reach is not None and (dtype == torch.float32 or firsts):
        pytest.skip("efficient attention sees whole windows only, and only BERT's layers are pruned")
    assert flash.shut(CUDA, dtype, 64, local=reach is not None) == ""
    slots, sizes = slots_of(lengths, CUDA)
    torch.manual_seed(0)
    k, v = (torch.randn(sum(sizes), 12, 64, device=CUDA) for _ in range(2))
    q, asked = (torch.randn(len(sizes) if firsts else sum(sizes), 12, 64, device=CUDA) for _ in range(2))
    settings: dict[str, Any] = {"scale": 0.125, "rate": 0.0, "reach": reach}

    def computed(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return flash.attend(q.to(dtype), k.to(dtype), v.to(dtype), slots, **settings).float()

    found = gradients(computed, (q, k, v), asked)
    wanted = gradients(lambda q, k, v: emulation.attend(q, k, v, slots, **settings), (q, k, v), asked)
    for one, other in zip(found, wanted, strict=True):
        assert bool(one.isfinite().all())
        allowed = (0.03 if dtype == torch.bfloat16 else 2e-3) * float(other.abs().max())
        torch.testing.assert_close(one, other, rtol=0, atol=allowed)


@on_a_gpu
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_dropout_has_its_rate_and_is_new_for_every_call(dtype: torch.dtype) -> None:
    slots, sizes = slots_of([128] * 64, CUDA)
    q = torch.zeros(sum(sizes), 2, 64, device=CUDA, dtype=dtype)  # all keys alike: the mean of the kept values
    v = torch.ones_like(q).requires_grad_()
    one, other = (flash.attend(q, q, v, slots, scale=1.0, rate=0.25, reach=None)[: 64 * 128] for _ in range(2))
    assert float(one.float().mean()) == pytest.approx(1.0, abs=0.01)
    # Each of 128 keys is dropped with 0.25: the variance of the sum of what is kept is p / (1 - p) / 128.
    assert float(one[:, :, 0].float().var()) == pytest.approx(0.25 / 0.75 / 128, rel=0.1)
    assert not torch.equal(one, other)
    one.float().sum().backward()  # type: ignore[no-untyped-call]
    assert v.grad is not None
    assert float(v.grad[: 64 * 128].float().mean()) == pytest.approx(1.0, abs=0.02)
