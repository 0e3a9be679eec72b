"""Fewer threads are taken only where they are clearly faster, twice; an idle machine keeps all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
import torch

from afina import machine
from afina.compute import Compute
from afina.machine import FIXED, ROUNDS, candidates, fastest, speed, speeds, suited


@pytest.fixture(autouse=True)
def open_number(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process of four threads whose number nobody chose; it has as many as before in the end."""
    before = torch.get_num_threads()
    monkeypatch.delenv(FIXED, raising=False)
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


def measured(monkeypatch: pytest.MonkeyPatch, *found: dict[int, float]) -> list[Sequence[int]]:
    """Let measurements find this, one after the other; the numbers of threads that were measured."""
    asked: list[Sequence[int]] = []

    def fake(numbers: Sequence[int]) -> dict[int, float]:
        asked.append(numbers)
        torch.set_num_threads(numbers[-1])  # as the real one leaves the process
        return found[min(len(asked), len(found)) - 1]

    monkeypatch.setattr(machine, "speeds", fake)
    return asked


IDLE = {4: 400e9, 2: 200e9, 1: 100e9}
BUSY = {4: 20e9, 2: 150e9, 1: 100e9}


def test_an_idle_machine_keeps_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = measured(monkeypatch, IDLE)
    assert suited(Compute(), fix="--set training.threads=") == (Compute(), "")
    assert asked == [[4, 2, 1]]
    assert torch.get_num_threads() == 4


def test_a_busy_machine_has_the_fastest_number_and_says_how_to_fix_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = measured(monkeypatch, BUSY)
    compute, said = suited(Compute(precision="bf16"), fix="--set training.threads=")
    assert compute == Compute(precision="bf16", threads=2)
    assert said == (
        "CPU threads: 2 of 4, for something else keeps the processor busy: products of matrices run at 150 GFLOP/s "
        "with 2 and at 20 with 4. --set training.threads=4 takes all the same"
    )
    assert len(asked) == 2
    assert torch.get_num_threads() == 4


def test_what_is_over_when_it_is_measured_again_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(measured(monkeypatch, BUSY, IDLE)) == 0
    assert suited(Compute(), fix="") == (Compute(), "")


@pytest.mark.parametrize("compute", [Compute(threads=4), Compute(torch.device("cuda")), Compute(torch.device("mps"))])
def test_a_chosen_number_and_a_gpu_are_not_measured(compute: Compute, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = measured(monkeypatch, BUSY)
    assert suited(compute, fix="") == (compute, "")
    monkeypatch.setenv(FIXED, "4")
    assert suited(Compute(), fix="") == (Compute(), "")
    monkeypatch.delenv(FIXED)
    torch.set_num_threads(1)
    assert suited(Compute(), fix="") == (Compute(), "")
    assert asked == []


def test_a_process_that_is_stopped_while_it_measures_has_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(number: int, seconds: float) -> float:
        torch.set_num_threads(number)
        if number == 2:
            raise KeyboardInterrupt
        return 1.0

    monkeypatch.setattr(machine, "speed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        suited(Compute(), fix="")
    assert torch.get_num_threads() == 4


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({2: 80.0, 1: 100.0}, 2),
        ({2: 79.0, 1: 100.0}, 1),
        ({8: 10.0, 4: 50.0, 2: 80.0, 1: 60.0}, 2),
        ({8: 90.0, 4: 50.0, 2: 80.0, 1: 100.0}, 8),
    ],
)
def test_all_threads_are_taken_unless_they_are_clearly_slower(found: dict[int, float], expected: int) -> None:
    assert fastest(found) == expected


def test_the_numbers_are_halves() -> None:
    assert [candidates(n) for n in (1, 2, 6, 16)] == [[1], [2, 1], [6, 3, 1], [16, 8, 4, 2, 1]]


def test_one_interruption_has_no_say_and_two_have(monkeypatch: pytest.MonkeyPatch) -> None:
    """A round that takes a hundred times as long, and the same once more."""
    for interruptions, kept in ((1, True), (2, False)):
        slow = [2.0] * interruptions
        rounds = {2: iter([200.0, *slow, *[200.0] * ROUNDS]), 1: iter([100.0] * ROUNDS)}
        monkeypatch.setattr(machine, "speed", lambda number, _, rounds=rounds: next(rounds[number]))
        assert (fastest(speeds([2, 1])) == 2) is kept


def test_speeds_are_those_of_real_products() -> None:
    """Every number of threads is measured so often, and all are real products; their speed is not judged here."""
    for number in (2, 1):
        assert 1e6 < speed(number, 0.0) < 1e14
        assert torch.get_num_threads() == number
    found = speeds([2, 1])
    assert list(found) == [2, 1]
    assert all(1e6 < each < 1e14 for each in found.values())
