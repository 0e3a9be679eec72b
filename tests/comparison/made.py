"""Folders of finished runs, made without a training: of every task, as right as is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from afina import inference
from afina.config import dump, load
from afina.data.identity import identity
from afina.records import Example, Prediction
from afina.tasks.answers import Answer
from afina.tasks.base import Task, find
from afina.text.spans import Span
from afina.training import rundir, score_tables
from afina.training.score_tables import Scored

FITTED: dict[str, dict[str, Any]] = {
    "classification": {"labels": ["a", "b", "c"]},
    "multilabel": {"labels": ["a", "b", "c"]},
    "regression": {"mean": 0.0, "deviation": 1.0},
    "tokens": {"kind": "entities", "types": ["a", "b"], "scheme": "spans"},
    "answers": {"no_answer": True},
}


def task_of(name: str) -> Task:
    """A fitted task."""
    kind = find(name)
    return kind(kind.Options(), FITTED[name])


def example(name: str, i: int) -> Example:
    """The example with a number. Gold answers take turns."""
    label = "abc"[i % 3]
    if name == "tokens":
        return Example(f"x{i} y", target=(Span(0, 2, "ab"[i % 2]),), place=f"row {i}")
    if name == "answers":
        return Example(f"who {i}?", f"passage {i // 2} tells", (Answer(0, 7, "passage"),), place=f"row {i}")
    targets: dict[str, Any] = {"classification": label, "multilabel": (label,), "regression": float(i)}
    return Example(f"text {i}", target=targets[name], place=f"row {i}")


def answer(name: str, i: int, *, right: bool) -> Prediction:
    """The right answer for the example with a number, or a wrong one."""
    label = "abc"[i % 3 if right else (i + 1) % 3]
    if name == "classification":
        return {"label": label, "probabilities": {one: 0.8 if one == label else 0.1 for one in "abc"}}
    if name == "multilabel":
        return {"labels": [label], "probabilities": {one: 0.8 if one == label else 0.1 for one in "abc"}}
    if name == "regression":
        return {"score": i + (0.1 if right else 3.0) * (-1) ** i}
    if name == "tokens":
        return {"entities": [{"start": 0, "end": 2, "label": "ab"[(i + (not right)) % 2], "score": 0.9}]}
    return {"answer": "passage" if right else "tells", "start": 0, "end": 7, "probability": 0.9, "alternatives": []}


def made(
    folder: Path,
    name: str = "classification",
    *,
    right: Sequence[bool],
    order: Sequence[int] | None = None,
    groups: Sequence[str] | None = None,
    splits: Sequence[str] = ("validation", "test"),
    metric: str | None = None,
    fitted: dict[str, Any] | None = None,
    names: Sequence[str] = (),
    **settings: Any,
) -> Path:
    """A finished run whose answers are right where it is said.

    Args:
        folder: Where to.
        name: Name of the task.
        right: Whether each answer is right.
        order: Numbers of its examples; by default from 0 on.
        groups: The group of each example.
        splits: What it was scored on; all splits hold the same examples.
        metric: What chose the epoch; by default the task's first.
        fitted: What the task was fitted to.
        names: Names of the labels a, b and c of a classification, where they have others.
        settings: Of its configuration, with two underscores for the dot.
    """
    task = task_of(name) if fitted is None else task_of(name).with_fitted(**fitted)
    numbers = list(range(len(right)) if order is None else order)
    examples = [example(name, i) for i in numbers]
    if groups is not None:
        examples = [replace(one, group=own) for one, own in zip(examples, groups, strict=True)]
    predictions = [answer(name, i, right=one) for i, one in zip(numbers, right, strict=True)]
    if names:
        known = dict(zip("abc", names, strict=True))
        examples = [replace(one, target=known[one.target]) for one in examples]
        shares = [{known[one]: share for one, share in said["probabilities"].items()} for said in predictions]
        predictions = [
            {"label": known[said["label"]], "probabilities": own} for said, own in zip(predictions, shares, strict=True)
        ]
    table = inference.table_of(task, examples, predictions=predictions)
    scored = Scored(table, np.array([identity(one) for one in examples], np.uint64), inference.clusters(task, examples))
    folder.mkdir(parents=True)
    given = {"task": name, "out": str(folder), **{key.replace("__", "."): value for key, value in settings.items()}}
    (folder / rundir.CONFIG).write_text(dump(load(None, given)), encoding="utf-8")
    about = {"name": name, "options": task.options.model_dump(mode="json"), "fitted": dict(task.fitted)}
    score_tables.write(folder / rundir.SCORES, dict.fromkeys(splits, scored), task=about)
    for split in splits:
        lines = [{"split": split, "place": one.place, **said} for one, said in zip(examples, predictions, strict=True)]
        rundir.append(folder / rundir.PREDICTIONS, *lines)
    evaluation = asdict(inference.evaluate(task, examples, predictions=predictions, resamples=10))
    record = {split: evaluation if split in splits else None for split in ("validation", "test")}
    best = {"metric": metric or next(iter(task.metrics))}
    rundir.write_json(folder / rundir.RUN, {"status": "done", **record, "best": best})
    return folder


def rights(n: int, share: float, *, seed: int = 0) -> list[bool]:
    """Answers of which about this share is right, by chance."""
    found: list[bool] = (np.random.default_rng(seed).random(n) < share).tolist()
    return found
