"""What is foreseen is what comes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from afina.config import load
from afina.data.parts import read_data
from afina.training.events import Done, Note
from afina.training.plan import plan
from afina.training.run import stream
from tests.arithmetic import ON_CPU
from tests.runs import configured

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
    assert foreseen.seconds == pytest.approx(sum(foreseen.parts.values()), abs=0.01)
    real = {"check", "load", "tokenise", "hash", "train", "validate", "baseline", "evaluate", "save"}
    assert set(foreseen.parts) == real | {"start"} | (set() if strategy == "full" else {"frozen part"})
    assert real <= set(record["seconds"])
    assert all(seconds >= 0 for seconds in foreseen.parts.values())
    assert record["speed"]["tokens_per_second"] > 0
    assert record["speed"]["padding"] < 0.5 or not ON_CPU  # a GPU's rows are as long as they are few
    model = sum(file.stat().st_size for file in (last.folder / "model").glob("*.safetensors"))
    assert foreseen.disk - foreseen.states == pytest.approx(model, rel=0.1, abs=10_000)  # the file's own header


def test_a_plan_counts_the_windows_of_long_texts_and_leaves_the_process_as_it_was(
    tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    more: dict[str, Any] = {"options__long": "windows", "model__max_length": 16, "training__precision": "bf16"}
    config = configured(tiny("bert"), tmp_path / "run", strategy="last-1", training__threads=2, **more)
    rows = [{**row, "text": row["text"] * 8} for row in ROWS]
    threads, draws = torch.get_num_threads(), torch.get_rng_state()
    foreseen = plan(config, read_data(config, {"train": rows, "validation": rows[:2]}))
    assert foreseen.windows > foreseen.examples == 6
    assert foreseen.tokens <= foreseen.padded_tokens <= foreseen.windows * 16
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), draws)


def test_states_that_find_no_room_are_foreseen_as_computed_anew(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    work = []
    for room in (1.0, 0.0):
        more: dict[str, Any] = {"training__cache_memory": room, "training__cache_disk": 0.0}
        config = configured(tiny("bert"), tmp_path / "run", strategy="head", **more)
        foreseen = plan(config, read_data(config, {"train": ROWS, "validation": ROWS[:2]}))
        assert ("recomputed every epoch" in foreseen.kept) == (room == 0.0)
        work.append(foreseen.flops)
    assert work[0] < work[1]


def test_a_plan_warns_of_what_the_run_warns_of(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    rows = [
        {"text": f"A avó e o avô não estão na praia, mas é a avó que foi à rua {i}.", "label": "ab"[i % 2]}
        for i in range(12)
    ]
    config = configured(tiny("bert"), tmp_path / "run", strategy="head", training__epochs=1)
    foreseen = plan(config, read_data(config, {"train": rows, "validation": rows[:2]}))
    events = list(stream(config, read_data(config, {"train": rows, "validation": rows[:2]})))
    (line,) = [one for one in foreseen.warnings if "avó = avô" in one]
    assert line.endswith("; `afina models --language pt` lists encoders for Portuguese")
    assert line in [event.text for event in events if isinstance(event, Note) and event.level == "warning"]
    kept = json.loads((tmp_path / "run" / "check.json").read_text())
    assert {"merged-words", "fertility"} <= {finding["code"] for finding in kept}


def test_what_was_done_before_is_part_of_the_whole(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    config = configured(tiny("bert"), tmp_path / "run")
    foreseen = plan(config, read_data(config, {"train": ROWS, "validation": ROWS[:2]}), begun=time.perf_counter() - 100)
    assert 100 < foreseen.parts["start"] < foreseen.seconds
