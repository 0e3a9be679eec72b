"""What a model folder says of itself, read without loading it: its task, options, what was fitted, head and length.

A folder of afina's has `afina.json`; a model that somebody else fine-tuned has its `config.json` alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

from pydantic import BaseModel, FiniteFloat

from . import disk
from .config import validated
from .errors import ConfigError, ModelError, printable
from .model import hub
from .model.families import Source, locate
from .model.folder import CONFIG, ENCODER, LABELS, check_config, read_json
from .tasks.base import Task, find
from .tasks.base import names as tasks
from .tasks.calibrations import NAME, Calibration

FILE = "afina.json"
FORMAT = 4
"""Version of `afina.json`. A change that older code can't read counts up, and `tests/artifacts` keeps one of each."""

# 4: temperatures, which older code would leave out of its probabilities without a word.

FORMAT_1 = {"facts": "fitted", "stock": "auto_class"}
"""Entries of format 1 that have other names since."""


class About(BaseModel):
    """`afina.json`: what Hugging Face does not know of a model.

    Attributes:
        task, options, fitted: The task, what was set for it, and what the training data taught it.
        head: Name of the head.
        max_length: Tokens of a window; None for the most that the model has room for.
        scale: Factor and shift from the head's outputs to the user's scale.
        precision: Arithmetic that it was trained in, and answers in.
        trained_on: Type of the device that it was trained on, as torch names it.
        packing: Whether windows lay in rows without padding where device and family allow it, and do so again.
        base: Name of the model that was fine-tuned.
        files: SHA-256 of each other file; None for models that are not verified.
    """

    task: str
    options: dict[str, Any]
    fitted: dict[str, Any]
    head: str
    max_length: int | None
    scale: tuple[FiniteFloat, FiniteFloat]
    base: str
    precision: Literal["fp32", "bf16"] = "fp32"
    trained_on: str = "cpu"
    packing: bool = True
    files: dict[str, str] | None = None


def home_of(encoder: Path) -> Path:
    """The folder of a whole model, from that of its weights."""
    under_head = encoder.name == ENCODER and (encoder.parent / FILE).is_file()
    return encoder.parent if under_head else encoder


def read_about(file: Path) -> About:
    """`afina.json`.

    Raises:
        ModelError: it is not readable, of a newer format, or not as it was saved.
    """
    tree = read_json(file)
    form = tree.get("format")
    if not isinstance(form, int) or form < 1:
        raise ModelError(f"{file}: damaged: its format is {printable(form)}; copy the model again")
    if form > FORMAT:
        raise ModelError(
            f"{file}: written by afina {tree.get('afina')} in format {form}; "
            f"this version reads up to {FORMAT}: pip install -U afina"
        )
    if tree.get("sha256", digest(tree)) != digest(tree):
        raise ModelError(
            f'{file}: not what was saved (its "sha256" differs); copy the model again or, if that is on purpose, '
            'remove the entry "sha256"'
        )
    try:
        about: About = validated(About, upgraded(tree), "")
    except ConfigError as error:
        raise ModelError(f"{file}: damaged: {error}") from error
    return about


def upgraded(tree: Mapping[str, Any]) -> dict[str, Any]:
    """What `afina.json` says, in the words of the present format."""
    return {FORMAT_1.get(name, name) if tree["format"] == 1 else name: value for name, value in tree.items()}


def describe(source: Source) -> About:
    """What is known of a located model.

    Raises:
        ModelError: `afina.json` can't be used, or the model has no head that a task of ours can use.
    """
    file = home_of(Path(source.path)) / FILE
    return read_about(file) if source.local and file.exists() else about_stock(source)


def task_of(about: About) -> Task:
    """The fitted task.

    Raises:
        ConfigError: an entry is impossible.
    """
    kind = find(about.task)
    try:
        task = kind(validated(kind.Options, about.options, "options"), about.fitted)
        outputs = task.head.outputs
    except (KeyError, TypeError, ValueError, AttributeError) as error:  # what was fitted is the task's own affair
        raise ConfigError(f"fitted: not those of the task {about.task}: {error!r}") from error
    if outputs < 1:
        raise ConfigError(f"fitted: not those of the task {about.task}: nothing can be predicted")
    if outputs > LABELS:
        raise ConfigError(f"fitted: {outputs:,} labels; at most {LABELS:,} are read")
    return task


