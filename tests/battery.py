"""The same bytes before and after a change of structure: a battery of whole runs, recorded and compared.

    python -m tests.battery record FILE MODELS   what the runs of the code that is imported give, as hashes
    python -m tests.battery compare REV          the same for the code of another revision, and what differs

The runs are the five tasks with each strategy, packed and padded, on a tiny model, and each task with each strategy on
the embedded one; kept states found again; a run that was killed and taken up; heads, long texts, several families and
the settings of the optimiser. They know the public interface and the run folder only, so that old code can run them.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.tiny import tiny_model

REPOSITORY = Path(__file__).resolve().parent.parent
RENAMED = {
    "rate": "learning_rate",
    "norm": "grad_norm",
    "padded": "padded_tokens",
    "cut": "truncated",
    "lost": "truncated_tokens",
    "details": "breakdown",
    "part": "split",
}
"""Names of fields that records had in earlier revisions."""
Rows = list[dict[str, Any]]


def texts() -> Rows:
    """Twenty-four texts with one label, several labels and a number each."""
    return [
        {"text": f"a {word} {thing}, {'and ' * (i % 5)}{other}", "label": label, "labels": label + ";" + tag,
         "score": i * 1.5 - 3}
        for i, (word, thing) in enumerate((w, t) for w in ("lovely", "awful", "poor", "great") for t in
                                          ("film", "room", "meal", "song", "dog", "mat"))
        for label, tag, other in ((("good", "big", "the cat sleeps") if word in ("lovely", "great")
                                   else ("bad", "old", "a bird barks")),)
    ]  # fmt: skip


def sentences() -> Rows:
    """Sentences with a tag a word."""
    return [
        {"tokens": ["the", animal, verb, "in", place, *["and", "Steve"] * (i % 3)],
         "ner_tags": ["O", "B-WHO", "O", "O", "B-PLACE", *["O", "B-WHO"] * (i % 3)]}
        for i, (animal, verb) in enumerate((a, v) for a in ("cat", "dog", "bird") for v in ("sleeps", "barks", "is"))
        for place in ("Califórnia", "Apple")
    ]  # fmt: skip


def spans() -> Rows:
    """Texts with spans of characters."""
    return [
        {"text": f"{word} the {thing} in 1976.", "spans": [
            {"start": len(word) + 5, "end": len(word) + 5 + len(thing), "label": "THING"},
            {"start": len(word) + len(thing) + 9, "end": len(word) + len(thing) + 13, "label": "YEAR"}]}
        for word in ("good", "awful", "lovely") for thing in ("cat", "film", "song", "room")
    ]  # fmt: skip


def questions() -> Rows:
    """Questions with an answer in their passage, or none."""
    return [
        {"question": f"who {verb}?", "context": f"the {who} {verb} on the mat and the {other} barks at the bird",
         "answers": [] if who == "mat" else [{"text": who, "answer_start": 4}]}
        for who in ("cat", "bird", "film", "mat") for verb in ("sleeps", "stops") for other in ("dog", "song")
    ]  # fmt: skip


DATA = {
    "classification": (texts(), {"label": "label", "text": "text"}),
    "multilabel": (texts(), {"label": "labels", "text": "text"}),
    "regression": (texts(), {"label": "score", "text": "text"}),
    "tokens": (sentences(), {}),
    "answers": (questions(), {}),
}
MORE: dict[str, dict[str, Any]] = {
    "crf": {"task": "tokens", "head": "crf", "strategy": "last-1"},
    "spans": {"task": "tokens", "options__class_weights": "balanced"},
    "mean": {"task": "classification", "head": "mean", "strategy": "last-2"},
    "max": {"task": "regression", "head": "max"},
    "linear": {"task": "multilabel", "head": "linear", "strategy": "head", "options__class_weights": "balanced"},
    "windows": {"task": "classification", "options__long": "windows", "max_length": 12},
    "truncated": {"task": "classification", "max_length": 12, "strategy": "last-2"},
    "weights": {"task": "classification", "options__class_weights": "balanced", "options__label_smoothing": 0.1},
    "optimiser": {
        "task": "classification", "training__accumulation": 2, "training__layer_decay": 0.8, "training__clip": 0.1,
        "training__head_learning_rate": 1e-2, "training__schedule": "cosine", "weight_decay": 0.1, "dropout": 0.3,
    },
    "checkpointing": {"task": "classification", "training__checkpointing": True},
    "small pieces": {"task": "tokens", "training__micro_tokens": 24},
    "held out": {"task": "classification", "hold_out": 0.25, "validation": None},
    **{f"family {name}": {"task": "classification", "family": name, "strategy": strategy}
       for name, strategy in (("roberta", "full"), ("modernbert", "last-2"), ("deberta-v2", "last-2"),
                              ("mpnet", "full"), ("albert", "full"), ("distilbert", "last-1"))},
}  # fmt: skip


def settings() -> Iterator[tuple[str, dict[str, Any]]]:
    """The name and the settings of each run."""
    for task in DATA:
        for strategy in ("full", "last-2", "head"):
            for packing in (True, False):
                yield (
                    f"{task} {strategy} {'packed' if packing else 'padded'}",
                    {"task": task, "strategy": strategy, "training__packing": packing},
                )
            yield f"minilm {task} {strategy}", {"task": task, "strategy": strategy, "model": "minilm"}
    yield "kept states, found again", {"task": "classification", "strategy": "last-2"}
    yield from MORE.items()


def complete(name: str, given: Mapping[str, Any], models: Path, folder: Path) -> dict[str, Any]:
    """Everything that `afina.train` needs for a run."""
    own = dict(given)
    rows, columns = DATA[own["task"]] if name != "spans" else (spans(), {})
    family = own.pop("family", "bert")
    if "model" not in own:
        place = models / family
        own["model"] = str(place if place.exists() else tiny_model(place, family))
    own.setdefault("validation", rows[::3])
    return {
        "train": rows, "test": rows[1::4], "epochs": 2, "learning_rate": 5e-3, "batch_size": 5,
        "training__threads": 1, "training__precision": "fp32", "cache_disk": 1.0, "out": str(folder), **columns, **own,
    }  # fmt: skip


def record(out: Path, models: Path) -> None:
    """Run everything with the code that is imported, and write the hashes down.

    Args:
        out: File to write.
        models: Folder of the tiny models, which are made when they are not there: the training of a tokenizer gives
            another one each time.
    """
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["AFINA_CACHE"] = f"{scratch}/states"
        import torch

        import afina

        torch.set_num_threads(1)
        for name, given in settings():
            folder = Path(scratch) / name.replace(" ", "-")
            afina.train(**complete(name, given, models, folder))
            found[name] = digest(folder)
        found["killed and taken up"] = digest(taken_up(Path(scratch), models / "bert"))
    out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def taken_up(scratch: Path, model: Path) -> Path:
    """The folder of a run that was killed in the middle and taken up by the same command."""
    data, folder = scratch / "rows.jsonl", scratch / "killed"
    data.write_text("".join(json.dumps(row) + "\n" for row in texts() * 4), encoding="utf-8")
    command = [
        sys.executable, "-m", "afina", "train", "--train", str(data), "--model", str(model), "--text",
        "text", "--label", "label", "--strategy", "last-2", "--epochs", "4", "--batch-size", "4", "--out", str(folder),
        "--set", "training.checkpoint_every=0", "--set", "training.threads=1", "--quiet",
        "--set", "training.precision=fp32",
    ]  # fmt: skip
    running = subprocess.Popen(command)
    steps = folder / "steps.jsonl"
    while running.poll() is None and (not steps.exists() or steps.read_bytes().count(b"\n") < 20):
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    subprocess.run(command, check=True)
    return folder


def digest(folder: Path) -> dict[str, str]:
    """A hash of each thing that a run folder says, times and versions aside."""
    found = {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted((folder / "model").rglob("*"))
        if file.name not in ("afina.json", "README.md") and file.is_file()  # the card tells times and versions
    }
    about = json.loads((folder / "model" / "afina.json").read_text(encoding="utf-8"))
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    said: dict[str, Any] = {
        "fitted": about.get("fitted", about.get("facts")),
        "run": {name: run[name] for name in ("validation", "test", "best", "steps", "parameters", "tokens")},
    }
    for name in ("steps", "evaluations", "predictions"):
        lines = (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        said[name] = [json.loads(line) for line in lines]
    for prediction in said["predictions"]:
        prediction["place"] = prediction["place"].rpartition("/")[2]
    return found | {name: hashlib.sha256(canonical(value).encode()).hexdigest() for name, value in said.items()}


def canonical(value: Any) -> str:
    """JSON with the fields by their present names, in the order of those."""
    return json.dumps(renamed(value), sort_keys=True)


def renamed(value: Any) -> Any:
    """A tree with its fields by their present names."""
    if isinstance(value, dict):
        return {RENAMED.get(name, name): renamed(part) for name, part in value.items()}
    return [renamed(part) for part in value] if isinstance(value, list) else value


def compare(revision: str) -> int:
    """Run both revisions and print what differs; the number of differences."""
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch) / "tree"
        subprocess.run(["git", "worktree", "add", "--detach", "-q", str(tree), revision], check=True, cwd=REPOSITORY)
        try:
            then, now = (recorded(source, Path(scratch)) for source in (tree, REPOSITORY))
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(tree)], check=True, cwd=REPOSITORY)
    differ = differences(then, now)
    print("\n".join([*differ, f"{len(now)} runs, {sum(map(len, now.values()))} hashes, {len(differ)} differ"]))
    return len(differ)


def recorded(tree: Path, scratch: Path) -> dict[str, dict[str, str]]:
    """The hashes of a source tree."""
    out = scratch / f"{tree.name}.json"
    environment = {**os.environ, "PYTHONPATH": str(tree / "src")}
    command = [sys.executable, "-m", "tests.battery", "record", str(out), str(scratch / "models")]
    subprocess.run(command, check=True, cwd=REPOSITORY, env=environment, stdout=subprocess.DEVNULL)
    found: dict[str, dict[str, str]] = json.loads(out.read_text(encoding="utf-8"))
    return found


def differences(then: Mapping[str, Mapping[str, str]], now: Mapping[str, Mapping[str, str]]) -> list[str]:
    """What is not the same, a line each."""
    names = sorted({*then, *now})
    return [
        f"{name}: {part}"
        for name in names
        for part in sorted({*then.get(name, {}), *now.get(name, {})})
        if then.get(name, {}).get(part) != now.get(name, {}).get(part)
    ]


def main(arguments: Sequence[str]) -> int:
    """`record FILE MODELS` or `compare REV`."""
    match arguments:
        case ["record", file, models]:
            record(Path(file), Path(models).absolute())
            return 0
        case ["compare", revision]:
            return min(1, compare(revision))
    print(__doc__)
    return 2


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main(sys.argv[1:]))
