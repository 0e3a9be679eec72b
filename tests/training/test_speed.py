"""The speed of a run in numbers, and in one line made of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import afina
from afina.training.speed import speed_note
from tests.arithmetic import ON_CPU

ROWS = [{"text": f"a {word} film", "label": label} for word, label in (("lovely", "good"), ("dull", "bad"))] * 6


def test_a_run_says_how_fast_it_was(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    run = afina.train(train=ROWS, validation=ROWS, model=tiny("bert"), epochs=2, out=tmp_path / "run")
    speed = run.record["speed"]
    assert speed["tokens_per_second"] > 0
    assert 0 <= speed["padding"] < 1
    assert 0 <= speed["share_of_peak"] < 2
    assert speed["share_of_peak"] > 0 or not ON_CPU  # for a GPU so small a model is nothing
    assert speed_note(speed).startswith(f"speed: {speed['tokens_per_second']:,.0f} tokens a second")


def test_where_nothing_was_computed_no_share_is_claimed() -> None:
    speed = {"tokens_per_second": 10.0, "padding": 0.25, "flops_per_second": 0, "peak_flops_per_second": 1e9,
             "share_of_peak": 0.0}  # fmt: skip
    assert speed_note(speed) == "speed: 10 tokens a second, 25% padding"
