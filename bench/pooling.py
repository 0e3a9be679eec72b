"""What does it cost to read all layers? The pass of `afina study pooling` against plain passes of the encoder.

    python bench/pooling.py --data DIR                  # SST-2 sentences, the embedded model, one thread
    python bench/pooling.py --data DIR --rows 2000 --threads 2 --times 5

Both run the same micro-batches of the same windows, A B A B ...; the ratio of each pair is taken, and their median
printed. The plain pass gives the last layer of all tokens. The cheapest pass that afina has, which computes the last
layer for first tokens alone and can serve no other pooling, stands beside it.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch


def texts(data: Path, rows: int) -> list[str]:
    """The first sentences of SST-2."""
    with (data / "sst2" / "train_sentences.tsv").open(encoding="utf-8", newline="") as file:
        found = [row["sentence"] for row in csv.DictReader(file, delimiter="\t")]
    return found[:rows]


def passes(model: str, sentences: list[str]) -> dict[str, Callable[[], object]]:
    """The passes to time, by name."""
    from afina.assembly import open_network, open_tokenizer
    from afina.compute import Compute
    from afina.model.layers import pooled_layers
    from afina.model.states import kept_states
    from afina.records import Example
    from afina.tasks.classification import Classification
    from afina.work import drain, run_with_backoff

    tokenizer = open_tokenizer(model, max_length=64)
    task = Classification(Classification.Options(), {"labels": ["a", "b"]})
    network = open_network(model, task, tokenizer=tokenizer, compute=Compute(), head="linear")
    network.train_last(0)
    windows = [one.windows[0] for one in tokenizer.encode([Example(text) for text in sentences])]
    layout = network.layout

    @torch.no_grad()
    def plain() -> None:
        def compute(indices: list[int]) -> None:
            network.backbone.run(network.backbone.whole, layout.collate([windows[i] for i in indices]))

        network.eval()
        drain(run_with_backoff([*map(len, windows)], layout.budget, split=layout.fill, compute=compute))

    return {
        "all layers": lambda: drain(pooled_layers(network, windows)),
        "plain": plain,
        "first tokens": lambda: kept_states(network, windows),
    }


def main() -> None:
    """Time the passes, and print their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--model", default="minilm")
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--times", type=int, default=5, help="how often each pass is timed")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    ways = passes(asked.model, texts(asked.data, asked.rows))
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(asked.times + 1):
        for name, run in ways.items():
            start = time.perf_counter()
            run()
            if turn:  # the first turn warms up
                seconds[name].append(time.perf_counter() - start)
    found = {
        "rows": asked.rows,
        "threads": asked.threads,
        **{f"{name}, s": round(statistics.median(taken), 2) for name, taken in seconds.items()},
        **{
            f"all layers / {name}": round(statistics.median(map(float.__truediv__, seconds["all layers"], taken)), 3)
            for name, taken in seconds.items()
            if name != "all layers"
        },
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
