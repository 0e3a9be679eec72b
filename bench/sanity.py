"""Does training on a GPU come to the scores that it comes to on a CPU? Real texts, small runs, every kind of strategy.

    python bench/sanity.py                        # on a GPU in bf16, beside the recorded numbers of a CPU
    python bench/sanity.py --device cpu --record  # write those numbers: fp32 on a CPU, into bench/sanity.json
    python bench/sanity.py --tiny --device cpu    # few rows, one epoch, to see that it works

The embedded model learns the sample of `afina demo`, the Portuguese example, and sentences of SST-2 where the data are;
a score is as recorded when it lies in the recorded interval. Then a model in the shape of ModernBERT-base, with random
weights, takes 50 steps over texts of 21 to 203 tokens, packed and padded: every loss and every gradient must be finite.
Ends with code 1 when something is not as it should be.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gpu import TINY, make_model, make_rows

HERE = Path(__file__).parent
RECORD = HERE / "sanity.json"
EXAMPLES = HERE.parent / "examples"
PARTS = ("train", "validation", "test")
SETS: dict[str, dict[str, Any]] = {
    "sample of afina demo": {
        "files": {part: EXAMPLES / "classification" / f"{part}.csv" for part in PARTS},
        "settings": {"text": "text", "label": "label", "epochs": 6},
    },
    "portuguese": {
        "files": {part: EXAMPLES / "portuguese" / f"{part}.tsv" for part in PARTS},
        "settings": {"text": "frase", "label": "assunto", "epochs": 6},
    },
    "SST-2, 2,000 sentences": {
        "files": {"train": "sst2/train_sentences.tsv", "validation": "sst2/dev.tsv", "test": "sst2/test.tsv"},
        "settings": {"text": "sentence", "label": "label", "epochs": 2},
    },
}
MOST, TINY_ROWS = {"train": 2000, "validation": 200, "test": 800}, 24
STRATEGIES = ("full", "last-2", "head")
STEPS, BATCH = 50, 32


def parts_of(name: str, data: Path, *, tiny: bool) -> dict[str, list[dict[str, str]]]:
    """Rows of the training, validation and test data of a set, always the same ones.

    Args:
        name: Of the set.
        data: Folder of the sets that are no examples.
        tiny: Whether a few rows will do.

    Raises:
        FileNotFoundError: the data are not here.
    """
    parts, draw = {}, random.Random(13)
    for part, place in SETS[name]["files"].items():
        file = data / place  # an absolute place stays what it is
        form: dict[str, Any] = {"delimiter": "\t", "quoting": csv.QUOTE_NONE} if file.suffix == ".tsv" else {}
        with file.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines, **form))
        most = TINY_ROWS if tiny else MOST[part]
        parts[part] = draw.sample(rows, most) if len(rows) > most else rows
    return parts


def trained(name: str, strategy: str, args: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """The score of one run, with its interval, and whether its numbers were finite."""
    import afina
    from afina.training.events import Step

    numbers: list[float] = []

    def heard(event: Any) -> None:
        if isinstance(event, Step):
            numbers.extend((event.loss, event.grad_norm))

    settings = {**SETS[name]["settings"], **({"epochs": 1} if args.tiny else {})}
    start = time.perf_counter()
    run = afina.train(
        **parts_of(name, args.data, tiny=args.tiny), model="minilm", strategy=strategy,
        out=scratch / f"{name}-{strategy}", patience=99, cache_disk=0.0, progress=False, on_event=heard,
        training__precision="fp32" if args.device == "cpu" else "bf16", **settings,
    )  # fmt: skip
    assert run.test is not None
    metric = next(iter(run.test.metrics))
    low, high = run.test.intervals[metric]
    return {
        "what": f"{name}, {strategy}", "metric": metric, "score": run.test.metrics[metric], "low": low, "high": high,
        "finite": bool(numbers) and all(map(math.isfinite, numbers)), "steps": run.record["steps"],
        "loss": numbers[-2], "seconds": round(time.perf_counter() - start, 1),
        "device": run.record["machine"]["device"], "precision": run.record["machine"]["precision"],
    }  # fmt: skip


def modern(packing: bool, args: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Fifty steps of a model in the shape of ModernBERT-base over texts of mixed lengths."""
    import afina
    from afina.training.events import Step

    steps: list[Any] = []
    folder = scratch / "modernbert"
    if not folder.exists():
        make_model("modernbert-base", folder, tiny=args.tiny)
    rows = make_rows((5 if args.tiny else STEPS) * BATCH, TINY["vocab_size"] - 5 if args.tiny else 30000)
    start, said = time.perf_counter(), ""
    try:
        afina.train(
            train=rows, validation=rows[:BATCH], model=str(folder), epochs=1, batch_size=BATCH, learning_rate=2e-5,
            out=scratch / f"modern-{packing}", progress=False, training__packing=packing,
            training__precision="fp32" if args.device == "cpu" else "bf16",
            on_event=lambda event: steps.append(event) if isinstance(event, Step) else None,
        )  # fmt: skip
    except afina.AfinaError as error:  # the tripwire's words are the result
        said = str(error)[:300]
    finite = bool(steps) and all(math.isfinite(step.loss) and math.isfinite(step.grad_norm) for step in steps)
    return {
        "what": f"ModernBERT's shape, {'packed' if packing else 'padded'}, lengths 21 to 203",
        "finite": finite and not said,
        "steps": len(steps), "loss": steps[-1].loss if steps else None, "error": said,
        "largest gradient": max((step.grad_norm for step in steps), default=None),
        "seconds": round(time.perf_counter() - start, 1),
    }  # fmt: skip


