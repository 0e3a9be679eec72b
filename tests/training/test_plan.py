"""What is foreseen is what comes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from afina.config import load
from afina.data.parts import read_data
from afina.training.events import Done
from afina.training.plan import plan
from afina.training.run import stream

ROWS = [
    {"text": f"the {thing} {word} " * (i + 1), "label": word}
    for i, thing in enumerate(("cat", "dog", "bird"))
    for word in ("good", "bad")
]


@pytest.mark.parametrize("strategy", ["full", "last-1", "head"])
def test_the_plan_of_a_run_is_the_run(strategy: str, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    settings = {
        "model.name": str(tiny("bert")), "strategy": strategy, "training.epochs": 3, "training.batch_size": 4,
        "training.learning_rate": 1e-3, "out": str(tmp_path / "run"),
    }  # fmt: skip
    config = load(None, settings)
    data = read_data(config, {"train": ROWS, "validation": ROWS[:2]})
    foreseen = plan(config, data)
    assert not (tmp_path / "run").exists()
    (*_, last) = stream(config, read_data(config, {"train": ROWS, "validation": ROWS[:2]}))
    assert isinstance(last, Done)
    record = json.loads((last.folder / "run.json").read_text())
    assert foreseen.steps == record["steps"]
    assert foreseen.tokens * 3 == record["tokens"]
    assert foreseen.padded_tokens >= foreseen.tokens
    assert foreseen.examples == 6
    assert (foreseen.states > 0) == (strategy != "full")
    assert ("computed once" in foreseen.kept) == (strategy != "full")
    assert 0 < foreseen.seconds == pytest.approx(foreseen.flops / 0.75 / foreseen.peak)
    assert record["speed"]["tokens_per_second"] > 0
    assert record["speed"]["padding"] < 0.5
    model = sum(file.stat().st_size for file in (last.folder / "model").glob("*.safetensors"))
    assert foreseen.disk - foreseen.states == pytest.approx(model, rel=0.1, abs=10_000)  # the file's own header
