"""What does bf16 on a CPU gain, and what does it cost? Speed against fp32 and the Trainer, and a study of the scores.

    python bench/bf16.py --data DIR            # the speed, then write bench/RESULTS.md
    python bench/bf16.py --data DIR --study    # the scores: five seeds, five data sets, three strategies; half an hour
    python bench/bf16.py --render              # only write the tables again

Speed: what `bench/speed.py` measures, each time in a process of its own, A B A B ..., in both arithmetics; run it on a
machine that does nothing else. Study: the same rows and seeds in both, one row of `bench/bf16.jsonl` a run. Runs that
are there are not run again, so it can be stopped and goes on; `--threads 1` lets it run beside other work.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import statistics
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import quality
import speed
from quality import write_section

SPEEDS = speed.HERE / "bf16.json"
RECORDS = speed.HERE / "bf16.jsonl"
Found = dict[str, list[dict[str, Any]]]
MEASURED = {
    "full fp32": ("full-share", "afina", "fp32"),
    "full bf16": ("full-share", "afina", "bf16"),
    "full auto": ("full-share", "afina", "auto"),
    "last-2 fp32": ("last-2", "afina", "fp32"),
    "last-2 bf16": ("last-2", "afina", "bf16"),
    "predict fp32": ("predict-sst2", "afina", "fp32"),
    "predict bf16": ("predict-sst2", "afina", "bf16"),
    "dynamic bf16": ("full-dynamic", "peer", "bf16"),
    "grouped bf16": ("full-grouped", "peer", "bf16"),
    "products fp32": ("full-share", "peer", "fp32"),
    "products bf16": ("full-share", "peer", "bf16"),
}
"""What is measured: the pair of bench/speed.py, the side, the arithmetic."""
LINES = (
    ("SST-2, full, an epoch of 3", "full bf16", "full fp32", 2.5),
    ("SST-2, last-2 with kept states, 5 epochs", "last-2 bf16", "last-2 fp32", 2.0),
    ("SST-2, predict", "predict bf16", "predict fp32", 3.0),
    ("SST-2, full, an epoch of 3, what auto takes", "full auto", "full fp32", None),
    ("SST-2, full, an epoch of 3, Trainer with dynamic padding", "full bf16", "dynamic bf16", 2.2),
    ("SST-2, full, an epoch of 3, Trainer grouped by length", "full bf16", "grouped bf16", 1.5),
)
"""Lines of the table: what, which is compared with which, and the ratio that we want."""
FASTER = 1.2
"""Products of bf16 numbers must be so much faster than those of fp32 before a model can gain from them."""
STUDIED = ("sst2", "ag_news", "sick-relatedness", "atis-slots", "mrpc")
STRATEGIES = ("full", "last-2", "head")
PRECISIONS = ("fp32", "bf16")
EPOCHS, LENGTH = 2, 64


# ---------------------------------------------------------------------------------------------------------------------
# Speed.


def measure(args: argparse.Namespace, scratch: Path) -> Found:
    """Everything that is measured, in turn, so many times."""
    found: Found = {name: [] for name in args.only}
    for i in range(args.repeats):
        for name in args.only:
            pair, side, precision = MEASURED[name]
            job = {
                "pair": pair, "side": side, "data": str(args.data), "rows": args.rows, "threads": args.threads,
                "precision": precision, "folder": str(scratch / precision / "model"),
            }  # fmt: skip
            if speed.PAIRS[pair].kind == "predict" and not Path(job["folder"]).exists():
                speed.spawn({**job, "side": "prepare"})
            found[name].append({key: value for key, value in speed.spawn(job).items() if key != "labels"})
            print(f"{name}, {i + 1} of {args.repeats}: {found[name][-1]['seconds']:.3g} s", flush=True)
    return found


def speed_table(record: dict[str, Any]) -> str:
    """What bf16 gains, as Markdown."""
    found: Found = record["found"]
    lines = ["| what | afina | against | ratio | goal |", "|---" * 5 + "|"]
    for what, ours, theirs, goal in LINES:
        if ours in found and theirs in found:
            ratio = middle(found[theirs], "seconds") / middle(found[ours], "seconds")
            cells = [what, timed(ours, found), timed(theirs, found), f"**{ratio:.2f}**", f"{goal:g}" if goal else ""]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([f"{record['where']}.", "", *lines, "", *limits(found)])


def timed(name: str, found: Found) -> str:
    """Seconds and tokens a second of a measurement."""
    precision = found[name][0].get("precision", name.rsplit(maxsplit=1)[-1])
    seconds = speed.spread([one["seconds"] for one in found[name]])
    return f"{precision}: {seconds} s, {speed.rate(found[name])} tokens/s"


def middle(found: Sequence[dict[str, Any]], name: str) -> float:
    """The median of a figure."""
    return statistics.median(one[name] for one in found)


def limits(found: Found) -> Iterator[str]:
    """What the processor does at most, which share of it is reached, and whether bf16 can gain anything here."""
    if not {f"products {each}" for each in PRECISIONS} <= set(found):
        return
    peaks = {each: middle(found[f"products {each}"], "gflops") for each in PRECISIONS}
    yield f"* torch.mm, {speed.SIZE}³: {peaks['fp32']:,.0f} GFLOP/s in fp32, {peaks['bf16']:,.0f} in bf16."
    for each in PRECISIONS:
        if f"full {each}" in found:
            reached = middle(found[f"full {each}"], "gflops")
            yield f"* full, {each}: {reached:,.0f} GFLOP/s, {reached / peaks[each]:.0%} of that."
    ratio = peaks["bf16"] / peaks["fp32"]
    if ratio < FASTER:
        yield (
            f"* **Products of bf16 numbers are not faster than those of fp32 on this processor** ({ratio:.2f} times as "
            "fast), whatever its flags say: nothing here can gain from bf16, and the goals are for processors with "
            "units for it."
        )


# ---------------------------------------------------------------------------------------------------------------------
# The study of the scores.


def studied(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The runs that have no record yet, in both arithmetics one after the other; the first strategy comes first."""
    done = {(row["set"], row["strategy"], row["seed"], row["precision"]) for row in records(args.records)}
    for strategy in args.strategies:
        for seed in range(args.seeds):
            for name in args.sets:
                for precision in PRECISIONS:
                    if (name, strategy, seed, precision) not in done:
                        yield {"set": name, "strategy": strategy, "seed": seed, "precision": precision}