def checks(args: argparse.Namespace, scratch: Path) -> Iterator[dict[str, Any]]:
    """Everything, one after the other."""
    known = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() and not args.tiny else {}
    for name in SETS:
        for strategy in STRATEGIES:
            try:
                one = trained(name, strategy, args, scratch)
            except FileNotFoundError as error:
                said = f"left out: {error.filename} is not here"
                yield {"what": f"{name}, {strategy}", "error": said, "fine": True}
                continue
            except Exception as error:  # the other checks still say something
                yield {"what": f"{name}, {strategy}", "error": f"{type(error).__name__}: {error}"[:300], "fine": False}
                continue
            recorded = known.get(one["what"])
            within = recorded is None or recorded["low"] <= one["score"] <= recorded["high"]
            yield {**one, "recorded": recorded, "fine": one["finite"] and within}
    for packing in () if args.record else (True, False):  # a CPU takes half an hour for it
        one = modern(packing, args, scratch)
        yield {**one, "fine": one["finite"]}


def line(one: dict[str, Any]) -> str:
    """A line of the table."""
    recorded = one.get("recorded")
    score = f"{one['score']:.3f}" if "score" in one else "–"
    beside = f"{recorded['score']:.3f} ({recorded['low']:.3f}–{recorded['high']:.3f})" if recorded else "–"
    verdict = "as it should be" if one["fine"] else "**not as it should be**"
    said = f"; {one['error']}" if one.get("error") else ""
    seconds = one.get("seconds", "–")
    return f"| {one['what']} | {one.get('metric', '–')} | {score} | {beside} | {seconds} | {verdict}{said} |"


def main() -> None:
    """Train, compare and say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--tiny", action="store_true", help="few rows, to see that the script works")
    parser.add_argument("--record", action="store_true", help="write the scores into bench/sanity.json")
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--out", type=Path, default=Path("build/gpu"))
    args = parser.parse_args()
    if args.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    args.out.mkdir(parents=True, exist_ok=True)
    head = ["| what | metric | score | recorded, fp32 on a CPU (interval) | seconds | |", "|---" * 6 + "|"]
    found: list[dict[str, Any]] = []
    file = (args.out / "sanity.jsonl").open("w", encoding="utf-8")
    with file, tempfile.TemporaryDirectory() as scratch:
        os.environ["AFINA_CACHE"] = f"{scratch}/kept"
        for one in checks(args, Path(scratch)):
            found.append(one)
            file.write(json.dumps(one) + "\n")
            file.flush()
            (args.out / "sanity.md").write_text("\n".join([*head, *map(line, found)]) + "\n", encoding="utf-8")
            print(line(one), flush=True)
    if args.record and all(one["fine"] for one in found):
        keep = ("metric", "score", "low", "high")
        scores = {one["what"]: {name: one[name] for name in keep} for one in found if "score" in one}
        RECORD.write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")
    sys.exit(0 if all(one["fine"] for one in found) else 1)


if __name__ == "__main__":
    main()
