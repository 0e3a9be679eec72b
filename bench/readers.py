"""How fast are files read, and does memory stay flat? A million rows of csv, jsonl, parquet; a tenth of them of xlsx.

    python bench/readers.py                  # write the files, read each, print a table
    python bench/readers.py --rows 1000      # fewer rows
    python bench/readers.py --results        # and write the table into bench/RESULTS.md

Each form is read whole and in a file with a tenth of the rows, each in a process of its own. Memory is the
peak of that process beyond what it had when afina's readers were imported; it is flat if both are about the same. An
xlsx file keeps its texts in a table of their own, which is in memory whole.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from quality import write_section

WORDS = ("um filme", "a room", "meal", "ótimo", "song", "day", "livro", "fine", "awful", "with a view", "and more")
LABELS = ("pos", "neg", "neutral")
GROUP = 100_000
"""Rows of a row group."""


def texts(rows: int) -> Iterator[tuple[str, str]]:
    """Texts of a hundred characters or so, all different, and labels."""
    for i in range(rows):
        yield f"{i}: " + " ".join(WORDS[(i * 7 + j * j) % len(WORDS)] for j in range(16)), LABELS[i % len(LABELS)]


def write_csv(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label"))
        writer.writerows(texts(rows))


def write_gz(path: Path, rows: int) -> None:
    with gzip.open(path, "wt", encoding="utf-8", newline="", compresslevel=6) as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label"))
        writer.writerows(texts(rows))


def write_jsonl(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": t, "label": y}, ensure_ascii=False) + "\n" for t, y in texts(rows))


def write_parquet(path: Path, rows: int) -> None:
    import pyarrow
    import pyarrow.parquet

    schema = pyarrow.schema([("text", pyarrow.string()), ("label", pyarrow.string())])
    made = texts(rows)
    with pyarrow.parquet.ParquetWriter(path, schema) as writer:
        for start in range(0, rows, GROUP):
            columns = zip(*(next(made) for _ in range(min(GROUP, rows - start))), strict=True)
            writer.write_table(pyarrow.table([pyarrow.array(column) for column in columns], schema=schema))


def write_xlsx(path: Path, rows: int) -> None:
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("data")
    sheet.append(("text", "label"))
    for row in texts(rows):
        sheet.append(row)
    book.save(path)


FORMS: dict[str, tuple[Callable[[Path, int], None], int]] = {
    "csv": (write_csv, 1),
    "csv.gz": (write_gz, 1),
    "jsonl": (write_jsonl, 1),
    "parquet": (write_parquet, 1),
    "xlsx": (write_xlsx, 10),
}
"""What writes a form, and the share of the rows that it gets: one of so many."""


def peak_mb() -> float:
    """Peak resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def measure(path: str) -> None:
    """Read a file once, in this process, and print what it took."""
    from afina.data import sources
    from afina.data.formats import readers

    readers()
    if path.endswith("parquet"):
        import pyarrow.parquet  # noqa: F401
    before, start = peak_mb(), time.perf_counter()
    rows = sum(1 for _ in sources.read(path))
    print(json.dumps({"rows": rows, "seconds": time.perf_counter() - start, "peak_mb": peak_mb() - before}))


def measured(path: Path, form: str, rows: int) -> tuple[float, float]:
    """Seconds and megabytes that reading a file takes, after it was written; each in a process of its own.

    A process begins with the peak of the one that starts it, which must stay small.
    """
    command = [sys.executable, __file__, "--rows", str(rows), str(path)]
    subprocess.run([*command, "--write", form], check=True)
    done = json.loads(subprocess.run([*command, "--measure"], check=True, capture_output=True, text=True).stdout)
    if done["rows"] != rows:
        sys.exit(f"{path}: {done['rows']:,} rows, expected {rows:,}")
    return done["seconds"], done["peak_mb"]


def table(most: int) -> str:
    """Every form, written, read whole and a tenth of it."""
    lines = ["| form | rows | file, MB | seconds | rows a second | peak, MB | peak of a tenth, MB |", "|---" * 7 + "|"]
    with tempfile.TemporaryDirectory() as folder:
        for form, (_, share) in FORMS.items():
            rows, path = most // share, Path(folder, f"data.{form}")
            _, small = measured(path, form, rows // 10)
            seconds, peak = measured(path, form, rows)
            size = path.stat().st_size / 1e6
            took = f"{seconds:.2f} | {rows / seconds:,.0f} | {peak:,.1f} | {small:,.1f}"
            lines.append(f"| {form} | {rows:,} | {size:,.1f} | {took} |")
            path.unlink()
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--results", action="store_true")
    parser.add_argument("file", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--write", choices=FORMS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.write:
        FORMS[args.write][0](Path(args.file), args.rows)
        return
    if args.measure:
        measure(args.file)
        return
    found = table(args.rows)
    print(found)
    if args.results:
        about = f"{platform.processor() or platform.machine()}; Python {platform.python_version()}."
        what = "Peak is memory beyond that of the process before it reads; each file in a process of its own."
        write_section("readers", f"## Reading\n\n{about} {what}\n\n{found}")


if __name__ == "__main__":
    main()
