"""Everything that a GPU can tell, within eight minutes: `make gpu`.

    python bench/on_gpu.py                                   # into build/gpu, or the folder in GPU_OUT
    python bench/on_gpu.py --tiny --device cpu               # the same on small shapes, to see that it works

In this order, each with a limit of its own and with results in the folder as soon as they are known, so that whatever
ends it early leaves what was found:

    environment.json     the GPU, its driver, torch, the commit
    sanity.md, .jsonl    trainings on real text beside the scores of a CPU (bench/sanity.py)
    gpu.md, .jsonl       speed and memory beside the Trainer, the most telling figures first (bench/gpu.py)
    suite.md, .jsonl     the quick tests on the GPU, a line for each test when it ends
    summary.md           all of it, a few lines each
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent
FIRST = ("tests/model", "tests/training", "tests/tasks", "tests/serving")
"""Tests that need the device most come first: the limit may cut the others."""


def ran(command: Sequence[str]) -> str:
    """What a command says, or nothing where there is no such command."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def environment(device: str) -> dict[str, Any]:
    """Where this runs."""
    import torch
    import transformers

    gpu = torch.cuda.get_device_properties(0) if device == "cuda" else None
    return {
        "gpu": gpu.name if gpu else None,
        "gpu_memory": gpu.total_memory if gpu else None,
        "capability": list(torch.cuda.get_device_capability()) if gpu else None,
        "driver": ran(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]) or None,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "commit": ran(["git", "rev-parse", "HEAD"]) or None,
        "changed": bool(ran(["git", "status", "--porcelain"])),
        "started": time.strftime("%Y-%m-%d %H:%M:%S"),
    }


def limited(name: str, command: Sequence[str], out: Path, seconds: float, **more: str) -> str:
    """Run a part with a limit; how it ended, in words. What it says goes to `NAME.log`."""
    begun = time.monotonic()
    path = os.pathsep.join(filter(None, (str(REPOSITORY), os.environ.get("PYTHONPATH"))))
    with (out / f"{name}.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, cwd=REPOSITORY, start_new_session=True,
            env={**os.environ, "PYTHONPATH": path, **more},
        )  # fmt: skip
        try:
            code = process.wait(timeout=max(1.0, seconds))
            ended = f"ended with code {code}"
        except subprocess.TimeoutExpired:
            stop(process)
            ended = "was cut"
    said = f"{name} {ended} after {time.monotonic() - begun:.0f} s (limit {seconds:.0f} s)"
    print(said, flush=True)
    return said


def stop(process: subprocess.Popen[Any]) -> None:
    """End a process and all that it started: kindly, then for good."""
    for kind, patience in ((signal.SIGINT, 5.0), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(process.pid, kind)
            process.wait(timeout=patience)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def suite(out: Path) -> str:
    """The tests that ended: numbers, those that failed with their last words, and what was skipped for which reason."""
    file = out / "suite.jsonl"
    if not file.exists():
        return "no test has ended\n"
    tests = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    counts = Counter(test["outcome"] for test in tests)
    lines = [", ".join(f"{number} {outcome}" for outcome, number in sorted(counts.items())), ""]
    lines += [f"* {test['test']}: {test['said']}" for test in tests if test["outcome"] == "failed"]
    reasons = Counter(test["said"] for test in tests if test["outcome"] == "skipped")
    lines += ["", "Skipped:", "", *(f"* {number}: {reason}" for reason, number in reasons.most_common())]
    slowest = sorted(tests, key=lambda test: -test["seconds"])[:10]
    lines += ["", "Slowest:", "", *(f"* {test['seconds']:.1f} s: {test['test']}" for test in slowest)]
    return "\n".join(lines) + "\n"


def main() -> None:
    """All parts, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--tiny", action="store_true", help="small shapes and few tests, to see that the script works")
    parser.add_argument("--out", type=Path, default=Path(os.environ.get("GPU_OUT") or "build/gpu"))
    parser.add_argument("--seconds", type=float, default=475.0, help="for everything")
    parser.add_argument("--tests", nargs="*", help="files or folders of tests; by default all")
    parser.add_argument("--workers", default=None, help="processes of the tests: a number (8; with --tiny 1)")
    args = parser.parse_args()
    import torch

    if args.device == "cuda" and not torch.cuda.is_available():
        print("no CUDA device here: nothing is run (--tiny --device cpu shows that the script works)")
        return
    out, begun = args.out.resolve(), time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    for old in ("suite.jsonl", "gpu.jsonl", "gpu.md", "sanity.jsonl", "sanity.md", "afina.log", "peer.log"):
        (out / old).unlink(missing_ok=True)
    (out / "environment.json").write_text(json.dumps(environment(args.device), indent=1) + "\n", encoding="utf-8")

    def left(share: float) -> float:
        """Seconds for a part: its share of the whole, or what is left if that is less."""
        return min(share * args.seconds, args.seconds - (time.monotonic() - begun))

    small = ["--tiny"] if args.tiny else []
    common = [*small, "--device", args.device, "--out", str(out)]
    python = [sys.executable, "-W", "ignore"]
    ended = [limited("sanity", [*python, str(HERE / "sanity.py"), *common], out, left(0.15))]
    room = left(0.4)
    rows = ["--rows", "32", "--minutes", "0.02"] if args.tiny else ["--rows", "2048"]
    measured = [*common, *rows, "--repeats", "1", "--seconds", str(room - 5)]
    ended.append(limited("gpu", [*python, str(HERE / "gpu.py"), *measured], out, room))
    tests = args.tests or (["tests/model/test_vocabulary.py"] if args.tiny else [*FIRST, "tests"])
    workers = args.workers or ("1" if args.tiny else "8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", workers, "-o", "faulthandler_timeout=90"]
    more = {"AFINA_TEST_DEVICE": args.device, "AFINA_TEST_REPORT": str(out / "suite.jsonl")}
    ended.append(limited("suite", [*command, *tests], out, left(1.0), **more))
    (out / "suite.md").write_text(suite(out), encoding="utf-8")
    parts = [f"{part.capitalize()}\n\n{file.read_text(encoding='utf-8')}" for part in ("sanity", "gpu", "suite")
             if (file := out / f"{part}.md").exists()]  # fmt: skip
    summary = "\n".join([(out / "environment.json").read_text(encoding="utf-8"), *ended, "", *parts])
    (out / "summary.md").write_text(summary, encoding="utf-8")
    print(summary)


if __name__ == "__main__":
    main()
