"""Which words does a model really need? The methods of `afina explain`, held against the model's own probabilities.

    python bench/explain.py --data DIR              # run what is missing, then write a section of bench/RESULTS.md
    python bench/explain.py --data DIR --only sst2 --tests 50
    python bench/explain.py --render                # only write the section again

A model is fine-tuned on a few rows. Of each test text that it reads, the words are put in order by each method and by
chance. Without the first k % of them the probability of the predicted label should fall (comprehensiveness: by how
much it does); with those alone it should stay (sufficiency: by how much it falls all the same), as in ERASER (DeYoung
et al. 2020). Words are taken away in two ways, left out or masked, since a method that hides words in one of them is at
home there. One line of `bench/explain.jsonl` a text; the intervals are over texts.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from quality import write_section

HERE = Path(__file__).parent
RECORDS = HERE / "explain.jsonl"
BINS = (0.1, 0.2, 0.5)
ORDERS = 3
"""Random orders of a text; their mean is one baseline."""
WAYS = {"removal": "left out", "mask": "masked"}
METHODS = ("gradient", "mask", "removal")
FROM_0 = "gradient, from 0"
"""Plain gradient x input, which afina does not offer: beside it the gradient that counts from the mask."""
CHANCE = "random order"


@dataclass(frozen=True)
class Set:
    """A data set, and how a model is fine-tuned on a few of its rows."""

    files: tuple[str, str]
    columns: dict[str, str]
    rows: int
    epochs: int
    rate: float
    name: str


SETS = {
    "sst2": Set(
        ("sst2/train_sentences.tsv", "sst2/test.tsv"), {"text": "sentence", "label": "label"}, 300, 4, 1e-4,
        "SST-2, sentences",
    ),
    "snli": Set(
        ("snli/train.jsonl", "snli/test.jsonl"), {"text": "premise", "pair": "hypothesis", "label": "label"}, 600, 4,
        1e-4, "SNLI, pairs",
    ),
    "assin": Set(
        ("assin/assin-ptbr-train.csv", "assin/assin-ptbr-test.csv"),
        {"text": "premise", "pair": "hypothesis", "label": "entailment"}, 1200, 4, 1e-4, "ASSIN, Portuguese pairs",
    ),
}  # fmt: skip


def trained(spec: Set, args: argparse.Namespace, folder: Path) -> tuple[Any, list[Any], dict[str, float]]:
    """A model that was fine-tuned on a few rows, some test examples, and its scores on them."""
    import afina
    from afina.data.sources import read
    from afina.records import Row

    run = afina.train(
        train=args.data / spec.files[0], sample=spec.rows, hold_out=0.1, model=args.model, epochs=spec.epochs,
        learning_rate=spec.rate, max_length=args.max_length, seed=args.seed, out=folder, progress=False, **spec.columns,
        training__threads=args.threads, training__precision="fp32",
    )  # fmt: skip
    task = run.predictor.artifact.task
    rows = [row for row in read(str(args.data / spec.files[1])) if isinstance(row, Row)]
    chosen = np.random.default_rng(args.seed).permutation(len(rows))[: args.tests]
    examples = [task.read(rows[i]) for i in sorted(chosen.tolist())]
    found = run.predictor.evaluate([dict(rows[i].values) for i in sorted(chosen.tolist())])
    return run.predictor, examples, found.metrics


def orders_of(explanations: dict[str, Any], seed: int) -> dict[str, list[list[int]]]:
    """The words of a text from the most important to the least: by each method, and some by chance."""
    (words, *_) = (one.words for one in explanations.values())
    found = {
        method: [sorted(range(len(one.words)), key=lambda i: -one.words[i].weight)]
        for method, one in explanations.items()
    }
    rng = np.random.default_rng(seed)
    return found | {CHANCE: [rng.permutation(len(words)).tolist() for _ in range(ORDERS)]}


def drops(
    predictor: Any, example: Any, label: str, orders: dict[str, list[list[int]]]
) -> dict[str, dict[str, list[list[float]]]]:
    """How far the probability falls without the first words, and with them alone: by method and way, for each bin."""
    from afina.inference import window_logits
    from afina.serving.attribution import mask_of, owners_of, without
    from afina.serving.explaining import places_of

    art = predictor.artifact
    (window,) = art.tokenizer.encode([example])[0].windows
    words = list(places_of(example))
    owner = owners_of(window, words)
    blank = mask_of(art.tokenizer, art.network)
    windows, keys = [window], []
    for way in WAYS:
        for method, ranked in orders.items():
            for order in ranked:
                for share in BINS:
                    first = np.isin(owner, order[: max(1, round(share * len(words)))])
                    for hidden in (first, (owner >= 0) & ~first):
                        windows.append(without(window, hidden, blank=blank, needed=[0], leave=way == "removal")[0])
                        keys.append((way, method))
    logits = window_logits(art.network, windows)
    chances = [art.task.decode(example, [window], [one])["probabilities"][label] for one in logits]
    table: dict[tuple[str, str], list[float]] = {}
    for key, chance in zip(keys, chances[1:], strict=True):
        table.setdefault(key, []).append(chances[0] - chance)
    return {
        way: {
            method: np.array(table[way, method]).reshape(-1, len(BINS), 2).mean(axis=0).round(4).tolist()
            for method in orders
        }
        for way in WAYS
    }


def measure(name: str, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """One record a test text that has two words or more; before them the scores of the model and the times."""
    spec = SETS[name]
    with tempfile.TemporaryDirectory() as folder:
        predictor, examples, scores = trained(spec, args, Path(folder) / "run")
    inputs = [one.text if one.pair is None else (one.text, one.pair) for one in examples]
    seconds, found = {}, {}
    for method in METHODS:
        start = time.process_time()
        found[method] = predictor.explain(inputs, method=method)
        seconds[method] = time.process_time() - start
    with patch("afina.serving.attribution.mask_of", lambda *_: None):
        found[FROM_0] = predictor.explain(inputs, method="gradient")
    start = time.process_time()
    predictor.predict(inputs)
    seconds["predict"] = time.process_time() - start
    about = {"accuracy": scores["accuracy"], "texts": len(examples), "seconds": seconds, "threads": args.threads}
    yield {"set": name, "about": about}
    for i, example in enumerate(examples):
        explanations = {method: own[i] for method, own in found.items()}
        if len(explanations["mask"].words) > 1:
            label = explanations["mask"].label
            with predictor.artifact.network.compute.active():
                fallen = drops(predictor, example, label, orders_of(explanations, args.seed + i))
            yield {"set": name, "example": i, "words": len(explanations["mask"].words), "drops": fallen}


# ---------------------------------------------------------------------------------------------------------------------
# The section.


HEAD = (
    "| words are | order by | without 10, 20, 50 % | comprehensiveness | above random | 10, 20, 50 % alone | "
    "sufficiency (less is better) | below random |"
)


def interval(values: Sequence[float], seed: int = 0, resamples: int = 2000) -> tuple[float, float, float]:
    """A mean, and the ends of its 95 % interval by the bootstrap over texts."""
    table = np.array(values)
    rng = np.random.default_rng(seed)
    means = table[rng.integers(len(table), size=(resamples, len(table)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(table.mean()), float(low), float(high)


def shown(values: Sequence[float]) -> str:
    """A mean with its interval."""
    mean, low, high = interval(values)
    return f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]"


def render(records: list[dict[str, Any]]) -> str:
    """The tables of all data sets that were measured."""
    parts = []
    for name, spec in SETS.items():
        own = [record for record in records if record["set"] == name]
        abouts = [record["about"] for record in own if "about" in record]
        rows = [record["drops"] for record in own if "drops" in record]
        if not abouts or not rows:
            continue
        about = abouts[-1]
        words = np.mean([record["words"] for record in own if "drops" in record])
        times = ", ".join(f"{who} {50 * taken / about['texts']:.1f}" for who, taken in about["seconds"].items())
        parts.append(
            f"**{spec.name}**: {spec.rows} training rows, accuracy {about['accuracy']:.3f} on {about['texts']} test "
            f"texts, of which {len(rows)} with {words:.0f} words in the mean are explained. Processor seconds for 50 "
            f"texts: {times}.\n"
        )
        parts += [HEAD, "|---|---|---|---|---|---|---|---|"]
        parts += [line_of(rows, way, method) for way in WAYS for method in (*METHODS, FROM_0, CHANCE)]
        parts.append("")
    return "\n".join(parts)


def line_of(rows: list[dict[str, Any]], way: str, method: str) -> str:
    """A line of a table: the mean fall at each share, the mean over the shares, and its distance from chance."""
    table = np.array([row[way][method] for row in rows])  # [texts, shares, 2]
    chance = np.array([row[way][CHANCE] for row in rows])
    cells = []
    for side, sign in ((0, 1), (1, -1)):
        cells.append(", ".join(f"{value:+.3f}" for value in table[:, :, side].mean(axis=0)))
        cells.append(shown(table[:, :, side].mean(axis=1).tolist()))
        apart = sign * (table - chance)[:, :, side].mean(axis=1)
        cells.append("" if method == CHANCE else f"**{shown(apart.tolist())}**")
    return f"| {WAYS[way]} | {method} | {' | '.join(cells)} |"


NOTES = """
How to read it. What the probability of the predicted label loses. Comprehensiveness: without the words that an order
puts first, so more is better. Sufficiency: with those words alone, so less is better, and below 0 the model is surer
than it was. Each is the mean over 10, 20 and 50 % of the words; 95 % intervals by the bootstrap over texts, the
differences from a random order paired by text. Words are ordered by their weight with its sign.

