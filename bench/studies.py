"""What holds of the claims about fine-tuning? Every study of afina's on real data, with the embedded model.

    python bench/studies.py --data DIR                  # do what is missing, then write bench/STUDIES.md
    python bench/studies.py --data DIR --only sst2      # the entries whose names begin so
    python bench/studies.py --render                    # only write the page again

Every entry is `afina study NAME` with the settings that the page prints. It lies in a folder of its own under --out
and goes on where it was stopped; what it found is kept in bench/studies.jsonl, from which the page is made. On two
cores all of them take about three hours. Samples and epochs are small for that reason alone; --whole takes all data.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RECORDS = HERE / "studies.jsonl"
PAGE = HERE / "STUDIES.md"
Record = dict[str, Any]


@dataclass(frozen=True)
class Set:
    """A data set: its task, where its parts lie, and the settings that read it."""

    task: str
    files: Mapping[str, str]
    settings: Mapping[str, Any] = field(default_factory=dict)


SETS = {
    "sst2": Set(
        "classification",
        {"train": "sst2/train_sentences.tsv", "validation": "sst2/dev.tsv", "test": "sst2/test.tsv"},
    ),
    "sick": Set(
        "classification",
        {"train": "sick/SICK_train.txt", "test": "sick/SICK_trial.txt"},
        {
            "options.text": "sentence_A", "options.pair": "sentence_B", "options.label": "entailment_judgment",
            "data.hold_out": 0.06,
        },
    ),
    "restaurant8k": Set(
        "tokens",
        {"train": "restaurant8k/train.jsonl", "test": "restaurant8k/test.jsonl"},
        {"options.text": "text", "options.label": "entities", "data.hold_out": 0.03},
    ),
    "lener_br": Set(
        "tokens", {"train": "lener_br/train.conll", "test": "lener_br/test.conll"}, {"data.hold_out": 0.015}
    ),
    "squad": Set(
        "answers", {"train": "squad/train-v1.1.json", "test": "squad/dev-v1.1.json"}, {"data.hold_out": 0.02}
    ),
}  # fmt: skip
"""Small hold-outs, which are scored after every epoch. The 500 trial pairs of sick are the test data of its studies."""


@dataclass(frozen=True)
class Entry:
    """A study of a data set.

    Attributes:
        set: Name of the data set.
        study: Name of the study.
        options: Options of the study.
        small: Settings that keep it small, left out with --whole.
        label: What tells it from another entry of the same study and data.
    """

    set: str
    study: str
    options: Mapping[str, Any] = field(default_factory=dict)
    small: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""

    @property
    def name(self) -> str:
        """Name of it, and of its folder."""
        return "-".join(part for part in (self.set, self.study, self.label) if part)


def few(rows: int, epochs: int) -> dict[str, Any]:
    """So many examples, and epochs."""
    return {"data.sample": rows, "training.epochs": epochs}


OWN = {"data.validation": None, "data.hold_out": 0.03}
"""A small part of the training data in place of a validation file."""
SMALL = ["full", "last-2", "head"]
ENTRIES = (
    Entry("sst2", "strategies", {"names": ["full", "last-2", "last-1", "head"]}),
    Entry("sst2", "pooling", small=OWN | few(500, 8)),
    Entry("sst2", "convergence", {"evaluations": 16}, small=OWN | few(400, 8)),
    Entry("sst2", "data", {"sizes": [50, 150, 450]}, small=OWN | {"training.patience": 4}),
    Entry("sst2", "rates", small=OWN | few(300, 8)),
    Entry("sst2", "regularization", {"epochs": 8, "little": 60}, small=OWN | {"data.sample": 240}),
    Entry("sst2", "transfer", {"models": ["runs/adapted-on-sst2-texts"]}, small=OWN | few(300, 8)),
    Entry(
        "sst2", "strategies", small=OWN | few(500, 8), label="500",
        options={"names": ["full", "last-3", "last-2", "head", "head-mean", "head-then-full", "gradual"],
                 "factors": [1.0]},
    ),
    *(
        entry
        for name, rows, epochs in (("restaurant8k", 300, 6), ("sick", 150, 6), ("lener_br", 120, 6))
        for entry in (
            Entry(name, "strategies", {"names": SMALL}, small=few(rows, epochs)),
            Entry(name, "rates", {"factors": [1.0, 0.2, 5.0], "seeds": 2}, small=few(rows, epochs)),
            Entry(name, "data", {"sizes": [rows // 5, rows], "scratch_rates": [2e-4]}, small={"training.epochs": 10}),
        )
    ),
    Entry("squad", "strategies", {"names": ["full", "last-2"], "factors": [1.0], "seeds": 2}, small=few(150, 2)),
    Entry("sick", "pooling", {"fine_tuned": False}),
    Entry("squad", "rates", {"factors": [1.0, 0.2, 5.0], "seeds": 2}, small=few(150, 2)),
    Entry("squad", "data", {"sizes": [40, 150], "scratch_rates": [2e-4], "seeds": 2}, small={"training.epochs": 2}),
    Entry("sst2", "cost", {"of": ["runs/study-..."]}),
)  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------------
# Running.


def run(entry: Entry, args: argparse.Namespace) -> Record:
    """Do an entry, or go on with it, and return what it found."""
    import afina
    from afina.config import load

    source = SETS[entry.set]
    settings = {
        **{f"data.{part}": str(args.data / file) for part, file in source.files.items()},
        **source.settings, **({} if args.whole else entry.small),
    }  # fmt: skip
    config = load(None, {"task": source.task, **settings, "out": str(args.out / entry.name)})
    start = time.perf_counter()
    jobs = args.jobs if entry.study != "cost" else 1
    found = afina.study(entry.study, config, options=options_of(entry, args), jobs=jobs)
    shown = {name: value for name, value in settings.items() if name != "data.train" and value is not None}
    shown |= {f"data.{part}": file for part, file in source.files.items() if f"data.{part}" in shown}
    return {
        "entry": entry.name, "set": entry.set, "study": entry.study, "machine": machine(args),
        "train": source.files["train"], "task": source.task, "settings": shown, "options": dict(entry.options),
        "wall": round(time.perf_counter() - start, 1), **found.summary.record(),
        "times": [vars_of(board) for board in found.summary.times],
    }  # fmt: skip


def options_of(entry: Entry, args: argparse.Namespace) -> dict[str, Any]:
    """The options of an entry, with the folders that only exist once others have run."""
    options = dict(entry.options)
    if "models" in options:
        options["models"] = [str(adapted(args))]
    if "of" in options:
        finished = [file.parent for file in sorted(args.out.glob("sst2-*/summary.json"))]
        options["of"] = [str(folder) for folder in finished if not folder.name.endswith("cost")]
    return options


def adapted(args: argparse.Namespace) -> Path:
    """The embedded model after masked-language training on the texts of sst2, without their labels."""
    import csv

    import afina

    folder: Path = args.out / "adapted-on-sst2-texts"
    if not (folder / "model").exists():
        with (args.data / SETS["sst2"].files["train"]).open(encoding="utf-8", newline="") as file:
            texts = [row["sentence"] for row in csv.DictReader(file, delimiter="	")]
        afina.adapt(data=texts, epochs=1, out=folder)
    return folder


def vars_of(board: Any) -> dict[str, Any]:
    """A table as JSON values."""
    return {"title": board.title, "columns": list(board.columns), "rows": [list(row) for row in board.rows]}


def machine(args: argparse.Namespace) -> str:
    """What it ran on."""
    import torch

    import afina

    names = [line for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if "model name" in line] \
        if Path("/proc/cpuinfo").exists() else []  # fmt: skip
    name = names[0].split(":")[1].strip() if names else platform.processor()
    return (
        f"{name}, {os.cpu_count()} cores, {args.jobs} trials at a time; Python {platform.python_version()}, "
        f"afina {afina.__version__}, torch {torch.__version__}"
    )


def read() -> list[Record]:
    """The latest record of each entry, in the order of the entries."""
    lines = RECORDS.read_text(encoding="utf-8").splitlines() if RECORDS.exists() else []
    latest = {record["entry"]: record for record in map(json.loads, lines)}
    return [latest[entry.name] for entry in ENTRIES if entry.name in latest]


def keep(record: Record) -> None:
    """Put a record in the place of an earlier one."""
    records = {one["entry"]: one for one in read()}
    before = records.get(record["entry"], {}).get("wall", 0.0)  # what is finished is only read the second time
    records[record["entry"]] = record | {"wall": max(record["wall"], before)}
    ordered = [records[entry.name] for entry in ENTRIES if entry.name in records]
    RECORDS.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in ordered), encoding="utf-8")


# ---------------------------------------------------------------------------------------------------------------------
# The page.

WORDS = {
    "strategies": "full, layer-wise and selective fine-tuning",
    "data": "fewer labels",
    "convergence": "fewer steps",
    "rates": "learning rates",
    "regularization": "dropout, weight decay, early stopping",
    "pooling": "[CLS], and what pairs are read as",
    "transfer": "knowledge that is carried over",
    "cost": "what it costs",
}
MOST = 16
"""Rows that the page shows of a table."""
SILENT = ("diverged", "one answer", "validation loss", "training loss", "trained parameters")
"""Columns that a table leaves out where they hold nothing but zeros, and those that only a summary.json needs."""

HEAD = """\
# What the studies found