def task_in(model: str) -> Task:
    """The fitted task of a model, which is not loaded: a run of afina's, a model folder, or a hub id.

    Raises:
        ModelError: there is no model, or what it says of itself can't be used.
    """
    source = locate(model)
    try:
        return task_of(describe(source))
    except ConfigError as error:  # not a setting of the user's, but an entry of the model's
        raise ModelError(f"{source.path}: {error}") from error


def about_stock(source: Source) -> About:
    """What `afina.json` would say of a stock model that somebody else fine-tuned, from its `config.json`.

    Raises:
        ModelError: it has no head that a task of ours can use.
    """
    tree = read_json(Path(source.path) / CONFIG if source.local else hub.configuration(source.path))
    check_config(tree, f"{source.path}: {CONFIG}")
    names = tree.get("architectures")
    architecture = str(names[0]) if names and isinstance(names, list) else ""
    config = stock_config(tree)
    for kind in map(find, tasks()):
        task = kind.from_stock(architecture, config)
        if task is not None:
            return About(
                task=kind.name, options={}, fitted=dict(task.fitted), head="native", max_length=None, scale=(1.0, 0.0),
                base=source.path,
            )  # fmt: skip
    raise ModelError(
        f"model: {architecture or 'a model without a head'} is not a fine-tuned model that afina has a task for"
    )


def stock_config(tree: Mapping[str, Any]) -> SimpleNamespace:
    """A `config.json` as an object with what transformers fills in about labels: two, named by their numbers."""
    number = tree.get("num_labels", 2)
    labels = tree.get("id2label") or {i: f"LABEL_{i}" for i in range(number if isinstance(number, int) else 2)}
    named = {int(i): label for i, label in labels.items()}
    return SimpleNamespace(**{"problem_type": None, **tree, "id2label": named, "num_labels": len(named)})


def written(about: Mapping[str, Any]) -> str:
    """The text of `afina.json`: a value a line, but the many scores of a calibration in one."""
    known = about["fitted"].get(NAME, {})
    if not known.get("scores"):
        return json.dumps(about, indent=2, ensure_ascii=False) + "\n"
    short = {**about, "fitted": {**about["fitted"], NAME: {**known, "scores": ""}}}
    text = json.dumps(short, indent=2, ensure_ascii=False)
    # Quotes inside of a JSON string are escaped, so that the sought text is an entry.
    return text.replace('"scores": ""', f'"scores": {json.dumps(list(known["scores"]))}', 1) + "\n"


def recalibrate(folder: Path, calibration: Calibration) -> None:
    """Write another calibration into the `afina.json` of a model folder, complete or not at all.

    Args:
        folder: The model's own folder, whose `afina.json` is there.
        calibration: In place of what it holds; thresholds of labels move with the temperature.

    Raises:
        ModelError: `afina.json` can't be used.
        ConfigError: the file can't be written.
    """
    file = folder / FILE
    task = task_of(read_about(file)).with_calibration(calibration)
    tree = read_json(file)
    about = {**tree, **upgraded(tree), "format": FORMAT, "afina": version("afina"), "fitted": dict(task.fitted)}
    about = {name: value for name, value in about.items() if name not in (*FORMAT_1, "sha256")}
    about["sha256"] = digest(about)
    try:
        disk.write(file, written(about).encode())
    except OSError as error:
        raise ConfigError(f"{file}: can't be written: {error.strerror}; calibrate a copy of the model") from error


def digest(about: Mapping[str, Any]) -> str:
    """SHA-256 of what `afina.json` says, its own sum aside; spaces and order don't count."""
    rest = json.loads(json.dumps({name: value for name, value in about.items() if name != "sha256"}))
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