* A method that masks words is at home where words are masked, one that leaves them out where they are left out: each
  is best judged by the other half of a table. `removal` keeps its lead over chance away from home, on pairs too; `mask`
  does not on pairs, where the words that it puts first keep less than chance would. So `removal` is the default.
* Both gradients are right as slopes (the tests hold them against small steps, and against the exact parts of a linear
  model), and no guide here: below chance on pairs, and at best like it on sentences. What a word's slope says of a
  small step says nothing of the word's absence. One seed, one small encoder: another may differ.
* The times are those of whole calls, the prediction included, on one thread.
"""


def main() -> None:
    """Run what is missing, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--only", type=lambda text: text.split(","), default=["sst2", "snli"])
    parser.add_argument("--model", default="minilm")
    parser.add_argument("--tests", type=int, default=100, help="test texts of each data set")
    parser.add_argument("--max-length", type=int, default=128)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--records", type=Path, default=RECORDS)
    parser.add_argument("--render", action="store_true")
    parser.add_argument("--print", action="store_true", help="print the section; RESULTS.md stays as it is")
    args = parser.parse_args()
    known = [json.loads(line) for line in args.records.open(encoding="utf-8")] if args.records.is_file() else []
    if not args.render:
        import torch

        if not args.data.is_dir():
            sys.exit(f"{args.data}: no such folder; name the data sets' folder with --data")
        torch.set_num_threads(args.threads)
        for name in args.only:
            if not any(record["set"] == name for record in known):
                found = list(measure(name, args))
                with args.records.open("a", encoding="utf-8") as file:
                    file.writelines(json.dumps(record) + "\n" for record in found)
                known += found
    section = f"## Explanations\n\n{render(known)}{NOTES}"
    print(section)
    if not args.print:
        write_section("explain", section)


if __name__ == "__main__":
    main()
