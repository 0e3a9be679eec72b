"""What a model says of itself is known without torch, as the loaded model knows it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import afina
from afina.about import stock_config, task_in
from afina.errors import ModelError
from afina.model.folder import read_json

TASK = """
import sys
from afina.about import task_in
task = task_in(sys.argv[1])
assert "torch" not in sys.modules and "transformers" not in sys.modules
print(task.name, task.options.text, ",".join(task.labels))
"""


def test_the_task_of_a_run_is_read_without_torch(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    rows = [{"review": f"film {i}", "label": "ab"[i % 2]} for i in range(8)]
    run = afina.train(train=rows, validation=rows, model=tiny("bert"), epochs=1, text="review", out=tmp_path / "run")
    done = subprocess.run([sys.executable, "-c", TASK, str(run.folder)], capture_output=True, text=True, check=False)
    assert done.stdout == "classification review a,b\n", done.stderr
    loaded = run.predictor.artifact.task
    assert (task_in(str(run.folder)).options, task_in(str(run.folder)).fitted) == (loaded.options, loaded.fitted)


@pytest.mark.parametrize(
    "entries",
    [
        {},
        {"num_labels": 3},
        {"id2label": {"1": "b", "0": "a"}, "label2id": {"a": 0, "b": 1}},
        {"problem_type": "multi_label_classification", "num_labels": 1},
        {"num_labels": 1},
    ],
)
def test_a_stock_configuration_says_what_transformers_reads_in_it(entries: dict[str, Any], tmp_path: Path) -> None:
    config: Any = pytest.importorskip("transformers").BertConfig(**entries)
    config.save_pretrained(tmp_path)
    tree = read_json(tmp_path / "config.json")
    for found in (stock_config(entries), stock_config(tree)):
        for name in ("id2label", "num_labels", "problem_type"):
            assert getattr(found, name) == getattr(config, name)


def test_a_model_that_was_not_fine_tuned(tiny: Callable[[str], Path]) -> None:
    with pytest.raises(ModelError, match="BertForMaskedLM is not a fine-tuned model that afina has a task for"):
        task_in(str(tiny("bert")))