def study(args: argparse.Namespace) -> None:
    """Run what is missing. One set of rows serves all seeds, so that states of frozen layers are computed once."""
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["AFINA_CACHE"] = f"{scratch}/states"
        for key in studied(args):
            start = time.perf_counter()
            row = {**key, **fitted(key, args, Path(scratch)), "seconds": round(time.perf_counter() - start, 2)}
            with args.records.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            print(json.dumps(row), flush=True)
            gc.collect()


def fitted(key: dict[str, Any], args: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """One run of afina's, and its score on the test rows. `head` has afina's defaults."""
    import afina

    spec = quality.SETS[key["set"]]
    sizes = {"train": args.rows, "validation": args.tests // 4, "test": args.tests}
    files = {}
    for part, name in zip(sizes, spec.files, strict=True):
        files[part] = scratch / key["set"] / f"{part}{Path(str(name)).suffix}"
        if not files[part].exists():
            files[part].parent.mkdir(exist_ok=True)
            sample(args.data / str(name), files[part], sizes[part], sentences=spec.task == "tokens")
    settings = {path.replace(".", "__"): value for path, value in spec.more.items()}
    if key["strategy"] != "head":
        settings |= {"epochs": EPOCHS, "batch_size": 32, "learning_rate": 2e-4, "training__evaluate_every": EPOCHS}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(category=afina.AfinaWarning, action="ignore"):
        run = afina.train(
            task=spec.task, strategy=key["strategy"], seed=key["seed"], model=args.model, max_length=LENGTH,
            out=f"{folder}/run", progress=False, baseline="off", training__precision=key["precision"],
            training__threads=args.threads, **files, **spec.options, **settings,
        )  # fmt: skip
    scored = run.record["test"]
    return {
        "score": scored["metrics"][spec.metrics[0]],
        "train_rows": args.rows,
        "test_rows": scored["examples"],
        "model": str(args.model),
        "where": speed.machine(args.threads),
    }


def sample(source: Path, target: Path, rows: int, *, sentences: bool) -> None:
    """A file with some records of another one, always the same ones.

    Args:
        source: A table with a header and a record a line; or sentences, with a word a line, between empty lines.
        target: The new file.
        rows: Number of records; all where there are fewer.
        sentences: Whether the file holds sentences.
    """
    text = source.read_bytes().decode().replace("\r\n", "\n")
    head, found, between = [], [block for block in text.split("\n\n") if block.strip()], "\n\n"
    if sentences:
        found = [block.strip("\n") for block in found if not block.startswith("-DOCSTART-")]
    else:
        first, *lines = text.split("\n")
        head, found, between = [first], [line for line in lines if line], "\n"
    chosen = random.Random(13).sample(found, min(rows, len(found)))
    target.write_bytes((between.join([*head, *chosen]) + "\n").encode())


def records(file: Path) -> list[dict[str, Any]]:
    """The runs so far."""
    return [json.loads(line) for line in file.open(encoding="utf-8")] if file.exists() else []


def study_table(rows: list[dict[str, Any]]) -> str:
    """Scores in both arithmetics and their paired differences, as Markdown; only seeds that have both count."""
    lines = ["| strategy | data (test rows) | metric | fp32 | bf16 | bf16 - fp32, 95 % interval |", "|---" * 6 + "|"]
    strategies = [name for name in STRATEGIES if any(row["strategy"] == name for row in rows)]
    pooled: dict[str, list[float]] = {}
    for strategy in strategies:
        for name in STUDIED:
            mine = [row for row in rows if (row["set"], row["strategy"]) == (name, strategy)]
            scores = {each: {row["seed"]: row["score"] for row in mine if row["precision"] == each}
                      for each in PRECISIONS}  # fmt: skip
            seeds = sorted(set(scores["fp32"]) & set(scores["bf16"]))
            if not seeds:
                continue
            first, second = ([scores[each][seed] for seed in seeds] for each in PRECISIONS)
            differences = [other - one for one, other in zip(first, second, strict=True)]
            pooled.setdefault(strategy, []).extend(differences)
            cells = (
                strategy, f"{name} ({mine[0]['test_rows']:,})", quality.SETS[name].metrics[0], quality.cell(first),
                quality.cell(second), interval(differences),
            )  # fmt: skip
            lines.append(f"| {' | '.join(cells)} |")
        lines.append(f"| {strategy} | all together | | | | {interval(pooled.get(strategy, []))} |")
    everything = [one for differences in pooled.values() for one in differences]
    lines.append(f"| all | all together | | | | **{interval(everything)}** |")
    where = ", ".join(dict.fromkeys(row["where"] for row in rows))
    about = ", ".join(dict.fromkeys(f"model {row['model']}, {row['train_rows']:,} training rows" for row in rows))
    return "\n".join([f"{where}; {about}, windows of {LENGTH} tokens.", "", *lines])


def interval(differences: Sequence[float]) -> str:
    """The mean of paired differences with its interval, and their number."""
    from afina.metrics.intervals import students_interval

    if not differences:
        return "–"
    low, high = students_interval(differences)
    return f"{statistics.fmean(differences):+.4f} [{low:+.4f}, {high:+.4f}] ({len(differences)})"


NOTES = f"""
How to read it. Speed: median (smallest–largest) of runs that alternate, each in a process of its own; the ratio is that
of the seconds, so more is better; what counts and what does not is said under Speed. Scores: means ± standard deviation
of the test scores over seeds; the differences are paired, the same seed, order, dropout and rows in both arithmetics,
with Student's interval over their number in brackets. `full` and `last-2` have {EPOCHS} epochs at a rate of 2e-4,
`head` has afina's defaults. Two runs that differ in rounding part after a few steps, so that a difference of one seed
is as large as that between two seeds; it is their mean that would show a loss.
"""


def listed(text: str) -> list[str]:
    """Names between commas."""
    return text.split(",")


def main() -> None:
    """Measure, or study, and render."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=speed.HERE.parent.parent / "shared" / "data")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rows", type=int, help="training rows; by default 500, or 640 for the study")
    parser.add_argument("--render", action="store_true", help="measure nothing")
    parser.add_argument("--repeats", type=int, default=3, help="speed: measurements of each")
    parser.add_argument("--only", type=listed, default=list(MEASURED), help=f"speed: of {', '.join(MEASURED)}")
    parser.add_argument("--speeds", type=Path, default=SPEEDS, help="speed: another file; RESULTS.md stays as it is")
    parser.add_argument("--study", action="store_true", help="the scores")
    parser.add_argument("--records", type=Path, default=RECORDS, help="study: another file; RESULTS.md stays as it is")
    parser.add_argument("--seeds", type=int, default=5, help="study: number of seeds")
    parser.add_argument("--tests", type=int, default=600, help="study: test rows, at most")
    parser.add_argument("--sets", type=listed, default=list(STUDIED), help=f"study: of {', '.join(STUDIED)}")
    parser.add_argument("--strategies", type=listed, default=list(STRATEGIES), help="study: full, last-2, head")
    parser.add_argument("--model", default="minilm", help="study: name or folder of the model")
    args = parser.parse_args()
    args.rows = args.rows or (640 if args.study else 500)
    for asked, known in ((args.only, MEASURED), (args.sets, STUDIED), (args.strategies, STRATEGIES)):
        if unknown := [name for name in asked if name not in known]:
            parser.error(f"{unknown[0]!r}: there are {', '.join(known)}")
    if args.study and not args.render:
        study(args)
    elif not args.render:
        speed.check([MEASURED[name][0] for name in args.only], args)
        settings = f"embedded model, batch {speed.BATCH}, {args.rows:,} rows, {args.repeats} repeats"
        with tempfile.TemporaryDirectory() as scratch:
            record = {"where": f"{speed.machine(args.threads)}; {settings}", "found": measure(args, Path(scratch))}
        args.speeds.write_text(json.dumps(record) + "\n", encoding="utf-8")
    tables = []
    if args.speeds.exists():
        tables.append(f"**Speed.** {speed_table(json.loads(args.speeds.read_text(encoding='utf-8')))}")
    if rows := records(args.records):
        tables.append(f"**Scores.** {study_table(rows)}")
    print("\n\n".join(tables))
    if tables and (args.speeds, args.records) == (SPEEDS, RECORDS):
        write_section("bf16", "\n\n".join(["## bf16 on a CPU", *tables]) + f"\n{NOTES}")


if __name__ == "__main__":
    main()
