"""Whatever computes leaves the process as it was: at the end, after an error, and while its caller has the word."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
import torch

from afina import compute as computing
from afina import devices
from afina.compute import DENORMAL, WORKSPACE, Compute, choose, set_threads
from afina.errors import ConfigError
from tests.arithmetic import best_device, bf16_pays
from tests.conftest import REPOSITORY


def state() -> dict[str, Any]:
    """Everything of the process that a computation may change."""
    backends: Any = torch.backends
    return {
        "threads": torch.get_num_threads(),
        "seed": torch.initial_seed(),
        "generator": torch.get_rng_state().tolist(),
        "allow_tf32": torch.backends.cuda.matmul.allow_tf32,
        "matmul": torch.get_float32_matmul_precision(),
        "products": (backends.cuda.matmul.fp32_precision, backends.mkldnn.matmul.fp32_precision),
        "denormals": float(torch.tensor(DENORMAL) * 1.0) > 0,
        "gradients": torch.is_grad_enabled(),
        "autocast": torch.is_autocast_enabled("cpu"),
        **kernels(),
    }


def kernels() -> dict[str, Any]:
    """Which of torch's kernels may run."""
    cudnn: Any = torch.backends.cudnn
    attention: Any = torch.backends.cuda
    memory: Any = torch.utils.deterministic
    return {
        "attention of cuDNN": attention.cudnn_sdp_enabled(),
        "algorithms": torch.are_deterministic_algorithms_enabled(),
        "warns only": torch.is_deterministic_algorithms_warn_only_enabled(),
        "cudnn": (cudnn.enabled, cudnn.deterministic, cudnn.benchmark),
        "fills": memory.fill_uninitialized_memory,
    }


def disturbed() -> dict[str, Any]:
    """The state inside, after a computation that draws and seeds."""
    torch.manual_seed(99)
    torch.rand(5)
    backends: Any = torch.backends
    return {
        "threads": torch.get_num_threads(),
        "products": (backends.cuda.matmul.fp32_precision, backends.mkldnn.matmul.fp32_precision),
        "denormals": float(torch.tensor(DENORMAL) * 1.0) > 0,
    }


OTHER = Compute(precision="bf16", tf32=True, threads=3)
INSIDE = {"threads": 3, "products": ("tf32", "ieee"), "denormals": False}


def leave_defaults() -> None: ...


def use_the_flag() -> None:
    torch.backends.cuda.matmul.allow_tf32 = True


def ask_for_high() -> None:
    torch.set_float32_matmul_precision("high")


def ask_for_medium() -> None:
    torch.set_float32_matmul_precision("medium")


def flush_denormals() -> None:
    torch.set_flush_denormal(True)


def take_two_threads() -> None:
    torch.set_num_threads(2)


def seed() -> None:
    torch.manual_seed(7)
    torch.rand(3)


def ask_for_warnings() -> None:
    torch.use_deterministic_algorithms(True, warn_only=True)


CALLERS = [
    leave_defaults, use_the_flag, ask_for_high, ask_for_medium, flush_denormals, take_two_threads, seed,
    ask_for_warnings,
]  # fmt: skip
"""What a program may have set before it calls afina."""


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process of the tests is as before, whatever a test sets; and afina's choices are its own."""
    monkeypatch.setattr(devices, "best", best_device)
    monkeypatch.setattr(computing, "bf16_pays", bf16_pays)
    threads = torch.get_num_threads()
    with torch.random.fork_rng():
        yield
    torch.set_float32_matmul_precision("highest")
    torch.use_deterministic_algorithms(False)
    torch.set_flush_denormal(False)
    torch.set_num_threads(threads)


@pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: str(caller.__name__))
class TestActive:
    def test_everything_is_given_back(self, caller: Callable[[], None]) -> None:
        caller()
        before = state()
        with OTHER.active():
            assert disturbed() == INSIDE
            with Compute(threads=1).active():
                assert disturbed() == {"threads": 1, "products": ("ieee", "ieee"), "denormals": False}
            assert disturbed() == INSIDE
        assert state() == before

    def test_everything_is_given_back_after_an_error(self, caller: Callable[[], None]) -> None:
        caller()
        before = state()
        with pytest.raises(ZeroDivisionError), OTHER.active():
            disturbed()["threads"] /= 0
        assert state() == before

    def test_a_suspended_generator_is_not_active(self, caller: Callable[[], None]) -> None:
        caller()
        before, heard = state(), []

        def work() -> Generator[int, None, str]:
            for number in range(3):
                assert disturbed() == INSIDE
                yield number
            return "result"

        def consume() -> Generator[int, None, None]:
            said.append((yield from OTHER.running(work())))

        said: list[str] = []
        for number in consume():
            heard.append(number)
            assert state() == before
        assert (heard, said) == ([0, 1, 2], ["result"])
        assert state() == before

    def test_a_generator_that_is_closed_cleans_up_while_it_is_active(self, caller: Callable[[], None]) -> None:
        caller()
        before, seen = state(), []

        def work() -> Generator[int, None, None]:
            try:
                while True:
                    yield 0
            finally:
                seen.append(disturbed())

        running = OTHER.running(work())
        next(running)
        assert state() == before
        running.close()
        assert seen == [INSIDE]
        assert state() == before

    def test_an_error_of_a_generator_comes_through(self, caller: Callable[[], None]) -> None:
        caller()
        before = state()

        def work() -> Generator[int, None, None]:
            yield disturbed()["threads"]
            disturbed()
            raise ZeroDivisionError

        running = OTHER.running(work())
        assert next(running) == 3
        with pytest.raises(ZeroDivisionError):
            next(running)
        assert state() == before


def test_strictly_only_kernels_run_that_give_the_same_bits() -> None:
    before = kernels()
    assert before["attention of cuDNN"]
    with Compute().active():
        assert kernels() == {**before, "attention of cuDNN": False}
        with Compute(strict=True).active():
            assert kernels() == {
                "attention of cuDNN": False, "algorithms": True, "warns only": False,
                "cudnn": (False, True, False), "fills": False,
            }  # fmt: skip
        assert kernels() == {**before, "attention of cuDNN": False}
    assert kernels() == before


def test_strictness_is_for_gpus_and_begins_before_they_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WORKSPACE, "")  # so that what is set below is taken back
    monkeypatch.delenv(WORKSPACE)
    assert not choose(device="cpu", strict=True).strict
    assert WORKSPACE not in os.environ
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    with pytest.raises(ConfigError, match=r"training\.strict: this process has used the GPU already, without CUBLAS_"):
        choose(precision="fp32", strict=True)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    assert choose(precision="fp32", strict=True).strict
    assert os.environ[WORKSPACE] == ":4096:8"
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    assert choose(precision="fp32", strict=True).strict  # it was there when cuBLAS began


def test_where_it_computes_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    assert Compute(threads=1).described == "device cpu (x86_64); arithmetic fp32; 1 CPU thread"
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"GPU {device.index}")
    told = Compute(torch.device("cuda:1"), "bf16", tf32=True, threads=4, strict=True).described
    assert told == "device cuda:1 (GPU 1); arithmetic bf16, TF32 in what remains of fp32; 4 CPU threads; strict"


def test_a_gpu_without_units_for_bf16_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: including_emulation)
    gpu = torch.device("cuda")
    assert [Compute(gpu, "bf16").emulates, Compute(gpu, "fp32").emulates, Compute(precision="bf16").emulates] == [
        True, False, False,
    ]  # fmt: skip


def test_draws_inside_do_not_depend_on_the_caller_nor_move_it() -> None:
    torch.manual_seed(1)
    expected = torch.rand(2).tolist()
    torch.manual_seed(1)
    with Compute().active():
        torch.manual_seed(5)
        inside = torch.rand(2).tolist()
    assert torch.rand(2).tolist() == expected
    assert inside != expected


@pytest.mark.parametrize("callers", [False, True])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_nothing_is_cast_but_where_types_are_mixed_whatever_a_callers_autocast_is(
    precision: Literal["fp32", "bf16"], callers: bool
) -> None:
    compute = choose(precision=precision, device="cpu")
    a = torch.ones(4, 4)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=callers):
        with compute.autocast():
            assert (a @ a).dtype == torch.float32
        with compute.autocast(mixed=True):
            assert (a @ a).dtype == compute.dtype
        assert (a @ a).dtype == (torch.bfloat16 if callers else torch.float32)


