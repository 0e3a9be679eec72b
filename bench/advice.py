"""Does `afina advise` choose well? Its choice on draws of real data, beside the full study of the same draw.

    python bench/advice.py --data DIR                       # ten draws of four data sets; hours
    python bench/advice.py --data DIR --only atis --draws 3
    python bench/advice.py --render                         # only write the table again

A draw is a sample of the training data with a hold-out of its own. `afina advise` sees nothing else, and has --budget.
The full study tries every strategy at every rate, with three seeds, on the same draw, and is scored on the test data,
which advise never sees. The choice is good where its strategy's mean test score is within the margin of the best one's.
Everything goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from quality import write_section
from studies import SETS, Set, machine

HERE = Path(__file__).parent
RECORDS = HERE / "advice.jsonl"
MARGIN = 0.01
ROWS, EPOCHS = 200, 6
DRAWN = {
    "atis": Set(
        "classification", {"train": "atis/intent_train.csv", "test": "atis/intent_test.csv"}, {"data.unseen": "count"}
    ),
    "sst2": Set("classification", {name: SETS["sst2"].files[name] for name in ("train", "test")}),
    "sick": SETS["sick"],
    "restaurant8k": SETS["restaurant8k"],
}
"""Data sets whose full studies are quick enough to be repeated."""


def draw(name: str, number: int, args: argparse.Namespace) -> dict[str, Any]:
    """One draw: what was advised, and what the full study says of it."""
    import afina
    from afina.config import load

    source = DRAWN[name]
    settings = {
        "task": source.task, "data.train": str(args.data / source.files["train"]), **source.settings,
        "data.hold_out": 0.05, "data.sample": ROWS, "data.sample_seed": number, "data.split_seed": number,
        "training.epochs": EPOCHS,
    }  # fmt: skip
    folder = args.out / f"{name}-{number}"
    advice = afina.advise(
        load(None, {**settings, "out": str(folder / "advice")}), budget=args.budget, margin=MARGIN, jobs=args.jobs,
        write_to=folder / "advised.yaml",
    )  # fmt: skip
    test = {"data.test": str(args.data / source.files["test"])}
    full = afina.study(
        "strategies", load(None, {**settings, **test, "out": str(folder / "full")}), margin=MARGIN, jobs=args.jobs
    )
    board = full.summary.boards[0]
    scores = {str(row[0]).split(", rate")[0]: float(row[1]) for row in board.rows if row[2] is not None}
    chosen = named(dict(advice.summary.recommended))
    best = max(scores, key=scores.__getitem__)
    return {
        "set": name, "draw": number, "chosen": chosen, "score": scores[chosen], "best": best,
        "best score": scores[best], "good": scores[best] - scores[chosen] <= MARGIN, "where": machine(args),
    }  # fmt: skip


def named(settings: dict[str, Any]) -> str:
    """The name of a strategy in tables."""
    return "head-mean" if settings.get("model.head") == "mean" else str(settings["strategy"])


def read() -> list[dict[str, Any]]:
    """What was measured."""
    return [json.loads(line) for line in RECORDS.read_text(encoding="utf-8").splitlines()] if RECORDS.exists() else []


def table(records: list[dict[str, Any]]) -> str:
    """A line a data set."""
    lines = ["| data | draws | good choices | chosen | mean loss against the best |", "|---|---|---|---|---|"]
    for name in dict.fromkeys(one["set"] for one in records):
        mine = [one for one in records if one["set"] == name]
        times = {one["chosen"]: sum(other["chosen"] == one["chosen"] for other in mine) for one in mine}
        chosen = ", ".join(f"{what} {count}" for what, count in sorted(times.items(), key=lambda item: -item[1]))
        loss = sum(one["best score"] - one["score"] for one in mine) / len(mine)
        lines.append(f"| {name} | {len(mine)} | **{sum(one['good'] for one in mine)}** | {chosen} | {loss:.4f} |")
    return "\n".join(lines)


def main() -> None:
    """Do the draws that are missing, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the data sets")
    parser.add_argument("--out", type=Path, default=Path("build/advice"), help="folder of the studies")
    parser.add_argument("--only", default=",".join(DRAWN), help="data sets, with commas between")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--budget", default="5m", help="of each advice")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="trials at a time")
    parser.add_argument("--render", action="store_true", help="only write the table")
    args = parser.parse_args()
    if not args.render:
        if args.data is None or not args.data.is_dir():
            parser.error("--data: name the folder of the data sets")
        known = {(one["set"], one["draw"]) for one in read()}
        for number in range(args.draws):
            for name in args.only.split(","):
                if (name, number) not in known:
                    record = draw(name, number, args)
                    print(json.dumps(record), file=sys.stderr, flush=True)
                    with RECORDS.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(record) + "\n")
    records = read()
    where = "; ".join(sorted({one["where"] for one in records}))
    write_section(
        "advice",
        f"## Advice\n\n{where}; embedded model, {ROWS} training examples, {EPOCHS} epochs, a margin of {MARGIN:g} in\n"
        f"the score of the test data.\n\n{table(records)}\n\n"
        "A choice is good where the mean test score of the strategy that `afina advise` chose, from the training data\n"
        "alone, is within the margin of the best strategy of the full study of that draw. The full study's best is\n"
        "the best of several on the test data, and so flattered by chance: a choice can miss it and be as good.",
    )


if __name__ == "__main__":
    main()
