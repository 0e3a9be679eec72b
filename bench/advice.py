"""Does `afina advise` choose well? Its choice on draws of real data, beside the full study of the same draw.

    python bench/advice.py --data DIR                       # ten draws of four data sets; hours
    python bench/advice.py --data DIR --only atis --draws 3
    python bench/advice.py --render                         # only write the table again

A draw is a sample of the training data with a hold-out of its own. `afina advise` sees nothing else, and has --budget.
The full study tries the strategies at three rates each, the best rate with three seeds, on the same draw, and is scored
on test data, which advise never sees. The choice is good where its mean test score is within the margin of the best
one's.
Everything goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quality import write_section
from studies import SETS, Set, machine

HERE = Path(__file__).parent
RECORDS = HERE / "advice.jsonl"
MARGIN = 0.01
ROWS, EPOCHS, TESTED = 100, 5, 500
"""Training examples of a draw, epochs, and about how many rows of the test data are scored."""
HELD_OUT = 100
"""Validation examples of a draw."""
TRIED = ["full", "last-2", "last-1", "head", "head-mean"]
"""Strategies of the full study."""
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
    folder = args.out / f"{name}-{number}"
    folder.mkdir(parents=True, exist_ok=True)
    rows = len((args.data / source.files["train"]).read_text(encoding="utf-8").splitlines())
    settings = {
        "task": source.task, "data.train": str(args.data / source.files["train"]), **source.settings,
        "data.hold_out": round(HELD_OUT / rows, 4), "data.sample": ROWS, "data.sample_seed": number,
        "data.split_seed": number, "training.epochs": EPOCHS,
    }  # fmt: skip
    advice = afina.advise(
        load(None, {**settings, "out": str(folder / "advice")}), budget=args.budget, margin=MARGIN, jobs=args.jobs,
        write_to=folder / "advised.yaml",
    )  # fmt: skip
    test = {"data.test": str(part_of(args.data / source.files["test"], folder.parent / name))}
    tried = [way for way in TRIED if source.task != "tokens" or way != "head-mean"]
    full = afina.study(
        "strategies",
        load(None, {**settings, **test, "out": str(folder / "full")}),
        options={"names": sorted({*tried, named(advice.summary.recommended)})},
        margin=MARGIN,
        jobs=args.jobs,
    )
    board = full.summary.boards[0]
    scores = {str(row[0]): float(row[1]) for row in board.rows if ", rate" in str(row[0])}
    best = max(scores, key=scores.__getitem__)
    chosen = next(recipe for recipe in scores if recipe.split(", rate")[0] == named(advice.summary.recommended))
    loss, at_least = lost(full, chosen, best)
    return {
        "set": name, "draw": number, "chosen": chosen, "score": scores[chosen], "best": best,
        "best score": scores[best], "loss": loss, "at least": at_least, "where": machine(args),
    }  # fmt: skip


def part_of(file: Path, folder: Path) -> Path:
    """Every so many-th row of a file whose rows are lines, with its header where it has one."""
    header, *lines = file.read_text(encoding="utf-8").splitlines()
    if file.suffix == ".jsonl":
        header, lines = "", [header, *lines]
    step = max(1, len(lines) // TESTED)
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / file.name
    part.write_text("\n".join([*filter(None, [header]), *lines[::step]]) + "\n", encoding="utf-8")
    return part


def lost(full: Any, chosen: str, best: str) -> tuple[float, float]:
    """What a recipe scores less than the best one on the test data, and the lower bound of that."""
    import afina
    from afina.studies.trials import slug

    if chosen == best:
        return 0.0, 0.0
    folders = [sorted((full.folder / "trials").glob(f"{slug(recipe)}-seed*")) for recipe in (best, chosen)]
    difference = afina.compare(*folders[0], *folders[1]).contrasts[0].difference
    return -difference.value, -difference.high


def named(settings: Mapping[str, Any]) -> str:
    """The name of a strategy in tables."""
    return "head-mean" if settings.get("model.head") == "mean" else str(settings["strategy"])


def read() -> list[dict[str, Any]]:
    """What was measured."""
    return [json.loads(line) for line in RECORDS.read_text(encoding="utf-8").splitlines()] if RECORDS.exists() else []


def table(records: list[dict[str, Any]]) -> str:
    """A line a data set."""
    lines = [
        "| data | draws | within the margin | not shown to be outside it | chosen | mean loss against the best |",
        "|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(one["set"] for one in records):
        mine = [one for one in records if one["set"] == name]
        times = Counter(one["chosen"].split(", rate")[0] for one in mine)
        chosen = ", ".join(f"{what} {count}" for what, count in times.most_common())
        within = sum(one["loss"] <= MARGIN for one in mine)
        shown = sum(one["at least"] <= MARGIN for one in mine)
        loss = sum(one["loss"] for one in mine) / len(mine)
        lines.append(f"| {name} | {len(mine)} | **{within}** | **{shown}** | {chosen} | {loss:.4f} |")
    return "\n".join(lines)


def main() -> None:
    """Do the draws that are missing, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the data sets")
    parser.add_argument("--out", type=Path, default=Path("build/advice"), help="folder of the studies")
    parser.add_argument("--only", default=",".join(DRAWN), help="data sets, with commas between")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--budget", default="3m", help="of each advice")
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
        f"## Advice\n\n{where}.\n\nEmbedded model, {ROWS} training and about {HELD_OUT} validation examples a draw,\n"
        f"{EPOCHS} epochs, a margin of {MARGIN:g}, scored on about {TESTED} rows of the test data.\n\n"
        f"{table(records)}\n\n"
        "`afina advise` sees neither the test data nor the other draws. A choice is within the margin where its\n"
        "mean test score over three seeds is at most that much below that of the best strategy of the draw's full\n"
        "study. The best is the best of several on the test data, and so flattered by chance; *not shown to be\n"
        "outside* means that the 95 % interval of the difference, over seeds and rows, does not exclude it.",
    )


if __name__ == "__main__":
    main()