@pytest.mark.parametrize("pays", [False, True])
def test_the_arithmetic_of_a_cpu_is_the_faster_one(pays: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    computing.bf16_pays.cache_clear()
    asked: list[tuple[int, int]] = []

    def gain(rows: int, width: int) -> float:
        asked.append((rows, width))
        return computing.GAIN if pays else 0.9

    monkeypatch.setattr(computing, "gain_of_bf16", gain)
    for _ in range(2):
        assert choose(device="cpu") == Compute(torch.device("cpu"), "bf16" if pays else "fp32")
    assert len(asked) == (2 if pays else 1), "measured once a process, and no large product where a small one is slow"
    assert choose(precision="fp32", device="cpu").precision == "fp32"
    computing.bf16_pays.cache_clear()


def test_the_gain_of_bf16_is_measured() -> None:
    assert 0.0 < computing.gain_of_bf16(16, 32) < 1e3


def test_the_best_arithmetic_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose(precision="bf16", threads=2, device="cpu") == Compute(torch.device("cpu"), "bf16", threads=2)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for has_bf16 in (True, False):
        computing.bf16_pays.cache_clear()
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation, has=has_bf16: has)
        chosen = choose()
        assert chosen.device.type == "cuda"
        assert (chosen.precision, chosen.tf32) == (("bf16", True) if has_bf16 else ("fp32", False))
    asked = choose(precision="fp32")
    assert (asked.precision, asked.tf32) == ("fp32", False)
    assert choose(precision="bf16").micro_tokens > choose(device="cpu").micro_tokens
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose().device.type == "mps"
    assert choose().precision == "fp32"
    computing.bf16_pays.cache_clear()


def test_a_fingerprint_has_what_decides_the_last_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Compute().fingerprint()
    assert plain["threads"] == torch.get_num_threads()
    assert json.loads(json.dumps(plain)) == plain
    others = [Compute(precision="bf16"), Compute(tf32=True), Compute(threads=torch.get_num_threads() + 1)]
    others += [Compute(rank=1), Compute(world=2), Compute(strict=True)]
    found = [plain, *(other.fingerprint() for other in others)]
    monkeypatch.setattr("platform.machine", lambda: "another")
    found.append(Compute().fingerprint())
    names = [json.dumps(one, sort_keys=True) for one in found]
    assert len(set(names)) == len(names)


def test_threads_are_set_only_where_they_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    set_threads(torch.get_num_threads())
    set_threads(torch.get_num_threads() + 1)
    assert asked == [torch.get_num_threads() + 1]


PROGRAM = """
import json, random, sys
import numpy as np
import torch

import afina
from tests.test_compute import state

rows = [{"text": f"a {word} film", "label": label} for word, label in (("lovely", "good"), ("awful", "bad"))] * 4
torch.set_num_threads(2)
torch.set_float32_matmul_precision("medium")
for seeded in (torch.manual_seed, np.random.seed, random.seed):
    seeded(11)
draws = [torch.rand(3), np.random.rand(3), random.random()]


def whole():
    return [state(), random.getstate(), repr(np.random.get_state()), np.random.get_state()[1].tolist()]


before, changed = whole(), []


def check(what):
    if whole() != before:
        changed.append(what)


model, out, strategy = sys.argv[1:]
run = afina.train(
    train=rows, validation=rows, test=rows, model=model, out=out, strategy=strategy, epochs=2,
    training__threads=1, training__precision="bf16",
)
check("train")
predictor = afina.load(run.folder)
check("load")
for _ in predictor.stream([row["text"] for row in rows]):
    check("stream")
predictor.predict(["a lovely film"])
check("predict")
predictor.predict_proba(["a lovely film"])
check("predict_proba")
predictor.evaluate(rows)
check("evaluate")
assert predictor.artifact.network.compute.precision == "bf16"
assert run.record["machine"]["threads"] == 1
print(json.dumps(changed))
"""


@pytest.mark.parametrize("strategy", ["full", "last-1", "head"])
def test_a_program_that_trains_and_predicts_is_as_it_was(
    strategy: str, tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tiny("bert")), str(tmp_path / "run"), strategy],
        cwd=REPOSITORY, env={**os.environ}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []


@pytest.mark.parametrize("before", [True, False])
def test_the_attention_of_cudnn_is_off_while_a_model_computes_and_given_back(before: bool) -> None:
    cuda: Any = torch.backends.cuda
    theirs = cuda.cudnn_sdp_enabled()
    cuda.enable_cudnn_sdp(before)
    try:
        with Compute().active():
            assert not cuda.cudnn_sdp_enabled()
        assert cuda.cudnn_sdp_enabled() == before
    finally:
        cuda.enable_cudnn_sdp(theirs)
