"""How fast is afina beside a process that keeps one core busy? All threads, against what afina does by itself.

    python bench/busy.py --data DIR     # measure, then write bench/RESULTS.md
    python bench/busy.py --render       # only write the table again

`full` on SST-2, each time in a process of its own, A B A B: with all threads (`training.threads`), and with the number
left open; on a machine that does nothing else, and beside a process that never rests. Run it where nothing else runs.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import speed
from quality import write_section

RECORDS = speed.HERE / "busy.json"
PAIR = "full-dynamic"
GOAL = 0.4
"""Share of the speed on an idle machine that should be left beside a busy process."""
WAYS = {"all threads": False, "afina by itself": True}
"""What is compared, and whether the number of threads is left open."""


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """So many processes that each keep a core busy until the context is left, in sessions of their own as programs are.

    Linux shares cores between sessions first.
    """
    command = [sys.executable, "-c", "while True: pass"]
    burning = [subprocess.Popen(command, start_new_session=True) for _ in range(processes)]
    try:
        yield
    finally:
        for process in burning:
            process.kill()
            process.wait()


def measure(args: argparse.Namespace) -> list[dict[str, Any]]:
    """A B A B: every way, idle and busy, so many times."""
    found = []
    for i in range(args.repeats):
        for processes in (0, args.processes):
            for way, is_open in WAYS.items():
                job = {
                    "pair": PAIR, "side": "afina", "data": str(args.data), "rows": args.rows, "precision": "fp32",
                    "threads": None if is_open else args.threads,
                }  # fmt: skip
                with busy(processes):
                    one = speed.spawn(job)
                row = {"way": way, "processes": processes, "threads": one["threads"]}
                found.append({**row, "tokens_per_second": one["tokens"] / one["seconds"]})
                print(f"{i + 1} of {args.repeats}: {found[-1]}", flush=True)
    return found


def render(record: dict[str, Any]) -> str:
    """The table as Markdown."""
    rows = record["rows"]
    idle = statistics.median(pace(rows, "all threads", 0))
    lines = ["| beside it | threads | tokens/s | taken | of an idle machine | goal |", "|---" * 6 + "|"]
    for processes, way in dict.fromkeys((row["processes"], row["way"]) for row in rows):
        found = pace(rows, way, processes)
        taken = sorted({row["threads"] for row in rows if (row["processes"], row["way"]) == (processes, way)})
        beside = "nothing" if not processes else f"{processes} busy process{'es' if processes > 1 else ''}"
        goal = f"{GOAL:g}" if processes and WAYS[way] else ""
        lines.append(
            f"| {beside} | {way} | {speed.spread(found)} | {', '.join(map(str, taken))} "
            f"| **{statistics.median(found) / idle:.2f}** | {goal} |"
        )
    return "\n".join([f"{record['where']}.", "", *lines])


def pace(rows: list[dict[str, Any]], way: str, processes: int) -> list[float]:
    """Tokens a second of one way, beside so many busy processes."""
    return [row["tokens_per_second"] for row in rows if (row["way"], row["processes"]) == (way, processes)]


NOTES = """
How to read it. Median (smallest–largest) of the real tokens a second of `full` on SST-2, an epoch of 3, in fp32; each
run is a process of its own, after a warm-up run. `taken`: the numbers of threads that the runs had. The threads of a
product wait for the slowest of them, and one that shares its core with another process is slow: left to itself, afina
times a few products before it begins, and takes fewer threads where these are clearly faster.
"""


def main() -> None:
    """Measure and render."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=speed.HERE.parent.parent / "shared" / "data")
    parser.add_argument("--rows", type=int, default=500, help="rows of the training")
    parser.add_argument("--repeats", type=int, default=3, help="measurements of each")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="all threads")
    parser.add_argument("--processes", type=int, default=1, help="busy processes beside it")
    parser.add_argument("--records", type=Path, default=RECORDS, help="another file, and RESULTS.md stays as it is")
    parser.add_argument("--render", action="store_true", help="measure nothing")
    args = parser.parse_args()
    if not args.render:
        speed.check([PAIR], args)
        settings = f"embedded model, batch {speed.BATCH}, {args.rows:,} rows, {args.repeats} repeats"
        record = {"where": f"{speed.machine(args.threads)}; {settings}", "rows": measure(args)}
        args.records.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    table = render(json.loads(args.records.read_text(encoding="utf-8")))
    if args.records == RECORDS:
        write_section("busy", f"## A busy machine\n\n{table}\n{NOTES}")
    print(table)


if __name__ == "__main__":
    main()
