"""What a card is made of: the records of a finished run, and what follows from them. No text of the data is in it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import Any

from ..about import About
from ..model.known import Encoder, encoder_named
from ..tasks.base import Task

HUB_ID = re.compile(r"[\w-][\w.-]*(?:/[\w.-]+)?", re.ASCII)
CACHED = re.compile(r"[/\\]models--([\w.-]+?)--([\w.-]+)[/\\]snapshots[/\\]", re.ASCII)
"""A model's folder in the cache of the hub, which says whose it is."""
HELD_OUT, IN_MEMORY = "held out of ", "given in memory"
"""How `data.json` says where examples came from."""
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Base:
    """The model that was fine-tuned.

    Attributes:
        shown: What it is called; of a folder its own name alone.
        hub: Its id on the hub, where that is known.
        known: What is known of it.
    """

    shown: str
    hub: str = ""
    known: Encoder | None = None

    @property
    def local(self) -> bool:
        """Whether it was a folder that only its owner knows."""
        return not self.hub


@dataclass(frozen=True)
class Facts:
    """A finished run.

    Attributes:
        name: Name of its folder.
        task: The fitted task.
        about: What the model says of itself.
        config: The complete configuration.
        data: Content of `data.json`.
        findings: Content of `check.json`.
        record: Content of `run.json`.
    """

    name: str
    task: Task
    about: About
    config: Mapping[str, Any]
    data: Mapping[str, Any]
    findings: Sequence[Mapping[str, Any]]
    record: Mapping[str, Any]

    @cached_property
    def kind(self) -> str:
        """What the model gives, as its head and its labels show.

        `label`, `labels`, `number`, `entities`, `tags` or `answer`; `other` for tasks of other packages that give
        something else.
        """
        problem = self.task.head.config.get("problem_type")
        match self.task.head.auto_class, problem:
            case "AutoModelForSequenceClassification", "single_label_classification":
                return "label"
            case "AutoModelForSequenceClassification", "multi_label_classification" if self.task.labels:
                return "labels"
            case "AutoModelForSequenceClassification", "regression":
                return "number"
            case "AutoModelForTokenClassification", _ if self.task.unit in ("entities", "tags"):
                return self.task.unit
            case "AutoModelForQuestionAnswering", _:
                return "answer"
        return "other"

    @property
    def paired(self) -> bool:
        """Whether an input is a pair of texts."""
        return len(self.task.inputs) == 2

    @property
    def native(self) -> bool:
        """Whether other programs know the head."""
        return self.about.head == "native"

    @property
    def splits(self) -> list[str]:
        """The splits that there are."""
        return [name for name in SPLITS if name in self.data]

    @property
    def recalibrated(self) -> bool:
        """Whether the model was calibrated after its training, so that no probability is as the run measured it."""
        before, now = self.record.get("calibration") or {}, self.task.calibration
        return (before.get("temperature", 1.0), before.get("data", "")) != (now.temperature, now.data)

    @property
    def scored(self) -> str:
        """The split whose scores count: the test data where there are any."""
        return "test" if self.record.get("test") else "validation"

    @property
    def scores(self) -> dict[str, Mapping[str, Any]]:
        """The evaluations by split, the one that counts first."""
        return {name: one for name in ("test", "validation") if (one := self.record.get(name))}

    @cached_property
    def labels(self) -> dict[str, dict[str, int]]:
        """How often each label occurs, by split; those of training come first. Empty where targets are no labels."""
        counts = {name: self.data[name].get("targets") or {} for name in self.splits}
        known = dict.fromkeys(label for some in counts.values() for label in some)
        return {label: {name: some.get(label, 0) for name, some in counts.items()} for label in known}

    @property
    def commonest(self) -> list[str]:
        """The labels that training has, the commonest first."""
        own = [label for label, counts in self.labels.items() if counts["train"]]
        return sorted(own, key=lambda label: (-self.labels[label]["train"], label))

    @property
    def language(self) -> str:
        """Code of the language of the training texts, where their words say it."""
        return str(self.record.get("language") or "")

    @property
    def random(self) -> bool:
        """Whether training began with random weights."""
        return bool(self.record.get("weights") == "random")

    @cached_property
    def base(self) -> Base:
        """The model that was fine-tuned."""
        return base_of(str(self.config["model"]["name"]))

    @property
    def warned(self) -> list[str]:
        """Codes of the warnings about the scores."""
        return [str(one.get("code")) for one in self.record.get("warnings", ())]

    @property
    def max_length(self) -> int | None:
        """Number of tokens of a window."""
        length = self.about.max_length or self.config["model"].get("max_length")
        return None if length is None else int(length)

    def counted(self, *codes: str) -> int:
        """Number of examples that findings of the given codes concern."""
        return sum(int(one.get("count") or 0) for one in self.findings if one.get("code") in codes)

    def sources(self, split: str) -> tuple[list[str], bool]:
        """Names of the files that a split came from, none for data in memory, and whether it was held out of them."""
        words = str(self.data[split].get("source", ""))
        held = words.startswith(HELD_OUT)
        words = words.removeprefix(HELD_OUT)
        return ([] if words in (IN_MEMORY, "") else file_names(words)), held


def base_of(name: str) -> Base:
    """What is known of a model by the name under which it was opened. Of a path no more than its last part is kept."""
    if cached := CACHED.search(f"{name}/"):
        name = "/".join(cached.groups())
    known = encoder_named(name)
    if known is not None:
        return Base(known.name, known.name, known)
    if HUB_ID.fullmatch(name):
        return Base(name, name)
    path = PurePath(name.replace("\\", "/"))
    own = path.parent if path.name in ("model", "encoder") and path.parent.name else path
    return Base(own.name or path.name)


def file_names(source: str) -> list[str]:
    """Names of files without their folders, from one path or several paths of one folder between commas."""
    source = source.replace("\\", "/")
    for place in (index for index, sign in enumerate(source) if sign == "/"):
        folder = source[: place + 1]
        names = source[place + 1 :].split(f", {folder}")
        if all(names) and not any("/" in name for name in names):
            return names
    return [source.rstrip("/").rpartition("/")[2]]


def finite(value: Any) -> float | None:
    """A number, or None for what is none."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