The claims about fine-tuning, measured with the embedded model by `python bench/studies.py`. Each section is a study:
its verdicts in afina's own words, its tables, and the line that repeats it.

How to read it: scores are on test data, which chose nothing; learning rates and epochs are chosen on validation data.
Intervals are of 95 %, over seeds **and** examples ([docs/statistics.md](../docs/statistics.md)), and three seeds make
them wide. *Undecided* means that these data can't tell, not that there is no difference.

The embedded model is a sentence encoder of 6 layers (all-MiniLM-L6-v2): it was trained on pairs of sentences with the
mean of all tokens, SNLI and SQuAD passages among them, and its [CLS] was never what was read. What holds of it need not
hold of BERT; the same lines with `--model` say what does.
"""


def page(records: Sequence[Record]) -> str:
    """The page of all records."""
    machines = sorted({record["machine"] for record in records})
    parts = [HEAD, "Measured on: " + "; ".join(machines) + ".", "## The published claims", claims(records)]
    for record in records:
        parts += section(record)
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def section(record: Record) -> list[str]:
    """The section of a study."""
    parts = [f"## {record['entry']}: {WORDS[record['study']]}", f"```sh\n{line(record)}\n```"]
    parts += [f"It took {record['wall'] / 60:.0f} minutes."] if record["wall"] > 90 else []
    parts += [
        f"**{one['claim']}: {one['answer']}.** {one['sentence']}"
        + (f" What would decide it: {one['decide'].rstrip('.')}." if one["decide"] else "")
        for one in record["verdicts"]
    ]
    for board in [*record["boards"], *record.get("times", ())]:
        parts.append(table(board))
    if record["notes"]:
        parts.append("\n".join(f"* {note}" for note in record["notes"]))
    return parts


def line(record: Record) -> str:
    """The line that repeats a study."""
    words = ["afina study", record["study"], record["train"], f"--task {record['task']}"]
    flags = {"data.validation": "--validation", "data.test": "--test", "data.hold_out": "--hold-out",
             "data.sample": "--sample", "training.epochs": "--epochs", "training.patience": "--patience",
             "options.text": "--text", "options.pair": "--pair", "options.label": "--label"}  # fmt: skip
    words += [f"{flags[name]} {value}" for name, value in record["settings"].items()]
    words += [f"--option '{name}={json.dumps(value)}'" for name, value in record["options"].items()]
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) > 110:
            lines[-1] += " \\"
            lines.append("   ")
        lines[-1] += f" {word}" if lines[-1] else word
    return "\n".join(lines)


def table(board: Record) -> str:
    """A table in Markdown, without columns that say nothing."""
    columns, rows = board["columns"], board["rows"]
    silent = [
        name in SILENT[2:]
        or (name in SILENT and not any(row[i] for row in rows))
        or all(row[i] is None for row in rows)
        for i, name in enumerate(columns)
    ]
    shown = [i for i in range(len(columns)) if not silent[i]]
    lines = [f"*{board['title']}*", "", "| " + " | ".join(str(columns[i]) for i in shown) + " |"]
    lines.append("|" + "---|" * len(shown))
    lines += ["| " + " | ".join(cell(row[i]) for i in shown) + " |" for row in rows[:MOST]]
    lines += ["", f"... and {len(rows) - MOST} more rows."] if len(rows) > MOST else []
    return "\n".join(lines)


def cell(value: Any) -> str:
    """A value in a table."""
    if value is None:
        return ""
    if isinstance(value, float):
        small = 0 < abs(value) < 0.00005
        return f"{value:.0e}" if small else f"{value:.4f}" if abs(value) < 10 else f"{value:,.1f}"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value).replace("|", "\\|").replace("\n", " ")


# ---------------------------------------------------------------------------------------------------------------------
# What was published, and what was found here.


def claims(records: Sequence[Record]) -> str:
    """The published claims beside what was found."""
    found = {record["entry"]: record for record in records}
    rows = [
        (what, who, said) for what, who, entry, read_of in CLAIMS if entry in found and (said := read_of(found[entry]))
    ]
    lines = ["| claim | source | here |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines)


def share_of_full(record: Record, name: str, claimed: float = 90.0) -> str:
    """The score of a strategy as a share of that of full, and its share of full's gain over the constant answer.

    Args:
        record: A study of strategies.
        name: Name of the strategy.
        claimed: The share that is claimed, in per cent; the interval says whether it holds.
    """
    against = next((one for one in record["boards"] if one["title"].startswith("against full")), None)
    row = against and next((one for one in against["rows"] if one[0].startswith(f"{name},")), None)
    if not row or row[2] is None:
        return ""
    scores = {str(one[0]): one[1] for one in record["boards"][0]["rows"]}
    full = next(value for key, value in scores.items() if key.startswith("full,"))
    free = {str(one[0]): one[1] for one in record["boards"][0]["rows"] if one[2] is None}
    constant = next((value for key, value in free.items() if key != "TF-IDF linear"), None) or 0.0
    parts = []
    gain = ("of its gain over the constant answer", full - constant)
    for what, whole in (("of the score", full), *([gain] if constant else [])):
        share, low, high = (100 * (1 + row[i] / whole) for i in (1, 2, 3))
        answer = "at least that" if low >= claimed else "less" if high < claimed else "undecided"
        parts.append(f"{share:.1f} % [{low:.1f}, {high:.1f}] {what} ({answer})")
    return f"{record['set']}, {name}: {', '.join(parts)}"


def spread_of(record: Record) -> str:
    """The standard deviation over seeds of full, with its chi-squared interval."""
    from scipy.stats import chi2

    board = record["boards"][0]
    row = next((one for one in board["rows"] if str(one[0]).startswith("full,")), None)
    if row is None:
        return ""
    value, seeds = row[board["columns"].index("sd over seeds")], row[board["columns"].index("seeds")]
    if value is None:
        return ""
    low, high = (100 * value * ((seeds - 1) / chi2.ppf(q, seeds - 1)) ** 0.5 for q in (0.975, 0.025))
    return f"{record['set']}, full: {100 * value:.2f} points [{low:.2f}, {high:.2f}] ({seeds} seeds)"


def verdict_of(record: Record, number: int = 0) -> str:
    """A verdict of a study."""
    one = record["verdicts"][number]
    return f"{record['set']}: {one['claim']}: **{one['answer']}**. {one['sentence']}"


CLAIMS: tuple[tuple[str, str, str, Callable[[Record], str]], ...] = (
    ("the last third of the layers keeps 90 % of the quality (the last quarter of 12 or 24 layers there)",
     "Lee, Tang and Lin 2019", "sst2-strategies", lambda record: share_of_full(record, "last-2")),
    ("the last third, tokens", "", "restaurant8k-strategies", lambda record: share_of_full(record, "last-2")),
    ("the last third, tokens", "", "lener_br-strategies", lambda record: share_of_full(record, "last-2")),
    ("the last third, pairs", "", "sick-strategies", lambda record: share_of_full(record, "last-2")),
    ("a head alone keeps about 64 %", "Lee, Tang and Lin 2019", "sst2-strategies",
     lambda record: share_of_full(record, "head", 64.0)),
    ("a head alone, tokens", "", "restaurant8k-strategies", lambda record: share_of_full(record, "head", 64.0)),
    ("seeds of one recipe differ by 0.42 points on SST-2 (BERT-base)", "IBM model-recycling, 20 seeds",
     "sst2-strategies", spread_of),
    ("100 labels are worth 10 to 100 times as many from scratch", "Howard and Ruder 2018", "sst2-data", verdict_of),
    ("fine-tuning needs fewer steps", "Devlin et al. 2019", "sst2-convergence", verdict_of),
    ("the first token carries the sequence", "Devlin et al. 2019", "sst2-pooling",
     lambda record: f"{verdict_of(record)} {verdict_of(record, 1)}"),
    ("continued pre-training on the task's texts helps", "Gururangan et al. 2020", "sst2-transfer",
     lambda record: verdict_of(record, 1)),
)  # fmt: skip


def chosen(entry: Entry, asked: Sequence[str]) -> bool:
    """Whether an entry is among those that are asked for: by its name, or by the beginnings of several."""
    names = {one.name for one in ENTRIES}
    return any(entry.name == one if one in names else entry.name.startswith(one) for one in asked)


def main() -> None:
    """Do what is missing, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the data sets")
    parser.add_argument("--out", type=Path, default=Path("build/studies"), help="folder of the studies")
    parser.add_argument("--only", default="", help="names or beginnings of them, with commas between")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="trials at a time")
    parser.add_argument("--whole", action="store_true", help="all examples and the usual epochs")
    parser.add_argument("--again", action="store_true", help="also entries that have a record")
    parser.add_argument("--render", action="store_true", help="only write the page")
    args = parser.parse_args()
    if not args.render:
        if args.data is None or not args.data.is_dir():
            parser.error("--data: name the folder of the data sets")
        known = {record["entry"] for record in read()}
        for entry in ENTRIES:
            if chosen(entry, args.only.split(",")) and (args.again or entry.name not in known):
                print(f"\n=== {entry.name}", file=sys.stderr, flush=True)
                keep(run(entry, args))
    PAGE.write_text(page(read()), encoding="utf-8")


if __name__ == "__main__":
    main()
