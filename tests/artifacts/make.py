"""Write one tiny artifact for each task in the present format, with its predictions, into this folder.

Run once when `FORMAT` of `afina.artifact` counts up, and commit what it writes:

    python -m tests.artifacts.make

What is there stays: artifacts of older formats can't be made again. `format-N-TASK/model` is the artifact and
`format-N-TASK/expected.json` holds rows and what the model said of them. Words and weights are our own.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import tempfile
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModel

import afina
from afina.about import FORMAT
from afina.tasks.base import find
from tests.tiny import tiny_tokenizer

HERE = Path(__file__).parent
HEADS = {"classification": "native", "multilabel": "native", "regression": "mean", "tokens": "crf", "answers": "native"}
"""The tasks, with a head of each kind that is saved in its own way."""


def base(folder: Path) -> None:
    """A random BERT of one layer, a few kB."""
    torch.manual_seed(0)
    tokenizer = tiny_tokenizer("bert")
    config = AutoConfig.for_model(
        "bert", vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=40, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    AutoModel.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def make(task: str, head: str) -> None:
    """Fine-tune the base model (here in the working directory) and write artifact and predictions."""
    out = HERE / f"format-{FORMAT}-{task}"
    if out.exists():
        return
    rows = list(find(task).samples[0].rows)
    run = afina.train(
        task=task,
        train=rows,
        validation=rows,
        model="./base",
        head=head,
        epochs=5,
        learning_rate=0.01,
        out=f"run-{task}",
    )
    # So few rows have no temperature: one is given. The path of the base model is that of a temporary folder, and is
    # left out.
    made = run.predictor.artifact
    hot = made.task.calibration.model_copy(update={"temperature": 1.5})
    dataclasses.replace(made, base="base", task=made.task.with_calibration(hot)).save(out / "model")
    expected = {"rows": rows[:4], "predictions": list(afina.load(out).stream(rows[:4]))}
    (out / "expected.json").write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        base(Path("base"))
        for name, kind in HEADS.items():
            make(name, kind)
