"""Small whole runs: made, stopped, and compared byte by byte."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from afina.config import Config, load
from afina.data.parts import Data, read_data
from afina.training.events import Done, Event, Step
from afina.training.run import stream
from tests import arithmetic  # noqa: F401 - settles the device, in processes of the tests' too

WORDS = [(word, "good") for word in ("lovely", "great", "fine")] + [(word, "bad") for word in ("poor", "awful")]
THINGS = ("film", "room", "song")
PAIRS = [(word, label, thing) for word, label in WORDS for thing in THINGS]
ROWS: dict[str, list[dict[str, Any]]] = {
    "classification": [{"text": f"a {word} {thing}", "label": label} for word, label, thing in PAIRS],
    "regression": [{"text": f"a {word} {thing}", "score": 1.5 * i} for i, (word, _, thing) in enumerate(PAIRS)],
    "multilabel": [{"text": f"a {word} {thing}", "labels": [label, thing]} for word, label, thing in PAIRS],
    "tokens": [{"tokens": ["the", thing, word], "tags": ["O", f"B-{label}", "O"]} for word, label, thing in PAIRS],
    "answers": [
        {
            "question": "what is it?",
            "context": f"a {word} {thing}",
            "answers": [{"text": word, "answer_start": 2}] if thing != "song" else [],
        }
        for word, _, thing in PAIRS
    ],
}


STRICT = "AFINA_TEST_STRICT"
"""Variable of the environment that makes runs strict; the fixture `same_bytes` sets it, and processes inherit it."""


def promised(separator: str = ".") -> dict[str, Any]:
    """Settings of runs that end in the same bytes, by path."""
    return {f"training{separator}strict": True} if STRICT in os.environ else {}


def configured(model: Path, out: Path, task: str = "classification", **more: Any) -> Config:
    """The configuration of a short run on a tiny model; more settings by path, with two underscores for the dot."""
    settings = {
        "task": task, "model.name": str(model), "out": str(out), "training.epochs": 4, "training.batch_size": 3,
        "training.learning_rate": 5e-3, "training.checkpoint_every": 0, "seed": 1, **promised(),
        **{name.replace("__", "."): value for name, value in more.items()},
    }  # fmt: skip
    return load(None, settings)


def data_of(config: Config) -> Data:
    """The rows of the configured task, in all three splits."""
    rows = ROWS[config.task]
    return read_data(config, {"train": rows, "validation": rows[::3], "test": rows[::4]})


def events(model: Path, out: Path, task: str = "classification", **more: Any) -> Iterator[Event]:
    """A run that is begun, or taken up; arguments are those of `configured`."""
    config = configured(model, out, task, **more)
    return stream(config, data_of(config))


def finished(run: Iterator[Event]) -> Done:
    """The end of a run."""
    (*_, last) = run
    assert isinstance(last, Done)
    return last


def stopped(run: Iterator[Event], *, after: int, kind: type = Step) -> None:
    """Close a run after so many events of a kind, as a signal does."""
    assert isinstance(run, Generator)
    seen = 0
    for event in run:
        seen += isinstance(event, kind)
        if seen == after:
            break
    run.close()


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Everything in a finished run but times and paths, and the card and the page, which tell both."""
    files = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    for name in ("model/README.md", "report.html"):
        files.pop(name, None)
    record = json.loads(files.pop("run.json"))
    for name in ("seconds", "speed", "memory"):
        record.pop(name)
    files["run.json"] = json.dumps(record).encode()
    files["config.yaml"] = re.sub(rb"out: .*", b"", files["config.yaml"])
    return files


# ---------------------------------------------------------------------------------------------------------------------
# Runs from files.

REVIEWS = {"good": ["lovely", "great", "fine"], "bad": ["awful", "poor", "broken"]}


def reviews(n: int = 40) -> list[dict[str, str]]:
    """Texts whose words tell their label, good and bad in turn."""
    things = ["film", "room", "meal", "song", "cat", "dog"]
    return [
        {"text": f"a {REVIEWS[label][i % 3]} {things[i % 6]}, {i}", "label": label}
        for i in range(n)
        for label in (["good", "bad"][i % 2],)
    ]


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """A file of rows."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def events_of(setting: Mapping[str, Any]) -> list[Event]:
    """Everything that a run with these settings, by path, says."""
    return list(stream(load(None, {**promised(), **setting})))


def done(events: Sequence[Event]) -> Done:
    """The last event."""
    assert isinstance(events[-1], Done)
    return events[-1]
